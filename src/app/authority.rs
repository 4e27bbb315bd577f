//! The local CA, read or made at its first use.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use super::App;
use crate::tls::{Authority, TlsError};

/// The CA, once it was used. The lock is held while the CA is made, so that it is made once.
#[derive(Default)]
pub(super) struct CachedAuthority(Mutex<Option<Arc<Authority>>>);

impl App {
    /// The installation's own CA, which is made in the data directory if there is none.
    pub fn authority(&self) -> Result<Arc<Authority>, TlsError> {
        let mut cached = self.authority.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(authority) = &*cached {
            return Ok(Arc::clone(authority));
        }
        let directory = &self.rules.config.places.data;
        let authority = Authority::at(directory, &self.server_names(), self.clock.now())?;
        Ok(Arc::clone(cached.insert(Arc::new(authority))))
    }

    /// The names and addresses under which this server is reached: the issuer's host and those of
    /// the configuration, and loopback.
    pub fn server_names(&self) -> Vec<String> {
        let config = &self.rules.config;
        let addresses =
            config.listeners().map(|listener| listener.ip()).filter(|ip| !ip.is_unspecified());
        let hosts = config.hosts.iter().map(|host| match host.rsplit_once(':') {
            Some((name, _)) => name.to_owned(),
            None => host.clone(),
        });
        let mut names = vec![self.rules.issuer.host().to_owned()];
        let loopback = [Ipv4Addr::LOCALHOST.to_string(), Ipv6Addr::LOCALHOST.to_string()];
        let others = ["localhost".to_owned()].into_iter().chain(loopback).chain(hosts);
        for name in others.chain(addresses.map(|address| address.to_string())) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}
