//! Parsed certificates: [RFC 5280 §4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1).

use std::net::IpAddr;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use x509_parser::extensions::GeneralName;

use super::TlsError;
use crate::clock::Timestamp;
use crate::model::fingerprint::Fingerprint;

/// A parsed certificate, whose issuer is not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// Start of its validity.
    pub not_before: Timestamp,
    /// End of its validity, inclusive (RFC 5280 §4.1.2.5).
    pub not_after: Timestamp,
}

impl Certificate {
    /// Parses a certificate in DER, without trailing bytes.
    pub fn from_der(der: &[u8]) -> Result<Self, TlsError> {
        let (rest, read) =
            x509_parser::parse_x509_certificate(der).map_err(|_| TlsError::NotACertificate)?;
        if !rest.is_empty() {
            return Err(TlsError::NotACertificate);
        }
        let moment = |at: x509_parser::time::ASN1Time| {
            Timestamp::from_seconds(u64::try_from(at.timestamp()).unwrap_or_default())
        };
        let validity = read.validity();
        Ok(Self {
            fingerprint: Fingerprint::of(der),
            not_before: moment(validity.not_before),
            not_after: moment(validity.not_after),
        })
    }

    /// Parses the first certificate of a PEM text (RFC 7468 §5).
    pub fn from_pem(pem: &str) -> Result<Self, TlsError> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes());
        Self::from_der(&der.map_err(|_| TlsError::NotACertificate)?)
    }

    /// The names and addresses for which the certificate `der` is (RFC 5280 §4.2.1.6).
    pub fn names(der: &[u8]) -> Result<Vec<String>, TlsError> {
        let (_, read) =
            x509_parser::parse_x509_certificate(der).map_err(|_| TlsError::NotACertificate)?;
        let names = read.subject_alternative_name().map_err(|_| TlsError::NotACertificate)?;
        let names = names.map(|extension| &extension.value.general_names[..]).unwrap_or_default();
        Ok(names.iter().filter_map(name).collect())
    }

    /// Whether it is valid at `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.not_before.seconds() <= now.seconds() && !self.is_over(now)
    }

    /// Whether it has expired.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.not_after.seconds() < now.seconds()
    }
}

/// A name of a server as text; `None` for other kinds.
fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => address(octets).map(|address| address.to_string()),
        _ => None,
    }
}

/// The address with these octets; `None` if they are neither 4 nor 16.
pub(super) fn address(octets: &[u8]) -> Option<IpAddr> {
    match <[u8; 4]>::try_from(octets) {
        Ok(octets) => Some(IpAddr::from(octets)),
        Err(_) => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    #[test]
    fn a_certificate_tells_its_time_and_its_name() {
        let names = ["nas.lan", "192.0.2.7", "2001:db8::7"].map(str::to_owned);
        let mut params = CertificateParams::new(names.clone()).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, 1, 2);
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();

        let read = Certificate::from_pem(&made.pem()).unwrap();

        let day = |day: u64| Timestamp::from_seconds(1_767_225_600 + day * 86_400);
        assert_eq!(read, Certificate::from_der(made.der()).unwrap());
        assert_eq!(Certificate::names(made.der()).unwrap(), names);
        assert_eq!(read.fingerprint, Fingerprint::of(made.der()));
        assert_eq!((read.not_before, read.not_after), (day(0), day(1)));
        assert!(read.holds(day(0)) && read.holds(day(1)) && !read.is_over(day(1)));
        assert!(!read.holds(Timestamp::from_seconds(1_767_225_599)));
        assert!(read.is_over(day(2)) && !read.holds(day(2)));
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let made = CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap();
        let mut longer = made.der().to_vec();
        longer.push(0);

        for wrong in [&b""[..], b"nonsense", &made.der()[..made.der().len() - 1], &longer] {
            assert!(matches!(Certificate::from_der(wrong), Err(TlsError::NotACertificate)));
        }
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for wrong in ["", "nonsense", garbage] {
            assert!(matches!(Certificate::from_pem(wrong), Err(TlsError::NotACertificate)));
        }
    }
}
