//! A certificate and its key in files that another program writes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, InconsistentKeys};
use zeroize::Zeroizing;

use super::Certificate;
use crate::clock::Timestamp;
use crate::private_file::{self, NotText};

/// The paths of a certificate chain and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The chain: the server's own certificate first (RFC 8446 §4.4.2).
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// One of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The chain.
    Certificate,
    /// The key.
    Key,
}

/// A fault of one of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFault {
    /// The file.
    pub which: Which,
    /// A sentence that names the file and the fault.
    pub message: String,
}

impl Files {
    /// The faults of the files at `now`, for a server of the name `host` if that is known.
    pub fn faults(&self, host: Option<&str>, now: Timestamp) -> Vec<FileFault> {
        self.load(host, now).err().unwrap_or_default()
    }

    /// A sentence about the certificate if it is not valid yet at `now`: then it or the clock is
    /// wrong.
    pub fn early(&self, now: Timestamp) -> Option<String> {
        let read = Certificate::from_pem(&fs::read_to_string(&self.certificate).ok()?).ok()?;
        (now < read.not_before).then(|| {
            let (file, from) = (self.certificate.display(), read.not_before.rfc3339());
            format!(
                "{file} holds a certificate that is valid from {from}, and the clock says {}",
                now.rfc3339()
            )
        })
    }

    pub(super) fn load(
        &self,
        host: Option<&str>,
        now: Timestamp,
    ) -> Result<CertifiedKey, Vec<FileFault>> {
        let fault = |which, message| FileFault { which, message };
        let chain = chain(&self.certificate, host, now)
            .map_err(|message| fault(Which::Certificate, message));
        let key = key(&self.key).map_err(|message| fault(Which::Key, message));
        let (chain, key) = match (chain, key) {
            (Ok(chain), Ok(key)) => (chain, key),
            (chain, key) => return Err(chain.err().into_iter().chain(key.err()).collect()),
        };
        CertifiedKey::from_der(chain, key, &crypto::aws_lc_rs::default_provider()).map_err(
            |error| {
                let key = self.key.display();
                let message = match error {
                    Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                        format!("{key} is not the key of {}", self.certificate.display())
                    }
                    error => format!("{key} holds a key that cannot be used: {error}"),
                };
                vec![fault(Which::Key, message)]
            },
        )
    }

    /// The present contents, by which a change is noticed.
    pub(super) fn contents(&self) -> io::Result<(Vec<u8>, Zeroizing<Vec<u8>>)> {
        Ok((fs::read(&self.certificate)?, Zeroizing::new(fs::read(&self.key)?)))
    }
}

fn chain(
    path: &Path,
    host: Option<&str>,
    now: Timestamp,
) -> Result<Vec<CertificateDer<'static>>, String> {
    let file = path.display();
    let pem = fs::read(path).map_err(|error| format!("{file} cannot be read: {error}"))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|error| format!("{file} is not PEM: {error}"))?;
    let Some(own) = chain.first() else { return Err(format!("{file} holds no certificate")) };
    let malformed = format!("{file} holds a certificate that is none");
    let read = Certificate::from_der(own).map_err(|_| malformed.clone())?;
    if read.is_over(now) {
        return Err(format!("{file} holds a certificate that ended {}", read.not_after.rfc3339()));
    }
    let parsed = ParsedCertificate::try_from(own).map_err(|_| malformed)?;
    if let Some(host) = host
        && let Ok(name) = ServerName::try_from(host)
        && verify_server_name(&parsed, &name).is_err()
    {
        return Err(format!("{file} holds a certificate that is not for {host}"));
    }
    Ok(chain)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let file = path.display();
    let pem = fs::read(path).map(Zeroizing::new);
    let pem = pem.map_err(|error| format!("{file} cannot be read: {error}"))?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| match (error, private_file::text(&pem)) {
        (_, Err(why @ (NotText::ByteOrderMark | NotText::Utf16))) => format!("{file}: {why}"),
        (pem::Error::NoItemsFound, _) => {
            format!("{file} holds no private key in PEM; an encrypted one cannot be read")
        }
        (error, _) => format!("{file} is not PEM: {error}"),
    })
}
