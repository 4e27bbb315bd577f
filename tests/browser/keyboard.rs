//! The whole way without a mouse.

use crate::application::Application;
use crate::program::Home;
use crate::setup::ada;
use crate::sign_in::sign_out;
use crate::window::{Key, Window};

/// Goes on with Tab until the focus is on what says `label`.
pub(crate) async fn tab_to(window: &Window, label: &str) {
    let mut seen = Vec::new();
    for _ in 0..40 {
        let script = "(document.activeElement?.innerText ?? '').trim()";
        let focused: String = window.ask(script).await.unwrap_or_default();
        if focused == label {
            let visible = "document.activeElement.matches(':focus-visible')";
            assert_eq!(window.ask(visible).await, Some(true), "{label} has the focus unseen");
            return;
        }
        seen.push(focused);
        window.key(Key::Tab).await;
    }
    panic!("Tab leads to {seen:?}, and not to {label}");
}

#[tokio::test]
async fn sign_in_and_consent_need_no_mouse() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    sign_out(&window).await;
    window.passkeys.touch(false).await;

    window.open(shop.request("openid profile")).await;
    window.reads("to continue to The Shop").await;
    tab_to(&window, "Sign in with a passkey").await;
    window.passkeys.touch(true).await;
    window.key(Key::Enter).await;
    window.reads("Allow The Shop?").await;
    tab_to(&window, "Allow").await;
    window.key(Key::Enter).await;

    assert!(shop.visited("/callback").await.contains_key("code"));
}

#[tokio::test]
async fn refusing_needs_no_mouse_either() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;

    window.open(shop.request("openid")).await;
    window.reads("Allow The Shop?").await;
    tab_to(&window, "Don’t allow").await;
    window.key(Key::Enter).await;

    assert_eq!(shop.visited("/callback").await["error"], "access_denied");
}

#[tokio::test]
async fn somebody_else_needs_no_mouse() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    window.passkeys.touch(false).await;

    window.open(shop.request("openid")).await;
    window.reads("Allow The Shop?").await;
    tab_to(&window, "Not you?").await;
    window.key(Key::Enter).await;
    window.reads("to continue to The Shop").await;
    tab_to(&window, "Sign in with a passkey").await;
    window.passkeys.touch(true).await;
    window.key(Key::Enter).await;
    window.reads("Allow The Shop?").await;
    tab_to(&window, "Details").await;
    window.key(Key::Enter).await;
    window.reads("App ID").await;
}

#[tokio::test]
async fn enrolment_needs_no_mouse() {
    let home = Home::new();
    let server = home.serve_with_setup();
    let window = Window::new().await;
    window.open(server.ready["setup_url"].as_str().unwrap()).await;
    window.reads("Make yourself at home").await;

    // From the heading, where the page puts the focus, the first stop is the username.
    window.key(Key::Tab).await;
    window.types("ada").await;
    tab_to(&window, "Create a passkey").await;
    window.key(Key::Enter).await;

    window.is_at("/gate/account").await;
    window.reads("Administrator").await;
}
