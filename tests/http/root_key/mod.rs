//! The root key is rotated: nobody signs in anew, and what was never used since ends when the earlier
//! key is forgotten.

mod forgotten;

use std::collections::BTreeSet;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::client::SigningAlg;
use gatelodge::store::View as _;
use gatelodge::store::schema::{Installation, LastingKeyRow};
use serde_json::{Value, json};

use crate::bridge;
use crate::forward_auth::{Visit, WIKI};
use crate::links::{invitation, invited_by};
use crate::refusals::codes;
use crate::support::{Browser, RelyingParty, Response, Server, Signer, assert_to, decoded};

/// Replaces the root key.
pub(crate) async fn rotate(server: &Server) -> Value {
    let rotated = server.operate(Method::POST, "/keys/root/rotate", json!({})).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text());
    rotated.json()
}

/// Forgets the earlier root keys.
pub(crate) async fn forget(server: &Server) -> Value {
    let forgotten = server.operate(Method::POST, "/keys/root/forget", json!({})).await;
    assert_eq!(forgotten.status, 200, "{}", forgotten.text());
    forgotten.json()
}

/// The generations in force, the newest first.
fn generations(view: &Value) -> Vec<u64> {
    let keys = view["in_force"].as_array().unwrap();
    keys.iter().map(|key| key["generation"].as_u64().unwrap()).collect()
}

/// What a personal token brings.
async fn by_personal_token(server: &Server, pat: &str) -> Response {
    let bearer = format!("Bearer {pat}");
    let headers = [("authorization", bearer.as_str()), ("x-session-id", "s-1")];
    bridge::send(server, Method::POST, "/v1/auth/bridge/pat", &headers, &json!({})).await
}

/// The token of the key under which a refresh token was made.
fn key_of(refresh: &str) -> u8 {
    let encoded = refresh.strip_prefix("gl_rt_").unwrap();
    URL_SAFE_NO_PAD.decode(encoded).unwrap()[0]
}

#[tokio::test]
async fn a_rotation_adds_a_generation_and_says_which_are_in_force() {
    let (server, _ada) = Server::with_ada().await;

    let rotated = rotate(&server).await;
    let again = rotate(&server).await;

    assert_eq!((&rotated["rotated"], &rotated["went_on"]), (&true.into(), &false.into()));
    assert_eq!((generations(&rotated), generations(&again)), (vec![2, 1], vec![3, 2, 1]));
    let events = server.operate(Method::GET, "/events?kind=key.root_rotated", json!({})).await;
    let events = events.json();
    assert_eq!(events["events"].as_array().unwrap().len(), 2);
    let facts = |at: usize| events["events"][at]["facts"]["generation"].as_str().unwrap();
    assert_eq!(BTreeSet::from([facts(0), facts(1)]), BTreeSet::from(["2", "3"]));
}

#[tokio::test]
async fn a_session_that_is_a_key_goes_on_and_a_form_from_before_counts() {
    let (server, mut ada) = Server::with_ada().await;
    let page = ada.visit("/account").await;
    assert!(!page.asks_to_sign_in());

    rotate(&server).await;

    let sent = ada.submit("/gate/account/recovery-codes", &[]).await;
    assert!(sent.text().contains("<li><code>"), "{}", sent.text());
    assert!(!ada.visit("/account").await.asks_to_sign_in());
    forget(&server).await;
    assert!(!ada.visit("/account").await.asks_to_sign_in(), "it was used since");
}

#[tokio::test]
async fn a_session_that_is_a_cookie_goes_on_and_a_form_from_before_counts() {
    let server = Server::with("https://id.example".parse().unwrap(), |_| {}).await;
    let mut ada = server.first_administrator().await;
    ada.visit("/account").await;

    rotate(&server).await;

    let sent = ada.submit("/gate/account/recovery-codes", &[]).await;
    assert!(sent.text().contains("<li><code>"), "{}", sent.text());
    forget(&server).await;
    assert!(!ada.visit("/account").await.asks_to_sign_in(), "it was used since");
}

#[tokio::test]
async fn a_refresh_token_of_an_older_key_is_answered_with_one_of_the_newest() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let old = shop.tokens(&mut ada).await;
    assert_eq!(key_of(old.refresh()), 1);

    rotate(&server).await;
    let new = shop.refresh(old.refresh()).await.tokens();
    // Another program with the same token file.
    let shared = shop.refresh(old.refresh()).await.tokens();
    forget(&server).await;
    let newest = shop.refresh(new.refresh()).await.tokens();

    assert_eq!([&new, &shared, &newest].map(|tokens| key_of(tokens.refresh())), [2; 3]);
    assert_eq!(new.refresh(), shared.refresh());
    shop.refresh(old.refresh()).await.refused(ErrorCode::InvalidGrant, Refusal::RefreshUnknown);
    shop.refresh(newest.refresh()).await.tokens();
}

/// The answer to a spent token, within its grace, is the newest token under the newest key.
#[tokio::test]
async fn a_spent_token_within_its_grace_counts_as_a_use_since() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let old = shop.tokens(&mut ada).await;
    shop.refresh(old.refresh()).await.tokens();

    rotate(&server).await;
    let shared = shop.refresh(old.refresh()).await.tokens();
    forget(&server).await;

    assert_eq!(key_of(shared.refresh()), 2);
    shop.refresh(shared.refresh()).await.tokens();
}

#[tokio::test]
async fn a_replay_of_an_older_key_ends_its_grant() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let old = shop.tokens(&mut ada).await;
    rotate(&server).await;
    let new = shop.refresh(old.refresh()).await.tokens();
    server.advance(std::time::Duration::from_mins(5));

    let replayed = shop.refresh(old.refresh()).await;

    replayed.refused(ErrorCode::InvalidGrant, Refusal::RefreshReplayed);
    assert_ne!(shop.refresh(new.refresh()).await.status, 200);
}

#[tokio::test]
async fn what_was_begun_before_a_rotation_is_finished_after_it() {
    let (server, mut ada) = Server::with_ada().await;
    let (shop, telly) = (RelyingParty::web(&server).await, RelyingParty::tv(&server).await);
    let pushed = shop.push(&[]).await;
    let page = ada.visit(&shop.request(&[])).await;
    let device = telly.device().await;
    let signed = ada.signed_challenge().await;

    rotate(&server).await;

    let code = ada.decide(&page, "allow").await.brought().remove("code").unwrap();
    rotate(&server).await;
    shop.redeem(&code).await.tokens();
    let again = shop.redeem(&code).await;
    again.refused(ErrorCode::InvalidGrant, Refusal::CodeReplayed);
    let opened = ada.visit(&shop.pushed(&pushed)).await;
    assert!(opened.status.as_u16() < 400, "{}", opened.text());
    let page = ada.open_device(&device).await;
    ada.decide_on_device(&page, "allow").await;
    telly.poll(&device).await.tokens();
    let signed_in = ada.finish_sign_in(&signed).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text());
}

#[tokio::test]
async fn links_codes_and_tokens_open_what_they_did() {
    let (server, mut ada) = Server::with_ada().await;
    let codes = codes::made(&mut ada).await;
    let link = server.operate(Method::POST, "/users", json!({ "username": "bob" })).await.json();
    let invited = invitation(&server, json!({ "uses": 3 })).await;
    let pat = bridge::pat(&server).await;

    rotate(&server).await;

    let mut bob = Browser::new(&server);
    bob.enrol(link["setup_url"].as_str().unwrap(), None).await;
    assert!(!bob.visit("/account").await.asks_to_sign_in());
    assert!(invited_by(&server, &invited, "carol").await.is_ok());
    assert_eq!(by_personal_token(&server, &pat).await.status, 200);
    let mut elsewhere = Browser::new(&server);
    assert_eq!(codes::used(&mut elsewhere, &codes[0]).await.status, 200);
    assert!(ada.visit("/account").await.text().contains("9 recovery codes left"));

    forget(&server).await;

    assert_eq!(by_personal_token(&server, &pat).await.status, 200, "it was used since");
    assert!(invited_by(&server, &invited, "dave").await.is_ok(), "it was used since");
    assert!(!bob.visit("/account").await.asks_to_sign_in());
}

#[tokio::test]
async fn a_session_at_an_application_goes_on_and_outlives_the_older_key() {
    let (server, mut ada) = crate::forward_auth::installed().await;
    let mut visit = Visit::default();
    visit.enter(&mut ada, WIKI).await;

    rotate(&server).await;
    let after = visit.nginx(&server, WIKI).await;
    ada.visit("/account").await;
    forget(&server).await;
    let last = visit.nginx(&server, WIKI).await;

    assert_eq!((after.status.as_u16(), last.status.as_u16()), (200, 200));
    assert_eq!(last.header("remote-user"), "ada");
}

/// What is no secret is remembered whatever the root key is: it was used, and stays used.
#[tokio::test]
async fn what_was_used_once_stays_used_when_the_older_key_is_forgotten() {
    let (server, _ada) = Server::with_ada().await;
    let signer = Signer::new(SigningAlg::Es256);
    signer.register(&server, "signer").await;
    let assertion = signer.assertion(&server, "signer", &json!({}));
    assert_to(&server, &assertion).await.tokens();

    rotate(&server).await;
    forget(&server).await;

    let again = assert_to(&server, &assertion).await;
    again.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionReplayed);
}

#[tokio::test]
async fn no_pairwise_subject_changes_and_its_key_is_sealed_anew_each_time() {
    let (server, mut ada) = Server::with_ada().await;
    let registration = json!({
        "name": "Shop", "redirect_uris": ["https://shop.example/cb"],
        "subject_type": "pairwise", "sector": "shop.example",
    });
    let shop = server.client(registration).await;
    let sub = |tokens: &crate::support::Tokens| decoded(tokens.id()).1["sub"].clone();
    let sealed = || server.app.read().unwrap().find::<LastingKeyRow>(&()).unwrap();
    let before = sub(&shop.tokens(&mut ada).await);
    assert!(sealed().is_none());

    rotate(&server).await;
    let (rotated, first) = (sub(&shop.tokens(&mut ada).await), sealed().unwrap().sealed);
    forget(&server).await;
    rotate(&server).await;
    let (again, second) = (sub(&shop.tokens(&mut ada).await), sealed().unwrap().sealed);

    assert_eq!((&rotated, &again), (&before, &before));
    assert_eq!((first[0], second[0]), (2, 3));
}

/// Its tokens verify, and its key signs.
#[tokio::test]
async fn the_signing_keys_stay_and_are_sealed_under_the_newest_key_alone() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let before = shop.tokens(&mut ada).await;
    let published = server.get("/.well-known/jwks.json").await.json();

    rotate(&server).await;
    shop.refresh(before.refresh()).await.tokens();
    forget(&server).await;

    assert_eq!(server.get("/.well-known/jwks.json").await.json(), published);
    assert_eq!(shop.introspect(&before.access).await.json()["active"], true);
    let view = server.app.read().unwrap();
    let keys = gatelodge::flow::installation::signing::list(&view).unwrap();
    assert!(keys.iter().all(|(_, key)| key.sealed[0] == 2));
    let roots = view.find::<Installation>(&()).unwrap().unwrap().roots;
    assert_eq!(roots.iter().map(|root| root.generation).collect::<Vec<_>>(), [2]);
}

/// A key that was made meanwhile opens after the older root key is gone.
#[tokio::test]
async fn keys_that_are_made_after_a_rotation_are_of_the_newest() {
    let server = Server::without_keys().await;
    server.first_administrator().await;

    rotate(&server).await;
    server.app.make_missing_keys().await.unwrap();
    server.app.bridge_key().await.unwrap();
    forget(&server).await;
    rotate(&server).await;

    assert!(server.app.complete_keys().await.is_ok());
}

#[tokio::test]
async fn a_store_that_cannot_be_written_keeps_its_root_key() {
    let (server, disk) = Server::with_disk(|_| {}).await;
    let mut ada = server.first_administrator().await;

    disk.fail(true);
    let failed = server.operate(Method::POST, "/keys/root/rotate", json!({})).await;
    disk.fail(false);
    server.app.probe().await.unwrap();

    failed.refused(ErrorCode::TemporarilyUnavailable, Refusal::StoreUnwritable);
    assert!(!ada.visit("/account").await.asks_to_sign_in());
    assert_eq!(generations(&rotate(&server).await), [2, 1]);
}

#[tokio::test]
async fn doctor_tells_a_rotation_that_is_not_finished_and_a_secret_that_opens_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::on_disk(directory.path()).await;
    let key = directory.path().join("gatelodge.key");
    let written = || std::fs::read_to_string(&key).unwrap();
    let finding = async || {
        let view = server.operate(Method::GET, "/doctor/glance", json!({})).await.json();
        let checks = view["checks"].as_array().unwrap();
        checks.iter().find(|check| check["check"] == "root-key").unwrap().clone()
    };
    let at_first = finding().await;

    std::fs::write(&key, format!("{}\n{}", "5".repeat(64), written())).unwrap();
    let unfinished = finding().await;
    let rotated = rotate(&server).await;
    let both = finding().await;
    std::fs::write(&key, format!("{}{}\n", written(), "6".repeat(64))).unwrap();
    let other = finding().await;
    forget(&server).await;
    let at_last = finding().await;

    assert_eq!(
        (&at_first["state"], &both["state"], &at_last["state"]),
        (&"ok".into(), &"ok".into(), &"ok".into())
    );
    assert_eq!(unfinished["state"], "warning");
    assert!(unfinished["found"].as_str().unwrap().contains("not finished"), "{unfinished}");
    assert_eq!((&rotated["went_on"], generations(&rotated)), (&true.into(), vec![2, 1]));
    assert_eq!(other["state"], "warning");
    assert!(other["found"].as_str().unwrap().contains("opens nothing"), "{other}");
    assert_eq!(written(), format!("{}\n", "5".repeat(64)));
}
