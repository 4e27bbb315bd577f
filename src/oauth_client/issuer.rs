//! The issuer that a person names (RFC 8414 §2).

use std::fmt;
use std::str::FromStr;

use url::{Position, Url};

use super::connect::is_guarded;

/// An `issuer` as it was written (RFC 8414 §2): https, or http on this machine, without query or
/// fragment. Unlike an issuer of this server it may have a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issuer {
    written: String,
    url: Url,
}

impl Issuer {
    /// As it was written, which is how issuers are compared.
    pub(crate) fn as_str(&self) -> &str {
        &self.written
    }

    /// Its address.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// RFC 8414 §3: the well-known part comes between the host and the path; OpenID Connect
    /// Discovery §4 has it after the path.
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
        // A parser would overlook some others.
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
