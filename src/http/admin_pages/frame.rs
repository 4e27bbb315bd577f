//! What stands around every page of the administration: its parts, as far as somebody may see them.

use crate::admin::Asker;
use crate::http::destination::AdminPath;
use crate::http::texts::Texts;

/// The name of the person, and the parts that they may see.
pub(in crate::http) struct Frame {
    pub(in crate::http) name: String,
    /// Whether what stands in the form was typed before another sign-in, and is not sent yet.
    pub(in crate::http) not_sent: bool,
    pub(in crate::http) parts: Vec<Part>,
}

/// A part of the administration, as the navigation names it.
pub(in crate::http) struct Part {
    pub(in crate::http) here: bool,
    pub(in crate::http) kind: Kind,
    pub(in crate::http) path: AdminPath,
}

/// The parts of the administration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Kind {
    /// What runs, and how it is.
    Overview,
    /// What happened.
    Events,
    /// People.
    People,
    /// Links by which several people make their accounts.
    Invitations,
    /// Setup links.
    Links,
    /// Sessions.
    Sessions,
    /// What people have allowed applications.
    Grants,
    /// Bridges.
    Bridges,
    /// Who may let people sign in.
    Clients,
    /// The signing keys.
    Keys,
    /// What tokens are for, and the scopes.
    Resources,
    /// The configuration in force.
    Settings,
}

impl Kind {
    pub(super) const ALL: [Self; 12] = [
        Self::Overview,
        Self::People,
        Self::Invitations,
        Self::Links,
        Self::Sessions,
        Self::Grants,
        Self::Bridges,
        Self::Clients,
        Self::Resources,
        Self::Keys,
        Self::Events,
        Self::Settings,
    ];

    /// The first segment of its path, below that of the administration.
    const fn segment(self) -> Option<&'static str> {
        match self {
            Self::Overview => None,
            Self::Events => Some("events"),
            Self::People => Some("people"),
            Self::Invitations => Some("invitations"),
            Self::Links => Some("links"),
            Self::Sessions => Some("sessions"),
            Self::Grants => Some("grants"),
            Self::Bridges => Some("bridges"),
            Self::Clients => Some("clients"),
            Self::Keys => Some("keys"),
            Self::Resources => Some("resources"),
            Self::Settings => Some("settings"),
        }
    }

    /// The scopes of which one shows it.
    const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Overview => &["admin:read", "admin:people", "admin:clients", "admin:keys"],
            Self::People
            | Self::Invitations
            | Self::Links
            | Self::Sessions
            | Self::Grants
            | Self::Bridges => &["admin:read", "admin:people"],
            Self::Clients | Self::Resources => &["admin:read", "admin:clients"],
            Self::Keys => &["admin:read", "admin:keys"],
            Self::Events | Self::Settings => &["admin:read"],
        }
    }
}

impl Part {
    /// Its name.
    pub(in crate::http) fn label(&self, t: &Texts) -> String {
        let t = &t.admin.frame;
        let label = match self.kind {
            Kind::Overview => t.overview(),
            Kind::Events => t.events(),
            Kind::People => t.people(),
            Kind::Invitations => t.invitations(),
            Kind::Links => t.links(),
            Kind::Sessions => t.sessions(),
            Kind::Grants => t.grants(),
            Kind::Bridges => t.bridges(),
            Kind::Clients => t.clients(),
            Kind::Keys => t.keys(),
            Kind::Resources => t.resources(),
            Kind::Settings => t.settings(),
        };
        label.plain()
    }
}

impl Frame {
    pub(super) fn new(asker: &Asker, here: &AdminPath, name: String) -> Self {
        let within = here.path().strip_prefix(AdminPath::ROOT).unwrap_or_default();
        let segment = within.split('/').nth(1);
        let visible = Kind::ALL.into_iter().filter(|kind| asker.may(kind.scopes()));
        let parts = visible.map(|kind| Part {
            here: kind.segment() == segment,
            kind,
            path: AdminPath::of(kind.segment()),
        });
        Self { name, not_sent: false, parts: parts.collect() }
    }
}
