//! Forward authentication: the headers by which a proxy describes the original request.
//!
//! There is no standard, only the conventions of nginx `auth_request`, Caddy `forward_auth` and
//! Traefik `ForwardAuth`.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::error::Refusal;
use crate::oauth::issuer::is_label;

/// The host of a protected application, with its port if that is not the scheme's default: in the
/// form of the `Host` header (RFC 9110 §7.2), in lower case.
///
/// Cookies are not isolated by port (RFC 6265 §8.5), so the name must belong to one application.
/// `localhost`, which all applications on a machine share, and IP addresses are refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AppHost(Box<str>);

impl AppHost {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without the port.
    pub fn name(&self) -> &str {
        self.0.split_once(':').map_or(&self.0, |(name, _)| name)
    }

    /// The port, if it is written.
    pub fn port(&self) -> Option<&str> {
        self.0.split_once(':').map(|(_, port)| port)
    }

    /// The same host without the default port of `scheme`.
    pub fn under(&self, scheme: &str) -> Self {
        let usual = if scheme == "https" { ":443" } else { ":80" };
        Self(self.0.strip_suffix(usual).unwrap_or(&self.0).into())
    }
}

impl FromStr for AppHost {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let (name, port) = s.split_once(':').map_or((s, None), |(name, port)| (name, Some(port)));
        let is_name = name.len() <= 253
            && name.split('.').all(is_label)
            && matches!(Host::parse(name), Ok(Host::Domain(read))
                if read.eq_ignore_ascii_case(name) && read != "localhost");
        let is_port = |port: &str| port.parse::<u16>().is_ok_and(|n| n.to_string() == port);
        if !is_name || !port.is_none_or(is_port) {
            return Err(Refusal::AppUnknown);
        }
        Ok(Self(s.to_ascii_lowercase().into()))
    }
}

impl fmt::Display for AppHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The longest [`ReturnPath`], in bytes: as much as a proxy reads of a request line.
const MAX_RETURN_PATH: usize = 8 * 1024;

/// The path and query of an application's host to which a person returns. It cannot name another
/// host, and is none of this server's own paths there.
///
/// It is only written after a scheme and a host, so it cannot be read as either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnPath(Box<str>);

impl ReturnPath {
    /// Reads `written`; `/` if it is not a valid path.
    pub fn of(written: Option<&str>) -> Self {
        let fits = |path: &&str| {
            path.starts_with('/')
                && !path.starts_with("//")
                && path.len() <= MAX_RETURN_PATH
                && path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'#')
                && !is_ours(path)
        };
        Self(written.filter(fits).unwrap_or("/").into())
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// In base64url. Percent-encoding would make a path that is percent-encoded already too long for
    /// a request whose proof names it once more.
    pub fn encoded(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.as_str())
    }

    /// Reads what [`Self::encoded`] wrote; `/` if it is not a valid path.
    pub fn of_encoded(written: Option<&str>) -> Self {
        let path = written.and_then(|written| URL_SAFE_NO_PAD.decode(written).ok());
        Self::of(path.as_deref().and_then(|path| std::str::from_utf8(path).ok()))
    }
}

/// Whether a browser that is sent to `path` requests one of this server's own paths, after it has
/// resolved dot segments (RFC 3986 §5.2.4), including escaped ones.
fn is_ours(path: &str) -> bool {
    let url = Url::parse(&format!("https://app.example{path}"));
    url.is_ok_and(|url| url.path().starts_with("/_gatelodge"))
}

/// The request that a proxy asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalRequest {
    /// The application's host.
    pub host: AppHost,
    /// The requested path.
    pub path: ReturnPath,
    /// Whether the response is a status without a redirect: the proxy uses only the status, as
    /// nginx does, or the request cannot be repeated after a redirect, as a posted form or a fetch
    /// by a page.
    pub by_status: bool,
}

/// The headers of a proxy.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForwardedHeaders<'a> {
    /// `Sec-Fetch-Mode`, as the browser sent it.
    pub fetch_mode: Option<&'a str>,
    /// `X-Original-URL`, the whole URL, which nginx is configured to send.
    pub original_url: Option<&'a str>,
    /// `X-Forwarded-Host`, which Caddy and Traefik send.
    pub forwarded_host: Option<&'a str>,
    /// `X-Forwarded-Prefix`, the beginning of the path that Traefik took away before it asks.
    pub forwarded_prefix: Option<&'a str>,
    /// `X-Forwarded-Method`.
    pub forwarded_method: Option<&'a str>,
    /// `X-Forwarded-Uri`.
    pub forwarded_uri: Option<&'a str>,
}

impl ForwardedHeaders<'_> {
    /// The path that the browser requested.
    fn whole_path(&self) -> ReturnPath {
        match (self.forwarded_prefix, self.forwarded_uri) {
            (Some(prefix), Some(uri)) => {
                ReturnPath::of(Some(&format!("{}{uri}", prefix.trim_end_matches('/'))))
            }
            (_, uri) => ReturnPath::of(uri),
        }
    }
}

impl OriginalRequest {
    /// Reads the request that the headers of a proxy describe.
    ///
    /// A proxy overwrites its own headers and passes on others from outside, so two headers that
    /// name a host must name the same one. Otherwise a request could name an application that
    /// admits the person, and reach another.
    pub fn parse(headers: ForwardedHeaders<'_>) -> Result<Self, Refusal> {
        let forwarded = headers.forwarded_host.map(str::parse::<AppHost>).transpose()?;
        let Some(url) = headers.original_url else {
            let navigates = matches!(headers.forwarded_method, None | Some("GET" | "HEAD"))
                && matches!(headers.fetch_mode, None | Some("navigate"));
            return Ok(Self {
                host: forwarded.ok_or(Refusal::AppUnknown)?,
                path: headers.whole_path(),
                by_status: !navigates,
            });
        };
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let rest = rest.ok_or(Refusal::AppUnknown)?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host: AppHost = host.parse()?;
        if forwarded.is_some_and(|forwarded| forwarded != host) {
            return Err(Refusal::AppUnknown);
        }
        Ok(Self { host, path: ReturnPath::of(Some(path)), by_status: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_with_or_without_a_port() {
        let host = |written: &str| written.parse::<AppHost>().map(|host| host.to_string());

        assert_eq!(host("App.Example:8443"), Ok("app.example:8443".to_owned()));
        for wrong in ["", "a b", "a/b", "a@b", "a:", "a:070", "a:99999", "a, b", "a:1:2", "a..b"] {
            assert_eq!(host(wrong), Err(Refusal::AppUnknown), "{wrong}");
        }
        let https: AppHost = "app.example:443".parse().unwrap();
        assert_eq!(https.under("https").as_str(), "app.example");
        assert_eq!(https.under("http").as_str(), "app.example:443");
    }

    /// RFC 6265 §8.5: "Cookies do not provide isolation by port."
    #[test]
    fn a_host_is_a_name_that_can_belong_to_one_application() {
        for shared in [
            "localhost:8080",
            "LOCALHOST",
            "localhost.:8080",
            "127.0.0.1:8080",
            "127.1",
            "0x7f000001",
            "2130706433:80",
            "192.0.2.1",
            "[::1]",
        ] {
            assert_eq!(shared.parse::<AppHost>(), Err(Refusal::AppUnknown), "{shared}");
        }
        assert_eq!("wiki.localhost:8080".parse::<AppHost>().unwrap().name(), "wiki.localhost");
    }

    #[test]
    fn a_return_path_names_no_other_host() {
        assert_eq!(ReturnPath::of(Some("/a?b=c%20d")).as_str(), "/a?b=c%20d");
        for wrong in [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "evil",
            "/a b",
            "/a\r\nb",
            "/a#b",
            "/é",
            "/_gatelodge/sign-out",
            "/x/../_gatelodge/sign-out",
            "/%2E/_gatelodge/sign-out",
            "",
        ] {
            assert_eq!(ReturnPath::of(Some(wrong)).as_str(), "/", "{wrong}");
        }
        assert_eq!(ReturnPath::of(None).as_str(), "/");
    }

    #[test]
    fn a_prefix_that_the_proxy_took_away_is_part_of_the_path() {
        let path = |prefix, uri| {
            let headers = ForwardedHeaders {
                forwarded_host: Some("a.example"),
                forwarded_prefix: prefix,
                forwarded_uri: uri,
                ..ForwardedHeaders::default()
            };
            OriginalRequest::parse(headers).unwrap().path.as_str().to_owned()
        };

        assert_eq!(path(Some("/wiki"), Some("/page?x=1")), "/wiki/page?x=1");
        assert_eq!(path(Some("/wiki/"), Some("/")), "/wiki/");
        assert_eq!(path(Some("/"), Some("/page")), "/page");
        assert_eq!(path(None, Some("/page")), "/page");
        assert_eq!(path(Some("//evil.example"), Some("/page")), "/");
        assert_eq!(path(Some("https://evil.example"), Some("/page")), "/");
    }

    #[test]
    fn a_return_path_has_up_to_8_kib() {
        let deep = format!("/{}", "a".repeat(8 * 1024 - 1));
        let path = ReturnPath::of(Some(&deep));
        assert_eq!(path.as_str(), deep);
        assert_eq!(ReturnPath::of_encoded(Some(&path.encoded())), path);
        assert_eq!(ReturnPath::of(Some(&format!("{deep}a"))).as_str(), "/");
    }

    #[test]
    fn a_host_that_is_told_in_two_ways_is_told_alike() {
        let headers = |url, host| {
            let headers = ForwardedHeaders {
                original_url: url,
                forwarded_host: host,
                ..ForwardedHeaders::default()
            };
            OriginalRequest::parse(headers)
                .map(|original| (original.host.to_string(), original.by_status))
        };
        let a = "a.example".to_owned();

        assert_eq!(headers(Some("https://a.example/x"), None), Ok((a.clone(), true)));
        assert_eq!(headers(None, Some("a.example")), Ok((a.clone(), false)));
        assert_eq!(headers(Some("https://a.example"), Some("A.example")), Ok((a, true)));
        for (url, host) in [
            (Some("https://a.example/"), Some("b.example")),
            (Some("https://a.example@b.example/"), None),
            (Some("//a.example/"), None),
            (None, Some("a.example, b.example")),
            (None, None),
        ] {
            assert_eq!(headers(url, host), Err(Refusal::AppUnknown), "{url:?} {host:?}");
        }
    }
}
