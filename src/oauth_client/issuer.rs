//! The issuer that a person names (RFC 8414 §2).

use std::fmt;
use std::str::FromStr;

use url::{Position, Url};

use super::connect::is_guarded;

/// An `issuer` as it was written (RFC 8414 §2): https, or http to loopback, without query or
/// fragment. Unlike an issuer of this server, it may have a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issuer {
    written: String,
    url: Url,
}

impl Issuer {
    /// The issuer as it was written. Issuers are compared in this form.
    pub(crate) fn as_str(&self) -> &str {
        &self.written
    }

    /// The parsed URL.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The URLs of its metadata: RFC 8414 §3 puts the well-known part between host and path, OpenID
    /// Connect Discovery §4 after the path.
    pub(crate) fn documents(&self) -> [String; 2] {
        let origin = &self.url[..Position::BeforePath];
        let path = self.url.path().trim_end_matches('/');
        [
            format!("{origin}/.well-known/oauth-authorization-server{path}"),
            format!("{origin}{path}/.well-known/openid-configuration"),
        ]
    }
}

impl FromStr for Issuer {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        const ALLOWED: &str = "an https URL is allowed, or an http URL of this machine, without \
                               query and fragment, such as http://localhost:7455";
        let url = Url::parse(s).map_err(|_| ALLOWED)?;
        let bare = url.query().is_none() && url.fragment().is_none() && !s.contains(['?', '#']);
        let anonymous = url.username().is_empty() && url.password().is_none();
        // The URL parser ignores some other characters.
        let printable = s.bytes().all(|b| b.is_ascii_graphic());
        if !is_guarded(&url) || !bare || !anonymous || !printable {
            return Err(ALLOWED);
        }
        Ok(Self { written: s.to_owned(), url })
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}
