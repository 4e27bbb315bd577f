//! Recovery codes that open nothing.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Browser, Response, Server};

/// New recovery codes of whoever has signed in a moment ago.
pub(crate) async fn made(browser: &mut Browser) -> Vec<String> {
    browser.visit("/gate/account/recovery-codes").await;
    let page = browser.submit("/gate/account/recovery-codes", &[]).await.text().to_owned();
    let codes = page.split("<li><code>").skip(1).filter_map(|rest| rest.split('<').next());
    codes.map(str::to_owned).collect()
}

/// What the setup page learns of a code.
pub(crate) async fn described(browser: &mut Browser, code: &str) -> Response {
    browser.visit("/setup").await;
    browser.call("/gate/setup", &json!({ "token": code })).await
}

/// Makes a passkey by a code.
pub(crate) async fn used(browser: &mut Browser, code: &str) -> Response {
    browser.visit("/setup").await;
    let made: Value = browser.made_passkey(code, None).await;
    browser.finish_setup(&made).await
}

pub(super) async fn one_that_nobody_made() -> Response {
    let (server, _ada) = Server::with_ada().await;
    described(&mut Browser::new(&server), &"0".repeat(32)).await
}

pub(super) async fn one_for_the_second_time() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let codes = made(&mut ada).await;
    let mut elsewhere = Browser::new(&server);
    assert_eq!(used(&mut elsewhere, &codes[0]).await.status, 200);
    described(&mut elsewhere, &codes[0]).await
}

pub(super) async fn one_from_before_its_person_was_switched_off() -> Response {
    let server = Server::new().await;
    let _first = server.first_administrator().await;
    let mut bob = server.person("bob").await;
    let codes = made(&mut bob).await;
    for disabled in [true, false] {
        server.operate(Method::PATCH, "/users/bob", json!({ "disabled": disabled })).await;
    }
    described(&mut bob, &codes[0]).await
}
