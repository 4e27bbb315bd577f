//! What ends when: sessions, grants, clients, people.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::json;

use crate::support::{Browser, RelyingParty, Server};

/// OpenID Connect Core §11
#[tokio::test]
async fn sign_out_ends_the_grants_that_have_no_offline_access_and_no_others() {
    let (server, mut ada) = Server::with_ada().await;
    let (shop, reader) = (RelyingParty::web(&server).await, RelyingParty::spa(&server).await);
    let here = shop.tokens_of(&mut ada, "openid").await;
    let away = reader.tokens_of(&mut ada, "openid offline_access").await;

    ada.sign_out().await;

    let refreshed = shop.refresh(here.refresh()).await;
    refreshed.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
    let userinfo = shop.userinfo(&here.access).await;
    userinfo.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
    assert_eq!(reader.userinfo(&away.access).await.status, 200);
    reader.refresh(away.refresh()).await.tokens();
}

#[tokio::test]
async fn a_session_ends_after_seven_idle_days() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens_of(&mut ada, "openid").await;
    server.advance(Duration::from_secs(7 * 86_400));

    let page = ada.visit("/account").await;

    assert!(page.asks_to_sign_in());
    let refreshed = shop.refresh(tokens.refresh()).await;
    refreshed.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
}

#[tokio::test]
async fn a_session_that_is_used_ends_after_thirty_days_all_the_same() {
    let (server, mut ada) = Server::with_ada().await;
    for _ in 0..5 {
        server.advance(Duration::from_secs(6 * 86_400 - 1));
        assert!(!ada.visit("/account").await.asks_to_sign_in());
    }
    server.advance(Duration::from_secs(5));

    let page = ada.visit("/account").await;

    assert!(page.asks_to_sign_in());
}

/// To be sent on to an application without a question is to use the session too.
#[tokio::test]
async fn a_silent_sign_in_uses_the_session() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;

    for _ in 0..3 {
        server.advance(Duration::from_secs(6 * 86_400));
        let response = ada.visit(&shop.request(&[("prompt", "none")])).await;
        assert!(response.brought().contains_key("code"), "{:?}", response.redirect_url());
    }
}

#[tokio::test]
async fn a_sign_in_gives_the_session_a_new_cookie() {
    let server = Server::with("https://id.example".parse().unwrap(), |_| {}).await;
    let mut ada = server.first_administrator().await;
    let mut thief = Browser::new(&server);
    thief.keep_from(&ada);
    assert!(!thief.visit("/account").await.asks_to_sign_in());

    ada.sign_in().await;

    assert!(thief.visit("/account").await.asks_to_sign_in());
    assert!(!ada.visit("/account").await.asks_to_sign_in());
}

/// Another host of the domain can set a second cookie of the name.
#[tokio::test]
async fn of_two_session_cookies_the_one_that_lives_counts() {
    let server = Server::with("https://id.example".parse().unwrap(), |_| {}).await;
    let mut ada = server.first_administrator().await;
    let ended = ada.cookies_for("/gate/account");
    ada.sign_in().await;
    let live = ada.cookies_for("/gate/account");
    let session = |cookies: &str| {
        cookies.split("; ").find(|own| own.starts_with("__Host-gl_session=")).unwrap().to_owned()
    };
    let forged = "__Host-gl_session=gl_ss_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    for cookies in [
        format!("{}; {}", session(&ended), session(&live)),
        format!("{}; {}; {forged}", session(&live), session(&ended)),
    ] {
        let request = Request::get("/gate/account").header("cookie", &cookies);
        let page = server.send(request.body(Body::empty()).unwrap()).await;
        assert!(page.text().contains("<h1><bdi>ada</bdi></h1>"), "{cookies}");
    }
    let request = Request::get("/gate/account").header("cookie", format!("{ended}; {forged}"));
    let page = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(page.location(), "/gate/login");
}

#[tokio::test]
async fn whoever_signs_in_in_the_browser_of_another_ends_their_session() {
    let (server, mut ada) = Server::with_ada().await;
    let bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let of_ada = shop.tokens_of(&mut ada, "openid").await;

    ada.authenticator = bob.authenticator.clone();
    ada.sign_in().await;

    assert!(ada.visit("/account").await.text().contains("<h1><bdi>bob</bdi></h1>"));
    assert_eq!(shop.userinfo(&of_ada.access).await.status, 401);
}

#[tokio::test]
async fn a_client_that_is_removed_is_dead_at_once() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let code = shop.code(&mut ada).await;
    let page = ada.visit(&shop.request(&[("prompt", "consent")])).await;

    let removed = server.operate(Method::DELETE, "/clients/shop", json!({})).await;

    assert_eq!(removed.json(), json!({ "client_id": "shop", "grants_ended": 1, "name": "Shop" }));
    for response in [shop.refresh(tokens.refresh()).await, shop.redeem(&code).await] {
        response.refused(ErrorCode::InvalidClient, Refusal::ClientUnknown);
    }
    assert_eq!(shop.userinfo(&tokens.access).await.status, 401);
    for response in [ada.decide(&page, "allow").await, ada.visit(&shop.request(&[])).await] {
        response.refused(ErrorCode::InvalidRequest, Refusal::ClientUnknownAtAuthorize);
    }
}

/// A client of the same name is another one: nothing comes back to life.
#[tokio::test]
async fn a_client_that_is_registered_anew_inherits_no_grants() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let code = shop.code(&mut ada).await;
    server.advance(Duration::from_millis(1));
    server.operate(Method::DELETE, "/clients/shop", json!({})).await;

    let anew = RelyingParty::web(&server).await;

    let refreshed = anew.refresh(tokens.refresh()).await;
    refreshed.refused(ErrorCode::InvalidGrant, Refusal::RefreshUnknown);
    let redeemed = anew.redeem(&code).await;
    redeemed.refused(ErrorCode::InvalidGrant, Refusal::CodeClientDiffers);
    assert!(ada.visit(&anew.request(&[])).await.asks_for_consent());
}

#[tokio::test]
async fn a_client_that_is_switched_off_sleeps_until_it_is_switched_on() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;

    server.change_client("shop", |client| client.enabled = false).await;

    let refreshed = shop.refresh(tokens.refresh()).await;
    refreshed.refused(ErrorCode::InvalidClient, Refusal::ClientDisabled);
    assert_eq!(shop.userinfo(&tokens.access).await.status, 401);
    let asked = ada.visit(&shop.request(&[])).await;
    asked.refused(ErrorCode::InvalidRequest, Refusal::ClientDisabledAtAuthorize);
    server.change_client("shop", |client| client.enabled = true).await;
    shop.refresh(tokens.refresh()).await.tokens();
}

#[tokio::test]
async fn a_person_who_is_switched_off_is_out_at_once() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;

    server.change_person("ada", |person| person.disabled = true).await;

    let refreshed = shop.refresh(tokens.refresh()).await;
    refreshed.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
    assert_eq!(shop.userinfo(&tokens.access).await.status, 401);
    assert!(ada.visit("/account").await.asks_to_sign_in());
    assert!(ada.visit(&shop.request(&[])).await.asks_to_sign_in());
}

#[tokio::test]
async fn sign_out_leaves_other_browsers_alone() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let mut elsewhere = Browser::new(&server);
    elsewhere.authenticator = ada.authenticator.clone();
    elsewhere.sign_in().await;
    let tokens = shop.tokens_of(&mut elsewhere, "openid").await;

    ada.sign_out().await;

    assert!(!elsewhere.visit("/account").await.asks_to_sign_in());
    shop.refresh(tokens.refresh()).await.tokens();
}
