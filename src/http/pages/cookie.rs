//! Cookies: their names, their reach, their reading.
//!
//! A browser sends a localhost cookie to every port, so a client's callback on another port would
//! receive the session. On a loopback issuer each cookie therefore has `Path=/gate/`, where no
//! client may have a redirect URI, and the issuer's port in its name; elsewhere it is `__Host-`.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

use crate::oauth::id::InteractionId;
use crate::oauth::issuer::Issuer;

/// The cookies there are.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) enum Cookie {
    /// What merges an anonymous session into the person who enrols. On a loopback issuer it has the
    /// path of the others, although `/oauth/session` sets it: RFC 6265 §4.1.2.4 lets an answer set
    /// a cookie of a path that is not its own, and it is read at enrolment alone, under `/gate/`.
    Anonymous,
    /// What a browser has before it has a session.
    Browser,
    /// What binds one interaction to a browser.
    Interaction(InteractionId),
    /// What proves a session.
    Session,
}

impl Cookie {
    fn name(self, issuer: &Issuer) -> String {
        let what = match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::Browser => "browser".to_owned(),
            Self::Interaction(id) => format!("i_{}", id.uuid().simple()),
            Self::Session => "session".to_owned(),
        };
        if issuer.is_loopback() {
            format!("gl{}_{what}", issuer.port())
        } else {
            format!("__Host-gl_{what}")
        }
    }

    /// The one value of this cookie.
    pub(in crate::http) fn read<'a>(
        self,
        issuer: &Issuer,
        headers: &'a HeaderMap,
    ) -> Option<&'a str> {
        one(&self.name(issuer), headers)
    }

    /// The header that sets this cookie for `lasting`.
    pub(in crate::http) fn set(
        self,
        issuer: &Issuer,
        value: &str,
        lasting: Duration,
    ) -> HeaderValue {
        let path = if issuer.is_loopback() { "/gate/" } else { "/" };
        let secure = if issuer.is_https() { "; Secure" } else { "" };
        let header = format!(
            "{}={value}; Path={path}; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            self.name(issuer),
            lasting.as_secs(),
        );
        let mut header = HeaderValue::from_str(&header).expect("our tokens are base64url");
        header.set_sensitive(true);
        header
    }

    /// The header that ends this cookie.
    pub(in crate::http) fn clear(self, issuer: &Issuer) -> HeaderValue {
        self.set(issuer, "", Duration::ZERO)
    }
}

/// The one value of the cookie `name`. Two of one name are none: somebody planted one of them.
pub(in crate::http) fn one<'a>(name: &str, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut values = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(own, _)| *own == name)
        .map(|(_, value)| value);
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        (None | Some(_), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(cookie))])
    }

    #[test]
    fn a_loopback_cookie_stays_under_gate_and_names_its_port() {
        let set = Cookie::Session.set(&Issuer::localhost(7455), "x", Duration::from_secs(60));

        assert_eq!(set, "gl7455_session=x; Path=/gate/; Max-Age=60; HttpOnly; SameSite=Lax");
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
