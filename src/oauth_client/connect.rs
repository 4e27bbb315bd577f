//! Connections to a server that the person names. Its address may be private, but plain HTTP is
//! allowed to loopback only.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;
use url::{Host, Url};

use crate::fetch::{FetchError, Stream, Tls, first_to_connect};

/// The most time of connecting.
const CONNECTING: Duration = Duration::from_secs(5);

/// Connects to the server of `url`.
pub(crate) async fn connect(tls: &Tls, url: &Url) -> Result<Box<dyn Stream>, FetchError> {
    if !is_guarded(url) {
        return Err(FetchError::UrlNotHttps);
    }
    let host = url.host().ok_or(FetchError::HostUnknown)?.to_owned();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::UrlWithUserinfo);
    }
    let port = url.port_or_known_default().ok_or(FetchError::HostUnknown)?;
    let connecting = first_to_connect(addresses(&host, port).await?.into_iter());
    let stream = timeout(CONNECTING, connecting).await;
    let stream = stream.map_err(|_| FetchError::ConnectionRefused)??;
    if url.scheme() == "https" { tls.over(stream, &host).await } else { Ok(Box::new(stream)) }
}

/// Whether nobody else can read the connection: https, or http to loopback.
pub(crate) fn is_guarded(url: &Url) -> bool {
    let here = || url.host().is_some_and(|host| is_loopback(&host.to_owned()));
    url.scheme() == "https" || url.scheme() == "http" && here()
}

/// Whether `host` is a loopback address or a `localhost` name.
fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

async fn addresses(host: &Host, port: u16) -> Result<Vec<SocketAddr>, FetchError> {
    match host {
        // RFC 6761 §6.3: these "always refer to the host itself", whatever a name server says.
        Host::Domain(_) if is_loopback(host) => {
            Ok(vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()])
        }
        Host::Domain(name) => match lookup_host((name.as_str(), port)).await {
            Ok(found) => Ok(found.collect()),
            Err(_) => Err(FetchError::HostUnknown),
        },
        Host::Ipv4(address) => Ok(vec![(*address, port).into()]),
        Host::Ipv6(address) => Ok(vec![(*address, port).into()]),
    }
}
