//! Signing keys that were made by a clock that was ahead.

use std::collections::BTreeSet;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::keys::KeyState;
use gatelodge::oauth::client::SigningAlg;
use gatelodge::store::View as _;
use gatelodge::store::schema::SigningKeyRow;
use serde_json::{Value, json};

use super::{DAY, HOUR, MINUTE, YEAR, set};
use crate::support::{BEGINNING, RelyingParty, Server, decoded};

fn rows(server: &Server) -> Vec<SigningKeyRow> {
    let rows = server.app.read().unwrap().list::<SigningKeyRow>(100).unwrap();
    rows.into_iter().map(|(_, row)| row).collect()
}

async fn published(server: &Server) -> BTreeSet<String> {
    let keys = server.get("/.well-known/jwks.json").await.json();
    let kid = |key: &serde_json::Value| key["kid"].as_str().unwrap().to_owned();
    keys["keys"].as_array().unwrap().iter().map(kid).collect()
}

#[tokio::test]
async fn keys_made_by_a_clock_ahead_sign_and_are_published_at_once() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    set(&server, BEGINNING - HOUR);

    assert_eq!(server.get("/readyz").await.status, 200);
    assert_eq!(published(&server).await.len(), 3);
    ada.sign_in().await;
    let tokens = shop.tokens(&mut ada).await;
    assert_eq!(shop.userinfo(&tokens.access).await.status, 200);
    shop.refresh(tokens.refresh()).await.tokens();
}

#[tokio::test]
async fn the_rotation_of_keys_made_by_a_clock_ahead_counts_from_the_correction() {
    let server = Server::new().await;
    set(&server, BEGINNING - YEAR);
    server.app.rotate_keys().await.unwrap();
    assert!(rows(&server).iter().all(|key| key.created == BEGINNING), "the clock is in doubt");

    server.advance(HOUR);
    server.app.rotate_keys().await.unwrap();

    let now = BEGINNING - YEAR + HOUR;
    assert!(rows(&server).iter().all(|key| (key.created, key.active) == (now, now)));
    let first = published(&server).await;
    server.advance(DAY * 89);
    server.app.rotate_keys().await.unwrap();
    assert_eq!(published(&server).await.len(), 6);
    server.advance(DAY * 2);
    assert!(published(&server).await.is_disjoint(&first));
}

#[tokio::test]
async fn no_key_is_rotated_by_a_clock_in_doubt() {
    let server = Server::new().await;

    set(&server, BEGINNING + YEAR);
    server.app.rotate_keys().await.unwrap();
    server.advance(MINUTE * 59);
    server.app.rotate_keys().await.unwrap();
    assert_eq!(rows(&server).len(), 3);
    server.advance(MINUTE);
    server.app.rotate_keys().await.unwrap();

    assert_eq!(rows(&server).len(), 6);
}

#[tokio::test]
async fn a_key_that_a_clock_ahead_retired_retires_in_time_after_the_correction() {
    let server = Server::new().await;
    set(&server, BEGINNING + YEAR);
    server.advance(HOUR);
    server.app.rotate_keys().await.unwrap();
    set(&server, BEGINNING);
    assert_eq!(published(&server).await.len(), 6);
    assert!(server.app.signing_key(SigningAlg::Es256).await.is_ok());

    server.advance(HOUR);
    server.app.rotate_keys().await.unwrap();

    let latest = rows(&server).iter().filter_map(|key| key.retires).map(|end| end.at).max();
    assert_eq!(latest, Some(BEGINNING + HOUR + DAY * 2));
    server.advance(DAY * 2);
    assert_eq!(published(&server).await.len(), 3);
}

/// Whoever has to revoke a leaked key cannot wait for the clock.
#[tokio::test]
async fn an_operator_rotates_by_a_clock_in_doubt_only_what_signs_at_once() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    set(&server, BEGINNING + YEAR);

    let waiting = server.operate(Method::POST, "/keys/rotate", json!({})).await;
    let now = server.operate(Method::POST, "/keys/rotate", json!({ "now": true })).await;

    waiting.refused(ErrorCode::Conflict, Refusal::ClockInDoubt);
    assert_eq!(now.status, 200, "{}", now.text());
    let new: Vec<Value> = now.json()["rotated"].as_array().unwrap().clone();
    let signing = async || {
        let tokens = robot.ask(&[("grant_type", "client_credentials")]).await.tokens();
        decoded(&tokens.access).0["kid"].clone()
    };
    let kid = &new.iter().find(|key| key["algorithm"] == "ES256").unwrap()["kid"];
    assert_eq!(signing().await, *kid);
    set(&server, BEGINNING);
    server.app.rotate_keys().await.unwrap();
    assert_eq!(signing().await, *kid, "after the correction, too");
    server.advance(YEAR + DAY);
    assert_eq!(signing().await, *kid, "and when the time comes in which it was made");
}

/// The key that was made ahead would take over when its time comes.
#[tokio::test]
async fn a_key_made_by_a_clock_ahead_never_replaces_its_successor() {
    let server = Server::new().await;
    set(&server, BEGINNING - YEAR);
    let now = server.operate(Method::POST, "/keys/rotate", json!({ "now": true })).await.json();

    let new: BTreeSet<&str> =
        now["rotated"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    let signing = |server: &Server| -> BTreeSet<String> {
        let standings = server.app.keys().standings(server.app.clock().now());
        let signing = standings.into_iter().filter(|key| key.state == KeyState::Signing);
        signing.map(|key| key.id.as_str().to_owned()).collect()
    };
    for advance in [MINUTE, YEAR, YEAR] {
        assert!(signing(&server).iter().all(|kid| new.contains(kid.as_str())));
        server.advance(advance);
    }
}
