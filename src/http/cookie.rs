//! The headers of cookies: [RFC 6265](https://www.rfc-editor.org/rfc/rfc6265).

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

/// A `Set-Cookie` header (§4.1). Every cookie is `HttpOnly` and `SameSite=Lax`.
pub(super) struct SetCookie<'a> {
    pub(super) name: &'a str,
    /// A token in base64url, or empty.
    pub(super) value: &'a str,
    pub(super) path: &'a str,
    /// `Max-Age`; zero removes the cookie.
    pub(super) lasting: Duration,
    pub(super) secure: bool,
}

impl SetCookie<'_> {
    /// The value of the header.
    pub(super) fn header(&self) -> HeaderValue {
        let Self { name, value, path, lasting, secure } = self;
        let age = lasting.as_secs();
        let secure = if *secure { "; Secure" } else { "" };
        let header =
            format!("{name}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
        let mut header = HeaderValue::from_str(&header).expect("our tokens are base64url");
        header.set_sensitive(true);
        header
    }
}

/// The value of the cookie `name`. Returns `None` if there are several, since another host may have
/// set one of them.
pub(super) fn one<'a>(name: &str, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut values = all(name, headers);
    match (values.next(), values.next()) {
        (Some(value), None) => std::str::from_utf8(value).ok(),
        (None | Some(_), _) => None,
    }
}

/// The values of all cookies of that `name`. The header is read as bytes, because the cookies of
/// other programs on the same host may have any.
pub(super) fn all<'a>(name: &str, headers: &'a HeaderMap) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .filter_map(move |pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}
