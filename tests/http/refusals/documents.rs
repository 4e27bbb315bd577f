//! What is refused of clients that are named by the address of a document.

use std::time::Duration;

use gatelodge::config::Config;
use gatelodge::oauth::client::DocumentPolicy;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use crate::support::{Answer, Browser, RelyingParty, Server, Site};

/// What a site on loopback says of its client.
pub(crate) fn document(site: &Site) -> Value {
    json!({
        "client_id": site.url("/client.json"),
        "client_name": "Reader",
        "redirect_uris": [site.url("/cb")],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
    })
}

/// An authorization request of the client at `url`.
async fn asked_by(url: &str, change: impl FnOnce(&mut Config)) -> Answer {
    let server = Server::with(Issuer::localhost(7455), change).await;
    let client = json!({ "client_id": url, "redirect_uris": ["https://app.example/cb"] });
    server.get(&RelyingParty::new(&server, &client).request(&[])).await
}

/// An authorization request of a client whose site answers so.
async fn answered(answer: impl FnOnce(&Site)) -> Answer {
    let site = Site::new().await;
    answer(&site);
    asked_by(&site.url("/client.json"), |config| config.fetch.private = vec![site.listed()]).await
}

/// The same, with `name` in the document set to `value`.
async fn with(name: &str, value: Value) -> Answer {
    answered(|site| {
        let mut document = document(site);
        document[name] = value;
        site.serve(&document, "");
    })
    .await
}

pub(super) async fn an_address_with_dot_segments() -> Answer {
    asked_by("https://app.example/a/../client.json", |_| {}).await
}

pub(super) async fn a_private_address() -> Answer {
    asked_by("https://10.0.0.1/client.json", |_| {}).await
}

pub(super) async fn a_document_that_goes_away() -> Answer {
    let site = Site::new().await;
    site.serve(&document(&site), "");
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.fetch.private = vec![site.listed()];
    })
    .await;
    let mut ada: Browser = server.first_administrator().await;
    let client = RelyingParty::new(&server, &document(&site));
    let code = client.code(&mut ada).await;
    let tokens = client.redeem(&code).await.tokens();
    site.answer("404 Not Found", "");
    server.advance(Duration::from_mins(5));
    client.refresh(tokens.refresh()).await
}

pub(super) async fn a_host_that_is_not_listed() -> Answer {
    asked_by("https://app.example/client.json", |config| {
        config.documents.policy = DocumentPolicy::Listed;
        config.documents.hosts = vec!["other.example".to_owned()];
    })
    .await
}

pub(super) async fn a_document_that_is_a_page() -> Answer {
    answered(|site| site.answer("200 OK\r\nContent-Type: text/html", "<p>{}</p>")).await
}

pub(super) async fn a_document_of_somebody_else() -> Answer {
    with("client_id", "https://app.example/client.json".into()).await
}

pub(super) async fn a_document_while_offline() -> Answer {
    asked_by("https://app.example/client.json", |config| config.offline = true).await
}

pub(super) async fn a_document_that_moved() -> Answer {
    answered(|site| site.answer("302 Found\r\nLocation: https://app.example/", "")).await
}

pub(super) async fn a_document_that_is_missing() -> Answer {
    answered(|site| site.answer("404 Not Found\r\nContent-Type: application/json", "{}")).await
}

pub(super) async fn a_large_document() -> Answer {
    with("client_uri", "x".repeat(10 * 1024).into()).await
}

pub(super) async fn a_document_that_does_not_come() -> Answer {
    answered(|_| {}).await
}

pub(super) async fn a_document_nobody_serves() -> Answer {
    asked_by("http://127.0.0.1:1/client.json", |config| {
        config.fetch.private = vec!["127.0.0.1:1".to_owned()];
    })
    .await
}

pub(super) async fn a_document_with_a_secret() -> Answer {
    with("client_secret", "hush".into()).await
}
