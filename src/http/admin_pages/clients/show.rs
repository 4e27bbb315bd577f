//! `/gate/admin/clients/{id}`: a client, and how it fares.

use askama::Template;
use axum::response::Response;
use serde_json::Value;

use super::Named;
use super::described;
use crate::admin::catalogue::SetupView;
use crate::admin::client::{ClientNoteView, ClientNotesView, ClientOrigin, ClientView};
use crate::admin::usage::{RefusalView, UsageView};
use crate::error::shell_word;
use crate::http::admin_pages::administrator::{Administrator, path_of};
use crate::http::admin_pages::frame::Frame;
use crate::http::destination::AdminPath;
use crate::http::failure::PageFailure;
use crate::http::pages::asker::ClientMark;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::{Said, Texts};
use crate::oauth::client::PkcePolicy;

#[derive(Template)]
#[template(path = "admin/client.html", config = "assets/askama.toml")]
pub(in crate::http) struct ClientPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) client: ClientView,
    /// The lines for the environment of its application, where nothing better is known of it.
    pub(in crate::http) environment: Option<String>,
    pub(in crate::http) may_change: bool,
    pub(in crate::http) may_see_events: bool,
    /// What will be demanded of it, and what does not work.
    pub(in crate::http) notes: Vec<ClientNoteView>,
    /// What is pasted into its application, if the catalogue knows that.
    pub(in crate::http) setup: Option<SetupView>,
    pub(in crate::http) usage: UsageView,
}

impl ClientPage {
    /// The page `act` of the client.
    fn to(&self, act: &str) -> String {
        format!("{}/{act}", AdminPath::client(&self.client.client_id))
    }

    fn mark(&self) -> ClientMark {
        ClientMark::of_view(&self.client)
    }

    /// Whether an operator may give it a logo.
    fn may_have_a_logo(&self) -> bool {
        self.may_change && matches!(self.client.origin, ClientOrigin::Operator)
    }

    /// Its id as a word of a command.
    fn shell_id(&self) -> String {
        let id = self.client.client_id.as_str();
        let end = if id.starts_with('-') { "-- " } else { "" };
        format!("{end}{}", shell_word(id))
    }

    /// What its policy asks of it.
    fn pkce(&self, t: &Texts, policy: &PkcePolicy) -> String {
        described::pkce_description(t, *policy)
    }

    /// The events of the client.
    fn events(&self) -> AdminPath {
        AdminPath::of(["events"]).with_query([("client", self.client.client_id.as_str())])
    }

    /// The events of the client with the refusal.
    fn refused(&self, refusal: &RefusalView) -> AdminPath {
        let client = ("client", self.client.client_id.as_str());
        AdminPath::of(["events"]).with_query([client, ("refusal", &refusal.refusal)])
    }

    /// What can be done about a refusal of its.
    fn remedy(&self, t: &Texts, own: &RefusalView) -> Said {
        t.remedy(Some(&own.refusal), Some(&self.client.client_id), &own.remedy)
    }

    /// Its members that have a value, each with its lines.
    fn members(&self) -> Vec<(&'static str, Vec<String>)> {
        let members = self.client.members().into_iter();
        let members = members.map(|(name, value)| (name, lines(&value)));
        members.filter(|(_, lines)| !lines.is_empty()).collect()
    }

    fn has_own_secret(&self) -> bool {
        self.client.metadata.auth_method().is_secret() && !self.is_of_devices()
    }

    /// Whether it is made for devices, which would bring it back.
    fn is_of_devices(&self) -> bool {
        matches!(self.client.origin, ClientOrigin::Hook)
    }

    /// The addresses of what it says of itself.
    fn links(&self, t: &Texts) -> Vec<(String, &str)> {
        let (t, own) = (&t.admin.client, &self.client.metadata);
        let all = [
            (t.home_page().plain(), &own.client_uri),
            (t.privacy_policy().plain(), &own.policy_uri),
            (t.terms_of_service().plain(), &own.tos_uri),
        ];
        let mut links = Vec::new();
        for (label, own) in all {
            links.extend(own.as_ref().map(|own| (label, own.as_str())));
        }
        links
    }
}

/// The lines of a value.
fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(lines).collect(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_)) => vec![other.to_string()],
    }
}

/// A client.
pub(in crate::http::admin_pages) async fn show(
    administrator: Administrator,
    Named(id): Named,
) -> Result<Response, PageFailure> {
    let client: ClientView = administrator.get(&path_of("clients", &id)).await?;
    let path = path_of("clients", &client.client_id);
    let ClientNotesView { notes } = administrator.get(&format!("{path}/notes")).await?;
    let issuer = &administrator.app().rules().issuer;
    let own = matches!(client.origin, ClientOrigin::Operator);
    let setup = if own { client.pasted(issuer) } else { None };
    let signs_in = own && setup.is_none() && !client.metadata.redirect_uris.is_empty();
    let environment = signs_in.then(|| client.environment(Some(issuer.as_str())));
    Ok(templates::show_alone(&ClientPage {
        page: administrator.page(),
        frame: administrator.frame(),
        may_change: administrator.may(&["admin:clients"]),
        may_see_events: administrator.may(&["admin:read"]),
        environment,
        notes,
        setup,
        usage: administrator.get(&format!("{path}/usage")).await?,
        client,
    }))
}
