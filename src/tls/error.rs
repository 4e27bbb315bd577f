//! Errors of certificates.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use crate::error::{Error, Internal, Refusal};

/// The reason why there is no certificate.
#[derive(Debug)]
pub enum TlsError {
    /// A file of the authority could not be read or written.
    File(PathBuf, io::Error),
    /// The authority's constraints exclude this name, or it is malformed.
    NameForbidden(String),
    /// The certificate is malformed.
    NotACertificate,
    /// The certificate request is malformed, or its key did not sign it.
    NotARequest,
    /// Something else failed.
    Failed(String),
}

impl TlsError {
    pub(super) fn failed(what: impl fmt::Display) -> Self {
        Self::Failed(what.to_string())
    }

    pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::File(path, error)
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "cannot use {}: {error}", path.display()),
            Self::NameForbidden(name) => write!(f, "the local CA does not vouch for {name}"),
            Self::NotACertificate => f.write_str(&Refusal::CertificateMalformed.reason()),
            Self::NotARequest => f.write_str(&Refusal::CertificateRequestMalformed.reason()),
            Self::Failed(what) => f.write_str(what),
        }
    }
}

impl From<TlsError> for Error {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::NameForbidden(_) => Refusal::CertificateNameForbidden.into(),
            TlsError::NotACertificate => Refusal::CertificateMalformed.into(),
            TlsError::NotARequest => Refusal::CertificateRequestMalformed.into(),
            TlsError::Failed(_) | TlsError::File(..) => Internal::new(error).into(),
        }
    }
}
