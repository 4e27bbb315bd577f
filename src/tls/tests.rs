use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::model::fingerprint::Fingerprint;

const DAY: Duration = Duration::from_hours(24);
const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// A clock at the system's present time, which the client's side of a handshake uses.
fn clock() -> Clock {
    Clock::manual(Clock::System.now())
}

fn authority(directory: &Path) -> Arc<Authority> {
    Arc::new(Authority::at(directory, &[], clock().now()).unwrap())
}

/// A self-signed certificate of a device, with its key.
fn device(from: (i32, u8, u8), to: (i32, u8, u8)) -> (CertificateDer<'static>, KeyPair) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
    params.not_after = rcgen::date_time_ymd(to.0, to.1, to.2);
    (params.self_signed(&key).unwrap().der().clone(), key)
}

/// A client that trusts the CA in `pem`, and sends this certificate if one is requested.
fn client(
    pem: &str,
    version: &'static SupportedProtocolVersion,
    current: Option<(CertificateDer<'static>, &KeyPair)>,
) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots);
    let config = match current {
        Some((certificate, key)) => {
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            // The key may be another one than the certificate's: the server has to notice.
            let key = provider.key_provider.load_private_key(key).unwrap();
            let current = CertifiedKey::new(vec![certificate], key);
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(current)))
        }
        None => builder.with_no_client_auth(),
    };
    TlsConnector::from(Arc::new(config))
}

/// Performs a handshake with `acceptor`. Returns the certificate that was proven, and the one that
/// the client saw.
async fn shaken(
    acceptor: &Acceptor,
    client: &TlsConnector,
    name: &'static str,
) -> Option<(Option<ProvenCertificate>, Fingerprint)> {
    let (one, other) = tokio::io::duplex(1 << 16);
    let name = ServerName::try_from(name).unwrap();
    let (served, connected) = tokio::join!(acceptor.accept(one), client.connect(name, other));
    let (proven, connected) = (served.ok()?.proven, connected.ok()?);
    let seen = connected.get_ref().1.peer_certificates().unwrap();
    Some((proven, Fingerprint::of(&seen[0])))
}

#[tokio::test]
async fn a_server_of_the_local_ca_is_believed_by_whoever_trusts_that() {
    let directory = tempfile::tempdir().unwrap();
    let ca = authority(directory.path());
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    let identity = Identity::local(Arc::clone(&ca), names, DAY, clock().now()).unwrap();
    let acceptor = Acceptor::for_pages(&identity, &clock()).unwrap();

    for version in VERSIONS {
        let client = client(ca.pem(), version, None);
        for name in ["localhost", "127.0.0.1", "::1"] {
            assert!(shaken(&acceptor, &client, name).await.is_some(), "{name} {version:?}");
        }
        assert!(shaken(&acceptor, &client, "other.lan").await.is_none());
    }
}

#[tokio::test]
async fn a_certificate_is_renewed_before_it_ends_and_the_acceptor_shows_the_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let (ca, now) = (authority(directory.path()), clock().now());
    // The client's clock does not move, and the validity of a certificate begins an hour before its
    // issue.
    let (names, hour) = (vec!["localhost".to_owned()], Duration::from_hours(1));
    let identity = Identity::local(Arc::clone(&ca), names, hour, now).unwrap();
    let acceptor = Acceptor::for_pages(&identity, &clock()).unwrap();
    let client = client(ca.pem(), &TLS13, None);
    let seen = async || shaken(&acceptor, &client, "localhost").await.unwrap().1;
    let first = seen().await;

    let served = identity.certificate().unwrap();
    assert_eq!(served.certificate.fingerprint, first);
    assert_eq!(served.names, ["localhost"]);
    assert_eq!(served.renews, Some(now + hour * 2 / 3));
    assert_eq!(identity.renew(None, now + hour / 2), Ok(false));
    assert_eq!(seen().await, first);
    assert_eq!(identity.renew(None, now + hour * 2 / 3), Ok(true));
    assert_ne!(seen().await, first);
    assert_eq!(identity.renew(None, now + hour * 2 / 3), Ok(false));
}

#[tokio::test]
async fn a_certificate_is_proven_by_the_signature_of_its_key_and_by_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let ca = authority(directory.path());
    let names = vec!["localhost".to_owned()];
    let identity = Identity::local(Arc::clone(&ca), names, DAY, clock().now()).unwrap();
    let devices = Acceptor::for_devices(&identity, &clock()).unwrap();
    let pages = Acceptor::for_pages(&identity, &clock()).unwrap();
    let (certificate, key) = device((2020, 1, 1), (2999, 1, 1));
    let (_, another) = device((2020, 1, 1), (2999, 1, 1));

    for version in VERSIONS {
        let shows = |key| client(ca.pem(), version, Some((certificate.clone(), key)));
        let proven = async |acceptor, client| {
            shaken(acceptor, &client, "localhost").await.map(|(proven, _)| proven)
        };

        let proof = ProvenCertificate::fingerprint;
        let own = proven(&devices, shows(&key)).await.unwrap();
        assert_eq!(own.as_ref().map(proof), Some(Fingerprint::of(&certificate)), "{version:?}");
        assert_eq!(proven(&devices, shows(&another)).await, None, "{version:?}");
        assert_eq!(proven(&devices, client(ca.pem(), version, None)).await, Some(None));
        assert_eq!(proven(&pages, shows(&key)).await, Some(None), "{version:?}");
    }
}

#[tokio::test]
async fn a_certificate_before_and_after_its_time_proves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let ca = authority(directory.path());
    let names = vec!["localhost".to_owned()];
    let identity = Identity::local(Arc::clone(&ca), names, DAY, clock().now()).unwrap();
    let devices = Acceptor::for_devices(&identity, &clock()).unwrap();

    for time in [((2020, 1, 1), (2021, 1, 1)), ((2998, 1, 1), (2999, 1, 1))] {
        let (certificate, key) = device(time.0, time.1);
        let client = client(ca.pem(), &TLS12, Some((certificate, &key)));

        assert!(shaken(&devices, &client, "localhost").await.is_none(), "{time:?}");
    }
}

/// An operator's own CA, and the files of a server that it issued.
struct Given {
    ca: Arc<Authority>,
    directory: tempfile::TempDir,
    files: Files,
}

impl Given {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let files = Files {
            certificate: directory.path().join("chain.pem"),
            key: directory.path().join("key.pem"),
        };
        let given = Self { ca: authority(directory.path()), directory, files };
        given.write("localhost");
        given
    }

    fn write(&self, name: &str) {
        let made = KeyWithRequest::generate().unwrap();
        let names = [name.to_owned()];
        let issued =
            self.ca.issue(&made.request, Usage::Server, &names, DAY, clock().now()).unwrap();
        fs::write(&self.files.certificate, issued + self.ca.pem()).unwrap();
        fs::write(&self.files.key, &*made.key).unwrap();
    }

    /// The faults, each with its file.
    fn faults(&self, host: &str) -> Vec<(Which, String)> {
        let directory = self.directory.path().display().to_string();
        let faults = self.files.faults(Some(host), clock().now());
        let reported = faults
            .into_iter()
            .map(|fault| (fault.which, fault.message.replace(&format!("{directory}/"), "")));
        reported.collect()
    }
}

#[tokio::test]
async fn given_files_are_shown_and_read_again_when_they_change() {
    let given = Given::new();
    let now = clock().now();
    let identity = Identity::files(given.files.clone(), Some("localhost".to_owned()), now);
    let identity = identity.ok().unwrap();
    let acceptor = Acceptor::for_pages(&identity, &clock()).unwrap();
    let client = client(given.ca.pem(), &TLS13, None);
    let seen = async || shaken(&acceptor, &client, "localhost").await.unwrap().1;
    let first = seen().await;

    let served = identity.certificate().unwrap();
    assert_eq!((served.certificate.fingerprint, served.renews), (first, None));
    assert_eq!(identity.renew(None, now), Ok(false));
    fs::write(&given.files.key, "half").unwrap();
    assert!(identity.renew(None, now).unwrap_err().contains("holds no private key"));
    assert_eq!(identity.renew(None, now), Ok(false), "it is told once");
    assert_eq!(seen().await, first);
    given.write("localhost");
    assert_eq!(identity.renew(None, now), Ok(true));
    assert_ne!(seen().await, first);
}

#[test]
fn everything_that_is_wrong_with_given_files_is_told_at_once() {
    let given = Given::new();
    assert_eq!(given.faults("localhost"), []);

    let not_for = "chain.pem holds a certificate that is not for id.example";
    assert_eq!(given.faults("id.example"), [(Which::Certificate, not_for.to_owned())]);

    let chain = fs::read(&given.files.certificate).unwrap();
    given.write("localhost");
    fs::write(&given.files.certificate, chain).unwrap();
    let mismatched = "key.pem is not the key of chain.pem";
    assert_eq!(given.faults("localhost"), [(Which::Key, mismatched.to_owned())]);

    fs::write(&given.files.certificate, "").unwrap();
    fs::write(&given.files.key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n").unwrap();
    let both = given.faults("localhost");
    assert_eq!(both[0], (Which::Certificate, "chain.pem holds no certificate".to_owned()));
    assert_eq!(both[1].0, Which::Key);

    fs::remove_file(&given.files.certificate).unwrap();
    fs::remove_file(&given.files.key).unwrap();
    for (_, message) in given.faults("localhost") {
        assert!(message.contains("cannot be read"), "{message}");
    }

    let (ended, key) = device((2020, 1, 1), (2021, 1, 1));
    fs::write(&given.files.certificate, pem(&ended)).unwrap();
    fs::write(&given.files.key, key.serialize_pem()).unwrap();
    let reported = "chain.pem holds a certificate that ended 2021-01-01T00:00:00Z";
    assert_eq!(given.faults("localhost"), [(Which::Certificate, reported.to_owned())]);
    let then = Timestamp::from_seconds(1_600_000_000);
    assert_eq!(given.files.faults(None, then), []);
}

fn pem(der: &[u8]) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n")
}
