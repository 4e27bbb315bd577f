//! `/oauth/authorize`: RFC 6749 §3.1. It reads no cookie: it checks the request, stores it, and
//! redirects the browser to the pages.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::{App, AuthorizationError};
use crate::error::Error;
use crate::flow::authorize::consent::ClientRedirect;
use crate::http::extract::body::{Form, Query};
use crate::http::extract::peer::{ClientAddress, Sender};
use crate::http::failure::{Cause, PageFailure, RequestClient};
use crate::http::pages::cookie::{Cookie, with_cookie};
use crate::http::pages::templates;
use crate::oauth::authorize::AuthorizationResponse;
use crate::oauth::id::InteractionId;
use crate::oauth::params::Params;
use crate::secret::BrowserSecret;

pub(in crate::http) async fn get(
    State(app): State<Arc<App>>,
    Query(params): Query,
    sender: Sender,
    about: RequestClient,
) -> Result<Response, PageFailure> {
    if sender.head {
        let checked = app.check_authorization(&params);
        return checked.map_or_else(|error| failed(&app, &about, error), |()| Ok(no_location()));
    }
    start(&app, &about, sender.address, &params).await
}

/// OpenID Connect Core §3.1.2.1: "Authorization Servers MUST support the use of the HTTP GET and
/// POST methods".
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
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

/// An error page, or the error at the client.
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
            Ok(match error {
                Error::Refused(refusal) => respond_to_client(
                    app,
                    &ClientRedirect::refused(&app.context(), &callback, refusal),
                ),
                Error::Internal(_) => {
                    let failed = ClientRedirect::failed(&app.context(), &callback);
                    let mut response = respond_to_client(app, &failed);
                    response.extensions_mut().insert(Cause(Arc::new(error)));
                    response
                }
            })
        }
    }
}

/// The response to HEAD: where GET would redirect to depends on what it would store.
fn no_location() -> Response {
    StatusCode::SEE_OTHER.into_response()
}

/// Redirects a browser to an interaction, with the cookie that binds it.
pub(in crate::http) fn to_interaction(
    app: &App,
    id: InteractionId,
    secret: &BrowserSecret,
) -> Response {
    to_page(app, id, secret, &format!("/gate/interaction/{id}"))
}

/// Redirects a browser to the page at `path`, with the cookie that binds it.
pub(in crate::http) fn to_page(
    app: &App,
    id: InteractionId,
    secret: &BrowserSecret,
    path: &str,
) -> Response {
    let lasting = app.rules().config.lifetimes.interaction;
    let cookie = Cookie::Interaction(id).set(&app.rules().issuer, &secret.expose(), lasting);
    let location = [(header::LOCATION, path.to_owned())];
    with_cookie((StatusCode::SEE_OTHER, location).into_response(), cookie)
}

/// Redirects a browser to a client, without a `Referer`.
pub(in crate::http) fn redirect_without_referrer(url: &str) -> Response {
    let policy = (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let location = (header::LOCATION, HeaderValue::from_str(url).expect("URIs are ASCII"));
    (StatusCode::SEE_OTHER, [policy, location]).into_response()
}

/// The response to a client, through the browser.
pub(in crate::http) fn respond_to_client(app: &App, client_redirect: &ClientRedirect) -> Response {
    let mut response = match &client_redirect.response {
        AuthorizationResponse::Form { action, fields } => {
            templates::form_post(app, client_redirect, action, fields)
        }
        AuthorizationResponse::Location(url) => redirect_without_referrer(url),
    };
    if let Some(refusal) = client_redirect.refusal {
        response.extensions_mut().insert(Cause(Arc::new(refusal.into())));
    }
    response
}
