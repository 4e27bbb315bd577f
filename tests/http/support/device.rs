//! A device with a certificate, and what a listener proves of it: by a real handshake, since
//! nothing else gives a proof.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use gatelodge::clock::Clock;
use gatelodge::model::fingerprint::Fingerprint;
use gatelodge::tls::{Acceptor, Authority, Identity, ProvenCertificate};
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::{Response, Server};

/// A device, and the proof of its certificate.
pub(crate) struct Device {
    pub(crate) pem: String,
    proven: ProvenCertificate,
}

impl Device {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Clock::System.now());
        let authority = Arc::new(Authority::at(directory.path(), &[], clock.now()).unwrap());
        let names = vec!["localhost".to_owned()];
        let day = Duration::from_hours(24);
        let identity = Identity::local(Arc::clone(&authority), names, day, clock.now()).unwrap();
        let acceptor = Acceptor::for_devices(&identity, &clock).unwrap();

        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::default().self_signed(&key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
        let chain = vec![certificate.der().clone()];
        let own_key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots);
        let config = Arc::new(config.with_client_auth_cert(chain, own_key).unwrap());
        let (one, other) = tokio::io::duplex(1 << 16);
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(config);
        let (served, connected) =
            tokio::join!(acceptor.accept(one), connector.connect(name, other));
        connected.unwrap();
        let Ok(served) = served else { panic!("the handshake is good") };
        Self { pem: certificate.pem(), proven: served.proven.unwrap() }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.proven.fingerprint()
    }

    /// Sends JSON over the connection that proved the certificate.
    pub(crate) async fn post(&self, server: &Server, path: &str, body: &Value) -> Response {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        let mut request = request.body(Body::from(body.to_string())).unwrap();
        request.extensions_mut().insert(self.proven);
        server.send(request).await
    }
}
