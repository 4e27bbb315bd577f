//! The server's side of a TLS handshake: [RFC 8446](https://www.rfc-editor.org/rfc/rfc8446).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::{
    self, CryptoProvider, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{NoClientAuth, NoServerSessionStorage};
use tokio_rustls::rustls::time_provider::TimeProvider;
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    ServerConnection, SignatureScheme,
};
use tokio_rustls::server::TlsStream;

use super::{Certificate, Identity};
use crate::clock::{Clock, Timestamp};
use crate::error::Internal;
use crate::model::fingerprint::Fingerprint;

/// Proof that the peer of a connection holds the key of a certificate: the peer signed the
/// handshake with it (RFC 8446 §4.4.3), within the certificate's validity.
///
/// The certificate's issuer is not verified. Its fingerprint identifies its person, if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenCertificate {
    fingerprint: Fingerprint,
}

impl ProvenCertificate {
    /// The fingerprint of the certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The certificate that the peer of a finished handshake proved, if it sent one.
    fn of(connection: &ServerConnection) -> Option<Self> {
        let certificate = connection.peer_certificates()?.first()?;
        Some(Self { fingerprint: Fingerprint::of(certificate) })
    }
}

/// A TLS connection, and the certificate that its peer proved.
pub struct Secured<S> {
    /// The certificate of the peer, if it proved one.
    pub proven: Option<ProvenCertificate>,
    /// The decrypted stream.
    pub stream: TlsStream<S>,
}

/// The server's side of every handshake at one listener.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

impl Acceptor {
    /// Makes an acceptor that requests no client certificate. If it did, a browser would ask its
    /// person to choose one.
    pub fn for_pages(identity: &Identity, clock: &Clock) -> Result<Self, Internal> {
        Self::new(identity, clock, Arc::new(NoClientAuth))
    }

    /// Makes an acceptor that requests a client certificate and does not require one.
    pub fn for_devices(identity: &Identity, clock: &Clock) -> Result<Self, Internal> {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        Self::new(identity, clock, Arc::new(AnyCertificate(provider)))
    }

    fn new(
        identity: &Identity,
        clock: &Clock,
        clients: Arc<dyn ClientCertVerifier>,
    ) -> Result<Self, Internal> {
        let asks = clients.offer_client_auth();
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let time = Arc::new(Time(clock.clone()));
        let mut config = ServerConfig::builder_with_details(provider, time)
            .with_safe_default_protocol_versions()
            .map_err(Internal::new)?
            .with_client_cert_verifier(clients)
            .with_cert_resolver(Arc::clone(&identity.current) as _);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if asks {
            // A resumed session would keep a certificate without a new proof of its key and after
            // its expiry.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Performs a handshake over `stream`, without a time limit: the caller sets one.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<Secured<S>> {
        let stream = self.0.accept(stream).await?;
        Ok(Secured { proven: ProvenCertificate::of(stream.get_ref().1), stream })
    }
}

/// The time of [`Clock`], for rustls.
#[derive(Debug)]
struct Time(Clock);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.now().seconds())))
    }
}

/// Accepts every certificate that is well formed and valid now, from any issuer: an operator may
/// register any certificate, and only that registration gives trust.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let read = Certificate::from_der(end_entity)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let now = Timestamp::from_seconds(now.as_secs());
        if read.holds(now) {
            Ok(ClientCertVerified::assertion())
        } else if read.is_over(now) {
            Err(Error::InvalidCertificate(CertificateError::Expired))
        } else {
            Err(Error::InvalidCertificate(CertificateError::NotValidYet))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
