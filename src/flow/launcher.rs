//! The applications that a person may open from their account page: clients that an operator registered
//! with an address, and applications behind a proxy. What strangers registered is never among them.

use crate::flow::application;
use crate::flow::session::LiveSession;
use crate::flow::{Context, Rules};
use crate::model::folding::folded;
use crate::oauth::id::ClientId;
use crate::oauth::params::form_encode;
use crate::store::schema::{CLIENTS_BY_NAME, Client};
use crate::store::{StoreError, View};

/// The most clients that are looked at, in the order of their names.
const MAX_SEARCHED: usize = 1000;

/// The most applications that are offered.
const MAX_OFFERED: usize = 100;

/// What sorts behind every name.
const LAST: char = char::MAX;

/// An application that a person may open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launchable {
    /// Where it is opened.
    pub address: String,
    /// The client, if it is one.
    pub client: Option<ClientId>,
    /// Its name.
    pub name: String,
}

/// The applications that the person of a session may open, by their names.
pub fn of(
    view: &impl View,
    cx: &Context,
    session: &LiveSession,
) -> Result<Vec<Launchable>, StoreError> {
    let mut all = Vec::new();
    for id in view.up_to(&CLIENTS_BY_NAME, &LAST.to_string(), MAX_SEARCHED)? {
        let Some(client) = view.find::<Client>(&id)? else { continue };
        let may = client.enabled
            && client.metadata.acts_for_people()
            && client.decisions.admit(&session.person().groups);
        let address = if may { address(&cx.rules, &client) } else { None };
        let name = client.metadata.name().to_owned();
        all.extend(address.map(|address| Launchable { address, client: Some(id), name }));
    }
    for app in application::open_to(&cx.rules, session) {
        let address = app.address(&cx.rules, "/");
        all.push(Launchable { address, client: None, name: app.host().to_string() });
    }
    all.sort_by_cached_key(|app| (folded(&app.name), app.address.clone()));
    all.dedup_by(|one, other| (&one.name, &one.address) == (&other.name, &other.address));
    all.truncate(MAX_OFFERED);
    Ok(all)
}

/// Where a client is opened: where it starts a sign-in by itself, or at its home page.
fn address(rules: &Rules, client: &Client) -> Option<String> {
    let metadata = &client.metadata;
    if let Some(start) = &metadata.initiate_login_uri {
        // OpenID Connect Core §4: "iss REQUIRED. Issuer Identifier for the OP".
        let query = form_encode([("iss", rules.issuer.as_str())]);
        let joint = if start.as_str().contains('?') { '&' } else { '?' };
        return Some(format!("{start}{joint}{query}"));
    }
    metadata.client_uri.as_ref().map(ToString::to_string)
}
