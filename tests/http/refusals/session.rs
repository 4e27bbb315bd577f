//! What is refused of the proofs of a session key.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use serde_json::Value;

use crate::support::{Browser, Response, Server, SessionKey};

const ACCOUNT: &str = "/gate/account";
const FINISH: &str = "/gate/webauthn/authenticate/finish";

/// A proof of ada's session for a page.
fn proof(ada: &Browser, target: &str) -> String {
    let challenge = ada.server.app.session_challenge();
    ada.key.as_ref().unwrap().proof(&challenge, "GET", target, b"")
}

/// Asks for the account page with `proof`.
async fn account_with(ada: &Browser, proof: &str) -> Response {
    let request = Request::get(ACCOUNT)
        .header("gatelodge-storage", &ada.storage)
        .header("gatelodge-proof", proof);
    ada.server.send(request.body(Body::empty()).unwrap()).await
}

/// Finishes a sign-in with `key` as that of the new session.
async fn finish_with(browser: &Browser, signed: &Value, key: Option<&SessionKey>) -> Response {
    let body = signed.to_string();
    let mut request = Request::post(FINISH)
        .header("content-type", "application/json")
        .header("sec-fetch-site", "same-origin")
        .header("x-csrf-token", &browser.csrf)
        .header("gatelodge-storage", &browser.storage);
    if let Some(key) = key {
        let challenge = browser.server.app.session_challenge();
        let proof = key.proof(&challenge, "POST", FINISH, body.as_bytes());
        request = request.header("gatelodge-new-key-proof", proof);
    }
    browser.server.send(request.body(Body::from(body)).unwrap()).await
}

pub(super) async fn a_key_that_has_a_session() -> Response {
    let (server, ada) = Server::with_ada().await;
    let mut browser = Browser::new(&server);
    browser.authenticator = ada.authenticator.clone();
    let signed = browser.signed_challenge().await;
    finish_with(&browser, &signed, ada.key.as_ref()).await
}

pub(super) async fn a_sign_in_without_a_key() -> Response {
    let (server, ada) = Server::with_ada().await;
    let mut browser = Browser::new(&server);
    browser.authenticator = ada.authenticator;
    let signed = browser.signed_challenge().await;
    finish_with(&browser, &signed, None).await
}

pub(super) async fn a_proof_after_its_time() -> Response {
    let (server, ada) = Server::with_ada().await;
    let proof = proof(&ada, ACCOUNT);
    server.advance(Duration::from_mins(1));
    account_with(&ada, &proof).await
}

pub(super) async fn a_proof_that_another_key_signed() -> Response {
    let (server, ada) = Server::with_ada().await;
    let own = proof(&ada, ACCOUNT);
    let challenge = server.app.session_challenge();
    let other = SessionKey::new().proof(&challenge, "GET", ACCOUNT, b"");
    let (signed, _) = own.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    account_with(&ada, &format!("{signed}.{signature}")).await
}

pub(super) async fn a_proof_for_another_page() -> Response {
    let (_server, ada) = Server::with_ada().await;
    account_with(&ada, &proof(&ada, "/gate/login")).await
}

pub(super) async fn a_proof_for_the_second_time() -> Response {
    let (_server, ada) = Server::with_ada().await;
    let proof = proof(&ada, ACCOUNT);
    assert_eq!(account_with(&ada, &proof).await.status, 200);
    account_with(&ada, &proof).await
}

pub(super) async fn more_proofs_than_are_remembered() -> Response {
    let (_server, ada) = Server::with_ada().await;
    for _ in 0..600 {
        let response = account_with(&ada, &proof(&ada, ACCOUNT)).await;
        assert_eq!(response.status, 200);
    }
    account_with(&ada, &proof(&ada, ACCOUNT)).await
}
