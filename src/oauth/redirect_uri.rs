//! Redirect URIs: which ones may be registered, and how a request's is compared with them.
//!
//! [RFC 6749 §3.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2),
//! [RFC 8252](https://www.rfc-editor.org/rfc/rfc8252) for native applications,
//! [RFC 9700 §2.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1) for exact comparison.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::{Host, Url};

use crate::error::Refusal;
use crate::oauth::client::ClientType;
use crate::oauth::private_host;

/// The redirect URI of programs that let the person copy the code from a page, also with the ending
/// `:auto`. It is no URI that a browser can be sent to.
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

/// Schemes that a browser or an operating system handles itself.
const DANGEROUS: &[&str] = &[
    "about",
    "blob",
    "chrome",
    "chrome-extension",
    "content",
    "data",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "jar",
    "javascript",
    "ldap",
    "mailto",
    "moz-extension",
    "ms-msdt",
    "resource",
    "search-ms",
    "shell",
    "smb",
    "sms",
    "ssh",
    "tel",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// The private-use schemes without a dot of widely used clients. The configuration can add others.
pub const KNOWN_SCHEMES: &[&str] = &[
    "claude",
    "code-oss",
    "cursor",
    "jetbrains",
    "kiro",
    "raycast",
    "trae",
    "vscode",
    "vscode-insiders",
    "vscodium",
    "warp",
    "windsurf",
    "zed",
];

/// A redirect URI as it was written, and its kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RedirectUri {
    written: Box<str>,
    kind: Kind,
}

/// The kinds of redirect URI.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `https`, on any host.
    Https {
        /// The host, and the port if it is not 443.
        authority: String,
    },
    /// `http` on `127.0.0.1`, `[::1]` or `localhost` (RFC 8252 §7.3).
    Loopback {
        /// The start and end of the port's digits in the written form, if it has a port.
        port: Option<(usize, usize)>,
        /// The end of the authority in the written form.
        authority_end: usize,
    },
    /// A private-use scheme (RFC 8252 §7.1).
    PrivateUse {
        /// The scheme.
        scheme: String,
    },
}

impl RedirectUri {
    /// The URI as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The kind.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The destination for display: host and port, or the private-use scheme.
    pub fn host(&self) -> String {
        match &self.kind {
            Kind::Https { authority } => authority.clone(),
            Kind::Loopback { authority_end, .. } => {
                self.written.get("http://".len()..*authority_end).unwrap_or_default().to_owned()
            }
            Kind::PrivateUse { scheme } => format!("{scheme}:"),
        }
    }

    /// The origin (RFC 6454 §4), if it is one that a `Content-Security-Policy` can name.
    pub fn origin(&self) -> Option<String> {
        let (scheme, host) = match &self.kind {
            Kind::Https { .. } => ("https", self.host()),
            Kind::Loopback { .. } => ("http", self.host()),
            Kind::PrivateUse { .. } => return None,
        };
        // The URL standard allows `;` and `,` in a host, which would end the directive.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        host.bytes().all(plain).then(|| format!("{scheme}://{host}"))
    }

    /// The host, without the port of a loopback URI, which may change with each run. A consent is
    /// remembered for it.
    pub fn lasting_host(&self) -> String {
        match &self.kind {
            Kind::Loopback { port: Some((start, _)), .. } => {
                let end = start.saturating_sub(1);
                self.written.get("http://".len()..end).unwrap_or_default().to_owned()
            }
            Kind::Https { .. } | Kind::Loopback { .. } | Kind::PrivateUse { .. } => self.host(),
        }
    }

    /// The URI as it was written, without the port of a loopback URI, which may change with each
    /// run.
    pub fn lasting(&self) -> String {
        match self.around_port() {
            Some((before, behind)) => format!("{before}{behind}"),
            None => self.written.to_string(),
        }
    }

    /// This URI with `more`, which is encoded, added to its query (RFC 6749 §4.1.2).
    pub fn with_query(&self, more: &str) -> String {
        let joint = match self.written.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some((_, query)) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{joint}{more}", self.written)
    }

    /// Refuses a private-use scheme that may not be registered: it must be a reverse domain name, a
    /// built-in scheme or one of `listed`.
    pub fn check_scheme(&self, listed: &[String]) -> Result<(), Refusal> {
        match &self.kind {
            Kind::Https { .. } | Kind::Loopback { .. } => Ok(()),
            Kind::PrivateUse { scheme } => {
                let known = KNOWN_SCHEMES.contains(&scheme.as_str()) || listed.contains(scheme);
                if scheme.contains('.') || known {
                    Ok(())
                } else {
                    Err(Refusal::RedirectUriSchemeUnknown)
                }
            }
        }
    }

    /// Whether a request may use `requested` if this URI is registered.
    ///
    /// The strings must be equal. For a loopback URI an empty path is `/`, and the port is ignored,
    /// since RFC 8252 §7.3 says "The authorization server MUST allow any port to be specified at the
    /// time of the request for loopback IP redirect URIs"; but a confidential client must use the port
    /// that it registered, if any.
    pub fn admits(&self, requested: &Self, client: ClientType) -> bool {
        if self.written == requested.written {
            return true;
        }
        let (Kind::Loopback { port, .. }, Kind::Loopback { .. }) = (&self.kind, &requested.kind)
        else {
            return false;
        };
        let port_is_free = match client {
            ClientType::Confidential => port.is_none(),
            ClientType::Public => true,
        };
        let port_fits = port_is_free || self.host() == requested.host();
        let own = self.around_port().map(without_root);
        port_fits && own.is_some() && own == requested.around_port().map(without_root)
    }

    /// The parts before and after the port of a loopback URI.
    fn around_port(&self) -> Option<(&str, &str)> {
        let Kind::Loopback { port, authority_end } = self.kind else { return None };
        let head_end = port.map_or(authority_end, |(start, _)| start.saturating_sub(1));
        Some((self.written.get(..head_end)?, self.written.get(authority_end..)?))
    }
}

impl FromStr for RedirectUri {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let uri_char = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
        if s.is_empty() || s.len() > 2048 || !s.bytes().all(uri_char) {
            return Err(Refusal::RedirectUriMalformed);
        }
        if s.contains('*') {
            return Err(Refusal::RedirectUriWildcard);
        }
        if s.contains('#') {
            return Err(Refusal::RedirectUriHasFragment);
        }
        if s.starts_with(OUT_OF_BAND) {
            return Err(Refusal::RedirectUriOutOfBand);
        }
        let (scheme, rest) = s.split_once(':').ok_or(Refusal::RedirectUriMalformed)?;
        if DANGEROUS.contains(&scheme.to_ascii_lowercase().as_str()) {
            return Err(Refusal::RedirectUriDangerous);
        }
        let url = Url::parse(s).map_err(|_| Refusal::RedirectUriMalformed)?;
        if !url.username().is_empty() || url.password().is_some() || authority(rest).contains('@') {
            return Err(Refusal::RedirectUriHasUserinfo);
        }
        // The parsed and the written form must agree, so that no other parser of this URI can see
        // another host or path.
        if url.scheme() != scheme || !rest.starts_with('/') {
            return Err(Refusal::RedirectUriMalformed);
        }
        if has_dot_segment(rest) {
            return Err(Refusal::RedirectUriHasDotSegments);
        }
        let kind = match scheme {
            "http" => loopback(s, &url)?,
            "https" => Kind::Https { authority: canonical_authority(&url, rest)? },
            _ => Kind::PrivateUse { scheme: scheme.to_owned() },
        };
        Ok(Self { written: s.into(), kind })
    }
}

/// The parts of a loopback URI around its port, without the `/` that begins the path: an empty path is
/// the same (RFC 3986 §6.2.3).
fn without_root<'a>((host, rest): (&'a str, &'a str)) -> (&'a str, &'a str) {
    (host, rest.strip_prefix('/').unwrap_or(rest))
}

/// The authority of `rest`, the part after the scheme.
fn authority(rest: &str) -> &str {
    let after = rest.strip_prefix("//").unwrap_or_default();
    after.split(['/', '?']).next().unwrap_or_default()
}

/// The path of `rest`, the part after the scheme, without the query.
fn path(rest: &str) -> &str {
    let before_query = rest.split('?').next().unwrap_or_default();
    match before_query.strip_prefix("//") {
        Some(after) => after.find('/').and_then(|at| after.get(at..)).unwrap_or_default(),
        None => before_query,
    }
}

/// Whether the path has "." or ".." segments (RFC 3986 §3.3), including percent-encoded ones.
fn has_dot_segment(rest: &str) -> bool {
    path(rest).split('/').any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    })
}

/// The authority of a web URI, if it is written in the parser's canonical form.
fn canonical_authority(url: &Url, rest: &str) -> Result<String, Refusal> {
    let written = authority(rest);
    let read = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
        None => url.host_str().unwrap_or_default().to_owned(),
    };
    if read.is_empty() || read != written {
        return Err(Refusal::RedirectUriMalformed);
    }
    Ok(read)
}

/// Reads an `http` URI, which must have a loopback host.
fn loopback(written: &str, url: &Url) -> Result<Kind, Refusal> {
    let host = match url.host() {
        Some(Host::Domain("localhost")) => "localhost",
        Some(Host::Ipv4(address)) if address.octets() == [127, 0, 0, 1] => "127.0.0.1",
        Some(Host::Ipv6(address)) if address.is_loopback() => "[::1]",
        Some(host) if private_host::is_private(&host) => {
            return Err(Refusal::RedirectUriPrivate);
        }
        Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) | None => {
            return Err(Refusal::RedirectUriNotHttps);
        }
    };
    let rest = written.strip_prefix("http:").unwrap_or_default();
    let named = authority(rest);
    let authority_end = "http://".len() + named.len();
    let port = match named.strip_prefix(host) {
        Some("") => None,
        Some(tail) => {
            let digits = tail.strip_prefix(':').unwrap_or_default();
            let plain = digits.parse::<u16>().is_ok_and(|port| port.to_string() == digits);
            if !plain {
                return Err(Refusal::RedirectUriMalformed);
            }
            Some((authority_end - digits.len(), authority_end))
        }
        None => return Err(Refusal::RedirectUriMalformed),
    };
    // A browser sends this server's cookies to every port of its host under that path.
    if path(rest).to_ascii_lowercase().starts_with("/gate/") {
        return Err(Refusal::RedirectUriUnderGate);
    }
    Ok(Kind::Loopback { port, authority_end })
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Serialize for RedirectUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

impl<'de> Deserialize<'de> for RedirectUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        written.parse().map_err(|refusal: Refusal| serde::de::Error::custom(refusal.reason()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(s: &str) -> Result<RedirectUri, Refusal> {
        s.parse()
    }

    #[test]
    fn the_port_of_a_loopback_uri_is_free_for_public_clients() {
        let registered = read("http://127.0.0.1:3000/callback?a=b").unwrap();
        let requested = read("http://127.0.0.1:49152/callback?a=b").unwrap();

        assert!(registered.admits(&requested, ClientType::Public));
        assert!(!registered.admits(&requested, ClientType::Confidential));
    }

    #[test]
    fn a_portless_loopback_registration_admits_any_port_for_every_client() {
        let registered = read("http://localhost/callback").unwrap();
        let requested = read("http://localhost:8080/callback").unwrap();

        assert!(registered.admits(&requested, ClientType::Confidential));
        assert!(
            !registered
                .admits(&read("http://127.0.0.1:8080/callback").unwrap(), ClientType::Public)
        );
        assert!(
            !registered
                .admits(&read("http://localhost:8080/callback/").unwrap(), ClientType::Public)
        );
    }

    #[test]
    fn https_is_compared_as_a_string() {
        let registered = read("https://app.example/cb").unwrap();

        assert!(registered.admits(&registered, ClientType::Public));
        for other in [
            "https://app.example/cb/",
            "https://app.example:8443/cb",
            "https://app.example/CB",
            "https://app.example/cb?x",
        ] {
            assert!(!registered.admits(&read(other).unwrap(), ClientType::Public), "{other}");
        }
    }

    #[test]
    fn what_must_not_be_registered_is_refused_by_name() {
        use Refusal::*;
        for (uri, refusal) in [
            ("javascript:alert(1)", RedirectUriDangerous),
            ("JavaScript:alert(1)", RedirectUriDangerous),
            ("data:text/html,x", RedirectUriDangerous),
            ("file:///etc/passwd", RedirectUriDangerous),
            ("http://app.example/cb", RedirectUriNotHttps),
            ("http://127.0.0.2/cb", RedirectUriPrivate),
            ("http://192.168.1.20:8123/cb", RedirectUriPrivate),
            ("http://nas.local/cb", RedirectUriPrivate),
            ("http://localhost.evil.example/cb", RedirectUriNotHttps),
            ("http://127.1/cb", RedirectUriMalformed),
            ("http://2130706433/cb", RedirectUriMalformed),
            ("http://[0:0:0:0:0:0:0:1]/cb", RedirectUriMalformed),
            ("http://localhost:080/cb", RedirectUriMalformed),
            ("https://app.example/*", RedirectUriWildcard),
            ("https://app.example/cb#x", RedirectUriHasFragment),
            ("https://user@app.example/cb", RedirectUriHasUserinfo),
            ("https://@app.example/cb", RedirectUriHasUserinfo),
            ("https://app.example/a/../cb", RedirectUriHasDotSegments),
            ("https://app.example/a/%2E%2e/cb", RedirectUriHasDotSegments),
            ("https://APP.example/cb", RedirectUriMalformed),
            ("https:app.example/cb", RedirectUriMalformed),
            ("https://app.example\\@evil.example/cb", RedirectUriMalformed),
            ("https://app.example/c b", RedirectUriMalformed),
            ("urn:ietf:wg:oauth:2.0:oob", RedirectUriOutOfBand),
            ("urn:ietf:wg:oauth:2.0:oob:auto", RedirectUriOutOfBand),
            ("urn:example:cb", RedirectUriMalformed),
            ("/callback", RedirectUriMalformed),
            ("http://localhost:7455/gate/x", RedirectUriUnderGate),
            ("http://localhost/GATE/x", RedirectUriUnderGate),
            ("", RedirectUriMalformed),
        ] {
            assert_eq!(read(uri), Err(refusal), "{uri}");
        }
    }

    #[test]
    fn private_use_schemes_are_reverse_domains_or_listed() {
        assert_eq!(read("com.example.app:/cb").unwrap().check_scheme(&[]), Ok(()));
        assert_eq!(read("cursor://anysphere.cursor/cb").unwrap().check_scheme(&[]), Ok(()));
        let unlisted = read("mine://cb").unwrap();
        assert_eq!(unlisted.check_scheme(&[]), Err(Refusal::RedirectUriSchemeUnknown));
        assert_eq!(unlisted.check_scheme(&["mine".to_owned()]), Ok(()));
    }

    #[test]
    fn people_see_where_a_uri_sends() {
        for (uri, host, lasting) in [
            ("https://app.example:8443/cb", "app.example:8443", "app.example:8443"),
            ("http://[::1]:3000/cb", "[::1]:3000", "[::1]"),
            ("http://localhost/cb", "localhost", "localhost"),
            ("com.example.app:/cb", "com.example.app:", "com.example.app:"),
        ] {
            let uri = read(uri).unwrap();
            assert_eq!((uri.host().as_str(), uri.lasting_host().as_str()), (host, lasting));
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_as_it_came(s in "(http|https|com\\.a)://(localhost|127\\.0\\.0\\.1|a\\.b)(:[1-9][0-9]{0,3})?(/[a-z.%/]{0,12})?") {
            if let Ok(uri) = read(&s) {
                prop_assert_eq!(uri.as_str(), s.as_str());
                prop_assert!(uri.admits(&uri, ClientType::Confidential));
            }
        }

        #[test]
        fn nothing_makes_the_parser_panic(s in "\\PC{0,40}") {
            let _ = read(&s);
        }
    }
}
