//! Pairwise subjects (OpenID Connect Core §8): what a person is called towards whom.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::params::form_encode;
use serde_json::json;

use crate::support::{RelyingParty, Server, decoded};

/// A client of that name in that sector.
async fn client(server: &Server, name: &str, sector: &str) -> RelyingParty {
    let registration = json!({
        "name": name,
        "client_id": name,
        "redirect_uris": [format!("https://{name}.example/cb")],
        "post_logout_redirect_uris": [format!("https://{name}.example/bye")],
        "subject_type": "pairwise",
        "sector": sector,
    });
    server.client(registration).await
}

#[tokio::test]
async fn a_person_has_one_name_in_each_sector_and_everywhere_the_same() {
    let (server, mut ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let shop = client(&server, "shop", "shop.example").await;
    let till = client(&server, "till", "shop.example").await;
    let bank = client(&server, "bank", "bank.example").await;
    let open = RelyingParty::spa(&server).await;

    let mut subs = Vec::new();
    for client in [&shop, &till, &bank, &open] {
        let tokens = client.tokens(&mut ada).await;
        let sub = decoded(tokens.id()).1["sub"].clone();
        let refreshed = client.refresh(tokens.refresh()).await.tokens();
        for tokens in [tokens, refreshed] {
            assert_eq!(decoded(tokens.id()).1["sub"], sub);
            assert_eq!(decoded(&tokens.access).1["sub"], sub);
            assert_eq!(client.userinfo(&tokens.access).await.json()["sub"], sub);
        }
        subs.push(sub);
    }
    let of_bob = decoded(shop.tokens(&mut bob).await.id()).1["sub"].clone();

    let [in_shop, in_till, in_bank, public] = &subs[..] else { unreachable!() };
    assert_eq!(in_shop, in_till);
    assert_ne!(in_shop, in_bank);
    assert!(![in_shop, in_bank].contains(&public));
    assert!(!subs.contains(&of_bob));
}

/// §8.1: the host component of a URL.
#[tokio::test]
async fn a_sector_is_a_host() {
    let server = Server::new().await;

    for sector in ["", "Bank.example", "bank.example/", "bank example", "ada@bank.example"] {
        let registration = json!({
            "name": "Bank", "redirect_uris": ["https://bank.example/cb"],
            "subject_type": "pairwise", "sector": sector,
        });
        let response = server.operate(Method::POST, "/clients", registration).await;

        response.refused(ErrorCode::InvalidClientMetadata, Refusal::WebUriMalformed);
    }
}

#[tokio::test]
async fn a_hint_counts_for_the_client_it_was_issued_to_alone() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = client(&server, "shop", "shop.example").await;
    let till = client(&server, "till", "shop.example").await;
    let tokens = shop.tokens(&mut ada).await;
    till.code(&mut ada).await;
    let asked = [("id_token_hint", tokens.id()), ("prompt", "none")];

    let own = ada.visit(&shop.request(&asked)).await;
    let other = ada.visit(&till.request(&asked)).await;

    assert!(own.brought().contains_key("code"));
    other.refused(ErrorCode::InvalidRequest, Refusal::IdTokenHintClientDiffers);
}

#[tokio::test]
async fn a_sub_is_asked_for_as_the_client_knows_it() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = client(&server, "shop", "shop.example").await;
    let own = decoded(shop.tokens(&mut ada).await.id()).1["sub"].clone();
    let claims = json!({ "id_token": { "sub": { "value": own } } }).to_string();

    let response = ada.visit(&shop.request(&[("prompt", "none"), ("claims", &claims)])).await;

    assert!(response.brought().contains_key("code"));
}

/// Two clients of different sectors see nothing in common of a person, not even the session.
#[tokio::test]
async fn a_session_has_one_name_in_each_sector() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = client(&server, "shop", "shop.example").await;
    let till = client(&server, "till", "shop.example").await;
    let bank = client(&server, "bank", "bank.example").await;
    let open = RelyingParty::spa(&server).await;

    let mut sids = Vec::new();
    for client in [&shop, &till, &bank, &open] {
        let tokens = client.tokens(&mut ada).await;
        let sid = decoded(tokens.id()).1["sid"].clone();
        let refreshed = client.refresh(tokens.refresh()).await.tokens();
        for tokens in [&tokens, &refreshed] {
            assert_eq!(decoded(tokens.id()).1["sid"], sid);
            assert_eq!(decoded(&tokens.access).1["sid"], sid);
        }
        if client.secret.is_some() {
            assert_eq!(client.introspect(&refreshed.access).await.json()["sid"], sid);
            assert_eq!(client.introspect(refreshed.refresh()).await.json()["sid"], sid);
        }
        sids.push(sid);
    }

    let [in_shop, in_till, in_bank, public] = &sids[..] else { unreachable!() };
    assert_eq!(in_shop, in_till);
    assert_ne!(in_shop, in_bank);
    assert!(![in_shop, in_bank].contains(&public));
}

#[tokio::test]
async fn a_logout_hint_names_the_person_as_the_client_knows_them() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = client(&server, "shop", "shop.example").await;
    let tokens = shop.tokens(&mut ada).await;
    let params =
        [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", "https://shop.example/bye")];

    let response = ada.visit(&format!("/oauth/logout?{}", form_encode(params))).await;

    assert_eq!(response.location(), "https://shop.example/bye");
    assert!(ada.visit("/account").await.asks_to_sign_in());
}

#[tokio::test]
async fn a_hint_of_such_a_client_ends_its_session_without_a_browser() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = client(&server, "shop", "shop.example").await;
    let tokens = shop.tokens(&mut ada).await;

    let query = form_encode([("id_token_hint", tokens.id())]);
    let response = server.get(&format!("/oauth/logout?{query}")).await;

    assert_eq!(response.location(), "/gate/logged-out");
    assert!(ada.visit("/account").await.asks_to_sign_in());
}
