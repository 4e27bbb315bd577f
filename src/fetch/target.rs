//! The checks of a URL that need no network.

use std::collections::HashSet;

use url::{Host, Position, Url};

use super::FetchError;
use crate::error::Internal;
use crate::model::named_by::NamedBy;

/// The destinations that may have any address and need no TLS.
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

/// The addresses to which a connection may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressBounds {
    /// All: the operator listed the destination.
    All,
    /// Loopback: an operator named this machine.
    Loopback,
    /// Public addresses, loopback and private networks: an operator named the URL.
    Private,
    /// Public addresses.
    Public,
}

/// A URL that may be fetched if its addresses are in bounds.
pub(super) struct Target {
    pub(super) bounds: AddressBounds,
    pub(super) host: Host,
    pub(super) port: u16,
    pub(super) tls: bool,
    url: Url,
}

impl Target {
    /// Checks everything about a URL that does not need the network.
    pub(super) fn of(
        named_by: NamedBy,
        url: &Url,
        private: &PrivateDestinations,
    ) -> Result<Self, FetchError> {
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
        let bounds = match named_by {
            NamedBy::Operator if is_loopback(&host) => AddressBounds::Loopback,
            NamedBy::Operator | NamedBy::Stranger if listed => AddressBounds::All,
            NamedBy::Operator => AddressBounds::Private,
            NamedBy::Stranger => AddressBounds::Public,
        };
        let tls = match (url.scheme(), bounds) {
            ("https", _) => true,
            ("http", AddressBounds::All | AddressBounds::Loopback) => false,
            _ => return Err(FetchError::UrlNotHttps),
        };
        Ok(Self { bounds, host, port, tls, url: url.clone() })
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

/// The port of this machine to which a URL leads, if it names a loopback address or a name of it.
pub fn loopback_port(url: &str) -> Option<u16> {
    let url = Url::parse(url).ok()?;
    let host = url.host()?.to_owned();
    is_loopback(&host).then(|| url.port_or_known_default())?
}

/// Whether a host is this machine, by its address or by the name that no nameserver decides.
pub(super) fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name.trim_end_matches('.') == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(url: &str, private: &[&str]) -> Result<Target, FetchError> {
        judged_of(NamedBy::Stranger, url, private)
    }

    fn judged_of(named_by: NamedBy, url: &str, private: &[&str]) -> Result<Target, FetchError> {
        let private: Vec<String> = private.iter().map(|entry| (*entry).to_owned()).collect();
        let private = PrivateDestinations::parse(&private).unwrap();
        Target::of(named_by, &url.parse().unwrap(), &private)
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
        let listed =
            |url: &str, entry: &str| judged(url, &[entry]).unwrap().bounds == AddressBounds::All;

        assert!(listed("https://shop.test/", "shop.test:443"));
        assert!(listed("https://shop.test:8443/", "shop.test:8443"));
        assert!(!listed("https://shop.test/", "shop.test:8443"));
        assert!(!listed("https://shop.test.:8443/", "shop.test:8443"));
    }

    #[test]
    fn an_operators_plain_http_is_for_loopback_and_goes_nowhere_else() {
        for host in ["127.0.0.1", "127.1", "127.9.9.9", "[::1]", "localhost", "LOCALHOST."] {
            let target = judged_of(NamedBy::Operator, &format!("http://{host}:8080/a"), &[]);
            assert_eq!(target.unwrap().bounds, AddressBounds::Loopback, "{host}");
        }
        for host in ["10.0.0.1", "shop.test", "a.localhost", "localhost.test", "[::ffff:127.0.0.1]"]
        {
            let target = judged_of(NamedBy::Operator, &format!("http://{host}/a"), &[]);
            assert_eq!(target.err(), Some(FetchError::UrlNotHttps), "{host}");
        }
        let bounds =
            |url: &str, listed: &[&str]| judged_of(NamedBy::Operator, url, listed).unwrap().bounds;
        assert_eq!(bounds("https://shop.test/", &[]), AddressBounds::Private);
        assert_eq!(bounds("http://shop.test/", &["shop.test:80"]), AddressBounds::All);
        assert_eq!(bounds("https://localhost/", &["localhost:443"]), AddressBounds::Loopback);
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
