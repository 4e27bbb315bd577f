//! Sign-in without a name: by the browser's autofill, and by the button.

use crate::application::Application;
use crate::pages::look;
use crate::program::Home;
use crate::setup::ada;
use crate::window::Window;

/// Signs out, by the button of the account page.
pub(crate) async fn sign_out(window: &Window) {
    window.press("Sign out").await;
    window.reads("You are signed out").await;
}

/// Brings a login page from "no hand on the device" to signed in, by its button.
pub(crate) async fn by_button(window: &Window) {
    window.press("Sign in with a passkey").await;
    // Before, the hand on the device would have ended the autofill ceremony.
    window.passkeys.touch(true).await;
}

#[tokio::test]
async fn autofill_signs_in_without_a_press() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    sign_out(&window).await;

    window.open(format!("{}/login", server.issuer())).await;

    window.is_at("/gate/account").await;
    window.reads("Ada Lovelace").await;
}

#[tokio::test]
async fn the_button_takes_over_from_the_autofill_that_waits() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    sign_out(&window).await;
    window.passkeys.touch(false).await;
    window.press("Sign in again").await;
    window.is_at("/gate/login").await;

    by_button(&window).await;

    window.is_at("/gate/account").await;
    window.reads("Ada Lovelace").await;
    let used: i64 = window.passkeys.held().await[0].sign_count;
    assert!(used > 1, "{used}");
    assert!(server.issuer().starts_with("http://localhost:"));
}

#[tokio::test]
async fn signing_out_ends_the_session_and_the_way_back_leads_to_the_login() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    window.passkeys.touch(false).await;

    sign_out(&window).await;
    window.open(format!("{}/account", server.issuer())).await;

    window.is_at("/gate/login").await;
    let cookies = window.page.get_cookies().await.unwrap();
    assert!(cookies.iter().all(|cookie| !cookie.name.ends_with("_session")), "{cookies:?}");
}

/// On a loopback issuer other ports of the machine receive each cookie, so none is a session.
#[tokio::test]
async fn every_cookie_stays_below_gate_and_out_of_scripts() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    window.open(shop.request("openid")).await;
    window.reads("Allow The Shop?").await;

    let cookies = window.page.get_cookies().await.unwrap();

    let port = server.issuer().rsplit_once(':').unwrap().1;
    assert!(!cookies.is_empty());
    for cookie in cookies {
        assert!(cookie.http_only && cookie.path == "/gate/", "{cookie:?}");
        let own = ["i_", "outcomes"].map(|purpose| format!("gl{port}_{purpose}"));
        assert!(own.iter().any(|own| cookie.name.starts_with(own)), "{cookie:?}");
    }
}

/// A device that holds no passkey of this server has nothing to offer.
#[tokio::test]
async fn a_stranger_is_told_what_to_do_and_stays_where_they_are() {
    let home = Home::new();
    let (server, _ada) = ada(&home).await;
    let stranger = Window::new().await;
    stranger.passkeys.touch(false).await;
    stranger.open(format!("{}/login", server.issuer())).await;

    by_button(&stranger).await;

    stranger.reads("No passkey answered").await;
    stranger.is_at("/gate/login").await;
}

/// The virtual device stands for one that is somewhere else: the hints change what a browser offers first.
#[tokio::test]
async fn another_device_signs_in_too() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    sign_out(&window).await;
    window.passkeys.touch(false).await;
    window.press("Sign in again").await;
    window.is_at("/gate/login").await;
    let spy = "(() => { const get = navigator.credentials.get.bind(navigator.credentials); \
               navigator.credentials.get = (options) => { \
               sessionStorage.hints = options.publicKey.hints; return get(options); }; \
               return true; })()";
    assert_eq!(window.ask(spy).await, Some(true));

    window.press("Use another device").await;
    window.passkeys.touch(true).await;

    window.is_at("/gate/account").await;
    window.reads("Ada Lovelace").await;
    let hints: Option<String> = window.ask("sessionStorage.hints").await;
    assert_eq!(hints.as_deref(), Some("hybrid,security-key"));
}

/// A browser offers passkeys in a field only if that has the focus.
#[tokio::test]
async fn the_field_for_another_account_takes_the_focus_once_it_is_open() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    sign_out(&window).await;
    window.passkeys.touch(false).await;
    window.press("Sign in again").await;
    window.is_at("/gate/login").await;

    window.press("Another account").await;
    look(&window, "login-another").await;
    window.fill("username", "ada").await;
    by_button(&window).await;

    window.is_at("/gate/account").await;
}
