//! Whose certificates are trusted.

use gatelodge::fetch::{Asker, FetchError, Fetched, Fetcher, Settings};
use gatelodge::model::named_by::NamedBy;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::nameserver::Nameserver;
use crate::origin::{Certificate, Origin};
use crate::{PLENTY, settings};

/// What comes of fetching from `host` at a server with this certificate, where `ca` is trusted.
async fn got(
    host: &str,
    certificate: Certificate,
    ca: Option<Vec<u8>>,
) -> Result<Fetched, FetchError> {
    let origin = Origin::over_tls(certificate).await;
    let nameserver = Nameserver::saying(&["127.0.0.1"]).await;
    let trusting = Settings { ca, ..settings(&nameserver, &[origin.listed(host)]) };
    let fetched = Fetcher::new(&trusting)
        .unwrap()
        .json(Asker::Operator, NamedBy::Stranger, &origin.url("https", host), PLENTY)
        .await;
    // No request is spoken to a server that did not prove itself.
    assert_eq!(origin.requests().len(), usize::from(fetched.is_ok()));
    fetched
}

#[tokio::test]
async fn a_certificate_of_the_ca_file_is_trusted_for_its_host() {
    for host in ["shop.test", "127.0.0.1"] {
        let certificate = Certificate::of(host);
        let ca = certificate.ca.clone();

        assert!(got(host, certificate, Some(ca)).await.is_ok(), "{host}");
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let without = got("shop.test", Certificate::of("shop.test"), None).await;
    let another = Certificate::of("shop.test").ca;
    let with_another = got("shop.test", Certificate::of("shop.test"), Some(another)).await;

    assert_eq!(without, Err(FetchError::CertificateWrong));
    assert_eq!(with_another, Err(FetchError::CertificateWrong));
}

#[tokio::test]
async fn a_certificate_of_another_host_is_refused() {
    for other in ["other.test", "a.shop.test", "127.0.0.1"] {
        let certificate = Certificate::of(other);
        let ca = certificate.ca.clone();

        let got = got("shop.test", certificate, Some(ca)).await;

        assert_eq!(got, Err(FetchError::CertificateWrong), "{other}");
    }
}

#[tokio::test]
async fn a_certificate_whose_time_is_over_is_refused() {
    let certificate = Certificate::expired("shop.test");
    let ca = certificate.ca.clone();

    assert_eq!(got("shop.test", certificate, Some(ca)).await, Err(FetchError::CertificateWrong));
}

#[tokio::test]
async fn a_server_without_tls_is_no_https_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let private = vec![host.clone()];
    let fetcher = Fetcher::new(&Settings { private, ..Settings::default() }).unwrap();
    let url = format!("https://{host}/").parse().unwrap();

    let plain = async {
        let mut stream = listener.accept().await.unwrap().0;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        stream
    };
    let (got, _stream) =
        tokio::join!(fetcher.json(Asker::Operator, NamedBy::Stranger, &url, PLENTY), plain);

    assert_eq!(got, Err(FetchError::TlsFailed));
}

#[tokio::test]
async fn a_ca_file_without_a_certificate_is_told_when_the_fetcher_is_made() {
    let settings = Settings { ca: Some(b"nothing".to_vec()), ..Settings::default() };

    let made = Fetcher::new(&settings);

    assert_eq!(made.err().unwrap().to_string(), "the CA file: it holds no certificate");
}
