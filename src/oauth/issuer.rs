//! The issuer: [RFC 8414 §2](https://www.rfc-editor.org/rfc/rfc8414#section-2).

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::error::Refusal;

/// The `issuer` identifier: scheme, host and port, no path and no trailing slash.
///
/// The scheme is `https`, or `http` if the host is `localhost` or a subdomain of it. The host is no
/// IP address, since that cannot be a WebAuthn RP ID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Issuer {
    origin: String,
    host: String,
    port: u16,
    https: bool,
}

impl Issuer {
    /// The issuer `http://localhost` with a port.
    pub fn localhost(port: u16) -> Self {
        let printed = if port == 80 { String::new() } else { format!(":{port}") };
        let origin = format!("http://localhost{printed}");
        Self { origin, host: "localhost".to_owned(), port, https: false }
    }

    /// The issuer `https://localhost` with a port.
    pub fn secure_localhost(port: u16) -> Self {
        let printed = if port == 443 { String::new() } else { format!(":{port}") };
        let origin = format!("https://localhost{printed}");
        Self { origin, host: "localhost".to_owned(), port, https: true }
    }

    /// The issuer as it is written, which is also the form of its web origin.
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// The host, which is also the WebAuthn RP ID.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host, and the port if it is not the scheme's default.
    pub fn authority(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// The port, including the scheme's default.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether its scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Whether its host is `localhost` or a subdomain of it.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.ends_with(".localhost")
    }

    /// The URL of a path that begins with `/`.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

impl FromStr for Issuer {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let url = Url::parse(s).map_err(|_| Refusal::IssuerUnfit)?;
        let host = match url.host() {
            Some(Host::Domain(host)) => host,
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => return Err(Refusal::IssuerAtAddress),
            None => return Err(Refusal::IssuerUnfit),
        };
        let origin = url.origin().ascii_serialization();
        let https = url.scheme() == "https";
        let port = url.port_or_known_default().ok_or(Refusal::IssuerUnfit)?;
        let issuer = Self { origin, host: host.to_owned(), port, https };
        let plain_is_safe = url.scheme() == "http" && issuer.is_loopback();
        let names_a_host = host.split('.').all(is_label) && host.parse::<IpAddr>().is_err();
        if issuer.origin != s || !(https || plain_is_safe) || !names_a_host {
            return Err(Refusal::IssuerUnfit);
        }
        Ok(issuer)
    }
}

/// Whether `label` is a host name label (RFC 1123 §2.1): letters, digits and inner hyphens. A URL
/// parser accepts more than a WebAuthn RP ID may have.
pub(crate) fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

impl From<Issuer> for String {
    fn from(issuer: Issuer) -> Self {
        issuer.origin
    }
}

impl TryFrom<String> for Issuer {
    type Error = Cow<'static, str>;

    fn try_from(written: String) -> Result<Self, Self::Error> {
        written.parse().map_err(Refusal::reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_origin_that_browsers_and_passkeys_accept() {
        for good in [
            "http://localhost:7455",
            "https://id.example",
            "https://id.example:8443",
            "http://a.localhost",
        ] {
            assert_eq!(
                good.parse::<Issuer>().map(|issuer| issuer.to_string()),
                Ok(good.to_owned())
            );
        }
        for bad in [
            "http://id.example",
            "https://id.example/",
            "https://id.example/path",
            "https://id.example:443",
            "https://u@id.example",
            "localhost:7455",
            "ftp://localhost",
            "https://id.example?x",
            "HTTPS://id.example",
            "https://id.example.",
            "https://id..example",
            "https://*.example",
            "https://-id.example",
        ] {
            assert_eq!(bad.parse::<Issuer>(), Err(Refusal::IssuerUnfit), "{bad}");
        }
        for address in ["http://127.0.0.1:7455", "http://[::1]:7455", "https://192.0.2.1"] {
            assert_eq!(address.parse::<Issuer>(), Err(Refusal::IssuerAtAddress), "{address}");
        }
        assert_eq!(Issuer::localhost(7455).as_str(), "http://localhost:7455");
        assert_eq!(Issuer::localhost(80).as_str(), "http://localhost");
        for port in [443, 7455] {
            let secure = Issuer::secure_localhost(port);
            assert_eq!(secure.as_str().parse(), Ok(secure.clone()));
        }
    }
}
