//! A server on loopback that plays a script to everyone who connects, over TCP or TLS.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use url::Url;

/// What the server does, one after the other, once a request came.
#[derive(Clone)]
pub(crate) enum Step {
    /// Sends this over and over, with a pause before each.
    Drip(&'static str, Duration),
    /// Keeps the connection and says no more.
    Hang,
    Pause(Duration),
    Send(String),
}

pub(crate) struct Origin {
    pub(crate) port: u16,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    open: AtomicUsize,
    max_open: AtomicUsize,
    requests: Mutex<Vec<String>>,
}

impl Origin {
    pub(crate) async fn playing(script: Vec<Step>) -> Self {
        Self::start(script, None).await
    }

    /// Responds with these header lines and body, and closes the connection.
    pub(crate) async fn responding(head: &str, body: &str) -> Self {
        Self::playing(vec![Step::Send(response(head, body))]).await
    }

    /// Responds with a JSON document, over TLS with this certificate.
    pub(crate) async fn over_tls(certificate: Certificate) -> Self {
        Self::start(vec![Step::Send(response(OK_JSON, "{}"))], Some(certificate.acceptor())).await
    }

    async fn start(script: Vec<Step>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        let origin = Self { port, seen: Arc::clone(&seen) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, seen, tls) = (script.clone(), Arc::clone(&seen), tls.clone());
                tokio::spawn(async move {
                    seen.connections.fetch_add(1, Ordering::SeqCst);
                    match tls {
                        None => play(stream, script, &seen).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                play(stream, script, &seen).await;
                            }
                        }
                    }
                });
            }
        });
        origin
    }

    /// A URL of this server, by any name.
    pub(crate) fn url(&self, scheme: &str, host: &str) -> Url {
        format!("{scheme}://{host}:{}/document", self.port).parse().unwrap()
    }

    /// This server under a name, as the list of private destinations has it.
    pub(crate) fn listed(&self, host: &str) -> String {
        format!("{host}:{}", self.port)
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The highest number of requests that were open at once.
    pub(crate) fn max_concurrent(&self) -> usize {
        self.seen.max_open.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }
}

pub(crate) const OK_JSON: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json";

/// A response with the length of its body.
pub(crate) fn response(head: &str, body: &str) -> String {
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

async fn play(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: Vec<Step>, seen: &Seen) {
    let Some(request) = request(&mut stream).await else { return };
    seen.requests.lock().unwrap().push(request);
    let open = seen.open.fetch_add(1, Ordering::SeqCst) + 1;
    seen.max_open.fetch_max(open, Ordering::SeqCst);
    for step in script {
        match step {
            Step::Drip(drop, pause) => loop {
                tokio::time::sleep(pause).await;
                if stream.write_all(drop.as_bytes()).await.is_err() {
                    break;
                }
            },
            Step::Hang => {
                let _ = stream.read(&mut [0]).await;
            }
            Step::Pause(pause) => tokio::time::sleep(pause).await,
            // Whoever has read enough may have gone.
            Step::Send(text) => drop(stream.write_all(text.as_bytes()).await),
        }
    }
    seen.open.fetch_sub(1, Ordering::SeqCst);
    let _ = stream.shutdown().await;
}

/// A whole request: its head, and the body of the length that the head tells.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let mut more = [0; 1024];
        let length = stream.read(&mut more).await.ok().filter(|length| *length > 0)?;
        read.extend(&more[..length]);
        let text = String::from_utf8(read.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let content_length =
                head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= content_length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
    }
}

/// A certificate and its key, with the PEM of the authority that vouches for it.
pub(crate) struct Certificate {
    pub(crate) ca: Vec<u8>,
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Certificate {
    /// A certificate for a host, from an authority of its own.
    pub(crate) fn of(host: &str) -> Self {
        Self::with(&CertificateParams::new([host.to_owned()]).unwrap())
    }

    /// One whose time is over.
    pub(crate) fn expired(host: &str) -> Self {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        Self::with(&params)
    }

    fn with(params: &CertificateParams) -> Self {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        Self { ca: issuer.pem().into_bytes(), certificate: certificate.der().clone(), key }
    }

    fn acceptor(self) -> TlsAcceptor {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}
