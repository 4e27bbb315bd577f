//! Who is at the other end: the address that a request comes from.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::Request;
use axum::http::HeaderMap;

use crate::app::App;

/// The address of a connection's other end, as the listener saw it.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The address that a request comes from: the connection's, or where a proxy of ours holds that
/// one, the last in `X-Forwarded-For` that is none of our proxies.
pub(super) fn address(app: &App, request: &Request) -> IpAddr {
    behind(&app.rules().config.behind_proxy, connected(request), request.headers())
}

/// Whether a request comes from a proxy of ours: one that the configuration names, or one on this
/// machine.
pub(super) fn is_proxy(app: &App, request: &Request) -> bool {
    let peer = connected(request);
    peer.is_loopback() || app.rules().config.behind_proxy.contains(&peer)
}

fn connected(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Peer>();
    peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.to_canonical())
}

fn behind(proxies: &[IpAddr], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !proxies.contains(&peer) {
        return peer;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter();
    let hops: Vec<IpAddr> = forwarded
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|hop| hop.trim().parse().ok())
        .collect();
    hops.into_iter().rev().find(|hop| !proxies.contains(hop)).unwrap_or(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarded_headers_are_believed_only_from_our_proxies() {
        let ip = |address: &str| address.parse::<IpAddr>().unwrap();
        let proxies = [ip("10.0.0.1"), ip("10.0.0.2")];
        let headers = |value: &'static str| {
            HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), value.parse().unwrap())])
        };

        let behind = |peer, value| behind(&proxies, ip(peer), &headers(value));

        assert_eq!(behind("192.0.2.9", "198.51.100.1"), ip("192.0.2.9"));
        assert_eq!(behind("10.0.0.1", "198.51.100.1"), ip("198.51.100.1"));
        assert_eq!(behind("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2"), ip("198.51.100.1"));
        assert_eq!(behind("10.0.0.1", "nonsense"), ip("10.0.0.1"));
    }
}
