//! The certificate of the server, and its renewal while the server runs.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rcgen::KeyPair;
use tokio_rustls::rustls::crypto;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::authority::BEHIND;
use super::{Authority, Certificate, FileFault, Files, TlsError, Usage};
use crate::clock::Timestamp;

/// The certificate of this server, with its source.
pub struct Identity {
    pub(super) current: Arc<CurrentCertificate>,
    source: Source,
}

/// A certificate of a server, as people look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedCertificate {
    /// The certificate.
    pub certificate: Certificate,
    /// The names and addresses for which it is.
    pub names: Vec<String>,
    /// The time at which the server renews it; `None` if somebody else does.
    pub renews: Option<Timestamp>,
}

/// The certificate of the next handshake.
#[derive(Debug)]
pub(super) struct CurrentCertificate(RwLock<Arc<CertifiedKey>>);

/// The source of the next certificate.
enum Source {
    Files { files: Files, host: Option<String>, seen: Mutex<Seen> },
    Local { issue: Mutex<Issue>, lifetime: Duration, names: Vec<String> },
}

/// Who issued the current certificate, and when.
struct Issue {
    authority: Arc<Authority>,
    at: Timestamp,
}

impl Issue {
    /// Whether the next certificate is due at `now`: a third of the lifetime is left, or the clock
    /// went back to before the certificate is valid.
    fn is_over(&self, lifetime: Duration, now: Timestamp) -> bool {
        now >= self.due(lifetime) || now < self.at - BEHIND
    }

    fn due(&self, lifetime: Duration) -> Timestamp {
        self.at + lifetime * 2 / 3
    }
}

/// The contents of the files at the last read; `None` if they could not be read.
type Seen = Option<(Vec<u8>, Zeroizing<Vec<u8>>)>;

impl Identity {
    /// The identity of a server with these names, issued by `authority`.
    pub fn local(
        authority: Arc<Authority>,
        names: Vec<String>,
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let current = CurrentCertificate::new(issued(&authority, &names, lifetime, now)?);
        let issue = Mutex::new(Issue { authority, at: now });
        Ok(Self { current, source: Source::Local { issue, lifetime, names } })
    }

    /// The certificate of the next handshake.
    pub fn certificate(&self) -> Result<ServedCertificate, TlsError> {
        let current = self.current.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let der = current.cert.first().ok_or(TlsError::NotACertificate)?;
        let renews = match &self.source {
            Source::Files { .. } => None,
            Source::Local { issue, lifetime, .. } => {
                Some(issue.lock().unwrap_or_else(PoisonError::into_inner).due(*lifetime))
            }
        };
        let (certificate, names) = (Certificate::from_der(der)?, Certificate::names(der)?);
        Ok(ServedCertificate { certificate, names, renews })
    }

    /// The identity of a server whose certificate is in `files`. It must be for `host`, if that is
    /// known.
    pub fn files(
        files: Files,
        host: Option<String>,
        now: Timestamp,
    ) -> Result<Self, Vec<FileFault>> {
        // Read before they are loaded, so that a change in between is noticed by the next renewal.
        let seen = Mutex::new(files.contents().ok());
        let current = CurrentCertificate::new(files.load(host.as_deref(), now)?);
        Ok(Self { current, source: Source::Files { files, host, seen } })
    }

    /// Issues a new certificate if the current one is due or `authority` is another one than
    /// before, or reads the files again if they changed. The current certificate stays if that fails.
    ///
    /// Returns whether the certificate is a new one, or the reason for the failure.
    pub fn renew(&self, authority: Option<Arc<Authority>>, now: Timestamp) -> Result<bool, String> {
        let next = match &self.source {
            Source::Files { files, host, seen } => {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                let contents = files.contents().ok();
                if *seen == contents {
                    return Ok(false);
                }
                // A fault is reported once, until the files change again.
                *seen = contents;
                files.load(host.as_deref(), now).map_err(|faults| {
                    let faults: Vec<_> = faults.into_iter().map(|fault| fault.message).collect();
                    faults.join("; ")
                })?
            }
            Source::Local { issue, lifetime, names } => {
                let mut issue = issue.lock().unwrap_or_else(PoisonError::into_inner);
                let authority = authority.unwrap_or_else(|| Arc::clone(&issue.authority));
                let same = Arc::ptr_eq(&authority, &issue.authority);
                if same && !issue.is_over(*lifetime, now) {
                    return Ok(false);
                }
                let next = issued(&authority, names, *lifetime, now);
                let next = next.map_err(|error| error.to_string())?;
                *issue = Issue { authority, at: now };
                next
            }
        };
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(true)
    }
}

/// A new key with its certificate, which are kept in memory only.
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
