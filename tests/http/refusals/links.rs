//! Setup links and invitations that open nothing.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;

use crate::links::{invitation, invited_by};
use crate::support::{Browser, Response, Server};

/// A setup link for a new person, opened.
pub(super) async fn invited(server: &Server, username: &str) -> (Browser, String) {
    let link = server.operate(Method::POST, "/users", json!({ "username": username })).await;
    let mut browser = Browser::new(server);
    let token = browser.open_link(link.json()["setup_url"].as_str().unwrap()).await;
    (browser, token)
}

/// A setup link for bob, opened.
async fn link() -> (Server, Browser, String) {
    let server = Server::new().await;
    let (browser, token) = invited(&server, "bob").await;
    (server, browser, token)
}

async fn look(browser: &mut Browser, token: &str) -> Response {
    browser.call("/gate/setup", &json!({ "token": token })).await
}

pub(super) async fn a_setup_link_after_its_time() -> Response {
    let (server, mut browser, token) = link().await;
    server.advance(Duration::from_mins(15));
    look(&mut browser, &token).await
}

pub(super) async fn a_setup_link_for_somebody_else() -> Response {
    let (server, mut browser, token) = link().await;
    let (_, other) = invited(&server, "eve").await;
    let mut made = browser.made_passkey(&token, None).await;
    made["token"] = other.into();
    browser.finish_setup(&made).await
}

pub(super) async fn a_setup_link_nobody_made() -> Response {
    let (_server, mut browser, token) = link().await;
    look(&mut browser, &format!("{token}A")).await
}

pub(super) async fn a_setup_link_for_the_second_time() -> Response {
    let (_server, mut browser, token) = link().await;
    let made = browser.made_passkey(&token, None).await;
    browser.finish_setup(&made).await;
    look(&mut browser, &token).await
}

pub(super) async fn a_setup_link_for_a_person_who_has_gone() -> Response {
    let (server, mut browser, token) = link().await;
    server.forget_person("bob").await;
    look(&mut browser, &token).await
}

pub(super) async fn a_setup_link_of_somebody_switched_off() -> Response {
    let (server, mut browser, token) = link().await;
    server.operate(Method::PATCH, "/users/bob", json!({ "disabled": true })).await;
    look(&mut browser, &token).await
}

pub(super) async fn a_setup_link_from_before_its_person_was_off() -> Response {
    let (server, mut browser, token) = link().await;
    for disabled in [true, false] {
        server.operate(Method::PATCH, "/users/bob", json!({ "disabled": disabled })).await;
    }
    look(&mut browser, &token).await
}

pub(super) async fn a_setup_link_before_the_newest() -> Response {
    let (server, mut browser, token) = link().await;
    server.operate(Method::POST, "/recover", json!({ "username": "bob" })).await;
    look(&mut browser, &token).await
}

pub(super) async fn a_setup_link_that_was_taken_back() -> Response {
    let (server, mut browser, token) = link().await;
    server.operate(Method::POST, "/links/revoke", json!({})).await;
    look(&mut browser, &token).await
}

pub(super) async fn a_setup_link_that_is_not_listed() -> Response {
    Server::new().await.operate(Method::GET, "/links/0190163d", json!({})).await
}

pub(super) async fn a_setup_link_to_revoke_twice() -> Response {
    let server = Server::new().await;
    let made = server.operate(Method::POST, "/users", json!({ "username": "bob" })).await.json();
    let path = format!("/links/{}", made["setup_id"].as_str().unwrap());
    assert_eq!(server.operate(Method::DELETE, &path, json!({})).await.status, 200);
    server.operate(Method::DELETE, &path, json!({})).await
}

pub(super) async fn an_invitation_that_is_used_up() -> Response {
    let (server, _ada) = Server::with_ada().await;
    let made = invitation(&server, json!({ "uses": 1 })).await;
    invited_by(&server, &made, "bob").await.unwrap();
    *invited_by(&server, &made, "eve").await.err().unwrap()
}

pub(super) async fn an_invitation_after_its_time() -> Response {
    let (server, _ada) = Server::with_ada().await;
    let made = invitation(&server, json!({ "uses": 2, "lifetime": 60 })).await;
    server.advance(Duration::from_mins(1));
    *invited_by(&server, &made, "bob").await.err().unwrap()
}

pub(super) async fn an_invitation_that_was_taken_back() -> Response {
    let (server, _ada) = Server::with_ada().await;
    let made = invitation(&server, json!({ "uses": 2 })).await;
    revoked(&server, &made).await;
    *invited_by(&server, &made, "bob").await.err().unwrap()
}

async fn revoked(server: &Server, made: &serde_json::Value) -> Response {
    let path = format!("/invitations/{}", made["id"].as_str().unwrap());
    server.operate(Method::DELETE, &path, json!({})).await
}

pub(super) async fn an_invitation_to_revoke_twice() -> Response {
    let (server, _ada) = Server::with_ada().await;
    let made = invitation(&server, json!({ "uses": 2 })).await;
    assert_eq!(revoked(&server, &made).await.status, 200);
    revoked(&server, &made).await
}

pub(super) async fn an_invitation_that_is_not_listed() -> Response {
    Server::new().await.operate(Method::GET, "/invitations/0190163d", json!({})).await
}

pub(super) async fn an_invitation_before_the_first_administrator() -> Response {
    let server = Server::new().await;
    let made = invitation(&server, json!({ "uses": 2 })).await;
    *invited_by(&server, &made, "bob").await.err().unwrap()
}

pub(super) async fn an_invitation_of_somebody_who_may_not_invite() -> Response {
    let (server, _ada) = Server::with_ada().await;
    let robot = server.token_of_robot("admin:people").await;
    let asked = json!({ "uses": 2 });
    let made = server.administer(&robot, Method::POST, "/invitations", asked).await.json();
    let clients = server.operate(Method::GET, "/clients", json!({})).await.json();
    let id = clients["clients"][0]["client_id"].as_str().unwrap().to_owned();
    server.operate(Method::PATCH, &format!("/clients/{id}"), json!({ "scope": "openid" })).await;
    *invited_by(&server, &made, "bob").await.err().unwrap()
}

pub(super) async fn an_invitation_nobody_made() -> Response {
    let mut browser = Browser::at_login(&Server::new().await).await;
    look(&mut browser, "gl_in_AAAA").await
}

pub(super) async fn a_username_that_somebody_has() -> Response {
    let (server, _ada) = Server::with_ada().await;
    let made = invitation(&server, json!({ "uses": 2 })).await;
    invited_by(&server, &made, "bob").await.unwrap();
    *invited_by(&server, &made, "BOB").await.err().unwrap()
}

pub(super) async fn somebody_without_a_link() -> Response {
    let (server, _ada) = Server::with_ada().await;
    look(&mut Browser::at_login(&server).await, "").await
}
