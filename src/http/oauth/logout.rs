//! `/oauth/logout`: OpenID Connect RP-Initiated Logout §2. A request with a valid hint ends the
//! session of the hint at once, whoever sends it. Any other is checked and stored, and the browser
//! is redirected to its interaction. A cookie only shows that the browser has another session.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{Extensions, HeaderMap};
use axum::response::Response;

use crate::app::App;
use crate::flow::session::logout::{self, Arrival, Next, Started};
use crate::http::about::About;
use crate::http::destination::PagePath;
use crate::http::extract::body::{Form, Query};
use crate::http::extract::browser::Browser;
use crate::http::extract::navigation::Navigation;
use crate::http::extract::peer::{ClientAddress, Sender};
use crate::http::failure::{Cause, PageFailure};
use crate::http::pages::cookie::{with_interaction_cookie, without_session_cookie};
use crate::http::pages::interaction;
use crate::http::redirect;
use crate::model::actor::Acting;
use crate::model::network::Network;
use crate::oauth::logout::LogoutRequest;
use crate::oauth::params::Params;

/// §2: "OpenID Providers MUST support the use of the HTTP GET and POST methods".
pub(in crate::http) async fn get(
    State(app): State<Arc<App>>,
    _: Navigation,
    Query(params): Query,
    sender: Sender,
    headers: HeaderMap,
    about: About,
) -> Result<Response, PageFailure> {
    if sender.head {
        LogoutRequest::parse(&params)?;
        return Ok(redirect::to_head());
    }
    start(&app, sender.address, &headers, &params, &about).await
}

pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    _: Navigation,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    about: About,
    Form(params): Form,
) -> Result<Response, PageFailure> {
    start(&app, address, &headers, &params, &about).await
}

async fn start(
    app: &App,
    address: IpAddr,
    headers: &HeaderMap,
    params: &Params,
    about: &About,
) -> Result<Response, PageFailure> {
    let request = LogoutRequest::parse(params)?;
    // §2: "The OP SHOULD accept ID Tokens when the RP identified by the ID Token's aud claim
    // and/or sid claim has a current session or had a recent session, even when the exp time has
    // passed."
    let hint = request
        .id_token_hint
        .as_deref()
        .map(|hint| app.keys().verify_hint(hint, app.clock().now()));
    let network = Network::of(address);
    let session = Browser::of(app, headers, &Extensions::new())?.session(app);
    // A program sends no `Sec-Fetch-Site`. It shows no page, and follows the response to the client.
    let asks_later = app.rules().session_is_key() && headers.contains_key("sec-fetch-site");
    let started = app.write_by(Acting::stranger(address), move |tx, cx| {
        let hint = hint.as_ref().map(|hint| hint.as_ref().map_err(|refusal| *refusal));
        let session = session.as_ref();
        logout::start(tx, cx, &request, &Arrival { asks_later, hint, network, session })
    });
    let Started { next, passed_over } = started.await?;
    let mut response = match next {
        Next::Done { astray, own, redirect } => {
            let response = interaction::signed_out(app, redirect.as_ref(), astray, about);
            if own { without_session_cookie(app, response) } else { response }
        }
        Next::Interaction(id, secret) => {
            let language = about.named_language();
            let page =
                language.map_or(PagePath::Interaction(id), |own| PagePath::InteractionIn(id, own));
            with_interaction_cookie(app, redirect::to_page(&page), id, &secret)
        }
    };
    if let Some(refusal) = passed_over {
        response.extensions_mut().insert(Cause(Arc::new(refusal.into())));
    }
    Ok(response)
}
