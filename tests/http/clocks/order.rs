//! What comes after something comes after it, although the clock went back in between: a client that
//! a clock ahead registered serves, an end ends what a clock ahead granted, and a person who was
//! disabled and enabled again signs in.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::store::View as _;
use gatelodge::store::schema::{Grant, Session};
use serde_json::json;

use super::{DAY, HOUR, MINUTE, set, started_ahead, stored, sweep_all};
use crate::support::{BEGINNING, RelyingParty, Server, decoded};

#[tokio::test]
async fn a_client_that_a_clock_ahead_registered_serves_after_the_correction() {
    let server = started_ahead(HOUR).await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let (robot, tv) = (RelyingParty::robot(&server).await, RelyingParty::tv(&server).await);
    let before = shop.tokens(&mut ada).await;

    set(&server, BEGINNING);

    ada.sign_in().await;
    let silent = ada.visit(&shop.request(&[("prompt", "none")])).await;
    assert!(silent.brought().contains_key("code"), "the consent holds");
    let tokens = shop.tokens(&mut ada).await;
    let own = robot.ask(&[("grant_type", "client_credentials")]).await.tokens();
    assert_eq!(robot.introspect(&own.access).await.json()["active"], true);
    let device = tv.device().await;
    let page = ada.open_device(&device).await;
    ada.decide_on_device(&page, "allow").await;
    tv.poll(&device).await.tokens();
    assert!(ada.visit(&shop.push(&[("prompt", "consent")]).await).await.asks_for_consent());
    for refresh in [before.refresh(), tokens.refresh()] {
        let next = shop.refresh(refresh).await.tokens();
        assert_eq!(shop.userinfo(&next.access).await.status, 200);
    }
    // The clock passes the time of the registration.
    server.advance(HOUR * 2);
    assert!(ada.visit("/account").await.text().contains("ada"));
    shop.tokens(&mut ada).await;
}

#[tokio::test]
async fn a_sign_in_that_a_request_asks_for_counts_for_it_after_the_correction() {
    let server = started_ahead(HOUR).await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;

    set(&server, BEGINNING);

    let response = shop.authorize(&mut ada, &[("prompt", "login")]).await;
    assert!(response.brought().contains_key("code"));
}

#[tokio::test]
async fn a_withdrawal_ends_what_a_clock_ahead_granted() {
    let server = started_ahead(HOUR).await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let code = shop.code(&mut ada).await;
    set(&server, BEGINNING);

    ada.visit("/account").await;
    ada.submit("/gate/account/apps", &[("client_id", &shop.id)]).await;

    assert_eq!(stored::<Grant>(&server), 0);
    assert_eq!(shop.refresh(tokens.refresh()).await.status, 400);
    assert_eq!(shop.redeem(&code).await.status, 400);
    assert!(ada.visit(&shop.request(&[])).await.asks_for_consent());
    // After a while the withdrawal is forgotten, and the person may authorize again.
    server.advance(HOUR * 2);
    sweep_all(&server).await;
    shop.tokens(&mut ada).await;
}

#[tokio::test]
async fn a_person_who_is_disabled_stays_signed_out_and_signs_in_anew_when_enabled() {
    let server = started_ahead(HOUR).await;
    let _ada = server.first_administrator().await;
    let mut bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut bob).await;
    set(&server, BEGINNING);

    for disabled in [true, false] {
        let body = json!({ "disabled": disabled });
        assert_eq!(server.operate(Method::PATCH, "/users/bob", body).await.status, 200);
    }

    let refused = shop.refresh(tokens.refresh()).await;
    refused.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
    assert!(!bob.visit("/account").await.text().contains("bob"));
    bob.sign_in().await;
    assert!(bob.visit("/account").await.text().contains("bob"));
    shop.tokens(&mut bob).await;
}

#[tokio::test]
async fn a_later_client_of_the_same_name_has_nothing_of_what_a_clock_ahead_gave_the_first() {
    let server = started_ahead(HOUR).await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let (tokens, code) = (shop.tokens(&mut ada).await, shop.code(&mut ada).await);
    set(&server, BEGINNING);
    server.operate(Method::DELETE, "/clients/shop", json!({})).await;

    let shop = RelyingParty::web(&server).await;

    let refused = shop.refresh(tokens.refresh()).await.status;
    assert_eq!((refused, shop.redeem(&code).await.status), (400.try_into().unwrap(), refused));
    shop.tokens(&mut ada).await;
}

/// RFC 9700 §4.14.2: a token that was spent ahead of the clock is not inside the grace for ever.
#[tokio::test]
async fn a_token_that_was_spent_by_a_clock_ahead_is_spent() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let first = shop.tokens(&mut ada).await;
    set(&server, BEGINNING + HOUR);
    let second = shop.refresh(first.refresh()).await.tokens();
    set(&server, BEGINNING + HOUR - MINUTE / 2);
    let same = shop.refresh(first.refresh()).await.tokens();
    assert_eq!(same.refresh(), second.refresh(), "a clock may go back by less than the grace");

    set(&server, BEGINNING);

    let replayed = shop.refresh(first.refresh()).await;
    replayed.refused(ErrorCode::InvalidGrant, Refusal::RefreshReplayed);
}

/// Otherwise whoever tried too often by a clock ahead would wait until it is that late.
#[tokio::test]
async fn attempts_of_a_clock_ahead_are_forgotten() {
    let server = started_ahead(DAY / 2).await;
    let _ada = server.first_administrator().await;
    for _ in 0..60 {
        crate::bridge::access(&server, "s-1").await;
    }
    set(&server, BEGINNING);

    crate::bridge::access(&server, "s-1").await;
}

#[tokio::test]
async fn a_session_of_a_clock_ahead_counts_from_its_next_use() {
    let server = started_ahead(HOUR * 12).await;
    let mut ada = server.first_administrator().await;
    set(&server, BEGINNING);

    ada.visit("/account").await;

    let [(_, session)] = &server.app.read().unwrap().list::<Session>(2).unwrap()[..] else {
        panic!("there is one session");
    };
    assert_eq!((session.created, session.seen), (BEGINNING, BEGINNING));
    assert_eq!(session.expires, BEGINNING + DAY * 7);
}

/// RFC 9068 §2.2: what the server issues is never dated ahead of its clock.
#[tokio::test]
async fn tokens_are_dated_by_the_clock() {
    let server = started_ahead(HOUR).await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    set(&server, BEGINNING);
    ada.sign_in().await;

    let tokens = shop.tokens(&mut ada).await;

    for claims in [decoded(&tokens.access).1, decoded(tokens.id()).1] {
        assert_eq!(claims["iat"], BEGINNING.seconds());
        assert_eq!(claims["auth_time"], BEGINNING.seconds());
    }
}
