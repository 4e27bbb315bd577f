//! The local CA, read or made at its first use.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use super::App;
use crate::event::AuthorityLog;
use crate::event::Kind;
use crate::flow::events::Act;
use crate::model::actor::Acting;
use crate::tls::{Authority, Certificate, Fitness, TlsError};

/// The CA, once it was used, and its fitness as it was logged. The lock is held while the CA is made,
/// so that it is made once.
#[derive(Default)]
pub(super) struct CachedAuthority(Mutex<Option<(Arc<Authority>, Fitness)>>);

impl App {
    /// The installation's own CA, which is made in the data directory if there is none, or none that
    /// is of use: a wrong clock may have made it. While it may be the present clock that is wrong,
    /// the CA stays, since a new one has to be trusted anew.
    pub fn authority(&self) -> Result<Arc<Authority>, TlsError> {
        let mut cached = self.authority.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (directory, now) = (&self.rules().config.places.data, self.clock().now());
        let (authority, logged) = match cached.take() {
            Some(cached) => cached,
            None => (Arc::new(Authority::at(directory, &self.server_names(), now)?), Fitness::Fit),
        };
        let fitness = authority.fitness(now);
        let replaced = match fitness {
            Fitness::Fit => false,
            Fitness::Invalid => self.clock_jump().is_none(),
            Fitness::Unfit => true,
        };
        let Certificate { not_before, not_after, .. } = *authority.certificate();
        let log = AuthorityLog { not_before, not_after, now };
        let next = if replaced {
            let made = Authority::replace(directory, &self.server_names(), now)?;
            let act = Act::new(Kind::CertificateAuthorityUnfit).fact("replaced", true);
            log.replaced(&self.note(Acting::default(), act));
            (Arc::new(made), Fitness::Fit)
        } else {
            if fitness != Fitness::Fit && fitness != logged {
                let act = Act::new(Kind::CertificateAuthorityUnfit).fact("replaced", false);
                log.still_used(&self.note(Acting::default(), act));
            }
            (authority, fitness)
        };
        Ok(Arc::clone(&cached.insert(next).0))
    }

    /// The names and addresses under which this server is reached: the issuer's host and those of
    /// the configuration, and loopback.
    pub fn server_names(&self) -> Vec<String> {
        let config = &self.rules().config;
        let addresses =
            config.listeners().map(|listener| listener.ip()).filter(|ip| !ip.is_unspecified());
        let hosts = config.hosts.iter().map(|host| match host.rsplit_once(':') {
            Some((name, _)) => name.to_owned(),
            None => host.clone(),
        });
        let mut names = vec![self.rules().issuer.host().to_owned()];
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
