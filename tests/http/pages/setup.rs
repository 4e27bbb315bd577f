//! Setup links and the passkeys that come of them.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use crate::support::{Authenticator, Browser, Response, Server};

async fn link(server: &Server, path: &str, body: Value) -> String {
    let response = server.operate(Method::POST, path, body).await;
    response.json()["setup_url"].as_str().unwrap().to_owned()
}

async fn look(browser: &mut Browser, token: &str) -> Response {
    browser.call("/gate/setup", &json!({ "token": token })).await
}

#[tokio::test]
async fn the_first_link_makes_an_administrator_who_chooses_a_name() {
    let server = Server::new().await;
    let url = link(&server, "/recover", json!({})).await;
    let mut browser = Browser::new(&server);

    let token = browser.open_link(&url).await;
    let seen = look(&mut browser, &token).await.json();
    let made = browser.made_passkey(&token, Some(" Ada.L ")).await;
    let done = browser.finish_setup(&made).await;

    let first = json!({
        "purpose": "first", "username": null, "display_name": null, "takes_email": true,
        "signed_in_as": null, "takes_names": true,
    });
    assert_eq!(seen, first);
    assert_eq!(done.json(), json!({ "next": "/gate/account" }));
    let account = browser.visit("/account").await;
    assert!(account.text().contains("<h1><bdi>Ada.L</bdi></h1>"));
    assert!(account.text().contains("<span class=\"tag\">Administrator</span>"));
}

#[tokio::test]
async fn a_new_person_enrols_under_the_name_they_were_given() {
    let server = Server::new().await;
    let named = json!({ "username": "bob", "display_name": "Bob B." });
    let url = link(&server, "/users", named).await;
    let mut browser = Browser::new(&server);

    let token = browser.open_link(&url).await;
    let seen = look(&mut browser, &token).await.json();
    let made = browser.made_passkey(&token, Some("mallory")).await;
    browser.finish_setup(&made).await;

    let new = json!({
        "purpose": "new", "username": "bob", "display_name": "Bob B.", "takes_email": true,
        "signed_in_as": null, "takes_names": false,
    });
    assert_eq!(seen, new);
    let account = browser.visit("/account").await;
    assert!(account.text().contains("<h1><bdi>Bob B.</bdi></h1>"));
    assert!(!account.text().contains("Administrator"));
}

#[tokio::test]
async fn recovery_gives_a_further_passkey_to_the_same_person() {
    let (server, mut ada) = Server::with_ada().await;
    let url = link(&server, "/recover", json!({ "username": "ADA" })).await;
    let mut elsewhere = Browser::new(&server);

    let token = elsewhere.open_link(&url).await;
    let seen = look(&mut elsewhere, &token).await.json();
    elsewhere.enrol(&url, None).await;

    assert_eq!(seen["purpose"], "recover");
    let users = server.operate(Method::GET, "/users", json!({})).await.json();
    assert_eq!(users["users"].as_array().unwrap().len(), 1);
    assert_eq!(users["users"][0]["passkeys"], 2);
    elsewhere.sign_out().await;
    elsewhere.sign_in().await;
    ada.sign_in().await;
}

/// Unknown, expired, used and mismatched links each have their own words.
#[tokio::test]
async fn each_way_of_coming_too_late_has_its_own_words() {
    let server = Server::new().await;
    let mut browser = Browser::new(&server);
    let bob = link(&server, "/users", json!({ "username": "bob" })).await;
    let eve = link(&server, "/users", json!({ "username": "eve" })).await;
    let (bob, eve) = (browser.open_link(&bob).await, browser.open_link(&eve).await);
    let mut made = browser.made_passkey(&bob, None).await;

    made["token"] = eve.as_str().into();
    let mismatched = browser.finish_setup(&made).await;
    made["token"] = bob.as_str().into();
    assert_eq!(browser.finish_setup(&made).await.status, 200);
    let used = look(&mut browser, &bob).await;
    server.advance(Duration::from_mins(15));
    let used_and_expired = look(&mut browser, &bob).await;
    let expired = look(&mut browser, &eve).await;
    let unknown = look(&mut browser, "gl_st_").await;

    mismatched.refused(ErrorCode::SetupLinkMismatched, Refusal::SetupTokenMismatched);
    used.refused(ErrorCode::SetupLinkUsed, Refusal::SetupTokenUsed);
    used_and_expired.refused(ErrorCode::SetupLinkUsed, Refusal::SetupTokenUsed);
    expired.refused(ErrorCode::SetupLinkExpired, Refusal::SetupTokenExpired);
    unknown.refused(ErrorCode::SetupLinkUnknown, Refusal::SetupTokenUnknown);
}

#[tokio::test]
async fn a_first_link_is_over_once_anybody_exists() {
    let server = Server::new().await;
    let url = link(&server, "/recover", json!({})).await;
    link(&server, "/users", json!({ "username": "bob" })).await;
    let mut late = Browser::new(&server);

    let token = late.open_link(&url).await;

    let response = look(&mut late, &token).await;
    response.refused(ErrorCode::SetupLinkUsed, Refusal::SetupTokenUsed);
}

#[tokio::test]
async fn a_link_may_be_begun_often_and_finished_once() {
    let server = Server::new().await;
    let url = link(&server, "/recover", json!({})).await;
    let (mut one, mut two) = (Browser::new(&server), Browser::new(&server));
    let token = one.open_link(&url).await;
    two.open_link(&url).await;
    let first = one.made_passkey(&token, Some("ada")).await;
    let second = two.made_passkey(&token, Some("eve")).await;

    let (won, lost) = tokio::join!(one.finish_setup(&first), two.finish_setup(&second));

    assert_eq!(won.status, 200);
    lost.refused(ErrorCode::SetupLinkUsed, Refusal::SetupTokenUsed);
    let users = server.operate(Method::GET, "/users", json!({})).await.json();
    assert_eq!(users["users"].as_array().unwrap().len(), 1);
    assert_eq!(users["users"][0]["username"], "ada");
}

#[tokio::test]
async fn a_refused_name_spends_nothing() {
    let server = Server::new().await;
    let url = link(&server, "/recover", json!({})).await;
    let mut browser = Browser::new(&server);
    let token = browser.open_link(&url).await;

    for name in [Value::Null, json!(""), json!("two words"), json!("x".repeat(65))] {
        let start = json!({ "token": token, "username": name });
        let response = browser.call("/gate/webauthn/register/start", &start).await;
        response.refused(ErrorCode::InvalidRequest, Refusal::UsernameMalformed);
    }

    browser.enrol(&url, Some("ada")).await;
}

#[tokio::test]
async fn an_administrator_may_not_take_a_passkey_that_is_there_already() {
    let (server, ada) = Server::with_ada().await;
    let url = link(&server, "/recover", json!({ "username": "ada" })).await;
    let mut browser = Browser::new(&server);
    let token = browser.open_link(&url).await;

    let start = json!({ "token": token });
    let started = browser.call("/gate/webauthn/register/start", &start).await.json();

    let excluded = started["publicKey"]["excludeCredentials"].as_array().unwrap();
    assert_eq!(excluded.len(), 1);
    drop(ada);
}

#[tokio::test]
async fn a_sign_in_ceremony_does_not_enrol_and_an_enrolment_does_not_sign_in() {
    let (server, mut ada) = Server::with_ada().await;
    let url = link(&server, "/users", json!({ "username": "bob" })).await;
    let signed = ada.signed_challenge().await;
    let token = ada.open_link(&url).await;
    let mut device = Authenticator::new();
    std::mem::swap(&mut device, &mut ada.authenticator);
    let mut made = ada.made_passkey(&token, None).await;
    let registration = made["ceremony"].clone();

    made["ceremony"] = signed["ceremony"].clone();
    let enrolled = ada.finish_setup(&made).await;
    let mut wrong = signed.clone();
    wrong["ceremony"] = registration;
    let signed_in = ada.finish_sign_in(&wrong).await;

    enrolled.refused(ErrorCode::CeremonyOver, Refusal::CeremonyUnknown);
    signed_in.refused(ErrorCode::CeremonyOver, Refusal::CeremonyUnknown);
}

#[tokio::test]
async fn whoever_is_signed_in_reads_as_whom_where_a_link_is_for_somebody_else() {
    let (server, mut ada) = Server::with_ada().await;
    let invited = server.operate(Method::POST, "/invitations", json!({ "uses": 2 })).await.json();
    let invitation = invited["invitation_url"].as_str().unwrap().to_owned();
    let new = link(&server, "/users", json!({ "username": "bob" })).await;
    let own = link(&server, "/recover", json!({ "username": "ada" })).await;

    let mut seen = Vec::new();
    for url in [&invitation, &new, &own] {
        let token = ada.open_link(url).await;
        seen.push(look(&mut ada, &token).await.json()["signed_in_as"].clone());
    }
    let mut stranger = Browser::new(&server);
    let token = stranger.open_link(&invitation).await;
    let of_stranger = look(&mut stranger, &token).await.json()["signed_in_as"].clone();

    let account = ada.visit("/account").await;
    assert!(account.text().contains("<h1><bdi>"), "{}", account.text());
    let (_, called) = account.text().split_once("<h1><bdi>").unwrap();
    let called = json!(called.split('<').next().unwrap());
    assert_eq!(seen, [called.clone(), called, Value::Null]);
    assert_eq!(of_stranger, Value::Null);
}
