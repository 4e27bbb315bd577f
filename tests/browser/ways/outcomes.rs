//! A reload, the way back and another tab after an answer, in a browser.

use crate::application::Application;
use crate::bridge::link;
use crate::callback_server::CallbackServer;
use crate::device::{Telly, types_code};
use crate::pages::look;
use crate::program::Home;
use crate::setup::ada;
use crate::sign_in::{by_button, sign_out};
use crate::window::Window;

#[tokio::test]
async fn the_way_back_from_the_app_says_what_was_answered() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    window.open(shop.request("openid")).await;
    window.reads("Allow The Shop?").await;
    let path: String = window.ask("location.href").await.unwrap();
    let other = window.tab().await;
    other.open(path.as_str()).await;
    other.reads("Allow The Shop?").await;

    window.press("Allow").await;
    shop.visited("/callback").await;
    window.reads("Welcome back.").await;
    // Where a session is a key, a page leaves nothing to come back to.
    window.back().await;
    window.is_at("/gate/account").await;
    window.open(path).await;
    window.reads("You have answered already").await;
    window.reload().await;
    window.reads("You let The Shop in.").await;
    look(&window, "outcome").await;

    other.press("Don’t allow").await;
    other.reads("You let The Shop in.").await;
    other.press("Go to your account").await;
    other.is_at("/gate/account").await;
}

#[tokio::test]
async fn a_second_tab_that_signs_in_later_leads_on() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    sign_out(&window).await;
    window.passkeys.touch(false).await;
    window.open(shop.request("openid")).await;
    window.reads("to continue to The Shop").await;
    let path: String = window.ask("location.href").await.unwrap();
    let other = window.tab().await;
    other.passkeys.touch(false).await;
    other.open(path).await;
    other.reads("to continue to The Shop").await;

    by_button(&window).await;
    window.reads("Allow The Shop?").await;
    window.press("Allow").await;
    shop.visited("/callback").await;
    other.reload().await;

    other.reads("You let The Shop in.").await;
}

#[tokio::test]
async fn the_page_after_a_device_may_be_loaded_again() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let telly = Telly::waiting(&home, &server).await;
    window.open(telly.page()).await;
    types_code(&window, telly.code()).await;
    window.reads("less than a minute ago").await;
    look(&window, "device-confirm").await;
    window.press("Allow").await;
    window.is_at("/gate/device/done").await;
    window.reads("Go back to your device").await;

    window.reload().await;

    window.reads("Telly goes on there by itself").await;
    window.back().await;
    window.reads("Sign in a device").await;
}

#[tokio::test]
async fn a_code_for_a_bridge_is_copied_and_stays_over_a_reload() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    window
        .beforehand("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
        .await;
    window.open(link(server.issuer(), None)).await;
    window.press("Link device").await;
    window.reads("Give this code to your bridge").await;
    window.press("Copy the command").await;
    window.reads("Copied.").await;
    look(&window, "link-code").await;
    let code: String =
        window.ask("document.getElementById('code').innerText.trim()").await.unwrap();
    let command = format!("systemprompt-bridge login --gateway {} --code {code}", server.issuer());
    assert_eq!(window.ask::<String>("window.copied").await, Some(command.clone()));

    window.reload().await;
    window.reads(&code).await;
    window.reads(&command).await;
    window.reads("Good for 9:").await;
    let other = window.tab().await;
    let path: String = window.ask("location.href").await.unwrap();
    other.open(path).await;
    other.reads("The code was shown once").await;
    look(&other, "link-code-shown").await;
    other.press("Make another code").await;

    other.reads("Link this device?").await;
}

#[tokio::test]
async fn a_bridge_that_was_linked_says_so_on_the_way_back() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let desk = CallbackServer::new().await;
    window.open(link(server.issuer(), Some(&desk.at("/cb")))).await;
    window.reads("Link this device?").await;
    let path: String = window.ask("location.href").await.unwrap();
    window.press("Link device").await;
    desk.visited("/cb").await;

    window.open(path).await;

    window.reads("The device is linked").await;
}

/// Where a session is a cookie, pages are pages: back leads to them, and a reload sends a form again.
#[tokio::test]
async fn the_way_back_and_a_reload_of_a_form_lead_on_where_a_session_is_a_cookie() {
    let home = Home::new();
    let named = home.path("config.toml");
    std::fs::write(&named, "policy.session_key = false\n").unwrap();
    let config = named.to_str().unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--print-setup", "--config", config];
    let server = home.start(&serve);
    let window = Window::new().await;
    window.open(server.ready["setup_url"].as_str().unwrap()).await;
    window.reads("Make yourself at home").await;
    window.fill("username", "ada").await;
    window.press("Create a passkey").await;
    window.is_at("/gate/account").await;
    let shop = Application::registered(&home, &[]).await;

    window.open(shop.request("openid")).await;
    window.press("Allow").await;
    shop.visited("/callback").await;
    window.reads("Welcome back.").await;
    let path = window.history().await.into_iter().find(|url| url.contains("/gate/interaction/"));
    window.open(path.unwrap()).await;
    window.reads("You let The Shop in.").await;

    window.open(link(server.issuer(), None)).await;
    window.press("Link device").await;
    window.reads("Give this code to your bridge").await;
    let code: String =
        window.ask("document.getElementById('code').innerText.trim()").await.unwrap();
    window.reload().await;
    window.reads(&code).await;
    window.reads("Good for 9:").await;
}
