//! What a browser or an authenticator lacks, and what a person reads of it; errors, and the ways on.

mod outcomes;

use chromiumoxide::cdp::browser_protocol::emulation::SetScriptExecutionDisabledParams;

use crate::application::Application;
use crate::authenticator::Authenticator;
use crate::pages::look;
use crate::program::Home;
use crate::setup::{ada, link};
use crate::sign_in::sign_out;
use crate::window::Window;

const NEEDS_A_PIN: &str = "Set a PIN for it in its settings, or use another device.";

/// A page of the first administrator's link.
async fn at_setup(home: &Home) -> (crate::program::Server, Window) {
    let server = home.serve_with_setup();
    let window = Window::new().await;
    window.passkeys.unplug().await;
    window.open(server.ready["setup_url"].as_str().unwrap()).await;
    window.reads("Make yourself at home").await;
    window.fill("username", "ada").await;
    (server, window)
}

#[tokio::test]
async fn a_key_that_cannot_verify_its_person_is_told_from_a_cancelled_request() {
    let home = Home::new();
    let (_server, window) = at_setup(&home).await;

    for unfit in 0..3 {
        let plugged = match unfit {
            0 => Authenticator::u2f(&window.page).await,
            1 => Authenticator::unverifying(&window.page).await,
            _ => Authenticator::without_pin(&window.page).await,
        };
        window.press("Create a passkey").await;
        window.reads(NEEDS_A_PIN).await;
        plugged.unplug().await;
        if unfit == 2 {
            look(&window, "setup-unfit").await;
        }
        window.ask::<()>("void (document.getElementById('alert').textContent = '')").await;
    }
    let _fit = Authenticator::plug_in(&window.page).await;
    window.press("Create a passkey").await;
    window.is_at("/gate/account").await;
}

/// The browser asks all of them at once, and the first that cannot ends it for all.
#[tokio::test]
async fn of_several_keys_only_the_one_that_is_wanted_may_stay() {
    let home = Home::new();
    let (_server, window) = at_setup(&home).await;
    let unfit = Authenticator::u2f(&window.page).await;
    let fit = Authenticator::security_key(&window.page).await;
    fit.touch(false).await;

    window.press("Create a passkey").await;
    window.reads("leave only the one that you want to use").await;
    unfit.unplug().await;
    fit.touch(true).await;
    window.press("Create a passkey").await;

    window.is_at("/gate/account").await;
}

/// A browser says the same of a person who cancels as of a key that cannot, only later.
#[tokio::test]
async fn a_request_that_was_cancelled_says_so() {
    let home = Home::new();
    let server = home.serve_with_setup();
    let window = Window::new().await;
    window
        .beforehand(
            "navigator.credentials.create = () => new Promise((_, cancel) => \
             setTimeout(() => cancel(new DOMException('', 'NotAllowedError')), 1200));",
        )
        .await;

    window.open(server.ready["setup_url"].as_str().unwrap()).await;
    window.reads("Make yourself at home").await;
    window.fill("username", "ada").await;
    window.press("Create a passkey").await;

    window.reads("No passkey was made: the request was cancelled.").await;
}

/// Chromium's own words, where a person went on past its warning.
#[tokio::test]
async fn a_browser_that_does_not_trust_the_certificate_is_led_to_the_page_for_that() {
    let home = Home::new();
    let server = home.serve_with_setup();
    let window = Window::new().await;
    window
        .beforehand(
            "navigator.credentials.create = async () => { throw new DOMException('WebAuthn is not \
             supported on sites with TLS certificate errors.', 'NotAllowedError'); };",
        )
        .await;

    window.open(server.ready["setup_url"].as_str().unwrap()).await;
    window.reads("Make yourself at home").await;
    window.fill("username", "ada").await;
    window.press("Create a passkey").await;

    window.reads(&format!("How it comes to trust it: {}/trust", server.issuer())).await;
}

#[tokio::test]
async fn a_passkey_that_does_not_recognise_its_person_says_what_to_do() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    // The list of passkeys would sign in by itself once the passkey recognises its person.
    window
        .beforehand("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
        .await;
    window.passkeys.recognises(false).await;
    sign_out(&window).await;
    window.press("Sign in again").await;
    window.is_at("/gate/login").await;

    window.press("Sign in with a passkey").await;
    window.reads("with a PIN, fingerprint or face? If not, use another device").await;
    window.passkeys.recognises(true).await;
    window.press("Sign in with a passkey").await;

    window.is_at("/gate/account").await;
}

#[tokio::test]
async fn a_browser_without_passkeys_is_told_so_and_asks_for_nothing() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let lacks = "This browser cannot use passkeys.";
    let pressable = "[...document.querySelectorAll('main button')].some(button => \
                     !button.disabled && button.checkVisibility())";
    window.beforehand("delete window.PublicKeyCredential").await;

    window.open(format!("{}/gate/account/passkeys/new", server.issuer())).await;
    window.reads(lacks).await;
    assert_eq!(window.ask::<bool>(pressable).await, Some(false));
    window.open(link(&home, "user add bob")).await;
    window.reads(lacks).await;
    assert_eq!(window.ask::<bool>(pressable).await, Some(false));
    window.open(format!("{}/gate/account", server.issuer())).await;
    sign_out(&window).await;
    window.press("Sign in again").await;
    window.is_at("/gate/login").await;
    window.reads(lacks).await;
    look(&window, "login-no-passkeys").await;
    assert_eq!(window.ask::<bool>(pressable).await, Some(false));
}

#[tokio::test]
async fn a_browser_without_javascript_is_told_so() {
    let home = Home::new();
    let server = home.serve_with_setup();
    let window = Window::new().await;
    window.page.execute(SetScriptExecutionDisabledParams::new(true)).await.unwrap();

    for page in ["/gate/login", "/gate/setup", "/gate/account/passkeys/new"] {
        window.open(format!("{}{page}", server.issuer())).await;
        window.reads("needs JavaScript, which is off in this browser").await;
    }
}

#[tokio::test]
async fn an_error_page_copies_its_event_and_leads_on() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;

    let old = shop.request("openid").replace("client_id=shop", "client_id=old");
    window.open(old).await;
    window.reads("it may remember a registration that is gone").await;
    look(&window, "error-old").await;
    window.excuses("400").await;
    window.beforehand("navigator.clipboard.writeText = () => Promise.reject()").await;
    window.open(format!("{}/gate/nowhere", server.issuer())).await;
    window.excuses("404").await;
    let event: String = window.ask("document.getElementById('event').innerText").await.unwrap();
    window.press("Copy").await;
    window.reads("It is selected: copy it by hand.").await;
    assert_eq!(window.ask::<String>("String(getSelection())").await.as_ref(), Some(&event));
    window.press("Go to your account").await;

    window.is_at("/gate/account").await;
}
