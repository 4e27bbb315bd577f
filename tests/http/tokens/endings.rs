//! What an operator or a person ends is over at once, and stays over.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::client::SigningAlg;
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Server, Tokens};

async fn connected() -> (Server, Browser, RelyingParty, Tokens) {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    (server, ada, shop, tokens)
}

async fn only(server: &Server, noun: &str) -> Value {
    let listed = server.operate(Method::GET, &format!("/{noun}?user=ada"), json!({})).await.json();
    let listed = listed[noun].as_array().unwrap().clone();
    assert_eq!(listed.len(), 1, "{listed:?}");
    listed[0].clone()
}

/// Asserts that the tokens are worth nothing, and why the refresh token is refused.
async fn assert_over(shop: &RelyingParty, tokens: &Tokens, refusal: Refusal) {
    assert_eq!(shop.introspect(&tokens.access).await.json(), json!({ "active": false }));
    assert_eq!(shop.introspect(tokens.refresh()).await.json(), json!({ "active": false }));
    let refreshed = shop.refresh(tokens.refresh()).await;
    refreshed.refused(ErrorCode::InvalidGrant, refusal);
}

#[tokio::test]
async fn a_person_who_is_switched_off_is_out_and_what_they_had_does_not_come_back() {
    let (server, mut ada, shop, tokens) = connected().await;
    server.person("bob").await;
    server.operate(Method::PATCH, "/users/bob", json!({ "roles": ["admin"] })).await;
    let code = shop.code(&mut ada).await;

    let off = server.operate(Method::PATCH, "/users/ada", json!({ "disabled": true })).await;

    assert_eq!(off.json()["disabled"], true);
    assert_over(&shop, &tokens, Refusal::GrantEnded).await;
    assert!(ada.visit("/account").await.asks_to_sign_in());
    server.advance(Duration::from_secs(1));
    server.operate(Method::PATCH, "/users/ada", json!({ "disabled": false })).await;
    assert_over(&shop, &tokens, Refusal::GrantEnded).await;
    assert!(ada.visit("/account").await.asks_to_sign_in());
    shop.redeem(&code).await.refused(ErrorCode::InvalidGrant, Refusal::CodeEnded);
    let anew = shop.tokens(&mut ada).await;
    assert_eq!(shop.introspect(&anew.access).await.json()["active"], true);
}

#[tokio::test]
async fn a_revoked_session_takes_what_was_granted_in_it_along_offline_or_on_its_way() {
    let (server, mut ada, shop, tokens) = connected().await;
    let code = shop.code(&mut ada).await;
    let session = only(&server, "sessions").await;
    let path = format!("/sessions/{}", session["id"].as_str().unwrap());

    let revoked = server.operate(Method::DELETE, &path, json!({})).await;

    assert_eq!(revoked.json(), session);
    assert_over(&shop, &tokens, Refusal::RefreshUnknown).await;
    shop.redeem(&code).await.refused(ErrorCode::InvalidGrant, Refusal::CodeEnded);
    assert!(ada.visit("/account").await.asks_to_sign_in());
    let again = server.operate(Method::DELETE, &path, json!({})).await;
    again.refused(ErrorCode::NotFound, Refusal::SessionNotFound);
    // Another sign-in starts another session.
    ada.sign_in().await;
    assert_ne!(only(&server, "sessions").await["id"], session["id"]);
}

#[tokio::test]
async fn signing_out_leaves_offline_access_as_it_is() {
    let (_server, mut ada, shop, tokens) = connected().await;

    ada.sign_out().await;

    assert_eq!(shop.introspect(&tokens.access).await.json()["active"], true);
}

#[tokio::test]
async fn a_revoked_grant_ends_its_tokens_and_no_others() {
    let (server, mut ada, shop, tokens) = connected().await;
    let grant = only(&server, "grants").await;
    let other = shop.tokens(&mut ada).await;
    let path = format!("/grants/{}", grant["id"].as_str().unwrap());

    let revoked = server.operate(Method::DELETE, &path, json!({})).await;

    assert_eq!(revoked.json()["client_id"], "shop");
    assert_over(&shop, &tokens, Refusal::GrantEnded).await;
    assert_eq!(shop.introspect(&other.access).await.json()["active"], true);
    let again = server.operate(Method::DELETE, &path, json!({})).await;
    again.refused(ErrorCode::NotFound, Refusal::GrantNotFound);
}

#[tokio::test]
async fn a_person_disconnects_an_application_on_their_account_page() {
    let (server, mut ada, shop, tokens) = connected().await;
    let code = shop.code(&mut ada).await;
    let page = ada.visit("/account").await;
    assert!(page.text().contains("<bdi>Shop</bdi>"), "{}", page.text());

    let response = ada.submit("/gate/account/apps", &[("client_id", "shop")]).await;

    assert_eq!(response.location(), "/gate/account");
    assert!(!ada.visit("/account").await.text().contains("Shop"));
    assert_over(&shop, &tokens, Refusal::RefreshUnknown).await;
    shop.redeem(&code).await.refused(ErrorCode::InvalidGrant, Refusal::CodeEnded);
    assert!(ada.visit(&shop.request(&[])).await.asks_for_consent());
    server.advance(Duration::from_secs(1));
    let anew = shop.tokens(&mut ada).await;
    assert_eq!(shop.introspect(&anew.access).await.json()["active"], true);
}

#[tokio::test]
async fn a_person_signs_their_other_browser_out_and_nobody_elses() {
    let (server, mut ada, _shop, _tokens) = connected().await;
    let mut bob = server.person("bob").await;
    let elsewhere = only(&server, "sessions").await;
    let id = elsewhere["id"].as_str().unwrap();
    bob.visit("/account").await;

    let refused = bob.submit("/gate/account/sessions", &[("session", id)]).await;

    refused.refused(ErrorCode::NotFound, Refusal::SessionNotFound);
    ada.visit("/account").await;
    let ended = ada.submit("/gate/account/sessions", &[("session", id)]).await;
    assert_eq!(ended.location(), "/gate/account");
    assert!(ada.visit("/account").await.asks_to_sign_in());
}

#[tokio::test]
async fn a_removed_person_leaves_nothing_that_works() {
    let (server, _ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut bob).await;

    let removed = server.operate(Method::DELETE, "/users/bob", json!({})).await;

    assert_eq!(removed.json()["username"], "bob");
    assert_over(&shop, &tokens, Refusal::RefreshUnknown).await;
    let signed = bob.signed_challenge().await;
    let back = bob.finish_sign_in(&signed).await;
    back.refused(ErrorCode::PasskeyRemoved, Refusal::CredentialOfRemovedPerson);
    let again = server.operate(Method::DELETE, "/users/bob", json!({})).await;
    again.refused(ErrorCode::NotFound, Refusal::UserNotFound);
}

#[tokio::test]
async fn a_person_is_changed_by_what_is_named() {
    let (server, _ada) = Server::with_ada().await;
    let patch = json!({ "display_name": "Ada Lovelace", "email": "ada@example.org" });
    server.operate(Method::PATCH, "/users/ada", patch).await;

    let changed = server.operate(Method::PATCH, "/users/ada", json!({ "email": null })).await;

    let view = server.operate(Method::GET, "/users/ada", json!({})).await.json();
    assert_eq!(changed.json(), view);
    assert_eq!((&view["display_name"], &view["email"]), (&json!("Ada Lovelace"), &Value::Null));
    let demoted = server.operate(Method::PATCH, "/users/ada", json!({ "roles": ["user"] })).await;
    demoted.refused(ErrorCode::Conflict, Refusal::LastAdministrator);
}

#[tokio::test]
async fn a_token_is_explained_valid_or_not() {
    let (server, _ada, shop, tokens) = connected().await;
    let inspect = async |token: &str| {
        let asked = json!({ "token": token });
        server.operate(Method::POST, "/tokens/inspect", asked).await.json()
    };

    let access = inspect(&tokens.access).await;
    let refresh = inspect(tokens.refresh()).await;
    let id_token = inspect(tokens.id.as_deref().unwrap()).await;
    let nonsense = inspect("nonsense").await;
    let key = server.app.signing_key(SigningAlg::Es256).await.unwrap();
    let other = inspect(&key.sign("other+jwt", &json!({ "exp": u32::MAX })).unwrap()).await;
    let forged = inspect(&format!("{}AAAA", &tokens.access[..tokens.access.len() - 4])).await;

    assert_eq!((&access["kind"], &access["active"]), (&json!("access_token"), &json!(true)));
    assert_eq!(access["claims"]["client_id"], "shop");
    assert_eq!((&refresh["kind"], &refresh["active"]), (&json!("refresh_token"), &json!(true)));
    assert_eq!((&id_token["kind"], &id_token["active"]), (&json!("id_token"), &json!(true)));
    assert_eq!((&nonsense["kind"], &nonsense["active"]), (&json!("unknown"), &json!(false)));
    assert_eq!((&other["kind"], &other["active"]), (&json!("unknown"), &json!(false)));
    assert_eq!(forged["refusal"], "BearerTokenSignatureWrong");
    let asked = json!({ "token": tokens.access });
    server.operate(Method::POST, "/tokens/revoke", asked).await;
    assert_eq!(inspect(&tokens.access).await["refusal"], "BearerTokenRevoked");
    assert_eq!(shop.introspect(tokens.refresh()).await.json()["active"], true);
    let asked = json!({ "token": tokens.refresh() });
    server.operate(Method::POST, "/tokens/revoke", asked).await;
    assert_eq!(inspect(tokens.refresh()).await["refusal"], "GrantEnded");
    server.advance(Duration::from_hours(1));
    assert_eq!(inspect(&tokens.access).await["refusal"], "BearerTokenExpired");
    assert_eq!(inspect(tokens.id.as_deref().unwrap()).await["active"], false);
}
