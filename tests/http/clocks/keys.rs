//! Signing keys that were made by a clock that was ahead.

use std::collections::BTreeSet;

use gatelodge::oauth::client::SigningAlg;
use gatelodge::store::View as _;
use gatelodge::store::schema::SigningKeyRow;

use super::{DAY, HOUR, MINUTE, YEAR, set};
use crate::support::{BEGINNING, RelyingParty, Server};

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
