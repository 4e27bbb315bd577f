//! The certificate that a server shows, and its renewal while the server runs.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rcgen::KeyPair;
use tokio_rustls::rustls::crypto;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::{Authority, FileFault, Files, TlsError, Usage};
use crate::clock::Timestamp;

/// Who this server is on the wire.
pub struct Identity {
    pub(super) current: Arc<CurrentCertificate>,
    source: Source,
}

/// The certificate of the next handshake.
#[derive(Debug)]
pub(super) struct CurrentCertificate(RwLock<Arc<CertifiedKey>>);

/// Where the next certificate comes from.
enum Source {
    Files {
        files: Files,
        host: Option<String>,
        seen: Mutex<Seen>,
    },
    Local {
        authority: Arc<Authority>,
        due: Mutex<Timestamp>,
        lifetime: Duration,
        names: Vec<String>,
    },
}

/// What the files held when they were read last; nothing where they could not be.
type Seen = Option<(Vec<u8>, Zeroizing<Vec<u8>>)>;

impl Identity {
    /// A server of these names, for whom `authority` vouches.
    pub fn local(
        authority: Arc<Authority>,
        names: Vec<String>,
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let current = CurrentCertificate::new(issued(&authority, &names, lifetime, now)?);
        let due = Mutex::new(due(lifetime, now));
        Ok(Self { current, source: Source::Local { authority, due, lifetime, names } })
    }

    /// The server whose certificate, for `host` if that is known, lies in `files`.
    pub fn files(
        files: Files,
        host: Option<String>,
        now: Timestamp,
    ) -> Result<Self, Vec<FileFault>> {
        // Before they are loaded: what is written in between is seen the next time.
        let seen = Mutex::new(files.contents().ok());
        let current = CurrentCertificate::new(files.load(host.as_deref(), now)?);
        Ok(Self { current, source: Source::Files { files, host, seen } })
    }

    /// Issues anew what is about to end, or reads again what has changed. What was shown before
    /// stays where that fails.
    ///
    /// Gives whether the certificate is a new one, or why there is none.
    pub fn renew(&self, now: Timestamp) -> Result<bool, String> {
        let next = match &self.source {
            Source::Files { files, host, seen } => {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                let contents = files.contents().ok();
                if *seen == contents {
                    return Ok(false);
                }
                // A fault is logged once, until it changes.
                *seen = contents;
                files.load(host.as_deref(), now).map_err(|faults| {
                    let faults: Vec<_> = faults.into_iter().map(|fault| fault.message).collect();
                    faults.join("; ")
                })?
            }
            Source::Local { authority, due: when, lifetime, names } => {
                let mut when = when.lock().unwrap_or_else(PoisonError::into_inner);
                if now < *when {
                    return Ok(false);
                }
                let next = issued(authority, names, *lifetime, now);
                let next = next.map_err(|error| error.to_string())?;
                *when = due(*lifetime, now);
                next
            }
        };
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(true)
    }
}

/// A certificate is renewed when a third of its time is left.
fn due(lifetime: Duration, now: Timestamp) -> Timestamp {
    now + lifetime * 2 / 3
}

/// A new key with its certificate. Neither is written anywhere.
fn issued(
    authority: &Authority,
    names: &[String],
    lifetime: Duration,
    now: Timestamp,
) -> Result<CertifiedKey, TlsError> {
    let key = KeyPair::generate().map_err(TlsError::failed)?;
    let certificate = authority.sign(&key, Usage::Server, names, lifetime, now)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let chain = vec![certificate.der().clone()];
    CertifiedKey::from_der(chain, key, &crypto::aws_lc_rs::default_provider())
        .map_err(TlsError::failed)
}

impl CurrentCertificate {
    fn new(first: CertifiedKey) -> Arc<Self> {
        Arc::new(Self(RwLock::new(Arc::new(first))))
    }
}

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}
