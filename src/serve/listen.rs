//! The listeners, their checks against the issuer, and the stop signals.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::holder::holder;
use super::{Stop, manager};
use crate::config::{Config, Places, TlsMode};
use crate::oauth::issuer::Issuer;

/// The most connections that wait to be accepted; the system may allow fewer (`somaxconn`). A flood
/// fills a longer queue too, and everybody waits behind it. Who finds it full tries again after a
/// second.
const BACKLOG: i32 = 512;

/// How another address or port is named.
const OTHER: &str = "name another one with --listen";

/// The default port.
const DEFAULT_PORT: u16 = 7455;

/// Every listener of the pages: those that the service manager opened, or else the configured ones, or the
/// loopback addresses that this machine has, at the issuer's port.
pub(super) fn bind(config: &Config, issuer: Option<&Issuer>) -> Result<Vec<TcpListener>, Stop> {
    let (passed, _) = passed(config)?;
    if !passed.is_empty() {
        return as_configured(config, passed);
    }
    if !config.listen.is_empty() {
        return config
            .listen
            .iter()
            .map(|address| listener(*address).map_err(taken(*address, OTHER)))
            .collect();
    }
    bound(loopback(config, issuer).map(|address| (address, listener(address))), OTHER)
}

/// The addresses at which a server of `issuer` listens: the configured ones, or those on loopback.
pub(crate) fn listening(config: &Config, issuer: Option<&Issuer>) -> Vec<SocketAddr> {
    if config.listen.is_empty() { loopback(config, issuer).into() } else { config.listen.clone() }
}

/// The addresses on loopback at the issuer's port.
fn loopback(config: &Config, issuer: Option<&Issuer>) -> [SocketAddr; 2] {
    // Behind a proxy, the issuer's port is that of the proxy.
    let direct = config.tls.mode != TlsMode::Off && config.behind_proxy.is_empty();
    let own = issuer.filter(|issuer| direct || !issuer.is_https());
    let port = own.map_or(DEFAULT_PORT, Issuer::port);
    let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    loopback.map(|address| SocketAddr::new(address, port))
}

/// The ports of the service manager, which have to be those of the configuration if it names any.
fn as_configured(config: &Config, passed: Vec<TcpListener>) -> Result<Vec<TcpListener>, Stop> {
    let addresses = |own: &[SocketAddr]| own.iter().copied().collect::<BTreeSet<_>>();
    let opened: Vec<_> = passed.iter().filter_map(|port| port.local_addr().ok()).collect();
    if config.listen.is_empty() || addresses(&config.listen) == addresses(&opened) {
        return Ok(passed);
    }
    let text =
        |own: &[SocketAddr]| own.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(", ");
    Err(Stop::wrong(format!(
        "the service manager opened {}, and listen says {}",
        text(&opened),
        text(&config.listen)
    ))
    .with_remedy("name the same in both, or leave listen out of the configuration"))
}

/// The listeners of those addresses that this machine has: it may lack IPv4 or IPv6. A port that
/// is taken or forbidden at one address is an error, as is a machine that lacks both. `other` says how
/// another one is named.
pub(super) fn bound(
    attempts: [(SocketAddr, io::Result<TcpListener>); 2],
    other: &'static str,
) -> Result<Vec<TcpListener>, Stop> {
    use io::ErrorKind::{AddrInUse, PermissionDenied};

    let (mut listeners, mut missing) = (Vec::new(), Vec::new());
    for (address, attempt) in attempts {
        match attempt {
            Ok(listener) => listeners.push(listener),
            Err(error) if matches!(error.kind(), AddrInUse | PermissionDenied) => {
                return Err(taken(address, other)(error));
            }
            Err(error) => missing.push((address, error)),
        }
    }
    for (address, error) in missing {
        if listeners.is_empty() {
            return Err(taken(address, other)(error));
        }
        tracing::info!(%error, "this machine has no {}; the server listens without it", address.ip());
    }
    Ok(listeners)
}

/// The ports of the service manager: those of the pages, and those at which devices prove their
/// certificates.
fn passed(config: &Config) -> Result<(Vec<TcpListener>, Vec<TcpListener>), Stop> {
    let is_of_pages = |port: &TcpListener| {
        let address = port.local_addr().ok();
        !address.is_some_and(|address| config.tls.listen_for_devices.contains(&address))
    };
    Ok(manager::passed()?.into_iter().partition(is_of_pages))
}

/// The listeners at which devices prove their certificates: those that the service manager opened, and the
/// other ones that are configured.
pub(super) fn bind_for_devices(config: &Config) -> Result<Vec<TcpListener>, Stop> {
    let (_, mut listeners) = passed(config)?;
    let opened: Vec<_> = listeners.iter().filter_map(|port| port.local_addr().ok()).collect();
    for address in &config.tls.listen_for_devices {
        if !opened.contains(address) {
            listeners.push(listener(*address).map_err(taken(*address, OTHER))?);
        }
    }
    Ok(listeners)
}

/// Refuses a data directory in which no socket can be bound, before anything is made.
pub(super) fn check_socket(places: &Places) -> Result<(), Stop> {
    if places.can_have_socket() {
        return Ok(());
    }
    Err(Stop::wrong(format!(
        "the path of the socket {} has {} bytes, and this system allows {}: name a data directory \
         with a shorter path (--data)",
        places.socket().display(),
        places.socket().as_os_str().len(),
        Places::MAX_SOCKET_NAME
    )))
}

pub(super) fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    // The standard library lets 128 wait, and the next one would try again after a second.
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn taken(address: SocketAddr, other: &'static str) -> impl Fn(io::Error) -> Stop {
    move |error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            let holder = holder(address).map(|holder| format!(": {holder}")).unwrap_or_default();
            Stop::failed(format!("{address} is taken by another program{holder}"))
                .with_remedy(&format!("end that program, or {other}"))
        }
        io::ErrorKind::PermissionDenied => {
            Stop::failed(format!("{address} may not be opened by this user"))
                .with_remedy(&format!("ports below 1024 need a privilege; {other}"))
        }
        _ => Stop::failed(format!("cannot listen on {address}: {error}")),
    }
}

/// The port of the first listener, which is the port of the default issuer.
pub(super) fn first_port(listeners: &[TcpListener]) -> Result<u16, Stop> {
    let first = listeners.first().map(TcpListener::local_addr);
    match first {
        Some(Ok(address)) => Ok(address.port()),
        Some(Err(error)) => Err(Stop::failed(format!("a listener has no address: {error}"))),
        None => Err(Stop::failed("there is no listener")),
    }
}

/// Checks the listeners against the issuer: plain HTTP only on loopback, an issuer that is
/// reachable at its own port, and no application on the issuer's host.
pub(super) fn check(
    config: &Config,
    issuer: &Issuer,
    listeners: &[TcpListener],
) -> Result<(), Stop> {
    let addresses: Vec<SocketAddr> =
        listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect();
    let proxied = !config.behind_proxy.is_empty();
    let secure = config.tls.mode != TlsMode::Off;
    if secure && !issuer.is_https() {
        return Err(Stop::wrong(format!(
            "the issuer {issuer} is http, and this server speaks TLS: `gatelodge issuer change \
             https://{}` changes it",
            issuer.authority()
        )));
    }
    if issuer.is_https() && !proxied && !secure {
        return Err(Stop::wrong(format!(
            "the issuer {issuer} is https, and this server speaks plain HTTP: speak TLS (--tls \
             local), or name the proxy in front of it with --behind-proxy"
        )));
    }
    let open = addresses.iter().find(|address| !address.ip().is_loopback());
    if let Some(open) = open
        && !(secure || proxied && issuer.is_https())
    {
        return Err(Stop::wrong(format!(
            "{open} is reachable from other machines, and plain HTTP is for loopback only: listen \
             on 127.0.0.1, speak TLS (--tls), or stand behind a proxy with an https issuer \
             (--behind-proxy, --issuer)"
        )));
    }
    let reachable = addresses.iter().any(|address| address.port() == issuer.port());
    if !proxied && !reachable {
        return Err(Stop::wrong(format!(
            "the issuer {issuer} names port {}, and no listener has it",
            issuer.port()
        )));
    }
    let misplaced = config.misplaced_apps(issuer).into_iter();
    let listed: Vec<_> =
        misplaced.map(|(app, reason)| format!("apps.\"{app}\": {reason}")).collect();
    if !listed.is_empty() {
        return Err(Stop::wrong(listed.join("\n")));
    }
    Ok(())
}

/// Listens where a server of `issuer` would, for a moment. Returns the addresses.
///
/// # Errors
///
/// What a start would end with.
pub(super) fn try_out(config: &Config, issuer: Option<&Issuer>) -> Result<Vec<SocketAddr>, Stop> {
    let mut listeners = bind(config, issuer)?;
    if let Some(issuer) = issuer {
        check(config, issuer, &listeners)?;
    }
    listeners.extend(bind_for_devices(config)?);
    Ok(listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect())
}

/// The signals that stop the server.
pub(crate) struct Signals {
    terminate: Signal,
}

/// The signal that asks for a reload of the configuration. At a terminal it means that the terminal
/// has gone, and ends the server as ever.
pub(super) fn hangup() -> Result<Option<Signal>, Stop> {
    if io::stdin().is_terminal() {
        return Ok(None);
    }
    let hangup = signal(SignalKind::hangup());
    hangup.map(Some).map_err(|error| Stop::failed(format!("cannot wait for signals: {error}")))
}

impl Signals {
    /// Registers the signals.
    pub(crate) fn new() -> Result<Self, Stop> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())
                .map_err(|error| Stop::failed(format!("cannot wait for signals: {error}")))?,
        })
    }

    /// Waits for the next signal.
    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(
        address: &str,
        error: Option<io::ErrorKind>,
    ) -> (SocketAddr, io::Result<TcpListener>) {
        let listener = || listener("127.0.0.1:0".parse().unwrap());
        (address.parse().unwrap(), error.map_or_else(listener, |kind| Err(kind.into())))
    }

    fn outcome(four: Option<io::ErrorKind>, six: Option<io::ErrorKind>) -> Result<usize, String> {
        let attempts = [attempt("127.0.0.1:7455", four), attempt("[::1]:7455", six)];
        bound(attempts, OTHER).map(|listeners| listeners.len()).map_err(|stop| stop.to_string())
    }

    #[test]
    fn a_machine_may_lack_one_loopback_address_and_not_both() {
        use io::ErrorKind::{AddrInUse, AddrNotAvailable, PermissionDenied, Unsupported};

        for lacking in [AddrNotAvailable, Unsupported] {
            assert_eq!(outcome(Some(lacking), None), Ok(1));
            assert_eq!(outcome(None, Some(lacking)), Ok(1));
            let neither = outcome(Some(lacking), Some(lacking)).unwrap_err();
            assert!(neither.contains("127.0.0.1:7455"), "{neither}");
        }
        for refused in [AddrInUse, PermissionDenied] {
            assert!(outcome(Some(refused), None).unwrap_err().contains("127.0.0.1:7455"));
            assert!(outcome(None, Some(refused)).unwrap_err().contains("[::1]:7455"));
        }
    }
}
