//! The listeners, their checks against the issuer, and the stop signals.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use super::Stop;
use crate::config::{Config, TlsMode};
use crate::oauth::issuer::Issuer;

/// The default port.
const DEFAULT_PORT: u16 = 7455;

/// Binds every listener: the configured ones, or both loopback addresses at the issuer's port.
pub(super) fn bind(config: &Config, issuer: Option<&Issuer>) -> Result<Vec<TcpListener>, Stop> {
    if !config.listen.is_empty() {
        return config
            .listen
            .iter()
            .map(|address| listener(*address).map_err(taken(*address)))
            .collect();
    }
    // Behind a proxy, the issuer's port is that of the proxy.
    let direct = config.tls.mode != TlsMode::Off && config.behind_proxy.is_empty();
    let own = issuer.filter(|issuer| direct || !issuer.is_https());
    let port = own.map_or(DEFAULT_PORT, Issuer::port);
    let four = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut listeners = vec![listener(four).map_err(taken(four))?];
    let six = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    match listener(six) {
        Ok(listener) => listeners.push(listener),
        // A machine may lack IPv6, but a port in use is an error.
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {}
        Err(error) => return Err(taken(six)(error)),
    }
    Ok(listeners)
}

/// Binds the listeners at which devices prove their certificates.
pub(super) fn bind_for_devices(config: &Config) -> Result<Vec<TcpListener>, Stop> {
    let addresses = config.tls.listen_for_devices.iter();
    addresses.map(|address| listener(*address).map_err(taken(*address))).collect()
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn taken(address: SocketAddr) -> impl Fn(io::Error) -> Stop {
    move |error| match error.kind() {
        io::ErrorKind::AddrInUse => Stop::failed(format!(
            "{address} is taken by another program; end it, or name another address with --listen"
        )),
        io::ErrorKind::PermissionDenied => Stop::failed(format!(
            "{address} may not be opened by this user; ports below 1024 need a privilege"
        )),
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

/// The signals that stop the server.
pub(super) struct Signals {
    terminate: tokio::signal::unix::Signal,
}

/// Registers the signals.
pub(super) fn signals() -> Result<Signals, Stop> {
    Ok(Signals {
        terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .map_err(|error| Stop::failed(format!("cannot wait for signals: {error}")))?,
    })
}

impl Signals {
    /// Waits for the next signal.
    pub(super) async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
}
