//! The checks of a URL that need no network.

use std::collections::HashSet;

use url::{Host, Position, Url};

use super::FetchError;
use crate::error::Internal;

/// The destinations that may have private addresses and need no TLS.
pub(super) struct PrivateDestinations(HashSet<(Host, u16)>);

impl PrivateDestinations {
    /// Parses entries of the form `host:port`, with the host written as in a URL.
    pub(super) fn parse(entries: &[String]) -> Result<Self, Internal> {
        let parsed = entries.iter().map(|entry| {
            destination(entry).ok_or_else(|| {
                Internal::new(format!("`{entry}` is no host and port to fetch from"))
            })
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }
}

fn destination(entry: &str) -> Option<(Host, u16)> {
    let (host, port) = entry.rsplit_once(':')?;
    if !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let port = port.parse().ok().filter(|port| *port != 0)?;
    Some((Host::parse(host).ok()?, port))
}

/// A URL that may be fetched if its addresses are public or listed.
pub(super) struct Target {
    pub(super) host: Host,
    /// Whether the operator listed it, so that its addresses may be private.
    pub(super) listed: bool,
    pub(super) port: u16,
    pub(super) tls: bool,
    url: Url,
}

impl Target {
    /// Checks everything about a URL that does not need the network.
    pub(super) fn of(url: &Url, private: &PrivateDestinations) -> Result<Self, FetchError> {
        if url.fragment().is_some() {
            return Err(FetchError::UrlWithFragment);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::UrlWithUserinfo);
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(FetchError::UrlNotHttps);
        };
        let destination = (host.to_owned(), port);
        let listed = private.0.contains(&destination);
        let (host, port) = destination;
        let tls = match url.scheme() {
            "https" => true,
            "http" if listed => false,
            _ => return Err(FetchError::UrlNotHttps),
        };
        Ok(Self { host, listed, port, tls, url: url.clone() })
    }

    /// The value of the `Host` header: with the port if it is not the scheme's default.
    pub(super) fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// The path and query, for the request line.
    pub(super) fn path(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(url: &str, private: &[&str]) -> Result<Target, FetchError> {
        let private: Vec<String> = private.iter().map(|entry| (*entry).to_owned()).collect();
        Target::of(&url.parse().unwrap(), &PrivateDestinations::parse(&private).unwrap())
    }

    #[test]
    fn an_entry_is_a_host_and_a_port() {
        for entry in ["shop.test:443", "127.0.0.1:80", "[::1]:8080", "bücher.test:1", "a:65535"] {
            assert!(destination(entry).is_some(), "{entry}");
        }
        for entry in
            ["", "shop.test", "shop.test:", ":80", "shop.test:0", "shop.test:+80", "::1:80"]
                .into_iter()
                .chain(["shop.test:65536", "[::1]", "http://shop.test:80", "a b:80", "a/b:80"])
        {
            assert!(PrivateDestinations::parse(&[entry.to_owned()]).is_err(), "{entry}");
        }
    }

    #[test]
    fn only_https_is_fetched_except_from_a_listed_host_and_port() {
        let listed = ["Shop.test:80", "127.0.0.1:8080", "[::1]:8080"];
        for url in [
            "https://other.test/a",
            "http://shop.test/a",
            "http://127.1:8080/a",
            "http://[0:0::1]:8080/",
        ] {
            assert!(judged(url, &listed).is_ok(), "{url}");
        }
        for url in [
            "http://other.test/a",
            "http://shop.test:8080/a",
            "http://a.shop.test/a",
            "http://127.0.0.1/a",
            "ftp://shop.test:80/a",
            "ws://shop.test/a",
            "file:///etc/passwd",
            "data:application/json,{}",
        ] {
            assert_eq!(judged(url, &listed).err(), Some(FetchError::UrlNotHttps), "{url}");
        }
    }

    #[test]
    fn a_listing_is_for_one_port() {
        assert!(judged("https://shop.test/", &["shop.test:443"]).unwrap().listed);
        assert!(judged("https://shop.test:8443/", &["shop.test:8443"]).unwrap().listed);
        assert!(!judged("https://shop.test/", &["shop.test:8443"]).unwrap().listed);
        assert!(!judged("https://shop.test.:8443/", &["shop.test:8443"]).unwrap().listed);
    }

    #[test]
    fn fragments_and_userinfo_are_refused() {
        for (url, error) in [
            ("https://shop.test/#", FetchError::UrlWithFragment),
            ("https://shop.test/a#b", FetchError::UrlWithFragment),
            ("https://me@shop.test/", FetchError::UrlWithUserinfo),
            ("https://:pw@shop.test/", FetchError::UrlWithUserinfo),
            ("https://shop.test:x@10.0.0.1/", FetchError::UrlWithUserinfo),
        ] {
            assert_eq!(judged(url, &[]).err(), Some(error), "{url}");
        }
    }

    #[test]
    fn a_request_names_host_and_path_as_http_writes_them() {
        let plain = judged("https://shop.test:443/a/b?c=d", &[]).unwrap();
        let ported = judged("https://[2606:4700::1]:8443", &[]).unwrap();

        assert_eq!((plain.authority(), plain.path()), ("shop.test", "/a/b?c=d"));
        assert_eq!((ported.authority(), ported.path()), ("[2606:4700::1]:8443", "/"));
    }
}
