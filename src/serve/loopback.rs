//! Ports on the loopback addresses alone, for whoever brings a router of their own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use axum::Router;

use super::accept::Endpoint;
use super::descriptors::Bounds;
use super::doors::Doors;
use super::listen::{bound, first_port, listener};
use super::{Stop, greeting};
use crate::app::App;

/// How often a free port is tried, whose other address another program may have.
const ATTEMPTS: u8 = 16;

/// Listeners on `127.0.0.1` and `[::1]`, at one port, as far as this machine has both. There is no other
/// way to make one.
pub(crate) struct Loopback {
    listeners: Vec<TcpListener>,
    port: u16,
}

/// A server that accepts connections.
pub(crate) struct Serving(Doors);

impl Loopback {
    /// Binds `port`, or a free one if it is 0.
    ///
    /// # Errors
    ///
    /// The port is taken or forbidden, or this machine has no loopback address.
    pub(crate) fn bind(port: u16) -> Result<Self, Stop> {
        let mut attempt = 1;
        loop {
            match Self::bind_once(port) {
                Err(stop) if port == 0 && attempt < ATTEMPTS => {
                    tracing::debug!(%stop, "another free port is tried");
                    attempt += 1;
                }
                bound => return bound,
            }
        }
    }

    fn bind_once(port: u16) -> Result<Self, Stop> {
        let at = |ip: IpAddr, port| {
            let address = SocketAddr::new(ip, port);
            (address, listener(address))
        };
        let first = at(Ipv4Addr::LOCALHOST.into(), port);
        // A free port of one address is asked for at the other, too.
        let port = match &first.1 {
            Ok(listener) => listener.local_addr().map_or(port, |address| address.port()),
            Err(_) => port,
        };
        let attempts = [first, at(Ipv6Addr::LOCALHOST.into(), port)];
        let listeners = bound(attempts, "name another port with --port")?;
        Ok(Self { port: first_port(&listeners)?, listeners })
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The addresses.
    pub(crate) fn addresses(&self) -> Vec<String> {
        greeting::addresses(&self.listeners)
    }

    /// Serves `router` there, with the limits on connections that `app` has.
    ///
    /// # Errors
    ///
    /// The system allows too few descriptors.
    pub(crate) fn serve(self, router: &Router, app: &App) -> Result<Serving, Stop> {
        let mut doors = Doors::new(Bounds::raised()?, app);
        for listener in self.listeners {
            doors.open_port(listener, Endpoint { router: router.clone(), tls: None });
        }
        Ok(Serving(doors))
    }
}

impl Serving {
    /// Accepts no connection from now on, and returns once what was accepted has finished, or `at_once`
    /// is done.
    pub(crate) async fn close(self, at_once: impl Future<Output = ()>) {
        self.0.close(at_once).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listener_is_on_loopback_at_one_port() {
        let ports = Loopback::bind(0).unwrap();

        let addresses: Vec<SocketAddr> =
            ports.addresses().iter().map(|address| address.parse().unwrap()).collect();

        assert!(addresses.iter().all(|address| address.ip().is_loopback()), "{addresses:?}");
        assert!(addresses.iter().all(|address| address.port() == ports.port()), "{addresses:?}");
        let taken = Loopback::bind(ports.port()).err().unwrap().to_string();
        assert!(taken.contains("is taken"), "{taken}");
    }
}
