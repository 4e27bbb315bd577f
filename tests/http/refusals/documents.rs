//! What is refused of clients that are named by the address of a document.

use std::time::Duration;

use gatelodge::config::Config;
use gatelodge::oauth::client::DocumentPolicy;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Response, Server, Site};

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
async fn asked_by(url: &str, change: impl FnOnce(&mut Config)) -> Response {
    let server = Server::with(Issuer::localhost(7455), change).await;
    let client = json!({ "client_id": url, "redirect_uris": ["https://app.example/cb"] });
    server.get(&RelyingParty::new(&server, &client).request(&[])).await
}

/// An authorization request of a client whose site is as `prepare` leaves it.
async fn with_site(prepare: impl FnOnce(&Site)) -> Response {
    let site = Site::new().await;
    prepare(&site);
    asked_by(&site.url("/client.json"), |config| config.fetch.private = vec![site.listed()]).await
}

/// The same, with `name` in the document set to `value`.
async fn with(name: &str, value: Value) -> Response {
    with_site(|site| {
        let mut document = document(site);
        document[name] = value;
        site.serve(&document, "");
    })
    .await
}

pub(super) async fn an_address_with_dot_segments() -> Response {
    asked_by("https://app.example/a/../client.json", |_| {}).await
}

pub(super) async fn a_private_address() -> Response {
    asked_by("https://10.0.0.1/client.json", |_| {}).await
}

pub(super) async fn a_document_that_goes_away() -> Response {
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
    site.respond("404 Not Found", "");
    server.advance(Duration::from_mins(5));
    client.refresh(tokens.refresh()).await
}

pub(super) async fn a_host_that_is_not_listed() -> Response {
    asked_by("https://app.example/client.json", |config| {
        config.documents.policy = DocumentPolicy::Listed;
        config.documents.hosts = vec!["other.example".to_owned()];
    })
    .await
}

pub(super) async fn a_document_that_is_a_page() -> Response {
    with_site(|site| site.respond("200 OK\r\nContent-Type: text/html", "<p>{}</p>")).await
}

pub(super) async fn a_document_of_somebody_else() -> Response {
    with("client_id", "https://app.example/client.json".into()).await
}

pub(super) async fn a_document_while_offline() -> Response {
    asked_by("https://app.example/client.json", |config| config.offline = true).await
}

pub(super) async fn a_document_that_moved() -> Response {
    with_site(|site| site.respond("302 Found\r\nLocation: https://app.example/", "")).await
}

pub(super) async fn a_document_that_is_missing() -> Response {
    with_site(|site| site.respond("404 Not Found\r\nContent-Type: application/json", "{}")).await
}

pub(super) async fn a_large_document() -> Response {
    with("client_uri", "x".repeat(10 * 1024).into()).await
}

pub(super) async fn a_document_that_does_not_come() -> Response {
    with_site(|_| {}).await
}

pub(super) async fn a_document_nobody_serves() -> Response {
    asked_by("http://127.0.0.1:1/client.json", |config| {
        config.fetch.private = vec!["127.0.0.1:1".to_owned()];
    })
    .await
}

pub(super) async fn a_document_with_a_secret() -> Response {
    with("client_secret", "hush".into()).await
}
