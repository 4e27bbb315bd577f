//! Who is at the other end: the address that a request comes from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::Request;
use axum::http::{HeaderMap, header};

use crate::app::App;
use crate::model::user_agent::{DeviceInfo, Locale};

/// The most characters of a program's account of itself.
const MAX_USER_AGENT: usize = 200;

/// The address of a connection's other end, as the listener saw it.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The address that a request comes from: the connection's, or where a proxy of ours holds that
/// one, the last in `X-Forwarded-For` that is none of our proxies.
///
/// Only a proxy that the configuration names is believed about it: guesses are counted by it.
pub(in crate::http) fn address(app: &App, request: &Request) -> IpAddr {
    behind(&app.rules().config.behind_proxy, connected(request), request.headers())
}

/// Whether a request may come from the proxy of an application: one that the configuration names,
/// or one on this machine, which needs no configuration. Whoever asks there learns what they could
/// as well learn from the application, since they have to bring its cookie.
pub(in crate::http) fn is_proxy(app: &App, request: &Request) -> bool {
    let peer = connected(request);
    peer.is_loopback() || app.rules().config.behind_proxy.contains(&peer)
}

/// What a request tells of the device that it comes from.
pub(in crate::http) fn device(app: &App, request: &Request) -> DeviceInfo {
    let language = request.headers().get(header::ACCEPT_LANGUAGE);
    DeviceInfo {
        address: address(app, request).to_string(),
        user_agent: user_agent(request.headers()),
        locale: language.and_then(|value| Locale::first(value.to_str().ok()?)),
    }
}

/// What a program says of itself, without what would move on a page.
pub(in crate::http) fn user_agent(headers: &HeaderMap) -> Option<String> {
    let user_agent = headers.get(header::USER_AGENT)?.to_str().ok()?.trim();
    let user_agent: String =
        user_agent.chars().filter(|letter| !letter.is_control()).take(MAX_USER_AGENT).collect();
    Some(user_agent).filter(|user_agent| !user_agent.is_empty())
}

fn connected(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>();
    peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.to_canonical())
}

/// Each proxy adds, on the right, the address that it was called from. So whoever is a proxy of
/// ours is believed about the one before it, and nobody else; what cannot be read ends the search,
/// since all to the left of it is the sender's to choose.
fn behind(proxies: &[IpAddr], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let values = headers.get_all("x-forwarded-for").iter().rev();
    let mut hops = values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(',')).map(hop);
    let mut address = peer;
    while proxies.contains(&address)
        && let Some(Some(before)) = hops.next()
    {
        address = before;
    }
    address
}

/// An address as proxies write it, with or without a port.
fn hop(written: &str) -> Option<IpAddr> {
    let written = written.trim();
    let with_port = || written.parse::<SocketAddr>().map(|hop| hop.ip());
    written.parse::<IpAddr>().or_else(|_| with_port()).map(|hop| hop.to_canonical()).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn behind(peer: &str, values: &[&str]) -> String {
        let proxies = ["10.0.0.1", "10.0.0.2"].map(|address| address.parse().unwrap());
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-forwarded-for", HeaderValue::from_str(value).unwrap());
        }
        super::behind(&proxies, peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn forwarded_headers_are_believed_only_from_our_proxies() {
        assert_eq!(behind("192.0.2.9", &["198.51.100.1"]), "192.0.2.9");
        assert_eq!(behind("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(behind("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(behind("10.0.0.1", &["1.1.1.1", "198.51.100.1", "10.0.0.2"]), "198.51.100.1");
        assert_eq!(behind("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_cannot_be_read_is_not_passed_over() {
        for unreadable in ["unknown", "", "_hidden", "256.1.1.1", "10.0.0.2 1.1.1.1", "caf\u{e9}"] {
            assert_eq!(behind("10.0.0.1", &["1.1.1.1", unreadable]), "10.0.0.1", "{unreadable:?}");
        }
        assert_eq!(behind("10.0.0.1", &["1.1.1.1, nonsense, 10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn an_address_may_have_a_port_and_an_ipv4_address_the_form_of_ipv6() {
        assert_eq!(behind("10.0.0.1", &["198.51.100.1:4711, 10.0.0.2:80"]), "198.51.100.1");
        assert_eq!(behind("10.0.0.1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(behind("10.0.0.1", &["1.1.1.1, ::ffff:198.51.100.1"]), "198.51.100.1");
        assert_eq!(behind("10.0.0.1", &["198.51.100.1, ::ffff:10.0.0.2"]), "198.51.100.1");
    }
}
