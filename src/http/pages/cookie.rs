//! The cookies of the issuer's host.
//!
//! A browser sends a cookie of localhost to every port, so a program on another port that answers a
//! request below `/gate/` receives it. A session is therefore no cookie there, and no cookie of a
//! loopback issuer proves anybody: one binds an interaction until its page is opened, one an
//! anonymous session. Each has `Path=/gate/`, where no client may have a redirect URI, and the
//! issuer's port in its name. Each cookie of another issuer has the prefix `__Host-`.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::app::App;
use crate::http::cookie::{SetCookie, all, one};
use crate::oauth::id::InteractionId;
use crate::oauth::issuer::Issuer;
use crate::secret::{BrowserSecret, SessionSecret};

/// A cookie of the issuer's host.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) enum Cookie {
    /// The cookie of an anonymous session, which an enrolment merges into the new person. On a
    /// loopback issuer it has the path of the others, although `/oauth/session` sets it: RFC 6265
    /// §4.1.2.4 allows a response to set a cookie of another path, and only an enrolment reads it,
    /// under `/gate/`.
    Anonymous,
    /// What was answered last in this browser, for words alone.
    Outcomes,
    /// The browser's own cookie, with or without a session. Where a session is a key, a secret in the
    /// origin's storage takes its place.
    Browser,
    /// What was done a moment ago, for the page that says it.
    Done,
    /// The cookie that binds one interaction to a browser.
    Interaction(InteractionId),
    /// The cookie of a person's session, where it is no key.
    Session,
}

impl Cookie {
    fn name(self, issuer: &Issuer) -> String {
        let purpose = match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Outcomes => "outcomes".to_owned(),
            Self::Browser => "browser".to_owned(),
            Self::Done => "done".to_owned(),
            Self::Interaction(id) => format!("i_{}", id.uuid().simple()),
            Self::Session => "session".to_owned(),
        };
        if issuer.is_loopback() {
            format!("gl{}_{purpose}", issuer.port())
        } else {
            format!("__Host-gl_{purpose}")
        }
    }

    /// The value of this cookie. Returns `None` if there are several.
    pub(in crate::http) fn read<'a>(
        self,
        issuer: &Issuer,
        headers: &'a HeaderMap,
    ) -> Option<&'a str> {
        one(&self.name(issuer), headers)
    }

    /// The values of all cookies of this name that are text.
    pub(in crate::http) fn read_all<'a>(
        self,
        issuer: &Issuer,
        headers: &'a HeaderMap,
    ) -> Vec<&'a str> {
        let name = self.name(issuer);
        all(&name, headers).filter_map(|value| std::str::from_utf8(value).ok()).collect()
    }

    /// The header that sets this cookie, with `lasting` as its `Max-Age`.
    pub(in crate::http) fn set(
        self,
        issuer: &Issuer,
        value: &str,
        lasting: Duration,
    ) -> HeaderValue {
        SetCookie {
            name: &self.name(issuer),
            value,
            path: if issuer.is_loopback() { "/gate/" } else { "/" },
            lasting,
            secure: issuer.is_https(),
        }
        .header()
    }

    /// The header that removes this cookie.
    pub(in crate::http) fn clear(self, issuer: &Issuer) -> HeaderValue {
        self.set(issuer, "", Duration::ZERO)
    }
}

/// Adds a cookie to a response.
pub(in crate::http) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// Adds the browser's own cookie to a response, if it is new.
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

/// Adds the cookie that binds a new interaction to the browser to a response.
pub(in crate::http) fn with_interaction_cookie(
    app: &App,
    response: Response,
    id: InteractionId,
    secret: &BrowserSecret,
) -> Response {
    let lasting = app.rules().config.lifetimes.interaction;
    let cookie = Cookie::Interaction(id).set(&app.rules().issuer, &secret.expose(), lasting);
    with_cookie(response, cookie)
}

/// Adds the cookie of a new session to a response, unless the session is a key.
pub(in crate::http) fn with_session_cookie(
    app: &App,
    response: Response,
    secret: Option<&SessionSecret>,
) -> Response {
    let Some(secret) = secret else { return response };
    let lasting = app.rules().config.lifetimes.session_total;
    let cookie = Cookie::Session.set(&app.rules().issuer, &secret.expose(), lasting);
    with_cookie(response, cookie)
}

/// Clears the cookie of a session that has ended, unless the session is a key.
pub(in crate::http) fn without_session_cookie(app: &App, response: Response) -> Response {
    if app.rules().session_is_key() {
        return response;
    }
    with_cookie(response, Cookie::Session.clear(&app.rules().issuer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(cookie))])
    }

    #[test]
    fn a_loopback_cookie_stays_under_gate_and_names_its_port() {
        let set = Cookie::Anonymous.set(&Issuer::localhost(7455), "x", Duration::from_secs(60));

        assert_eq!(set, "gl7455_anonymous=x; Path=/gate/; Max-Age=60; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn elsewhere_a_cookie_is_bound_to_its_host() {
        let issuer: Issuer = "https://id.example".parse().unwrap();

        let set = Cookie::Browser.set(&issuer, "x", Duration::from_secs(60));

        assert_eq!(set, "__Host-gl_browser=x; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
    }

    #[test]
    fn two_cookies_of_one_name_are_none() {
        let issuer = Issuer::localhost(7455);
        let read = |cookie| Cookie::Session.read(&issuer, &headers(cookie)).map(str::to_owned);

        assert_eq!(read("a=b; gl7455_session=x"), Some("x".to_owned()));
        assert_eq!(read("gl7455_session=x; gl7455_session=y"), None);
        assert_eq!(read("gl7456_session=x"), None);
    }
}
