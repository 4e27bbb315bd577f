//! What an operator decides of clients that describe themselves.

use std::time::Duration;

use axum::http::Method;
use gatelodge::oauth::client::SigningAlg;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::oauth::params::form_encode;
use serde_json::{Value, json};

use super::registration::{manage, native};
use crate::refusals::documents::document;
use crate::support::{RelyingParty, Server, Signer, Site, register};

/// Decisions of every kind.
fn decisions() -> Value {
    json!({
        "access_token_lifetime": 60,
        "anonymous": true,
        "confirmation_waived": true,
        "enabled": true,
        "first_party": true,
        "introspect_any": true,
        "pkce": "nonce",
        "refresh": "strict",
        "resources": ["https://a.example"],
        "scope": "openid",
    })
}

async fn decide(server: &Server, id: &str, decisions: Value) -> Value {
    let id = form_encode([(id, "")]);
    let path = format!("/clients/{}", id.trim_end_matches('='));
    let response = server.operate(Method::PATCH, &path, decisions).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// What holds of a client, as far as it can be decided.
fn decided(of: &Value) -> Value {
    let members = decisions();
    let members = members.as_object().unwrap().keys();
    members.map(|name| (name.clone(), of[name].clone())).collect::<serde_json::Map<_, _>>().into()
}

/// RFC 7592 §2.2
#[tokio::test]
async fn an_update_of_its_registration_lifts_no_limit() {
    let server = Server::new().await;
    let mut stated = native();
    stated["token_endpoint_auth_method"] = "client_secret_basic".into();
    let registered = register(&server, stated.clone()).await.json();
    let id = registered["client_id"].as_str().unwrap();
    decide(&server, id, decisions()).await;
    let mut update = stated;
    update["client_id"] = id.into();
    update["client_name"] = "Other".into();
    update["scope"] = "openid profile email".into();

    let updated = manage(&server, Method::PUT, &registered, Some(update.clone())).await.json();

    let view = server.operate(Method::GET, &format!("/clients/{id}"), json!({})).await.json();
    assert_eq!((&view["name"], decided(&view)), (&json!("Other"), decisions()));
    assert_eq!(updated["scope"], "openid");

    decide(&server, id, json!({ "scope": null })).await;
    let updated = manage(&server, Method::PUT, &updated, Some(update)).await.json();
    assert_eq!(updated["scope"], "email offline_access openid profile");
}

#[tokio::test]
async fn another_document_lifts_no_limit() {
    let site = Site::new().await;
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.fetch.private = vec![site.listed()];
    })
    .await;
    let mut stated = document(&site);
    stated["token_endpoint_auth_method"] = "private_key_jwt".into();
    stated["jwks"] = json!({ "keys": [Signer::new(SigningAlg::Es256).jwk()] });
    let client = RelyingParty::new(&server, &stated);
    site.serve(&stated, "");
    server.get(&client.request(&[])).await;
    decide(&server, &client.id, decisions()).await;
    let mut other = stated;
    other["client_name"] = "Other".into();
    site.serve(&other, "");

    server.advance(Duration::from_hours(1));
    server.get(&client.request(&[])).await;

    let view = server.operate(Method::GET, "/clients", json!({})).await.json()["clients"][0].take();
    assert_eq!((&view["name"], decided(&view)), (&json!("Other"), decisions()));
}
