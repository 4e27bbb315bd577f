//! `/oauth/authorize`: RFC 6749 §3.1. It reads no cookie. It checks the request, stores it, and
//! redirects the browser to its interaction.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use crate::app::{App, AuthorizationError};
use crate::flow::authorize::consent::ClientRedirect;
use crate::http::destination::PagePath;
use crate::http::extract::body::{Form, Query};
use crate::http::extract::navigation::Navigation;
use crate::http::extract::peer::{ClientAddress, Sender};
use crate::http::failure::{Cause, PageFailure, RequestClient};
use crate::http::pages::cookie::with_interaction_cookie;
use crate::http::redirect;
use crate::oauth::id::InteractionId;
use crate::oauth::params::Params;
use crate::secret::BrowserSecret;

pub(in crate::http) async fn get(
    State(app): State<Arc<App>>,
    _: Navigation,
    Query(params): Query,
    sender: Sender,
    about: RequestClient,
) -> Result<Response, PageFailure> {
    if sender.head {
        let checked = app.check_authorization(&params);
        return checked
            .map_or_else(|error| failed(&app, &about, error), |()| Ok(redirect::to_head()));
    }
    start(&app, &about, sender.address, &params).await
}

/// OpenID Connect Core §3.1.2.1: "Authorization Servers MUST support the use of the HTTP GET and
/// POST methods".
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    _: Navigation,
    ClientAddress(address): ClientAddress,
    about: RequestClient,
    Form(params): Form,
) -> Result<Response, PageFailure> {
    start(&app, &about, address, &params).await
}

async fn start(
    app: &App,
    about: &RequestClient,
    address: IpAddr,
    params: &Params,
) -> Result<Response, PageFailure> {
    match app.start_authorization(params, address).await {
        Ok((id, secret)) => Ok(to_interaction(app, id, &secret)),
        Err(error) => failed(app, about, error),
    }
}

/// The response to a request that failed: an error page, or a redirect that carries the error to
/// the client (RFC 6749 §4.1.2.1).
fn failed(
    app: &App,
    about: &RequestClient,
    error: AuthorizationError,
) -> Result<Response, PageFailure> {
    match error {
        AuthorizationError::Page { client, error } => {
            if let Some(client) = client {
                about.set(&client);
            }
            Err(error.into())
        }
        AuthorizationError::Redirect { callback, client, error } => {
            about.set(&client);
            Ok(match error.refusal() {
                Some(refusal) => redirect::to_client(
                    app,
                    &ClientRedirect::refused(&app.context(), &callback, refusal),
                ),
                None => {
                    let failed = ClientRedirect::failed(&app.context(), &callback);
                    let mut response = redirect::to_client(app, &failed);
                    response.extensions_mut().insert(Cause(Arc::new(error)));
                    response
                }
            })
        }
    }
}

/// Redirects a browser to an interaction, and sets the cookie that binds the interaction to it.
pub(in crate::http) fn to_interaction(
    app: &App,
    id: InteractionId,
    secret: &BrowserSecret,
) -> Response {
    let response = redirect::to_page(&PagePath::Interaction(id));
    with_interaction_cookie(app, response, id, secret)
}
