//! A recovery, and what it ends of what is there.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::{made, newest};
use crate::support::{Browser, RelyingParty, Server};

async fn passkeys(server: &Server) -> Value {
    server.operate(Method::GET, "/users/ada", json!({})).await.json()["passkeys"].clone()
}

#[tokio::test]
async fn a_recovery_ends_passkeys_at_once_where_it_says_so() {
    let (server, mut ada) = Server::with_ada().await;
    let signed = ada.signed_challenge().await;

    let asked = json!({ "username": "ada", "end_passkeys": true });
    let recovered = made(&server, "/recover", asked).await;

    assert_eq!(
        (&recovered["ended_passkeys"], &recovered["ended_sessions"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(passkeys(&server).await, 0);
    // The sign-in that was under way, too.
    let refused = ada.finish_sign_in(&signed).await;
    refused.refused(ErrorCode::PasskeyRemoved, Refusal::CredentialRemoved);
    assert!(!ada.visit("/account").await.asks_to_sign_in());
    let event = newest(&server, "link.issued").await;
    assert_eq!(event["facts"]["ended_passkeys"], "1");
    let mut elsewhere = Browser::new(&server);
    elsewhere.enrol(recovered["setup_url"].as_str().unwrap(), None).await;
    assert_eq!(passkeys(&server).await, 1);
}

#[tokio::test]
async fn a_recovery_ends_sessions_with_their_grants_at_once_where_it_says_so() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let mut thief = Browser::new(&server);
    std::mem::swap(&mut thief.authenticator, &mut ada.authenticator);
    thief.sign_in().await;
    std::mem::swap(&mut thief.authenticator, &mut ada.authenticator);
    let bridge = made(&server, "/bridge/tokens", json!({ "username": "ada" })).await;

    let asked = json!({ "username": "ada", "end_sessions": true });
    let recovered = made(&server, "/recover", asked).await;

    assert_eq!(
        (&recovered["ended_passkeys"], &recovered["ended_sessions"]),
        (&json!(0), &json!(2))
    );
    assert!(ada.visit("/account").await.asks_to_sign_in());
    assert!(thief.visit("/account").await.asks_to_sign_in());
    assert_eq!(shop.userinfo(&tokens.access).await.status, 401);
    let refreshed = shop.refresh(tokens.refresh()).await;
    assert_eq!(refreshed.status, 400, "{}", refreshed.text());
    // Bridges are another thing, and go on.
    let sessions = server.operate(Method::GET, "/sessions?user=ada", json!({})).await.json();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(sessions["sessions"][0]["id"], bridge["session_id"]);
    // The passkey is there, and signs in anew.
    ada.sign_in().await;
    assert!(!ada.visit("/account").await.asks_to_sign_in());
}

/// More sessions than a step of a removal takes.
#[tokio::test]
async fn very_many_sessions_end_at_once() {
    let (server, ada) = Server::with_ada().await;
    let mut browsers = Vec::new();
    let mut authenticator = ada.authenticator;
    for _ in 0..120 {
        let mut browser = Browser::new(&server);
        std::mem::swap(&mut browser.authenticator, &mut authenticator);
        browser.sign_in().await;
        std::mem::swap(&mut browser.authenticator, &mut authenticator);
        browsers.push(browser);
    }

    let asked = json!({ "username": "ada", "end_sessions": true });
    let recovered = made(&server, "/recover", asked).await;

    assert_eq!(recovered["ended_sessions"], 121);
    for browser in &mut browsers {
        assert!(browser.visit("/account").await.asks_to_sign_in());
    }
}

#[tokio::test]
async fn a_further_passkey_ends_nothing_and_merges_nobody() {
    let (server, mut ada) = Server::with_ada().await;
    let both = json!({ "username": "ada", "further": true, "end_sessions": true });
    let refused = server.operate(Method::POST, "/recover", both).await;

    let asked = json!({ "username": "ada", "further": true });
    let link = made(&server, "/recover", asked).await;
    let mut elsewhere = Browser::new(&server);
    let token = elsewhere.open_link(link["setup_url"].as_str().unwrap()).await;
    let seen = elsewhere.call("/gate/setup", &json!({ "token": token })).await.json();
    let started = elsewhere.call("/gate/webauthn/register/start", &json!({ "token": token })).await;
    elsewhere.enrol(link["setup_url"].as_str().unwrap(), None).await;

    let why = "a further passkey is beside what is there, and ends none of it";
    refused.refused(ErrorCode::InvalidRequest, Refusal::MemberMalformed("further", why));
    assert_eq!((&seen["purpose"], &seen["takes_email"]), (&json!("further"), &json!(false)));
    let excluded = &started.json()["publicKey"]["excludeCredentials"];
    assert_eq!(excluded.as_array().unwrap().len(), 1);
    assert_eq!(passkeys(&server).await, 2);
    assert!(!ada.visit("/account").await.asks_to_sign_in());
}

#[tokio::test]
async fn nobody_in_particular_has_nothing_that_ends() {
    let server = Server::new().await;

    let asked = json!({ "end_passkeys": true });
    let refused = server.operate(Method::POST, "/recover", asked).await;

    refused.refused(ErrorCode::InvalidRequest, Refusal::UsernameMissing);
}
