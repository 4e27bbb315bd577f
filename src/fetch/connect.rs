//! Connections to checked addresses, and TLS over them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, crypto};
use url::Host;

use super::FetchError;
use super::resolve::CheckedAddress;
use super::target::Target;
use crate::error::Internal;

/// The most addresses of a host that are tried.
const MAX_ATTEMPTS: usize = 8;
/// The time between the beginnings of two attempts, which run in parallel (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);

/// A connection, with or without TLS.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The TLS settings of a client, and the authorities that it trusts.
pub struct Tls(TlsConnector);

impl Tls {
    /// Trusts the public authorities and those of a PEM file.
    pub fn new(ca: Option<&[u8]>) -> Result<Self, Internal> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(pem) = ca {
            let amiss =
                |what: &dyn std::fmt::Display| Internal::new(format!("the CA file: {what}"));
            let before = roots.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| amiss(&error))?;
                roots.add(certificate).map_err(|error| amiss(&error))?;
            }
            if roots.len() == before {
                return Err(amiss(&"it holds no certificate"));
            }
        }
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(Internal::new)?
                .with_root_certificates(roots)
                .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Fetches are rare, and a ticket would let the server recognise a client.
        config.resumption = Resumption::disabled();
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Connects to one of the addresses, with TLS if the target's scheme is https.
    pub(super) async fn connect(
        &self,
        target: &Target,
        addresses: Vec<CheckedAddress>,
    ) -> Result<Box<dyn Stream>, FetchError> {
        let stream = first_to_connect(addresses.into_iter().map(CheckedAddress::address)).await?;
        if target.tls { self.over(stream, &target.host).await } else { Ok(Box::new(stream)) }
    }

    /// Opens TLS over `stream`. The server has to prove that it is `host`.
    pub async fn over(
        &self,
        stream: TcpStream,
        host: &Host,
    ) -> Result<Box<dyn Stream>, FetchError> {
        let name = match host {
            Host::Domain(name) => {
                ServerName::try_from(name.clone()).map_err(|_| FetchError::CertificateWrong)?
            }
            Host::Ipv4(address) => ServerName::IpAddress((*address).into()),
            Host::Ipv6(address) => ServerName::IpAddress((*address).into()),
        };
        match self.0.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => {
                let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
                Err(match cause {
                    Some(rustls::Error::InvalidCertificate(_)) => FetchError::CertificateWrong,
                    _ => FetchError::TlsFailed,
                })
            }
        }
    }
}

/// The first connection to one of the addresses, of which at most eight are tried (RFC 8305 §5).
pub async fn first_to_connect(
    addresses: impl Iterator<Item = SocketAddr>,
) -> Result<TcpStream, FetchError> {
    let mut attempts = JoinSet::new();
    for (turn, address) in (0..).zip(addresses.take(MAX_ATTEMPTS)) {
        attempts.spawn(async move {
            tokio::time::sleep(STAGGER * turn).await;
            TcpStream::connect(address).await
        });
    }
    let mut failed = FetchError::ConnectionRefused;
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            Ok(Ok(stream)) => return Ok(stream),
            // What the kernel answers where this process gave up the port (`contain`).
            Ok(Err(error)) if Errno::from_io_error(&error) == Some(Errno::ACCESS) => {
                failed = FetchError::Contained;
            }
            Ok(Err(_)) | Err(_) => {}
        }
    }
    Err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_that_holds_no_certificate_is_refused_at_once() {
        let garbage = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

        for pem in [&b""[..], b"no PEM", garbage] {
            assert!(Tls::new(Some(pem)).is_err());
        }
        assert!(Tls::new(None).is_ok());
    }
}
