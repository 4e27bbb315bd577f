//! A client that speaks TLS: whom it trusts, what it shows of itself, what it saw.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use gatelodge::model::fingerprint::Fingerprint;
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use tokio_rustls::rustls::client::{ResolvesClientCert, Resumption};
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, SignatureScheme, StreamOwned,
};

use crate::connection::Response;

/// The certificate that a client presents if a server asks for one.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) pem: String,
    certified_key: Arc<CertifiedKey>,
}

impl Device {
    /// A device with a certificate of its own making.
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let made = CertificateParams::default().self_signed(&key).unwrap();
        Self::of(&made.pem(), &key.serialize_pem())
    }

    /// The device that holds this certificate and this key, in PEM.
    pub(crate) fn of(certificate: &str, key: &str) -> Self {
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let certified_key = CertifiedKey::from_der(vec![der], key, &default_provider()).unwrap();
        Self { pem: certificate.to_owned(), certified_key: Arc::new(certified_key) }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.certified_key.end_entity_cert().unwrap())
    }
}

/// Records whether a server asked for a certificate.
#[derive(Debug)]
struct Asked {
    asked: std::sync::atomic::AtomicBool,
    certificate: Option<SingleCertAndKey>,
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, std::sync::atomic::Ordering::SeqCst);
        self.certificate.as_ref().and_then(|certificate| certificate.resolve(hints, schemes))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A client that trusts the CA whose certificate is `ca`.
pub(crate) struct Client {
    asked: Arc<Asked>,
    config: Arc<ClientConfig>,
}

/// What a client got, and learnt on the way.
pub(crate) struct Got {
    pub(crate) response: Response,
    pub(crate) asked: bool,
    pub(crate) certificate: Fingerprint,
    pub(crate) protocol: Option<Vec<u8>>,
}

impl Client {
    pub(crate) fn new(ca: &str, device: Option<&Device>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
        let certificate =
            device.map(|device| SingleCertAndKey::from((*device.certified_key).clone()));
        let asked = Arc::new(Asked { asked: false.into(), certificate });
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::clone(&asked) as _);
        // A resumed session would show the certificate of the one before.
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self { asked, config: Arc::new(config) }
    }

    /// `GET https://NAME:PORT/path` at `address`, or why not.
    pub(crate) fn get(&self, address: &str, name: &str, path: &str) -> Result<Got, String> {
        self.send(address, name, &format!("GET {path}"), "", "")
    }

    /// The same with a body of JSON, and the token of a bridge where there is one.
    pub(crate) fn post(
        &self,
        address: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Result<Got, String> {
        let head = if token.is_empty() { String::new() } else { format!("x-api-key: {token}\r\n") };
        let head = format!("{head}content-type: application/json\r\n");
        self.send(address, "localhost", &format!("POST {path}"), &head, &body.to_string())
    }

    fn send(
        &self,
        address: &str,
        name: &str,
        line: &str,
        head: &str,
        body: &str,
    ) -> Result<Got, String> {
        let port = address.rsplit_once(':').unwrap().1;
        let server = ServerName::try_from(name.to_owned()).unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.config), server).unwrap();
        let tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut tls = StreamOwned::new(connection, tcp);
        let host = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n{head}\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        tls.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        let mut whole = String::new();
        tls.read_to_string(&mut whole).map_err(|error| error.to_string())?;
        let (head, body) = whole.split_once("\r\n\r\n").ok_or("no response")?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let certificate = &tls.conn.peer_certificates().unwrap()[0];
        Ok(Got {
            response: Response { status, head: head.to_lowercase(), body: body.to_owned() },
            asked: self.asked.asked.load(std::sync::atomic::Ordering::SeqCst),
            certificate: Fingerprint::of(certificate),
            protocol: tls.conn.alpn_protocol().map(<[u8]>::to_vec),
        })
    }
}
