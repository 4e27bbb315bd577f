//! A clock that jumps by more than a day is in doubt: nothing is removed for its age until it has run
//! steadily for an hour. What lives comes back with the correction, what has ended does not.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::store::schema::{Client, Grant, Session};
use serde_json::json;

use super::{DAY, HOUR, MINUTE, YEAR, recorded, set, stored, sweep_all};
use crate::support::{BEGINNING, Browser, RelyingParty, Server, register};

async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.visit("/account").await.text().contains("ada")
}

#[tokio::test]
async fn sessions_and_refresh_tokens_outlive_a_clock_that_was_a_year_ahead() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;

    set(&server, BEGINNING + YEAR);
    sweep_all(&server).await;
    server.advance(MINUTE * 59);
    sweep_all(&server).await;
    assert_eq!(shop.refresh(tokens.refresh()).await.status, 400, "the clock says so");
    set(&server, BEGINNING + HOUR);

    assert!(is_signed_in(&mut ada).await);
    let next = shop.refresh(tokens.refresh()).await.tokens();
    assert_eq!(shop.userinfo(&next.access).await.status, 200);
}

#[tokio::test]
async fn what_ended_does_not_come_back() {
    let (server, mut ada) = Server::with_ada().await;
    let mut phone = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let (before, during) = (shop.tokens(&mut ada).await, shop.tokens(&mut phone).await);
    let spent = shop.tokens(&mut phone).await;
    shop.refresh(spent.refresh()).await.tokens();
    shop.revoke(before.refresh()).await;

    set(&server, BEGINNING + YEAR);
    sweep_all(&server).await;
    shop.revoke(during.refresh()).await;
    set(&server, BEGINNING + HOUR);

    for ended in [&before, &during] {
        let refused = shop.refresh(ended.refresh()).await;
        refused.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
    }
    let replayed = shop.refresh(spent.refresh()).await;
    replayed.refused(ErrorCode::InvalidGrant, Refusal::RefreshReplayed);
}

#[tokio::test]
async fn a_clock_that_has_run_for_an_hour_is_believed() {
    let (server, mut ada) = Server::with_ada().await;
    RelyingParty::web(&server).await.tokens(&mut ada).await;

    set(&server, BEGINNING + YEAR);
    sweep_all(&server).await;
    let rows = || (stored::<Session>(&server), stored::<Grant>(&server));
    assert_eq!(rows(), (1, 1));
    server.advance(HOUR);
    sweep_all(&server).await;

    assert_eq!(rows(), (0, 0));
}

/// A laptop that was off for some days is nothing unusual; and a wrong clock at a start removes
/// nothing, however often the program starts.
#[tokio::test]
async fn a_start_days_after_the_last_one_removes_nothing_for_an_hour() {
    let (server, disk) = Server::with_counted_syncs().await;
    let mut ada = server.first_administrator().await;
    RelyingParty::web(&server).await.tokens(&mut ada).await;
    server.app.watch_clock().await.unwrap();
    set(&server, BEGINNING + YEAR);

    let first = server.restored_from(&disk.copy(), 8);
    sweep_all(&first).await;
    first.app.watch_clock().await.unwrap();
    first.app.record_clock().await.unwrap();
    let again = server.restored_from(&disk.copy(), 9);
    sweep_all(&again).await;

    for started in [&first, &again] {
        assert_eq!(stored::<Session>(started), 1);
        let ready = started.get("/readyz").await;
        let detail = "this store was last in use at 2026-01-01T00:00:00Z and the clock says \
                      2027-01-01T00:00:00Z; nothing is removed for its age until it has run \
                      steadily for an hour";
        assert_eq!(ready.json(), json!({ "status": "ok", "detail": detail }));
    }
    again.advance(HOUR);
    sweep_all(&again).await;
    assert_eq!(stored::<Session>(&again), 0);
}

#[tokio::test]
async fn a_start_a_day_after_the_last_one_is_no_jump() {
    let (server, disk) = Server::with_counted_syncs().await;
    server.app.watch_clock().await.unwrap();
    set(&server, BEGINNING + DAY);

    let next = server.restored_from(&disk.copy(), 8);

    assert_eq!(next.get("/readyz").await.json(), json!({ "status": "ok" }));
}

#[tokio::test]
async fn a_jump_is_told_and_stored_as_long_as_it_lasts() {
    let server = Server::new().await;
    server.app.watch_clock().await.unwrap();

    set(&server, BEGINNING + YEAR);
    server.app.watch_clock().await.unwrap();

    let detail = "the clock jumped from 2026-01-01T00:00:00Z to 2027-01-01T00:00:00Z; nothing is \
                  removed for its age until it has run steadily for an hour";
    let ready = server.get("/readyz").await.json();
    assert_eq!(ready, json!({ "status": "ok", "detail": detail }));
    let record = recorded(&server);
    assert_eq!(record.jump, Some((BEGINNING, BEGINNING + YEAR)));
    assert_eq!((record.seen, record.latest), (BEGINNING, BEGINNING + YEAR));

    set(&server, BEGINNING + MINUTE);
    server.app.watch_clock().await.unwrap();

    assert_eq!(server.get("/readyz").await.json(), json!({ "status": "ok" }));
    let record = recorded(&server);
    assert_eq!(record.jump, None);
    assert!(record.latest >= BEGINNING + YEAR);
}

/// A program that registers at each start replaces its abandoned registrations, which is no sweep.
#[tokio::test]
async fn a_registration_under_a_clock_in_doubt_removes_no_client() {
    let (server, _ada) = Server::with_ada().await;
    let metadata = json!({
        "redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none",
    });
    let register = || register(&server, metadata.clone());
    assert_eq!(register().await.status, 201);

    set(&server, BEGINNING + YEAR);
    assert_eq!(register().await.status, 201);
    assert_eq!(stored::<Client>(&server), 2);
    server.advance(HOUR);
    assert_eq!(register().await.status, 201);

    assert_eq!(stored::<Client>(&server), 1);
}

/// The rows of somebody who was removed go, wherever the clock went since.
#[tokio::test]
async fn the_rows_of_a_person_removed_by_a_clock_ahead_are_removed_after_the_correction() {
    let (server, _ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    for _ in 0..3 {
        shop.tokens(&mut bob).await;
    }
    set(&server, BEGINNING + HOUR * 5);
    server.operate(Method::DELETE, "/users/bob", json!({})).await;
    set(&server, BEGINNING);

    sweep_all(&server).await;

    assert_eq!((stored::<Grant>(&server), stored::<Session>(&server)), (0, 1));
}
