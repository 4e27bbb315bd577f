//! Resources, the audiences of access tokens ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::{Host, Url};

use crate::error::Refusal;
use crate::oauth::display_name::DisplayName;
use crate::oauth::issuer::Issuer;

/// A `resource` (RFC 8707 §2): "an absolute URI", which "MUST NOT include a fragment component".
/// Only `http` and `https` are allowed, since its metadata is below it (RFC 9728 §3).
///
/// It keeps its spelling, which its metadata must have too, and is compared in a canonical form: an
/// empty path is `/`, and the host is in lower case.
#[derive(Clone, Debug)]
pub struct Resource {
    written: Box<str>,
    canonical: Box<str>,
    loopback: bool,
    port: u16,
}

impl Resource {
    /// This server as a resource.
    pub fn of(issuer: &Issuer) -> Self {
        Self {
            written: issuer.as_str().into(),
            canonical: issuer.at("/").into(),
            loopback: issuer.is_loopback(),
            port: issuer.port(),
        }
    }

    /// The resource as it was written, which is the `aud` of its tokens.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The canonical spelling.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Whether its host is a loopback address or name.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The port, including the scheme's default.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of its metadata (RFC 9728 §3.1): the well-known path is between host and path.
    pub fn metadata_address(&self) -> String {
        const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
        let Ok(url) = Url::parse(&self.canonical) else { return String::new() };
        let path = url.path().strip_suffix('/').unwrap_or(url.path());
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{WELL_KNOWN}{path}{query}", url.origin().ascii_serialization())
    }
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Resource {}

impl PartialOrd for Resource {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Resource {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.canonical.cmp(&other.canonical)
    }
}

impl FromStr for Resource {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let uri_char = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&b);
        if s.len() > 2048 || !s.bytes().all(uri_char) {
            return Err(Refusal::ResourceMalformed);
        }
        let url = Url::parse(s).map_err(|_| Refusal::ResourceMalformed)?;
        let web = matches!(url.scheme(), "http" | "https");
        // A browser reads `https:x` and `https:///x` as `https://x`, other programs do not.
        let (_, after) = s.split_once("://").ok_or(Refusal::ResourceMalformed)?;
        let authority = after.split(['/', '?']).next().unwrap_or_default();
        if !web || authority.is_empty() || authority.contains('@') {
            return Err(Refusal::ResourceMalformed);
        }
        let loopback = match url.host() {
            Some(Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                name == "localhost" || name.ends_with(".localhost")
            }
            Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
            Some(Host::Ipv6(address)) => {
                let mapped = address.to_ipv4_mapped();
                address.is_loopback()
                    || address.is_unspecified()
                    || mapped.is_some_and(|v4| v4.is_loopback() || v4.is_unspecified())
            }
            None => return Err(Refusal::ResourceMalformed),
        };
        let port = url.port_or_known_default().ok_or(Refusal::ResourceMalformed)?;
        Ok(Self { written: s.into(), canonical: url.as_str().into(), loopback, port })
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        written.parse().map_err(|refusal: Refusal| serde::de::Error::custom(refusal.reason()))
    }
}

/// The type of the access tokens for a resource: the `typ` of their header, by the name that an
/// operator gives it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenType {
    /// RFC 9068 §2.1.
    #[default]
    #[serde(rename = "at+jwt")]
    AtJwt,
    /// RFC 7519 §5.1, for resource servers whose library takes no other.
    #[serde(rename = "jwt")]
    Jwt,
}

impl TokenType {
    /// All types, by the name that an operator gives them.
    pub const ALL: &[(&str, Self)] = &[("at+jwt", Self::AtJwt), ("jwt", Self::Jwt)];

    /// The `typ` in the header.
    pub const fn typ(self) -> &'static str {
        match self {
            Self::AtJwt => "at+jwt",
            Self::Jwt => "JWT",
        }
    }
}

impl FromStr for TokenType {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let found = Self::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(s));
        let refusal = Refusal::MemberMalformed("typ", "at+jwt or jwt is expected");
        found.map(|(_, own)| *own).ok_or(refusal)
    }
}

/// The metadata document of a resource (RFC 9728 §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ResourceMetadata {
    /// The issuers of its tokens.
    pub authorization_servers: Vec<String>,
    /// The methods by which it accepts a token (RFC 6750 §2).
    pub bearer_methods_supported: Vec<String>,
    /// Its URI.
    pub resource: Resource,
    /// Its name, as people see it.
    pub resource_name: DisplayName,
    /// Its scopes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(s: &str) -> Resource {
        s.parse().unwrap()
    }

    #[test]
    fn an_empty_path_is_a_slash_and_the_spelling_is_kept() {
        let bare = read("https://API.example");

        assert_eq!(bare, read("https://api.example/"));
        assert_eq!(bare, read("https://api.example:443"));
        assert_eq!(bare.as_str(), "https://API.example");
        assert_ne!(bare, read("https://api.example/mcp"));
        assert_ne!(read("https://api.example/mcp"), read("https://api.example/mcp/"));
    }

    #[test]
    fn what_is_no_web_address_is_no_resource() {
        for wrong in [
            "",
            "bridge",
            "urn:x:y",
            "https://api.example/#f",
            "https://u@api.example/",
            "https://:p@api.example/",
            "https://@api.example/",
            "https:/api.example/",
            "https:api.example/",
            "https:///api.example/",
            "https:///@api.example/",
            "https:@api.example/",
            "https://api.example/a b",
            "ftp://api.example/",
            "/relative",
        ] {
            assert_eq!(
                wrong.parse::<Resource>().err(),
                Some(Refusal::ResourceMalformed),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_path_may_name_somebody() {
        assert_eq!(
            read("https://api.example/@ada?by=@bob").as_str(),
            "https://api.example/@ada?by=@bob"
        );
    }

    #[test]
    fn loopback_has_many_names() {
        for written in [
            "http://localhost:3000/mcp",
            "http://a.localhost/",
            "http://127.0.0.1/",
            "http://127.1:80/",
            "http://2130706433/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://0.0.0.0/",
        ] {
            assert!(read(written).is_loopback(), "{written}");
        }
        assert!(!read("http://localhost.example/").is_loopback());
        assert_eq!((read("http://localhost/").port(), read("http://[::1]:81/").port()), (80, 81));
    }

    /// RFC 9728 §3.1
    #[test]
    fn metadata_lies_between_host_and_path() {
        for (resource, metadata) in [
            (
                "https://resource.example.com",
                "https://resource.example.com/.well-known/oauth-protected-resource",
            ),
            (
                "https://resource.example.com/resource1",
                "https://resource.example.com/.well-known/oauth-protected-resource/resource1",
            ),
        ] {
            assert_eq!(read(resource).metadata_address(), metadata);
        }
    }
}
