//! Web URLs that a client names: its keys, its logo, its policies, its logout.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::{Host, Url};

use crate::error::Refusal;

/// An `https` URL, or an `http` one on loopback: without user name, password and fragment, in the
/// canonical spelling.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebUri(Box<str>);

impl WebUri {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parsed URL.
    pub fn url(&self) -> Option<Url> {
        Url::parse(&self.0).ok()
    }

    /// The host, and the port if it is not the scheme's default.
    pub fn authority(&self) -> &str {
        let after = self.0.split_once("://").map_or("", |(_, after)| after);
        after.split(['/', '?']).next().unwrap_or_default()
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.url().map(|url| url.origin().ascii_serialization()).unwrap_or_default()
    }
}

impl FromStr for WebUri {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        if s.len() > 2048 || s.contains('#') || !s.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Refusal::WebUriMalformed);
        }
        let url = Url::parse(s).map_err(|_| Refusal::WebUriMalformed)?;
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.octets() == [127, 0, 0, 1],
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let fits = url.scheme() == "https" || url.scheme() == "http" && loopback;
        let bare = url.path() == "/" && url.as_str().strip_suffix('/') == Some(s);
        if !fits || !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::WebUriMalformed);
        }
        if url.as_str() != s && !bare {
            return Err(Refusal::WebUriMalformed);
        }
        Ok(Self(s.into()))
    }
}

impl fmt::Display for WebUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for WebUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for WebUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        written.parse().map_err(|refusal: Refusal| serde::de::Error::custom(refusal.reason()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_on_this_machine_and_has_one_spelling() {
        for good in [
            "https://app.example",
            "https://app.example/",
            "https://app.example:8443/keys.json?v=1",
            "http://127.0.0.1:3000/jwks",
            "http://localhost/jwks",
        ] {
            assert_eq!(good.parse::<WebUri>().map(|uri| uri.to_string()), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "http://app.example/",
            "https://user@app.example/",
            "https://app.example/#f",
            "https://app.example/a/../b",
            "https://APP.example/",
            "https:app.example/",
            "javascript:alert(1)",
            "https://app.example/a b",
        ] {
            assert_eq!(bad.parse::<WebUri>(), Err(Refusal::WebUriMalformed), "{bad}");
        }
    }

    #[test]
    fn people_see_the_host() {
        let uri: WebUri = "https://app.example:8443/logo.png?x".parse().unwrap();

        assert_eq!(uri.authority(), "app.example:8443");
        assert_eq!(uri.origin(), "https://app.example:8443");
    }
}
