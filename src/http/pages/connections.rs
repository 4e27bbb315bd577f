//! The connections of a person on the account page, and the forms that end them: applications and
//! browser sessions. Linked devices are in `http/account/devices.rs`.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::asker::ClientMark;
use super::templates::{self, ApplicationItem, HostItem, SessionItem};
use crate::admin::bridge::COMMAND_LINE;
use crate::app::App;
use crate::error::Refusal;
use crate::fetch::is_private;
use crate::flow::Context;
use crate::flow::bridge::hosts;
use crate::flow::client::self_named::SelfNamed;
use crate::flow::session::{self, LiveSession};
use crate::flow::token::connection;
use crate::http::destination::PagePath;
use crate::http::done::Done;
use crate::http::extract::own_page::SignedInForm;
use crate::http::failure::PageFailure;
use crate::http::redirect;
use crate::http::texts::Texts;
use crate::model::actor::Acting;
use crate::model::bridge::ModelProtocol;
use crate::oauth::id::{ClientId, SessionId, UserId};
use crate::store::{Span, StoreError, View};

/// The most sessions of a person that the page shows.
const MAX_LISTED: usize = 100;

/// The connections of a person, as the account page lists them.
pub(super) struct Connected {
    pub(super) apps: Vec<ApplicationItem>,
    pub(super) hosts: Vec<HostItem>,
    pub(super) sessions: Vec<SessionItem>,
}

/// The connections of the person of the session `own`, in words of `t`.
pub(super) fn of(
    view: &impl View,
    cx: &Context,
    own: &LiveSession,
    t: &Texts,
) -> Result<Connected, StoreError> {
    let apps = connection::of_person(view, cx, own.user())?.into_iter().map(|(id, connection)| {
        let scopes = templates::scope_items(t, &cx.rules.config, &connection.scope);
        let self_named = connection.client.as_ref().and_then(|client| SelfNamed::of(&id, client));
        let name = connection
            .client
            .map_or_else(|| id.to_string(), |client| client.metadata.name().to_string());
        Ok(ApplicationItem {
            mark: ClientMark::of_client(view, &id, &name)?,
            name,
            self_named,
            client_id: id.to_string(),
            scopes: scopes.into_iter().map(|scope| scope.description).collect(),
            since: templates::day(connection.since),
            used: connection.used.map(templates::moment),
        })
    });
    let sessions = session::list(view, cx, Some(own.user()), &Span::first(MAX_LISTED))?;
    let sessions = sessions.items.iter().map(|session| SessionItem {
        address: place(t, &session.device().address),
        id: session.id().to_string(),
        own: session.id() == own.id(),
        program: t.program(&session.device().program()),
        since: templates::moment(session.authentication().at),
        seen: templates::moment(session.seen()),
    });
    Ok(Connected {
        apps: apps.collect::<Result<_, StoreError>>()?,
        hosts: preferences(view, own.user())?,
        sessions: sessions.collect(),
    })
}

/// Where a request came from, as its person knows the place. There is no geography.
pub(in crate::http) fn place(t: &Texts, address: &str) -> String {
    if address == COMMAND_LINE {
        return t.admin.links.by_operator().plain();
    }
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(address) if address.is_loopback() => t.account.this_machine().plain(),
        Ok(own) if is_private(own) => t.account.private_network(address).plain(),
        Ok(_) | Err(_) => address.to_owned(),
    }
}

/// What the person's bridges stored about hosts of agents.
fn preferences(view: &impl View, user: UserId) -> Result<Vec<HostItem>, StoreError> {
    let items = hosts::list(view, user)?.into_iter().map(|(host, preference)| {
        let names = |protocols: Vec<ModelProtocol>| {
            protocols.into_iter().map(ModelProtocol::as_str).collect::<Vec<_>>().join(", ")
        };
        HostItem {
            enabled: preference.enabled.unwrap_or(true),
            name: host.to_string(),
            protocols: preference.model_protocols.map(names),
        }
    });
    Ok(items.collect())
}

/// Withdraws the person's consent to an application.
pub(in crate::http) async fn withdraw(
    State(app): State<Arc<App>>,
    acting: Acting,
    SignedInForm { session, form }: SignedInForm,
) -> Result<Response, PageFailure> {
    let client = form.parsed::<ClientId>("client_id")?.ok_or(Refusal::ClientIdMissing)?;
    app.write_by(acting, move |tx, cx| connection::withdraw(tx, cx, session.user(), &client))
        .await?;
    Ok(redirect::to_page_after(Done::AppDisconnected, &PagePath::Account))
}

/// Ends a browser session of the person.
pub(in crate::http) async fn end_session(
    State(app): State<Arc<App>>,
    acting: Acting,
    SignedInForm { session: own, form }: SignedInForm,
) -> Result<Response, PageFailure> {
    let id = form.one("session")?.and_then(|id| id.parse::<SessionId>().ok());
    let id = id.ok_or(Refusal::SessionNotFound)?;
    app.write_by(acting, move |tx, cx| session::revoke_own(tx, cx, own.user(), id)).await?;
    Ok(redirect::to_page_after(Done::SessionEnded, &PagePath::Account))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::texts::Language;

    #[test]
    fn a_place_is_told_in_words_where_there_are_any() {
        let t = Language::default().texts();
        for (address, said) in [
            ("127.0.0.1", "this machine"),
            ("10.0.0.7", "10.0.0.7, in a private network"),
            ("203.0.113.9", "203.0.113.9"),
            (COMMAND_LINE, "the command line"),
        ] {
            assert_eq!(place(t, address), said);
        }
    }
}
