//! The local CA, read or made at its first use.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use super::App;
use crate::config::TlsMode;
use crate::event::AuthorityLog;
use crate::event::Kind;
use crate::flow::events::Act;
use crate::model::actor::Acting;
use crate::tls::{Authority, Certificate, Fitness, ServedCertificate, TlsError};

/// The CA, once it was used, and its fitness as it was logged. The lock is held while the CA is made,
/// so that it is made once.
#[derive(Default)]
pub(super) struct CachedAuthority(Mutex<Option<(Arc<Authority>, Fitness)>>);

/// The certificate of the listeners.
#[derive(Default)]
pub(super) struct CurrentCertificate(Mutex<Option<ServedCertificate>>);

impl App {
    /// The installation's own CA if it is in use: the listeners have its certificate, or it issued
    /// one for something else. It is not made for whoever asks for it here.
    pub fn existing_authority(&self) -> Result<Option<Arc<Authority>>, TlsError> {
        let config = &self.rules().config;
        let used =
            config.tls.mode == TlsMode::Local || Authority::path(&config.places.data).exists();
        used.then(|| self.authority()).transpose()
    }

    /// The certificate of the listeners, if they have one.
    pub fn served_certificate(&self) -> Option<ServedCertificate> {
        self.certificate.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of the certificate of the listeners.
    pub fn serves(&self, certificate: ServedCertificate) {
        *self.certificate.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate);
    }

    /// The installation's own CA, which is made in the data directory if there is none. Its
    /// certificate is renewed before it ends, and if it is of no use, since a wrong clock made it.
    /// While it may be the present clock that is wrong, the certificate stays.
    pub fn authority(&self) -> Result<Arc<Authority>, TlsError> {
        let mut cached = self.authority.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (directory, now) = (&self.rules().config.places.data, self.clock().now());
        let (authority, logged) = match cached.take() {
            Some(cached) => cached,
            None => (Arc::new(Authority::at(directory, &self.server_names(), now)?), Fitness::Fit),
        };
        let fitness = authority.fitness(now);
        let renewed = match fitness {
            Fitness::Fit => false,
            Fitness::Due | Fitness::Invalid => self.clock_jump().is_none(),
            Fitness::Unfit => true,
        };
        let Certificate { not_before, not_after, .. } = *authority.certificate();
        let log = AuthorityLog { not_before, not_after, now };
        let unfit = |replaced: bool| {
            let act = Act::new(Kind::CertificateAuthorityUnfit).fact("replaced", replaced);
            self.note(Acting::default(), act)
        };
        let next = if renewed {
            let made = authority.renew(directory, now)?;
            if fitness == Fitness::Due {
                let act = Act::new(Kind::CertificateAuthorityRenewed);
                log.renewed(&self.note(Acting::default(), act));
            } else {
                log.replaced(&unfit(true));
            }
            (Arc::new(made), Fitness::Fit)
        } else {
            if matches!(fitness, Fitness::Invalid | Fitness::Unfit) && fitness != logged {
                log.still_used(&unfit(false));
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
