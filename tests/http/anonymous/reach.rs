//! What an anonymous session does not open, and what ends it.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::store::View as _;
use gatelodge::store::schema::Revoked;
use serde_json::json;

use super::{allowed, anonymous_sessions, asking, introspected, open};
use crate::bridge::whoami;
use crate::support::{Browser, RelyingParty, Response, Server};

/// A page that is asked for with the secret of an anonymous session in the place of another cookie.
async fn with_secret_as(browser: &Browser, cookie: &str, path: &str) -> Response {
    let cookies = browser.cookies_for("/gate/");
    let secret = cookies.split("gl7455_anonymous=").nth(1).unwrap();
    let planted = format!("gl7455_{cookie}={}", secret.split(';').next().unwrap());
    let request = Request::get(path).header(header::COOKIE, planted);
    browser.server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn its_cookie_signs_nobody_in_at_authorize() {
    let (server, _ada) = Server::with_ada().await;
    let reader = allowed(&server).await;
    let shop = RelyingParty::web(&server).await;
    let mut browser = Browser::new(&server);
    open(&mut browser, &reader).await;

    let page = browser.visit(&shop.request(&[])).await;
    let silent = browser.visit(&shop.request(&[("prompt", "none")])).await;

    assert!(page.asks_to_sign_in());
    assert_eq!(silent.brought()["error"], "login_required");
}

#[tokio::test]
async fn its_cookie_signs_nobody_in_at_the_account_the_bridge_or_a_device() {
    let (server, _ada) = Server::with_ada().await;
    let reader = allowed(&server).await;
    let tv = RelyingParty::tv(&server).await;
    let device = tv.device().await;
    let mut browser = Browser::new(&server);
    open(&mut browser, &reader).await;
    let device_page = format!("/gate/device?user_code={}", device["user_code"].as_str().unwrap());

    for page in ["/account", "/bridge/device-link", &device_page] {
        assert!(browser.visit(page).await.asks_to_sign_in(), "{page}");
    }
    for cookie in ["session", "browser"] {
        let account = with_secret_as(&browser, cookie, "/gate/account").await;
        assert!(account.text().contains("/prove.js"), "{cookie}");
    }
    // No form of a page is vouched for by it.
    let signed_out = browser.submit("/gate/logout", &[]).await;
    assert_ne!(signed_out.status, 200);
    assert_eq!(anonymous_sessions(&server).await[0]["state"], "live");
}

/// Elsewhere than on loopback the browser brings it along wherever it goes.
#[tokio::test]
async fn its_cookie_signs_nobody_in_where_it_is_sent_everywhere() {
    let server = Server::with("https://id.example".parse().unwrap(), |_| {}).await;
    server.first_administrator().await;
    let reader = allowed(&server).await;
    let shop = RelyingParty::web(&server).await;
    let mut browser = Browser::new(&server);

    let response = browser.send(asking(&json!({ "client_id": "reader" }))).await;
    let again = open(&mut browser, &reader).await;

    let cookie = response.header("set-cookie");
    assert!(cookie.starts_with("__Host-gl_anonymous=gl_as_"));
    assert!(cookie.ends_with("; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure"));
    assert!(!browser.cookies_for("/oauth/authorize").is_empty());
    assert_ne!(again["sub"], response.json()["sub"]);
    for page in ["/account", "/bridge/device-link", &shop.request(&[])] {
        assert!(browser.visit(page).await.asks_to_sign_in(), "{page}");
    }
}

#[tokio::test]
async fn its_token_opens_neither_userinfo_nor_the_bridge() {
    let server = Server::new().await;
    let reader = allowed(&server).await;
    let session = open(&mut Browser::new(&server), &reader).await;
    let token = session["access_token"].as_str().unwrap();

    let userinfo = reader.userinfo(token).await;
    let bridge = whoami(&server, token).await;

    userinfo.refused(ErrorCode::InsufficientScope, Refusal::BearerTokenWithoutOpenid);
    bridge.refused(ErrorCode::InvalidToken, Refusal::BearerTokenForAnotherAudience);
    assert_eq!(introspected(&server, &session["access_token"]).await["scope"], "anonymous");
}

#[tokio::test]
async fn the_operator_ends_one_and_its_token_at_once() {
    let server = Server::new().await;
    let reader = allowed(&server).await;
    let mut browser = Browser::new(&server);
    let (ended, other) = (open(&mut browser, &reader).await, open(&mut browser, &reader).await);
    let path = format!("/sessions/{}", ended["session_id"].as_str().unwrap());

    let revoked = server.operate(Method::DELETE, &path, json!({})).await.json();
    let again = server.operate(Method::DELETE, &path, json!({})).await;

    assert_eq!((&revoked["sub"], &revoked["state"]), (&ended["sub"], &json!("revoked")));
    again.refused(ErrorCode::NotFound, Refusal::SessionNotFound);
    assert_eq!(introspected(&server, &ended["access_token"]).await, json!({ "active": false }));
    let userinfo = reader.userinfo(ended["access_token"].as_str().unwrap()).await;
    userinfo.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
    assert_eq!(introspected(&server, &other["access_token"]).await["active"], true);
}

#[tokio::test]
async fn its_token_is_worth_something_as_long_as_its_client_may_open_sessions() {
    let server = Server::new().await;
    let reader = allowed(&server).await;
    let session = open(&mut Browser::new(&server), &reader).await;
    let active = async || introspected(&server, &session["access_token"]).await["active"].clone();
    let set = async |patch| server.operate(Method::PATCH, "/clients/reader", patch).await;

    for (off, on) in [
        (json!({ "enabled": false }), json!({ "enabled": true })),
        (json!({ "anonymous": false }), json!({ "anonymous": true })),
    ] {
        set(off).await;
        assert_eq!(active().await, false);
        set(on).await;
        assert_eq!(active().await, true);
    }
    // A client of the same name may come after it.
    server.operate(Method::DELETE, "/clients/reader", json!({})).await;
    server.advance(std::time::Duration::from_secs(1));
    allowed(&server).await;
    assert_eq!(active().await, false);
}

/// Anybody can open a session and revoke its token, as often as they like.
#[tokio::test]
async fn its_end_by_revocation_leaves_no_row_outside_of_its_pool() {
    let (server, _ada) = Server::with_ada().await;
    let reader = allowed(&server).await;
    let session = open(&mut Browser::new(&server), &reader).await;

    let revoked = reader.revoke(session["access_token"].as_str().unwrap()).await;

    assert_eq!(revoked.status, 200);
    assert_eq!(introspected(&server, &session["access_token"]).await["active"], false);
    assert_eq!(anonymous_sessions(&server).await[0]["state"], "revoked");
    assert_eq!(server.app.read().unwrap().count::<Revoked>(9).unwrap(), 0);
}
