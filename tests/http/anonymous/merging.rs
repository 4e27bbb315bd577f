//! An enrolment merges the anonymous session of its browser.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::json;

use super::{allowed, anonymous_sessions, introspected, invitation, open};
use crate::support::{Browser, Server};

#[tokio::test]
async fn an_enrolment_merges_the_session_of_its_browser_and_ends_every_token_under_it() {
    let server = Server::new().await;
    let reader = allowed(&server).await;
    let url = invitation(&server, "bob").await;
    let mut browser = Browser::new(&server);
    let anonymous = open(&mut browser, &reader).await;
    let token = browser.open_link(&url).await;
    let made = browser.made_passkey(&token, None).await;

    let done = browser.finish_setup(&made).await;

    let cleared = "gl7455_anonymous=; Path=/gate/; Max-Age=0; HttpOnly; SameSite=Lax";
    assert_eq!(done.header("set-cookie"), cleared);
    assert!(browser.visit("/account").await.text().contains("<h1><bdi>bob</bdi></h1>"));
    let token = &anonymous["access_token"];
    assert_eq!(introspected(&server, token).await, json!({ "active": false }));
    let userinfo = reader.userinfo(token.as_str().unwrap()).await;
    userinfo.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
    let seen = &anonymous_sessions(&server).await[0];
    assert_eq!(
        (&seen["sub"], &seen["state"], &seen["merged_into"]),
        (&anonymous["sub"], &json!("merged"), &json!("bob"))
    );
    // The person's session is a new one.
    let listed = server.operate(Method::GET, "/sessions", json!({})).await.json();
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!((sessions.len(), &sessions[0]["source"]), (1, &json!("web")));
    assert_ne!(sessions[0]["id"], anonymous["session_id"]);
}

#[tokio::test]
async fn the_first_administrator_takes_theirs_along_too() {
    let server = Server::new().await;
    let reader = allowed(&server).await;
    let mut browser = Browser::new(&server);
    open(&mut browser, &reader).await;

    let link = server.operate(Method::POST, "/recover", json!({})).await.json();
    browser.enrol(link["setup_url"].as_str().unwrap(), Some("ada")).await;

    assert_eq!(anonymous_sessions(&server).await[0]["merged_into"], "ada");
}

#[tokio::test]
async fn nothing_but_the_cookie_in_the_same_browser_merges() {
    let server = Server::new().await;
    let reader = allowed(&server).await;
    let (mut there, mut here) = (Browser::new(&server), Browser::new(&server));
    let anonymous = open(&mut there, &reader).await;
    let url = invitation(&server, "bob").await;

    let token = here.open_link(&url).await;
    let mut made = here.made_passkey(&token, None).await;
    for name in ["sub", "session_id", "access_token"] {
        made[name] = anonymous[name].clone();
    }
    let done = here.finish_setup(&made).await;

    assert_eq!(done.status, 200);
    assert!(!done.header("set-cookie").contains("anonymous"));
    assert_eq!(anonymous_sessions(&server).await[0]["state"], "live");
    assert_eq!(introspected(&server, &anonymous["access_token"]).await["active"], true);
}

#[tokio::test]
async fn neither_a_sign_in_nor_a_recovery_merges() {
    let (server, mut ada) = Server::with_ada().await;
    let reader = allowed(&server).await;
    open(&mut ada, &reader).await;
    ada.sign_in().await;

    let asked = json!({ "username": "ada" });
    let link = server.operate(Method::POST, "/recover", asked).await.json();
    let mut elsewhere = Browser::new(&server);
    open(&mut elsewhere, &reader).await;
    elsewhere.enrol(link["setup_url"].as_str().unwrap(), None).await;

    let states: Vec<_> =
        anonymous_sessions(&server).await.iter().map(|own| own["state"].clone()).collect();
    assert_eq!(states, ["live", "live"]);
}

#[tokio::test]
async fn a_session_that_is_over_is_not_merged_and_an_unfinished_enrolment_merges_nothing() {
    let server = Server::new().await;
    let reader = allowed(&server).await;
    let mut browser = Browser::new(&server);
    open(&mut browser, &reader).await;
    let url = invitation(&server, "bob").await;
    let token = browser.open_link(&url).await;
    let mut made = browser.made_passkey(&token, None).await;
    made["ceremony"] = "0190163d-8694-439b-aea5-966c26f8ad91".into();

    let refused = browser.finish_setup(&made).await;

    refused.refused(ErrorCode::CeremonyOver, Refusal::CeremonyUnknown);
    assert_eq!(anonymous_sessions(&server).await[0]["state"], "live");
    server.advance(Duration::from_hours(24));
    let mut late = Browser::new(&server);
    late.keep_from(&browser);
    late.enrol(&invitation(&server, "eve").await, None).await;
    assert_eq!(anonymous_sessions(&server).await[0]["state"], "over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_enrolments_with_one_cookie_one_merges() {
    let server = Server::new().await;
    let reader = allowed(&server).await;
    let mut bob = Browser::new(&server);
    open(&mut bob, &reader).await;
    let mut eve = Browser::new(&server);
    eve.keep_from(&bob);
    let bobs = bob.open_link(&invitation(&server, "bob").await).await;
    let eves = eve.open_link(&invitation(&server, "eve").await).await;
    let first = bob.made_passkey(&bobs, None).await;
    let second = eve.made_passkey(&eves, None).await;

    let one = tokio::spawn(async move { bob.finish_setup(&first).await });
    let two = tokio::spawn(async move { eve.finish_setup(&second).await });
    let responses = [one.await.unwrap(), two.await.unwrap()];

    let cleared = responses.each_ref().map(|response| {
        assert_eq!(response.status, 200);
        response.headers.get_all("set-cookie").iter().count() == 1
    });
    let merged_into = anonymous_sessions(&server).await[0]["merged_into"].clone();
    let winner = if cleared[0] { "bob" } else { "eve" };
    assert_eq!((cleared[0] != cleared[1], merged_into), (true, json!(winner)));
}
