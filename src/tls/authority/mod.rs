//! The installation's own certification authority, made at first use beside the store.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CidrSubnet,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, NameConstraints, SerialNumber,
};
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{RootCertStore, crypto};
use x509_parser::extensions::GeneralName;
use zeroize::Zeroizing;

use super::{Certificate, TlsError, certificate};
use crate::clock::Timestamp;
use crate::private_file;
use crate::secret::Entropy;

/// The lifetime of the authority's certificate: ten years.
const LIFETIME: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The time before the end of the authority's certificate at which it is renewed: two years, in which
/// machines can learn to trust the next one while they still trust this one.
const RENEWAL: Duration = Duration::from_secs(2 * 365 * 86_400);

/// The time by which the validity of a certificate begins before its issue, for clocks that are
/// behind.
pub(super) const BEHIND: Duration = Duration::from_hours(1);

/// The private names: special-use ones (RFC 6761, RFC 6762, RFC 8375), and those that are not in
/// the public DNS.
const PRIVATE_NAMES: [&str; 6] = ["home.arpa", "internal", "lan", "local", "localhost", "test"];

/// The private addresses (RFC 1122 §3.2.1.3, RFC 1918, RFC 3927, RFC 4193, RFC 4291).
const PRIVATE_ADDRESSES: [(IpAddr, u8); 8] = [
    (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
    (IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
    (IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
    (IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7),
    (IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 10),
];

/// The purpose of a certificate (RFC 5280 §4.2.1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Authentication of a device.
    Client,
    /// Authentication of a server with these names.
    Server,
}

/// Whether an authority is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fitness {
    /// It is, and its certificate ends soon.
    Due,
    /// It is.
    Fit,
    /// It is not valid, if the clock is right.
    Invalid,
    /// A clock that was certainly wrong made it.
    Unfit,
}

/// A certification authority whose key is on this machine.
pub struct Authority {
    certificate: Certificate,
    der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// The path of its certificate in `directory`.
    pub fn path(directory: &Path) -> PathBuf {
        directory.join("gatelodge-ca.pem")
    }

    /// The path of its key in `directory`.
    pub fn key_path(directory: &Path) -> PathBuf {
        directory.join("gatelodge-ca.key")
    }

    /// Reads the authority in `directory`, or makes one that may issue for private names and
    /// addresses and for `names`. If only the key exists, the certificate is made for it.
    pub fn at(directory: &Path, names: &[String], now: Timestamp) -> Result<Self, TlsError> {
        let (path, key_path) = (Self::path(directory), Self::key_path(directory));
        let pem = if_there(fs::read_to_string(&path)).map_err(TlsError::at(&path))?;
        let key = if_there(private_file::read(&key_path)).map_err(TlsError::at(&key_path))?;
        let malformed = |path: &Path, what: &str| {
            TlsError::Failed(format!("{} is no {what} of a CA", path.display()))
        };
        let key = match (&pem, key) {
            (Some(_), None) => {
                return Err(TlsError::Failed(format!(
                    "the local CA's key {} is missing; restore it, or remove {} too for a new CA, \
                     which everybody would have to trust anew",
                    key_path.display(),
                    path.display()
                )));
            }
            (_, Some(key)) => {
                KeyPair::from_pem(&key).map_err(|_| malformed(&key_path, "private key"))?
            }
            (None, None) => {
                let key = KeyPair::generate().map_err(TlsError::failed)?;
                let written = Zeroizing::new(key.serialize_pem());
                private_file::replace(&key_path, written.as_bytes())
                    .map_err(TlsError::at(&key_path))?;
                key
            }
        };
        let pem = match pem {
            Some(pem) => pem,
            // The first start, or one that was interrupted between the two files.
            None => {
                let made = own(&key, names, now).self_signed(&key).map_err(TlsError::failed)?;
                private_file::replace(&path, made.pem().as_bytes()).map_err(TlsError::at(&path))?;
                made.pem()
            }
        };
        let der = CertificateDer::from_pem_slice(pem.as_bytes());
        let der = der.map_err(|_| malformed(&path, "certificate"))?;
        let certificate =
            Certificate::from_der(&der).map_err(|_| malformed(&path, "certificate"))?;
        if !is_of(&der, &key) {
            return Err(TlsError::Failed(format!(
                "{} is not the key of {}",
                key_path.display(),
                path.display()
            )));
        }
        let issuer = Issuer::from_ca_cert_der(&der, key);
        let issuer = issuer.map_err(|_| malformed(&path, "certificate"))?;
        Ok(Self { certificate, der, issuer, pem })
    }

    /// The path of the certificate in `directory`, if it is one of an authority that names and addresses
    /// bound (RFC 5280 §4.2.1.10: a kind that no subtree is of stays free). A client may trust it towards
    /// any server: it vouches for no others.
    pub fn bounded_at(directory: &Path) -> Option<PathBuf> {
        let path = Self::path(directory);
        let pem = fs::read(&path).ok()?;
        let der = CertificateDer::from_pem_slice(&pem).ok()?;
        let (_, read) = x509_parser::parse_x509_certificate(&der).ok()?;
        let constraints = read.name_constraints().ok()??;
        let permitted = constraints.value.permitted_subtrees.as_deref()?;
        let has =
            |is_of: fn(&GeneralName<'_>) -> bool| permitted.iter().any(|tree| is_of(&tree.base));
        let bounded = has(|name| matches!(name, GeneralName::DNSName(_)))
            && has(|name| matches!(name, GeneralName::IPAddress(_)));
        bounded.then_some(path)
    }

    /// The authority in `directory` with a new certificate, which vouches for the same names by the
    /// same key. Both certificates vouch for whatever the authority issues, so that who trusts the
    /// one before may do so to its end.
    pub fn renew(&self, directory: &Path, now: Timestamp) -> Result<Self, TlsError> {
        let path = Self::path(directory);
        let made = own(self.issuer.key(), &made_for(&self.der)?, now);
        let made = made.self_signed(self.issuer.key()).map_err(TlsError::failed)?;
        private_file::replace(&path, made.pem().as_bytes()).map_err(TlsError::at(&path))?;
        Self::at(directory, &[], now)
    }

    /// Whether it is of use at `now`: it is valid, and not made by a clock that was certainly wrong.
    pub fn fitness(&self, now: Timestamp) -> Fitness {
        let made = self.certificate.not_before + BEHIND;
        if now < Timestamp::BEFORE_RELEASE {
            // It is the present clock that is certainly wrong.
            Fitness::Fit
        } else if made < Timestamp::BEFORE_RELEASE {
            Fitness::Unfit
        } else if !self.certificate.holds(now) {
            Fitness::Invalid
        } else if self.renews() <= now {
            Fitness::Due
        } else {
            Fitness::Fit
        }
    }

    /// The time at which its certificate is renewed.
    pub fn renews(&self) -> Timestamp {
        self.certificate.not_after - RENEWAL
    }

    /// The address of a page about it at `uri`, with its fingerprint, for a QR code: a person sees the
    /// fingerprint before the page is opened.
    pub fn page(&self, uri: &str) -> String {
        format!("{uri}#sha256={}", self.certificate.fingerprint)
    }

    /// Its name in lists of certificates.
    pub fn name(&self) -> String {
        called_like(&self.der).unwrap_or_default()
    }

    /// Its certificate, in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The parsed form of its certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Issues a certificate for the key of `request`, in PEM. Nothing but the key is taken from the
    /// request.
    pub fn issue(
        &self,
        request: &str,
        usage: Usage,
        names: &[String],
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<String, TlsError> {
        let request = CertificateSigningRequestParams::from_pem(request);
        let key = request.map_err(|_| TlsError::NotARequest)?.public_key;
        self.sign(&key, usage, names, lifetime, now).map(|certificate| certificate.pem())
    }

    /// Issues a certificate for `key`, after verifying it as a client that trusts this authority
    /// would.
    pub(super) fn sign(
        &self,
        key: &impl rcgen::PublicKeyData,
        usage: Usage,
        names: &[String],
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<rcgen::Certificate, TlsError> {
        let unfit = || TlsError::NameForbidden(names.join(", "));
        let mut params = match usage {
            Usage::Client => CertificateParams::default(),
            Usage::Server => CertificateParams::new(names).map_err(|_| unfit())?,
        };
        params.distinguished_name = called(names.first().map_or("Gatelodge", String::as_str));
        lasting(&mut params, lifetime, now);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match usage {
            Usage::Client => ExtendedKeyUsagePurpose::ClientAuth,
            Usage::Server => ExtendedKeyUsagePurpose::ServerAuth,
        }];
        params.use_authority_key_identifier_extension = true;
        let made = params.signed_by(key, &self.issuer).map_err(TlsError::failed)?;
        if usage == Usage::Server {
            let vouched = names.iter().try_for_each(|name| self.vouches(made.der(), name, now));
            if let (Err(_), [_, _, ..]) = (&vouched, names) {
                // One forbidden name spoils the whole certificate. The error names the first name
                // that is refused by itself.
                for name in names {
                    self.sign(key, usage, std::slice::from_ref(name), lifetime, now)?;
                }
            }
            vouched?;
        }
        Ok(made)
    }

    /// Verifies that `name` is within the authority's name constraints. RFC 5280 §4.2.1.10:
    /// "Restrictions are defined in terms of permitted or excluded name subtrees."
    fn vouches(
        &self,
        der: &CertificateDer<'_>,
        name: &str,
        now: Timestamp,
    ) -> Result<(), TlsError> {
        let forbidden = || TlsError::NameForbidden(name.to_owned());
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).map_err(TlsError::failed)?;
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = verifier.build().map_err(TlsError::failed)?;
        // A wildcard matches any one label (RFC 6125 §6.4.3).
        let one = name.strip_prefix("*.").map_or(name.to_owned(), |rest| format!("any.{rest}"));
        let server = ServerName::try_from(one).map_err(|_| forbidden())?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now.seconds()));
        let verified = verifier.verify_server_cert(der, &[], &server, &[], now);
        verified.map(drop).map_err(|_| forbidden())
    }
}

/// The parameters of the authority's own certificate.
fn own(key: &KeyPair, names: &[String], now: Timestamp) -> CertificateParams {
    let mut params = CertificateParams::default();
    // The digits distinguish authorities in a list of trusted ones.
    let digits: String =
        params.key_identifier(key).iter().take(4).map(|b| format!("{b:02x}")).collect();
    params.distinguished_name = called(&format!("Gatelodge local CA {digits}"));
    lasting(&mut params, LIFETIME, now);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
    let addresses = PRIVATE_ADDRESSES.map(|(address, prefix)| {
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, prefix))
    });
    let private = PRIVATE_NAMES.map(|name| GeneralSubtree::DnsName(name.to_owned()));
    let named = names.iter().map(|name| match name.parse::<IpAddr>() {
        Ok(address) => {
            let prefix = if address.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, prefix))
        }
        Err(_) => GeneralSubtree::DnsName(name.clone()),
    });
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: private.into_iter().chain(addresses).chain(named).collect(),
        excluded_subtrees: Vec::new(),
    });
    params
}

/// The names and addresses besides private ones for which the authority with the certificate `der` was
/// made.
fn made_for(der: &CertificateDer<'_>) -> Result<Vec<String>, TlsError> {
    let (_, read) =
        x509_parser::parse_x509_certificate(der).map_err(|_| TlsError::NotACertificate)?;
    let constraints = read.name_constraints().map_err(|_| TlsError::NotACertificate)?;
    let permitted = constraints.and_then(|extension| extension.value.permitted_subtrees.as_deref());
    let named = permitted.unwrap_or_default().iter().filter_map(|subtree| match subtree.base {
        GeneralName::DNSName(name) => (!PRIVATE_NAMES.contains(&name)).then(|| name.to_owned()),
        GeneralName::IPAddress(range) => one_address(range).map(|address| address.to_string()),
        _ => None,
    });
    Ok(named.collect())
}

/// The address of a range (RFC 5280 §4.2.1.10: the address, then its mask) that has no other, and is no
/// private one.
fn one_address(range: &[u8]) -> Option<IpAddr> {
    let (address, mask) = range.split_at(range.len() / 2);
    let address = certificate::address(address)?;
    let private = PRIVATE_ADDRESSES.iter().any(|(known, _)| *known == address);
    (!private && mask.iter().all(|octet| *octet == u8::MAX)).then_some(address)
}

fn called(name: &str) -> DistinguishedName {
    let mut called = DistinguishedName::new();
    called.push(DnType::CommonName, name);
    called
}

/// The common name of the subject of the certificate `der`.
fn called_like(der: &[u8]) -> Option<String> {
    let (_, read) = x509_parser::parse_x509_certificate(der).ok()?;
    read.subject().iter_common_name().next()?.as_str().ok().map(str::to_owned)
}

/// Whether `der` certifies the public key of `key`.
fn is_of(der: &[u8], key: &KeyPair) -> bool {
    x509_parser::parse_x509_certificate(der)
        .is_ok_and(|(_, read)| *read.public_key().subject_public_key.data == *key.public_key_raw())
}

fn lasting(params: &mut CertificateParams, lifetime: Duration, now: Timestamp) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs((now - BEHIND).seconds());
    params.not_after = epoch + Duration::from_secs((now + lifetime).seconds());
    // Programs refuse two certificates of one issuer and one number, as a renewed one would have: by
    // default the number is that of the key.
    params.serial_number = Some(SerialNumber::from_slice(&serial_number()));
}

/// A random number of at most 20 octets, which is positive (RFC 5280 §4.1.2.2).
fn serial_number() -> [u8; 16] {
    let mut number = [0; 16];
    number.copy_from_slice(&Entropy::System.seed().bytes("serial number")[..16]);
    number[0] = number[0] & 0x7f | 0x40;
    number
}

/// The content that was read; `None` if the file does not exist.
fn if_there<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

#[cfg(test)]
mod tests;
