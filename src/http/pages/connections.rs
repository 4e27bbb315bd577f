//! What a person has going on, and how they end it: applications that they connected, other
//! browsers in which they are signed in, their bridges and their personal access tokens.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::account::{live, posted};
use super::templates::{self, ApplicationItem, BridgeItem, SessionItem, TokenItem, see_other};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::bridge::{access, pat};
use crate::flow::session::{self, LiveSession};
use crate::flow::token::grant;
use crate::http::failure::Failure;
use crate::model::bridge::BridgeSessionId;
use crate::oauth::id::{ClientId, SessionId, UserId};
use crate::oauth::params::Params;
use crate::store::schema::Bridge;
use crate::store::{StoreError, View};

/// The most sessions, bridges and tokens of a person that their page shows.
const MAX_LISTED: usize = 100;

/// All of it, as the account page shows it.
pub(super) struct Connected {
    pub(super) apps: Vec<ApplicationItem>,
    pub(super) bridges: Vec<BridgeItem>,
    pub(super) sessions: Vec<SessionItem>,
    pub(super) tokens: Vec<TokenItem>,
}

/// What the person behind `own` has going on.
pub(super) fn of(
    view: &impl View,
    cx: &Context,
    own: &LiveSession,
) -> Result<Connected, StoreError> {
    let apps = grant::connections(view, cx, own.user())?.into_iter().map(|(id, connection)| {
        let words = templates::scope_items(&cx.rules.config, &connection.scope);
        ApplicationItem {
            name: connection
                .client
                .map_or_else(|| id.to_string(), |client| client.name.to_string()),
            client_id: id.to_string(),
            scopes: words.into_iter().map(|word| word.description).collect(),
            since: templates::day(connection.since),
        }
    });
    let sessions = session::list(view, cx, Some(own.user()), MAX_LISTED)?;
    let sessions = sessions.iter().map(|session| SessionItem {
        address: session.device().address.clone(),
        id: session.id().to_string(),
        own: session.id() == own.id(),
        program: session.device().program().to_string(),
        since: templates::day(session.authentication().at),
        seen: templates::day(session.seen()),
    });
    Ok(Connected {
        apps: apps.collect(),
        bridges: bridges(view, cx, own.user())?,
        sessions: sessions.collect(),
        tokens: tokens(view, cx, own.user())?,
    })
}

fn bridges(view: &impl View, cx: &Context, user: UserId) -> Result<Vec<BridgeItem>, StoreError> {
    let mut told = Vec::new();
    for bridge in access::list(view, cx, Some(user), MAX_LISTED)? {
        let session = bridge.session();
        // Once it has told of itself, by the name of its machine.
        let machine = view.find::<Bridge>(bridge.id())?.map(|bridge| bridge.hostname);
        told.push(BridgeItem {
            address: session.device.address.clone(),
            id: bridge.id().to_string(),
            name: machine.unwrap_or_else(|| session.device.program().to_string()),
            seen: templates::day(session.seen),
            since: templates::day(session.created),
        });
    }
    Ok(told)
}

fn tokens(view: &impl View, cx: &Context, user: UserId) -> Result<Vec<TokenItem>, StoreError> {
    let rows = pat::list(view, cx, Some(user), MAX_LISTED)?;
    let words = rows.into_iter().map(|(id, row)| TokenItem {
        created: templates::day(row.created),
        expires: templates::day(row.expires),
        id,
        last_used: row.used.map_or_else(|| "never".to_owned(), templates::day),
        name: row.name.to_string(),
    });
    Ok(words.collect())
}

/// Takes back what was allowed an application.
pub(in crate::http) async fn withdraw(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let Some((own, form)) = person(&app, request).await.map_err(Failure::page)? else {
        return Ok(see_other("/gate/login"));
    };
    let client = form.parsed::<ClientId>("client_id").map_err(Failure::page)?;
    let client = client.ok_or_else(|| Failure::page(Refusal::ClientIdMissing))?;
    let withdrawn = app.write(move |tx, cx| grant::withdraw(tx, cx, own.user(), &client)).await;
    withdrawn.map_err(Failure::page)?;
    Ok(see_other("/gate/account"))
}

/// Signs another browser of the same person out.
pub(in crate::http) async fn end_session(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let Some((own, form)) = person(&app, request).await.map_err(Failure::page)? else {
        return Ok(see_other("/gate/login"));
    };
    let id =
        form.one("session").map_err(Failure::page)?.and_then(|id| id.parse::<SessionId>().ok());
    let id = id.ok_or_else(|| Failure::page(Refusal::SessionNotFound))?;
    let ended = app.write(move |tx, cx| session::revoke_own(tx, cx, own.user(), id)).await;
    ended.map_err(Failure::page)?;
    Ok(see_other("/gate/account"))
}

/// Ends the session of a bridge of the same person, and every token under it.
pub(in crate::http) async fn end_bridge(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let Some((own, form)) = person(&app, request).await.map_err(Failure::page)? else {
        return Ok(see_other("/gate/login"));
    };
    let id = form.one("session").map_err(Failure::page)?;
    let id = id.and_then(|id| id.parse::<BridgeSessionId>().ok());
    let id = id.ok_or_else(|| Failure::page(Refusal::SessionNotFound))?;
    let ended = app.write(move |tx, cx| access::end(tx, cx, &id, Some(own.user()))).await;
    ended.map_err(Failure::page)?;
    Ok(see_other("/gate/account"))
}

/// Revokes a personal access token of the same person. Bridges that it let in before go on until
/// they are ended themselves.
pub(in crate::http) async fn revoke_token(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let Some((own, form)) = person(&app, request).await.map_err(Failure::page)? else {
        return Ok(see_other("/gate/login"));
    };
    let key = form.one("token").map_err(Failure::page)?.unwrap_or_default().to_owned();
    let revoked = app.write(move |tx, _| pat::revoke(tx, &key, Some(own.user()))).await;
    revoked.map_err(Failure::page)?;
    Ok(see_other("/gate/account"))
}

async fn person(app: &App, request: Request) -> Result<Option<(LiveSession, Params)>, Error> {
    let (browser, form) = posted(app, request).await?;
    let own = live(&app.read()?, &app.context(), app, &browser)?;
    Ok(own.map(|own| (own, form)))
}
