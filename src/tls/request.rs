//! Certificate requests for a key that stays on the machine where it was made: [RFC
//! 2986](https://www.rfc-editor.org/rfc/rfc2986).

use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use zeroize::Zeroizing;

use super::TlsError;

/// A new key and the request for its certificate, both in PEM.
pub struct KeyWithRequest {
    /// The private key (RFC 5958), on the curve P-256.
    pub key: Zeroizing<String>,
    /// The request. It contains no name: the issuer decides the names of the certificate.
    pub request: String,
}

impl KeyWithRequest {
    /// Makes a new key and its request.
    pub fn generate() -> Result<Self, TlsError> {
        let key = KeyPair::generate().map_err(TlsError::failed)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let request = params.serialize_request(&key).and_then(|request| request.pem());
        Ok(Self {
            key: Zeroizing::new(key.serialize_pem()),
            request: request.map_err(TlsError::failed)?,
        })
    }
}
