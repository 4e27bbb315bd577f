//! Who may use the control API: the program that started the server, and no page of a browser.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;

use crate::dev::refused::{Problem, Refused};
use crate::dev::stage::Stage;

/// The headers of which a browser sends one with each request of a page, and no program has a reason to.
/// (Node.js sends `Sec-Fetch-Mode` with each request of its `fetch`.)
const OF_BROWSERS: [&str; 2] = ["origin", "sec-fetch-site"];

/// Refuses a request of a page, of another name and without the token, in this order, so that a page
/// learns nothing of the token.
pub(super) async fn check(
    State(stage): State<Arc<Stage>>,
    request: Request,
    next: Next,
) -> Response {
    let checked = check_host(&stage, &request)
        .and_then(|()| check_browser(request.headers()))
        .and_then(|()| check_token(&stage, request.headers()));
    let mut response = match checked {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    };
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    response
}

/// DNS rebinding: a page of a name that leads to this machine is of the origin of that name, so that
/// its requests are those of no other origin. Their `Host` is the name.
fn check_host(stage: &Stage, request: &Request) -> Result<(), Refused> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (request.uri().authority(), hosts.next(), hosts.next()) {
        (Some(authority), ..) => Some(authority.as_str()),
        (None, Some(host), None) => host.to_str().ok(),
        (None, ..) => None,
    };
    if host.is_some_and(|host| stage.is_own_host(host)) {
        return Ok(());
    }
    let why = "the Host of the request is no name of this server";
    let remedy = "use the address of the control API as the ready line has it";
    Err(Refused::new(Problem::Misdirected, why).with_remedy(remedy))
}

fn check_browser(headers: &HeaderMap) -> Result<(), Refused> {
    if OF_BROWSERS.iter().all(|name| !headers.contains_key(*name)) {
        return Ok(());
    }
    let why = "a browser sent this request for a page, and the control API is for programs alone";
    let remedy = "ask from the program that runs the tests, without Origin and Sec-Fetch-Site";
    Err(Refused::new(Problem::Forbidden, why).with_remedy(remedy))
}

fn check_token(stage: &Stage, headers: &HeaderMap) -> Result<(), Refused> {
    let presented = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let presented = presented.and_then(|value| value.split_once(' '));
    let presented = presented.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let own = stage.token.as_bytes();
    if presented.is_some_and(|(_, token)| token.as_bytes().ct_eq(own).into()) {
        return Ok(());
    }
    let why = "the control API needs the token of the ready line, as a bearer token";
    let remedy = "send Authorization: Bearer with the member token of the ready line or file";
    Err(Refused::new(Problem::Unauthorized, why).with_remedy(remedy))
}
