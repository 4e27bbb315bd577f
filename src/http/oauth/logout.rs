//! `/oauth/logout`: OpenID Connect RP-Initiated Logout §2. Like the authorization endpoint it reads
//! no cookie: it checks the request, stores it, and sends the browser on to the pages.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::authorize::to_interaction;
use crate::app::App;
use crate::error::Refusal;
use crate::flow::authorize;
use crate::flow::session::logout;
use crate::http::extract::{body, peer};
use crate::http::failure::{Cause, Failure};
use crate::oauth::claims::IdClaims;
use crate::oauth::logout::LogoutRequest;
use crate::oauth::params::Params;

/// §2: "OpenID Providers MUST support the use of the HTTP GET and POST methods".
pub(in crate::http) async fn get(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let params = body::query(&request).map_err(Failure::page)?;
    // Whoever only looks signs nobody out.
    if request.method() == Method::HEAD {
        LogoutRequest::parse(&params).map_err(Failure::page)?;
        return Ok(StatusCode::SEE_OTHER.into_response());
    }
    begin(&app, peer::address(&app, &request), &params).await
}

pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let address = peer::address(&app, &request);
    let params = body::form(request).await.map_err(Failure::page)?;
    begin(&app, address, &params).await
}

async fn begin(app: &App, address: IpAddr, params: &Params) -> Result<Response, Failure> {
    let mut request = LogoutRequest::parse(params).map_err(Failure::page)?;
    // §2: "The OP SHOULD accept ID Tokens when the RP identified by the ID Token's aud claim
    // and/or sid claim has a current session or had a recent session, even when the exp time has
    // passed."
    let hint = request.id_token_hint.as_deref().map(|hint| app.keys().verify(hint, "JWT"));
    let (hint, unverified): (Option<IdClaims>, bool) = match hint {
        None => (None, false),
        Some(Ok(claims)) => (Some(claims), false),
        // §4: "any operations requiring the information that failed to correctly validate MUST be
        // aborted", and "the OP MUST not perform post-logout redirection to an RP". The person is
        // asked, as without a hint.
        Some(Err(_)) => {
            request.post_logout_redirect_uri = None;
            (None, true)
        }
    };
    // The room is bounded against strangers, and whoever was signed in can always sign out.
    if hint.is_none() {
        let view = app.read().map_err(Failure::page)?;
        authorize::check_capacity(&view, app.rules()).map_err(Failure::page)?;
    }
    let begun = app.write(move |tx, cx| {
        authorize::admit(tx, cx, address)?;
        logout::start(tx, cx, &request, hint.as_ref())
    });
    let (id, secret) = begun.await.map_err(Failure::page)?;
    let mut response = to_interaction(app, id, &secret);
    if unverified {
        let passed_over = Refusal::IdTokenHintMalformed.into();
        response.extensions_mut().insert(Cause(Arc::new(passed_over)));
    }
    Ok(response)
}
