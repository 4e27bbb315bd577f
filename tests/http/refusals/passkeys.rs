//! What is refused of the passkeys that a person has, or had.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use crate::pages::passkeys::enrolled;
use crate::support::{Browser, RawPasskey, Response, Server};

/// The passkeys of ada.
pub(crate) async fn of_ada(server: &Server) -> Vec<Value> {
    let listed = server.operate(Method::GET, "/passkeys?user=ada", json!({})).await.json();
    listed["passkeys"].as_array().unwrap().clone()
}

/// The path of the only passkey of ada.
pub(crate) async fn path(server: &Server) -> String {
    let passkeys = of_ada(server).await;
    assert_eq!(passkeys.len(), 1);
    format!("/passkeys/{}", passkeys[0]["id"].as_str().unwrap())
}

/// Adds a passkey to the account of `browser`, which has signed in a moment ago.
pub(crate) async fn added(browser: &mut Browser, passkey: &mut RawPasskey) -> Response {
    let started = browser.call("/gate/webauthn/add/start", &json!({})).await;
    if started.status != 200 {
        return started;
    }
    let (started, origin) = (started.json(), browser.server.issuer().to_owned());
    let credential = passkey.register(&origin, &started["publicKey"]);
    let made = json!({ "ceremony": started["ceremony"], "credential": credential });
    browser.call("/gate/webauthn/add/finish", &made).await
}

pub(super) async fn one_that_was_removed() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let removed = server.operate(Method::DELETE, &path(&server).await, json!({})).await;
    assert_eq!(removed.status, 200, "{}", removed.text());
    let signed = ada.signed_challenge().await;
    ada.finish_sign_in(&signed).await
}

pub(super) async fn one_of_a_removed_person() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let grace = json!({ "username": "grace", "roles": ["admin"] });
    assert_eq!(server.operate(Method::POST, "/users", grace).await.status, 201);
    let removed = server.operate(Method::DELETE, "/users/ada", json!({})).await;
    assert_eq!(removed.status, 200, "{}", removed.text());
    let signed = ada.signed_challenge().await;
    ada.finish_sign_in(&signed).await
}

/// Two browsers open one link, and both make a passkey.
pub(super) async fn one_of_the_loser_of_two_ceremonies() -> Response {
    let (server, _ada) = Server::with_ada().await;
    let (mut winner, mut loser) = (Browser::new(&server), Browser::new(&server));
    let link = server.operate(Method::POST, "/recover", json!({ "username": "ada" })).await.json();
    let url = link["setup_url"].as_str().unwrap();
    let token = winner.open_link(url).await;
    loser.open_link(url).await;
    let start = json!({ "token": token });
    let first = winner.started_passkey(&start).await.unwrap_or_else(|_| panic!("the link is open"));
    let second = loser.started_passkey(&start).await.unwrap_or_else(|_| panic!("the link is open"));
    assert_eq!(winner.finish_setup(&first).await.status, 200);
    assert_eq!(loser.finish_setup(&second).await.status, 410);
    let signed = loser.signed_challenge().await;
    loser.finish_sign_in(&signed).await
}

pub(super) async fn the_name_of_another() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let first = path(&server).await;
    let made = added(&mut ada, &mut RawPasskey::new()).await;
    assert_eq!(made.status, 200, "{}", made.text());
    server.operate(Method::PATCH, &first, json!({ "name": "passkey (2)" })).await
}

pub(super) async fn one_that_is_not_there() -> Response {
    Server::new().await.operate(Method::DELETE, "/passkeys/0", json!({})).await
}

pub(super) async fn too_many() -> Response {
    let mut ada = Browser::new(&Server::new().await);
    assert_eq!(enrolled(&mut ada, &mut RawPasskey::new()).await.status, 200);
    for number in 1..100 {
        let mut passkey = RawPasskey::new();
        passkey.id = vec![number; 20];
        let made = added(&mut ada, &mut passkey).await;
        assert_eq!(made.status, 200, "{}", made.text());
    }
    let mut passkey = RawPasskey::new();
    passkey.id = vec![100; 20];
    added(&mut ada, &mut passkey).await
}

pub(super) async fn one_more_after_the_sign_in_is_older_than_five_minutes() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    server.advance(Duration::from_secs(5 * 60 + 1));
    added(&mut ada, &mut RawPasskey::new()).await
}

pub(super) async fn the_only_one_without_saying_so() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let path = format!("/gate/account{}", path(&server).await);
    ada.visit(&path).await;
    ada.submit(&format!("{path}/remove"), &[]).await
}
