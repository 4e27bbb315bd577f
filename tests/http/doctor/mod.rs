//! What a server finds of itself when an operator has it examined.

mod arrival;

use axum::http::Method;
use gatelodge::clock::Timestamp;
use gatelodge::oauth::client::SigningAlg;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use crate::clients::documents::reaching;
use crate::refusals::documents::document;
use crate::support::{BEGINNING, RelyingParty, Server, Signer, Site};

/// The findings of one check.
async fn examined(server: &Server, check: &str) -> Vec<Value> {
    let response = server.operate(Method::GET, "/doctor", json!({})).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let view = response.json();
    let checks = view["checks"].as_array().unwrap();
    checks.iter().filter(|own| own["check"] == check).cloned().collect()
}

/// Asserts that a check has one finding of this state, which says these things.
async fn has(server: &Server, check: &str, state: &str, parts: &[&str]) {
    let findings = examined(server, check).await;
    let [one] = &findings[..] else { panic!("{check}: {findings:?}") };
    assert_eq!(one["state"], state, "{one}");
    for part in parts {
        assert!(one.to_string().contains(part), "{part:?} is not in {one}");
    }
}

#[tokio::test]
async fn a_document_that_is_gone_or_of_another_client_is_named() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    site.serve(&document(&site), "");
    RelyingParty::new(&server, &document(&site)).tokens(&mut ada).await;

    has(&server, "client-addresses", "ok", &["reached: 1"]).await;
    site.respond("404 Not Found", "");
    let remedy = format!("gatelodge client import {} FILE", site.url("/client.json"));
    has(&server, "client-addresses", "warning", &["its document", "404", &remedy]).await;
    let mut other = document(&site);
    other["client_id"] = "https://other.example/client.json".into();
    site.serve(&other, "");
    has(&server, "client-addresses", "warning", &["its document", "mended", &remedy]).await;
}

/// Anybody names as many as they like.
#[tokio::test]
async fn what_a_stranger_named_and_nobody_uses_is_not_fetched() {
    let site = Site::new().await;
    let (server, _ada) = reaching(&site, |_| {}).await;
    site.serve(&document(&site), "");
    server.get(&RelyingParty::new(&server, &document(&site)).request(&[])).await;
    let before = site.asked();

    has(&server, "client-addresses", "ok", &["no client has an address"]).await;

    assert_eq!((before, site.asked()), (1, 1));
}

#[tokio::test]
async fn keys_that_are_none_are_named() {
    let site = Site::new().await;
    let server = Server::new().await;
    let keys = json!({ "keys": [Signer::new(SigningAlg::Es256).jwk()] });
    site.serve(&keys, "");
    let billing = json!({
        "name": "Billing", "client_id": "billing", "jwks_uri": site.url("/jwks.json"),
        "token_endpoint_auth_method": "private_key_jwt",
    });
    let added = server.operate(Method::POST, "/clients", billing).await;
    assert_eq!(added.status, 201, "{}", added.text());

    has(&server, "client-addresses", "ok", &[]).await;
    site.serve(&json!({ "keys": "none" }), "");
    let remedy = "gatelodge client set billing --jwks-uri URL";
    has(&server, "client-addresses", "warning", &["its keys", "JWK Set", remedy]).await;
}

#[tokio::test]
async fn fifty_clients_are_tried_at_most() {
    let site = Site::new().await;
    site.respond("200 OK", "");
    let server = Server::new().await;
    for number in 0..55 {
        let client = json!({
            "name": "Shop", "client_id": format!("shop-{number}"), "scope": "openid",
            "redirect_uris": ["https://shop.example/cb"],
            "backchannel_logout_uri": site.url("/logout"),
        });
        server.operate(Method::POST, "/clients", client).await;
    }

    has(&server, "client-addresses", "ok", &["reached: 50"]).await;

    assert_eq!(site.asked(), 50);
}

#[tokio::test]
async fn an_offline_installation_tries_no_other_machine() {
    let server = Server::with(Issuer::localhost(7455), |config| config.offline = true).await;
    let client = json!({
        "name": "Shop", "client_id": "shop", "redirect_uris": ["https://shop.example/cb"],
        "scope": "openid", "backchannel_logout_uri": "https://shop.example/out",
    });
    server.operate(Method::POST, "/clients", client).await;

    has(&server, "client-addresses", "skipped", &["offline"]).await;
}

#[tokio::test]
async fn a_clock_that_jumped_is_told() {
    let server = Server::new().await;
    has(&server, "clock", "ok", &[&BEGINNING.rfc3339()]).await;

    let jumped = Timestamp::from_seconds(BEGINNING.seconds() + 3 * 86_400);
    server.app.clock().set(jumped);

    has(&server, "clock", "warning", &["the clock jumped", "after an hour"]).await;
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_is_a_problem() {
    let (server, disk) = Server::with_disk(|_| {}).await;
    has(&server, "store", "ok", &[]).await;

    disk.fail(true);

    has(&server, "store", "problem", &["cannot be written", "make room"]).await;
}
