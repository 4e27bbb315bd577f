//! `prompt=none` in a frame of a client's page.

use std::collections::BTreeMap;

use crate::application::Application;
use crate::program::Home;
use crate::setup::ada;
use crate::window::Window;

/// What a client gets that was allowed once, and asks again in a frame of its page.
async fn asks_in_a_frame(window: &Window, shop: &Application) -> BTreeMap<String, String> {
    window.open(shop.request("openid")).await;
    window.press("Allow").await;
    shop.visited("/callback").await;
    window.reads("Welcome back.").await;

    let silent = format!("{}&prompt=none", shop.request("openid"));
    let frame = format!(
        "document.body.append(Object.assign(document.createElement('iframe'), {{ src: {silent:?} }}))"
    );
    window.page.evaluate(frame).await.unwrap();
    shop.visited("/callback").await
}

#[tokio::test]
async fn a_client_on_another_port_of_localhost_gets_its_code_in_a_frame() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::at("localhost", &home, &[]).await;

    let brought = asks_in_a_frame(&window, &shop).await;

    assert_eq!(brought["state"], "af0ifjsldkj", "{brought:?}");
    assert_eq!(shop.redeem(&brought["code"]).await.0, 200);
}

/// The storage of the issuer is partitioned there, and no cookie comes along.
#[tokio::test]
async fn a_client_at_another_host_is_told_that_nobody_is_signed_in() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;

    let brought = asks_in_a_frame(&window, &shop).await;

    assert_eq!(brought["error"], "login_required", "{brought:?}");
    assert!(!brought.contains_key("code"));
}

/// Nobody else has the page in a frame.
#[tokio::test]
async fn a_page_that_is_not_the_clients_gets_nothing_in_a_frame() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::at("localhost", &home, &[]).await;
    window.open(shop.request("openid")).await;
    window.press("Allow").await;
    shop.visited("/callback").await;
    let other = super::elsewhere::Elsewhere::at_port(0).await;
    window.open(format!("http://localhost:{}/page", other.port)).await;
    window.reads("Nothing to see.").await;

    let silent = format!("{}&prompt=none", shop.request("openid"));
    let frame = format!(
        "document.body.append(Object.assign(document.createElement('iframe'), {{ src: {silent:?} }}))"
    );
    window.page.evaluate(frame).await.unwrap();

    window.excuses("frame-ancestors").await;
}
