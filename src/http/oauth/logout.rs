//! `/oauth/logout`: OpenID Connect RP-Initiated Logout §2. It reads no cookie. It checks the
//! request, stores it, and redirects the browser to its interaction.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::authorize::to_interaction;
use crate::app::App;
use crate::error::Refusal;
use crate::flow::session::logout;
use crate::http::extract::body::{Form, Query};
use crate::http::extract::navigation::Navigation;
use crate::http::extract::peer::{ClientAddress, Sender};
use crate::http::failure::{Cause, PageFailure};
use crate::http::redirect;
use crate::keys::VerifiedHint;
use crate::model::network::Network;
use crate::oauth::logout::LogoutRequest;
use crate::oauth::params::Params;

/// §2: "OpenID Providers MUST support the use of the HTTP GET and POST methods".
pub(in crate::http) async fn get(
    State(app): State<Arc<App>>,
    _: Navigation,
    Query(params): Query,
    sender: Sender,
) -> Result<Response, PageFailure> {
    if sender.head {
        LogoutRequest::parse(&params)?;
        return Ok(redirect::to_head());
    }
    start(&app, sender.address, &params).await
}

pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    _: Navigation,
    ClientAddress(address): ClientAddress,
    Form(params): Form,
) -> Result<Response, PageFailure> {
    start(&app, address, &params).await
}

async fn start(app: &App, address: IpAddr, params: &Params) -> Result<Response, PageFailure> {
    let mut request = LogoutRequest::parse(params)?;
    // §2: "The OP SHOULD accept ID Tokens when the RP identified by the ID Token's aud claim
    // and/or sid claim has a current session or had a recent session, even when the exp time has
    // passed."
    let hint = request
        .id_token_hint
        .as_deref()
        .map(|hint| app.keys().verify_hint(hint, app.clock().now()));
    let (hint, unverified): (Option<VerifiedHint>, bool) = match hint {
        None => (None, false),
        Some(Ok(hint)) => (Some(hint), false),
        // §4: "any operations requiring the information that failed to correctly validate MUST be
        // aborted", and "the OP MUST not perform post-logout redirection to an RP". The person has
        // to confirm, as without a hint.
        Some(Err(_)) => {
            request.post_logout_redirect_uri = None;
            (None, true)
        }
    };
    let network = Network::of(address);
    let started = app.write(move |tx, cx| logout::start(tx, cx, network, &request, hint.as_ref()));
    let (id, secret) = started.await?;
    let mut response = to_interaction(app, id, &secret);
    if unverified {
        let passed_over = Refusal::IdTokenHintMalformed.into();
        response.extensions_mut().insert(Cause(Arc::new(passed_over)));
    }
    Ok(response)
}
