//! Responses that set a browser's cookies.

use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::cookie::Cookie;
use crate::app::App;
use crate::secret::{BrowserSecret, SessionSecret};

/// Adds a cookie to a response.
pub(in crate::http) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// Adds the browser's own cookie, if it is new.
pub(in crate::http) fn with_browser_cookie(
    app: &App,
    response: Response,
    new_cookie: Option<&BrowserSecret>,
) -> Response {
    let Some(secret) = new_cookie else { return response };
    let lasting = app.rules().config.lifetimes.session_total;
    let cookie = Cookie::Browser.set(&app.rules().issuer, &secret.expose(), lasting);
    with_cookie(response, cookie)
}

/// Adds the cookie of a new session.
pub(in crate::http) fn sign_in(app: &App, response: Response, secret: &SessionSecret) -> Response {
    let lasting = app.rules().config.lifetimes.session_total;
    let cookie = Cookie::Session.set(&app.rules().issuer, &secret.expose(), lasting);
    with_cookie(response, cookie)
}
