//! `/trust`: where a device learns to trust the local CA.

use axum::http::Method;
use gatelodge::config::TlsMode;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::tls::Authority;
use serde_json::Value;

use crate::support::{BEGINNING, Browser, Server};

/// A server with a local CA, and the directory of that.
async fn on_a_lan() -> (Server, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::with("https://nas.lan:7455".parse().unwrap(), |config| {
        config.tls.mode = TlsMode::Local;
        directory.path().clone_into(&mut config.places.data);
    });
    (server.await, directory)
}

#[tokio::test]
async fn anybody_sees_the_fingerprint_of_the_ca_in_every_way_and_downloads_its_certificate() {
    let (server, directory) = on_a_lan().await;

    let page = Browser::new(&server).visit("/trust").await;
    let file = server.get("/trust/gatelodge-ca.crt").await;

    let ca = Authority::at(directory.path(), &[], BEGINNING).unwrap();
    let fingerprint = ca.certificate().fingerprint;
    assert_eq!((page.status.as_u16(), page.header("set-cookie")), (200, ""));
    let text = page.text();
    for row in fingerprint.spoken().chunks(4) {
        assert!(text.contains(&row.join(" ")), "{row:?}: {text}");
    }
    let hex: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    assert!(hex.contains(&fingerprint.to_string().to_uppercase()), "{text}");
    assert!(text.contains("<svg ") && text.contains(&ca.name()), "{text}");
    assert!(text.contains("href=\"/trust/gatelodge-ca.crt\""), "{text}");
    assert_eq!(file.header("content-type"), "application/x-x509-ca-cert");
    assert_eq!(file.text(), ca.pem());
}

#[tokio::test]
async fn the_steps_of_the_system_that_asks_are_open() {
    let (server, _directory) = on_a_lan().await;
    let mut phone = Browser::new(&server);
    phone.headers = vec![("user-agent", "Mozilla/5.0 (Linux; Android 15) Chrome/142")];

    let page = phone.visit("/trust").await;

    let open: Vec<_> = page.text().split("<details open>\n<summary>").skip(1).collect();
    assert!(open.len() == 1 && open[0].starts_with("<bdi>Android</bdi>"), "{}", page.text());
}

#[tokio::test]
async fn every_page_of_a_server_with_a_local_ca_leads_there_in_the_persons_language() {
    let (server, _directory) = on_a_lan().await;
    let mut anna = Browser::new(&server);
    anna.headers = vec![("accept-language", "de")];

    let page = anna.visit("/gate/login").await;
    let trust = anna.visit("/trust").await;
    let elsewhere = Browser::new(&Server::new().await).visit("/gate/login").await;

    assert!(
        page.text().contains("<a href=\"/trust\">Diesem Server vertrauen</a>"),
        "{}",
        page.text()
    );
    assert!(trust.text().contains("<h1>Diesem Server vertrauen</h1>"), "{}", trust.text());
    assert!(!elsewhere.text().contains("/trust"), "{}", elsewhere.text());
}

#[tokio::test]
async fn where_there_is_no_ca_none_is_made_for_whoever_asks() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::with("https://id.example".parse().unwrap(), |config| {
        directory.path().clone_into(&mut config.places.data);
    })
    .await;

    for path in ["/trust", "/trust/gatelodge-ca.crt"] {
        server.get(path).await.refused(ErrorCode::NotFound, Refusal::LocalAuthorityAbsent);
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    assert_eq!(server.operate(Method::GET, "/tls", Value::Null).await.json()["ca"], Value::Null);

    std::fs::write(Authority::path(directory.path()), "nonsense").unwrap();
    server.get("/trust").await.refused(ErrorCode::NotFound, Refusal::LocalAuthorityAbsent);
    std::fs::remove_file(Authority::path(directory.path())).unwrap();

    // One that issues for services beside this one has its page too.
    Authority::at(directory.path(), &[], BEGINNING).unwrap();
    assert_eq!(server.get("/trust").await.status.as_u16(), 200);
}
