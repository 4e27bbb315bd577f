//! The page on which a person allows a client something, or does not.

use askama::Template;

use super::asker::{AppLink, Asker};
use super::email::EmailField;
use super::templates::{self, Page, ScopeItem};
use crate::app::App;
use crate::flow::authorize::step::ConsentRequest;
use crate::http::destination::PagePath;
use crate::http::extract::browser::Browser;
use crate::http::texts::Texts;
use crate::oauth::client::ClientType;
use crate::oauth::client::cimd::DocumentAddress;
use crate::oauth::id::InteractionId;
use crate::oauth::redirect_uri::Kind;
use crate::oauth::scope::Scope;
use crate::store::StoreError;
use crate::store::schema::Origin;

#[derive(Template)]
#[template(path = "consent.html", config = "assets/askama.toml")]
pub(in crate::http) struct ConsentPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) action: PagePath,
    /// The sign-in of somebody else, who then answers, if the client takes anybody.
    pub(in crate::http) another: Option<PagePath>,
    pub(in crate::http) asker: Asker,
    pub(in crate::http) client_id: String,
    pub(in crate::http) display_name: String,
    /// The field for an e-mail address, if one is asked for and the person has none.
    pub(in crate::http) email: Option<EmailField>,
    pub(in crate::http) named_by: Option<DocumentAddress>,
    pub(in crate::http) notice: Option<Notice>,
    /// Its privacy policy.
    pub(in crate::http) policy: Option<AppLink>,
    pub(in crate::http) redirect_host: String,
    pub(in crate::http) remembered: Vec<ScopeItem>,
    pub(in crate::http) resources: Vec<String>,
    pub(in crate::http) scope: String,
    pub(in crate::http) scopes: Vec<ScopeItem>,
    /// Its terms of service.
    pub(in crate::http) terms: Option<AppLink>,
    pub(in crate::http) username: String,
}

/// What a person should know before they allow anything. A page has one, that which matters most:
/// nobody reads three.
#[derive(Clone, Copy)]
pub(in crate::http) enum Notice {
    /// The answer goes to a program on this machine, and any could call itself so.
    Loopback,
    /// A document on a host of its own named the app.
    NamedByHost,
    /// A program on this machine named the app.
    NamedByProgram,
    /// The access is for a program on this machine that nobody registered.
    Unregistered,
    /// Nobody vouches for the name.
    Unverified,
}

impl Notice {
    /// Who is behind a name matters most, then who gets the answer, then what the access is for. A
    /// name that comes from a host that proved itself matters least.
    fn of(asked: &ConsentRequest, named_by: Option<&DocumentAddress>) -> Option<Self> {
        let (kind, client) = (asked.callback.uri().kind(), &asked.client);
        // A confidential client proves itself by its credentials, whatever its redirect URI.
        let public = client.metadata.client_type() == ClientType::Public;
        let claimed = matches!(kind, Kind::PrivateUse { .. });
        let reasons = [
            (named_by.is_some_and(DocumentAddress::is_loopback), Self::NamedByProgram),
            (claimed || matches!(client.origin, Origin::Dynamic { .. }), Self::Unverified),
            (public && matches!(kind, Kind::Loopback { .. }), Self::Loopback),
            (asked.targets.unregistered, Self::Unregistered),
            (named_by.is_some(), Self::NamedByHost),
        ];
        reasons.into_iter().find_map(|(is_so, notice)| is_so.then_some(notice))
    }
}

/// The page about a request at the interaction `id`.
pub(super) fn page(
    app: &App,
    browser: &Browser,
    id: InteractionId,
    asked: &ConsentRequest,
    email: Option<EmailField>,
) -> Result<ConsentPage, StoreError> {
    let host = asked.callback.uri().host();
    let (client, person) = (&asked.client, asked.session.person());
    let named_by = templates::named_by(&asked.client_id, client);
    let items = |scope: &Scope| {
        let mut items =
            templates::scope_items(browser.language().texts(), &app.rules().config, scope);
        for item in &mut items {
            let at = asked.targets.knowing(&item.name);
            item.resources = at.map(ToString::to_string).collect();
        }
        items
    };
    Ok(ConsentPage {
        page: Page::of(app, browser),
        action: PagePath::Interaction(id),
        another: asked.anybody.then_some(PagePath::InteractionAsAnother(id)),
        asker: Asker::client(&app.read()?, &asked.client_id, client, host.clone())?,
        client_id: asked.client_id.to_string(),
        display_name: person.display_name.to_string(),
        email,
        notice: Notice::of(asked, named_by.as_ref()),
        named_by,
        policy: AppLink::of(client.metadata.policy_uri.as_ref()),
        redirect_host: host,
        remembered: items(&asked.remembered),
        resources: asked.targets.resources.iter().map(ToString::to_string).collect(),
        scope: asked.consent_scope.to_string(),
        scopes: items(&asked.consent_scope.minus(&asked.remembered)),
        terms: AppLink::of(client.metadata.tos_uri.as_ref()),
        username: person.username.to_string(),
    })
}
