//! What a person has going on, and how they end it: applications that they connected, and other
//! browsers in which they are signed in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;

use super::account::{live, posted};
use super::page::{self, ConnectedWords, SessionWords, see_other};
use crate::app::App;
use crate::error::{Error, Refusal};
use crate::flow::session::{self, LiveSession};
use crate::flow::{Context, grant};
use crate::http::failure::Failure;
use crate::oauth::id::{ClientId, SessionId};
use crate::oauth::params::Params;
use crate::store::{StoreError, View};

/// The most sessions of a person that their page shows.
const MOST: usize = 100;

/// Both, as the account page shows them.
pub(super) struct Connected {
    pub(super) apps: Vec<ConnectedWords>,
    pub(super) sessions: Vec<SessionWords>,
}

/// What the person behind `own` has going on.
pub(super) fn of(
    view: &impl View,
    cx: &Context,
    own: &LiveSession,
) -> Result<Connected, StoreError> {
    let apps = grant::connections(view, cx, own.user())?.into_iter().map(|(id, connection)| {
        let words = page::in_words(&cx.rules.config, &connection.scope);
        ConnectedWords {
            name: connection
                .client
                .map_or_else(|| id.to_string(), |client| client.name.to_string()),
            client_id: id.to_string(),
            scopes: words.into_iter().map(|word| word.words).collect(),
            since: page::day(connection.since),
        }
    });
    let sessions = session::listed(view, cx, Some(own.user()), MOST)?;
    let sessions = sessions.iter().map(|session| SessionWords {
        id: session.id().to_string(),
        own: session.id() == own.id(),
        since: page::day(session.authentication().at),
        seen: page::day(session.seen()),
    });
    Ok(Connected { apps: apps.collect(), sessions: sessions.collect() })
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

async fn person(app: &App, request: Request) -> Result<Option<(LiveSession, Params)>, Error> {
    let (visitor, form) = posted(app, request).await?;
    let own = live(&app.read()?, &app.context(), app, &visitor)?;
    Ok(own.map(|own| (own, form)))
}
