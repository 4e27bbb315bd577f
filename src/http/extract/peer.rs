//! The sender of a request: its address, its certificate, its device.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, header};

use crate::app::App;
use crate::config::TlsMode;
use crate::error::Refusal;
use crate::http::failure::NegotiatedFailure;
use crate::model::actor::Acting;
use crate::model::network::ProxyNetwork;
use crate::model::user_agent::{DeviceInfo, Locale};
use crate::tls::ProvenCertificate;

/// The most characters of a `User-Agent` that are kept.
const MAX_USER_AGENT: usize = 200;

/// The address of a connection's peer, set by the listener. A request without it has the
/// unspecified address, and counts neither as local nor as a proxy's.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The client's address: the connection's peer, or, if that is a configured proxy, the last address
/// in `X-Forwarded-For` that is not a configured proxy.
///
/// Guesses are counted by this address, so `X-Forwarded-For` is read only from proxies that the
/// configuration names. A proxy that names nobody is its own sender: on loopback it is not counted,
/// since a count of everybody would let anybody shut out the rest. The log warns of it.
#[derive(Clone, Copy)]
pub(in crate::http) struct ClientAddress(pub(in crate::http) IpAddr);

impl FromRequestParts<Arc<App>> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self(address_of(app, &parts.extensions, &parts.headers)))
    }
}

/// Somebody at the client's address, of whom nothing is proven yet.
impl FromRequestParts<Arc<App>> for Acting {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self::stranger(address_of(app, &parts.extensions, &parts.headers)))
    }
}

/// The sender of a request for a page.
pub(in crate::http) struct Sender {
    pub(in crate::http) address: IpAddr,
    pub(in crate::http) device: DeviceInfo,
    /// Whether the request is HEAD, which has no side effects (RFC 9110 §9.3.2).
    pub(in crate::http) head: bool,
}

impl FromRequestParts<Arc<App>> for Sender {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let (address, device) =
            (address_of(app, &parts.extensions, &parts.headers), device_of(app, parts));
        Ok(Self { address, device, head: parts.method == Method::HEAD })
    }
}

/// Proof that the connection's peer may ask `/auth/verify`: it is a proxy that the configuration
/// names, or it is on this machine. A local peer needs no configuration, because it has to present
/// the application's cookie and so learns no more than the application.
pub(in crate::http) struct ApplicationProxy(());

impl FromRequestParts<Arc<App>> for ApplicationProxy {
    type Rejection = NegotiatedFailure;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, NegotiatedFailure> {
        if is_known_proxy(app, &parts.extensions) {
            Ok(Self(()))
        } else {
            Err(Refusal::AppProxyUnknown.into())
        }
    }
}

/// Whether the connection's peer is a proxy that the configuration names, or is on this machine.
pub(super) fn is_known_proxy(app: &App, extensions: &Extensions) -> bool {
    is_named_proxy(app, extensions) || connected(extensions).is_some_and(|peer| peer.is_loopback())
}

/// Whether the connection's peer is a proxy that the configuration names.
pub(super) fn is_named_proxy(app: &App, extensions: &Extensions) -> bool {
    let proxies = &app.rules().config.behind_proxy;
    connected(extensions).is_some_and(|peer| is_among(proxies, peer))
}

/// Whether a program on this machine sent the request by itself: the peer is on loopback, and no proxy.
/// A proxy shows by the configuration or by its headers. One that is neither named nor adds a header is
/// known by what it does: this server speaks no TLS, and its issuer does.
pub(in crate::http) fn is_on_this_machine(app: &App, parts: &Parts) -> bool {
    let rules = app.rules();
    let relayed = parts.headers.keys().any(|name| {
        let name = name.as_str();
        name.starts_with("x-forwarded-") || ["forwarded", "via", "x-real-ip"].contains(&name)
    });
    let fronted = rules.issuer.is_https() && rules.config.tls.mode == TlsMode::Off;
    connected(&parts.extensions).is_some_and(|peer| peer.is_loopback())
        && !is_named_proxy(app, &parts.extensions)
        && !relayed
        && !fronted
}

fn is_among(proxies: &[ProxyNetwork], address: IpAddr) -> bool {
    proxies.iter().any(|proxy| proxy.contains(address))
}

/// The certificate that the peer proved in its TLS handshake, if it proved one. Only the listener
/// sets it.
pub(in crate::http) struct PeerCertificate(pub(in crate::http) Option<ProvenCertificate>);

impl FromRequestParts<Arc<App>> for PeerCertificate {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get().copied()))
    }
}

/// The device, as the request describes it.
impl FromRequestParts<Arc<App>> for DeviceInfo {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(device_of(app, parts))
    }
}

pub(in crate::http) fn address_of(
    app: &App,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> IpAddr {
    match connected(extensions) {
        Some(peer) => {
            let proxies = &app.rules().config.behind_proxy;
            let address = behind(proxies, peer, headers);
            if is_among(proxies, address) {
                app.warn_of_mute_proxy(address);
            }
            address
        }
        None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    }
}

/// The device, as the request describes it.
pub(super) fn device_of(app: &App, parts: &Parts) -> DeviceInfo {
    let headers = &parts.headers;
    let language = headers.get(header::ACCEPT_LANGUAGE);
    DeviceInfo {
        address: address_of(app, &parts.extensions, &parts.headers).to_string(),
        user_agent: user_agent(headers),
        locale: language.and_then(|value| Locale::first(value.to_str().ok()?)),
    }
}

/// The `User-Agent`, without control characters, which could control an operator's terminal.
fn user_agent(headers: &HeaderMap) -> Option<String> {
    let user_agent = headers.get(header::USER_AGENT)?.to_str().ok()?.trim();
    let user_agent: String =
        user_agent.chars().filter(|letter| !letter.is_control()).take(MAX_USER_AGENT).collect();
    Some(user_agent).filter(|user_agent| !user_agent.is_empty())
}

/// The address of the connection's peer.
pub(super) fn connected(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Peer>().map(|peer| peer.0.to_canonical())
}

/// Finds the client's address in `X-Forwarded-For`, from the right. Each proxy appends the address
/// of its peer, so an entry is trusted only if a configured proxy appended it. An unreadable entry
/// ends the search, because the sender may have chosen every entry to its left.
fn behind(proxies: &[ProxyNetwork], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let values = headers.get_all("x-forwarded-for").iter().rev();
    let mut hops = values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(',')).map(hop);
    let mut address = peer;
    while is_among(proxies, address)
        && let Some(Some(before)) = hops.next()
    {
        address = before;
    }
    address
}

/// Parses an entry of `X-Forwarded-For`: an address, with or without a port.
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
        let proxies =
            ["10.0.0.1", "10.0.0.2", "172.18.0.0/16"].map(|address| address.parse().unwrap());
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
        assert_eq!(behind("172.18.0.7", &["1.1.1.1, 198.51.100.1, 172.18.9.9"]), "198.51.100.1");
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
