//! The local CA, read or made at its first use.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::App;
use crate::clock::Timestamp;
use crate::config::TlsMode;
use crate::event::AuthorityLog;
use crate::event::Kind;
use crate::flow::events::Act;
use crate::model::actor::Acting;
use crate::tls::{Authority, Certificate, Fitness, ServedCertificate, TlsError};

/// The time between two attempts to renew the CA's certificate.
const RENEWAL_INTERVAL: Duration = Duration::from_hours(1);

/// The CA, once it was used. The lock is held while the CA is made, so that it is made once.
#[derive(Default)]
pub(super) struct CachedAuthority(Mutex<Option<Cached>>);

struct Cached {
    authority: Arc<Authority>,
    /// When a renewal failed.
    failed: Option<Timestamp>,
    /// Its fitness as it was logged.
    logged: Fitness,
}

impl Cached {
    fn new(authority: Authority) -> Self {
        Self { authority: Arc::new(authority), failed: None, logged: Fitness::Fit }
    }

    /// Whether a renewal failed a short time ago. Whoever opens a page does not cause another attempt.
    fn has_just_failed(&self, now: Timestamp) -> bool {
        self.failed.is_some_and(|at| at <= now && now < at + RENEWAL_INTERVAL)
    }
}

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
    /// While it may be the present clock that is wrong, the certificate stays; so it does while the new
    /// one cannot be written.
    pub fn authority(&self) -> Result<Arc<Authority>, TlsError> {
        let mut cached = self.authority.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (directory, now) = (&self.rules().config.places.data, self.clock().now());
        let known = match &mut *cached {
            Some(known) => known,
            None => {
                cached.insert(Cached::new(Authority::at(directory, &self.server_names(), now)?))
            }
        };
        let fitness = known.authority.fitness(now);
        let renewed = match fitness {
            Fitness::Fit => false,
            Fitness::Due | Fitness::Invalid => self.clock_jump().is_none(),
            Fitness::Unfit => true,
        };
        let Certificate { not_before, not_after, .. } = *known.authority.certificate();
        let log = AuthorityLog { not_before, not_after, now };
        let unfit = |replaced: bool| {
            let act = Act::new(Kind::CertificateAuthorityUnfit).fact("replaced", replaced);
            self.note(Acting::default(), act)
        };
        if renewed && !known.has_just_failed(now) {
            match known.authority.renew(directory, now) {
                Ok(made) => {
                    *known = Cached::new(made);
                    if fitness == Fitness::Due {
                        let act = Act::new(Kind::CertificateAuthorityRenewed);
                        log.renewed(&self.note(Acting::default(), act));
                    } else {
                        log.replaced(&unfit(true));
                    }
                }
                Err(error) => {
                    known.failed = Some(now);
                    log.not_renewed(&error.to_string());
                    if fitness != Fitness::Due {
                        return Err(error);
                    }
                }
            }
        } else if matches!(fitness, Fitness::Invalid | Fitness::Unfit) && fitness != known.logged {
            known.logged = fitness;
            log.still_used(&unfit(false));
        }
        Ok(Arc::clone(&known.authority))
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
