//! Every page there is, as it looks by day, by night and on a phone: `target/screenshots/`.

use std::fs;
use std::path::PathBuf;

use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams,
};
use chromiumoxide::cdp::browser_protocol::network::SetUserAgentOverrideParams;
use chromiumoxide::page::ScreenshotParams;

use crate::application::Application;
use crate::bridge::link;
use crate::callback_server::CallbackServer;
use crate::craft;
use crate::device::{Telly, types_code};
use crate::program::Home;
use crate::setup::ada;
use crate::sign_in::{by_button, sign_out};
use crate::window::Window;

/// A suffix, a colour scheme, the size in CSS pixels, and how many device pixels each has.
const LOOKS: [(&str, &str, (i64, i64), f64); 6] = [
    ("light", "light", (1280, 860), 1.0),
    ("dark", "dark", (1280, 860), 1.0),
    ("tablet", "light", (768, 1024), 1.0),
    ("tablet-dark", "dark", (768, 1024), 1.0),
    ("phone", "light", (360, 740), 2.0),
    ("phone-dark", "dark", (360, 740), 2.0),
];

/// Takes the page's picture in each look. Asserts that it is well made, and in each look open to
/// everybody and not scrolled sideways.
pub(crate) async fn look(window: &Window, name: &str) {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
    fs::create_dir_all(&directory).unwrap();
    craft::is_well_made(window, name).await;
    craft::suits_everybody(window, name).await;
    for (suffix, scheme, (width, height), scale) in LOOKS {
        let size = SetDeviceMetricsOverrideParams::new(width, height, scale, scale > 1.0);
        window.page.execute(size).await.unwrap();
        let scheme = MediaFeature::new("prefers-color-scheme", scheme);
        // Colours that are still on their way to others would be in the picture.
        let still = MediaFeature::new("prefers-reduced-motion", "reduce");
        window.page.emulate_media_features(vec![scheme, still]).await.unwrap();

        let wide: i64 = window.ask("document.documentElement.scrollWidth").await.unwrap();
        assert!(wide <= width, "{name}-{suffix} is {wide} pixels wide");
        // What axe-core judges differs by colours and between a desk and a phone.
        if matches!(suffix, "light" | "dark" | "phone") {
            craft::is_open_to_everybody(window, &format!("{name}-{suffix}")).await;
        }
        let whole = ScreenshotParams::builder().full_page(true).build();
        let picture = window.page.screenshot(whole).await.unwrap();
        fs::write(directory.join(format!("{name}-{suffix}.png")), picture).unwrap();
    }
    let size = SetDeviceMetricsOverrideParams::new(1280, 860, 1.0, false);
    window.page.execute(size).await.unwrap();
    craft::forget_shifts(window).await;
}

#[tokio::test]
async fn the_pages_of_a_first_start_are_looked_at() {
    let home = Home::new();
    let server = home.serve();
    let window = Window::new().await;

    window.open(format!("{}/login", server.issuer())).await;
    window.reads("Nobody lives here yet").await;
    look(&window, "login-nobody").await;

    let link = home.json("user recover")["setup_url"].as_str().unwrap().to_owned();
    window.open(&link).await;
    window.reads("Make yourself at home").await;
    look(&window, "setup").await;
    window.press("Create a passkey").await;
    window.reads("Choose a username.").await;
    look(&window, "setup-fault").await;
    window.fill("username", "ada").await;
    window.fill("display_name", "Ada Lovelace").await;
    window.press("Create a passkey").await;
    window.is_at("/gate/account").await;
    look(&window, "account").await;

    window.open("about:blank").await;
    window.open(&link).await;
    window.reads("This setup link was used already.").await;
    look(&window, "setup-used").await;
    window.excuses("410").await;

    let link = home.json("user add bob --name Bob")["setup_url"].as_str().unwrap().to_owned();
    window.open(&link).await;
    window.reads("Welcome, Bob").await;
    look(&window, "setup-invited").await;
}

#[tokio::test]
async fn the_pages_of_a_sign_in_are_looked_at() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    sign_out(&window).await;
    look(&window, "logged-out").await;
    window.passkeys.touch(false).await;

    window.open(format!("{}/login", server.issuer())).await;
    window.reads("There is no password to remember.").await;
    look(&window, "login").await;
    window.open(shop.request("openid profile")).await;
    window.reads("to continue to The Shop").await;
    look(&window, "login-client").await;
    by_button(&window).await;
    window.reads("Allow The Shop?").await;
    look(&window, "consent").await;

    window.press("Allow").await;
    shop.turns_away("/callback").await;
    window.reads("On your way").await;
    look(&window, "redirect").await;

    window.open(shop.request("openid profile email offline_access")).await;
    window.reads("What you allowed it before").await;
    look(&window, "consent-more").await;
    window.press("Don’t allow").await;
    shop.turns_away("/callback").await;
    window.reads("Nothing was allowed").await;
    look(&window, "redirect-denied").await;

    window.open(shop.logout()).await;
    window.reads("Sign out of Gatelodge?").await;
    look(&window, "logout").await;
    window.open(format!("{}/oauth/authorize?client_id=stranger", server.issuer())).await;
    window.reads("This request cannot go on").await;
    look(&window, "error").await;
    window.excuses("400").await;
}

#[tokio::test]
async fn the_pages_of_what_leads_nowhere_are_looked_at() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    let metadata = r#"{"client_name":"Stranger","redirect_uris":["https://stranger.example/cb"]}"#;
    let registered = reqwest::Client::new()
        .post(format!("{}/oauth/register", server.issuer()))
        .header("content-type", "application/json")
        .body(metadata);
    let registered = registered.send().await.unwrap().bytes().await.unwrap();
    let registered: serde_json::Value = serde_json::from_slice(&registered).unwrap();
    let stranger = registered["client_id"].as_str().unwrap();

    let elsewhere = format!("&redirect_uri=https://shop.example/{}", "callback".repeat(40));
    let request = shop.request("openid").replace("&redirect_uri=", "&ignored=");
    window.open(format!("{request}{elsewhere}")).await;
    window.reads("It says that it is The Shop").await;
    look(&window, "error-address").await;
    window.excuses("400").await;

    let request = format!("{}/oauth/authorize?client_id={stranger}", server.issuer());
    window.open(format!("{request}&response_type=token")).await;
    window.reads("Nobody here vouches for this app.").await;
    look(&window, "error-stranger").await;
    window.excuses("400").await;

    window.open(format!("{}/gate/apps/start?app=wiki.lan&state=x", server.issuer())).await;
    window.reads("This application is not set up").await;
    look(&window, "error-application").await;
    window.excuses("403").await;

    home.json("client set shop --group staff");
    window.open(shop.request("openid")).await;
    window.reads("The Shop is not for you").await;
    look(&window, "not-for-you").await;
    window.excuses("403").await;
    window.press("Back to the app").await;
    assert_eq!(shop.turns_away("/callback").await["error"], "access_denied");
    home.command(&["client", "set", "shop", "--group", ""]).output().unwrap();

    window.open(shop.logout().replace("%2Fbye", "%2Felsewhere")).await;
    window.reads("so you will stay here.").await;
    look(&window, "logout-astray").await;
    window.press("Sign out").await;
    window.reads("so you stay here.").await;
    look(&window, "logged-out-astray").await;
}

#[tokio::test]
async fn the_pages_of_a_device_are_looked_at() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let telly = Telly::waiting(&home, &server).await;

    window.open(telly.page()).await;
    window.reads("Sign in a device").await;
    look(&window, "device").await;
    types_code(&window, "BBBB-BBBB").await;
    window.reads("No device waits for this code.").await;
    look(&window, "device-unknown").await;
    types_code(&window, telly.code()).await;
    window.reads("Allow Telly?").await;
    look(&window, "device-confirm").await;
    home.json("client set telly --group staff");
    window.open(telly.page()).await;
    types_code(&window, telly.code()).await;
    window.reads("Telly is not for you").await;
    window.reads("your account is not in it").await;
    look(&window, "device-astray").await;
    window.excuses("403").await;
    home.command(&["client", "set", "telly", "--group", ""]).output().unwrap();
    window.open(telly.page()).await;
    types_code(&window, telly.code()).await;
    window.press("Allow").await;
    window.reads("Go back to your device").await;
    look(&window, "device-done").await;
}

#[tokio::test]
async fn the_pages_of_a_bridge_are_looked_at() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let desk = CallbackServer::new().await;

    window.open(link(server.issuer(), Some(&desk.at("/cb")))).await;
    window.reads("Link this device?").await;
    look(&window, "link").await;
    window.press("Link device").await;
    desk.turns_away("/cb").await;
    window.open(link(server.issuer(), None)).await;
    window.reads("nowhere: you get a code to paste").await;
    window.press("Link device").await;
    window.reads("Give this code to your bridge").await;
    look(&window, "link-code-made").await;
    window.open(link(server.issuer(), None)).await;
    window.press("Don’t link").await;
    window.reads("Nothing was linked").await;
    look(&window, "link-refused").await;
}

#[tokio::test]
async fn a_passkey_that_is_refused_is_looked_at() {
    let home = Home::new();
    let (server, _ada) = ada(&home).await;
    let stranger = Window::new().await;
    stranger.passkeys.touch(false).await;
    stranger.open(format!("{}/login", server.issuer())).await;

    by_button(&stranger).await;

    stranger.reads("No passkey answered").await;
    look(&stranger, "login-refused").await;
}

/// The browser of somebody who reads German.
async fn german() -> Window {
    let window = Window::new().await;
    let program: String = window.ask("navigator.userAgent").await.unwrap();
    let language = SetUserAgentOverrideParams::builder().accept_language("de-AT,de");
    window.page.execute(language.user_agent(program).build().unwrap()).await.unwrap();
    window
}

#[tokio::test]
async fn somebody_who_reads_german_reads_nothing_else() {
    let home = Home::new();
    let server = home.serve_with_setup();
    let window = german().await;

    window.open(server.ready["setup_url"].as_str().unwrap()).await;
    window.reads("Willkommen zu Hause").await;
    window.reads("Passkey erstellen").await;
    window.fill("username", "a b").await;
    window.press("Passkey erstellen").await;
    window.reads("Ein Benutzername besteht nur aus").await;
    look(&window, "german-setup").await;
    window.fill("username", "ada").await;
    window.fill("display_name", "Ada Lovelace").await;
    window.press("Passkey erstellen").await;
    window.is_at("/gate/account").await;
    window.reads("Ihre Passkeys").await;
    window.reads("unter Linux").await;
    let text: String = window.ask("document.body.innerText").await.unwrap();
    assert!(!text.contains(" on "), "{text}");
    look(&window, "german-account").await;

    let shop = Application::registered(&home, &[]).await;
    window.open(shop.request("openid profile")).await;
    window.reads("Zugriff für The Shop erlauben?").await;
    window.reads("Ihren Namen und Benutzernamen sehen").await;
    look(&window, "german-consent").await;

    window.passkeys.touch(false).await;
    window.open(format!("{}/account", server.issuer())).await;
    window.press("Abmelden").await;
    window.reads("Sie sind abgemeldet").await;
    window.press("Wieder anmelden").await;
    window.reads("Mit Passkey anmelden").await;
    let language: String = window.ask("document.documentElement.lang").await.unwrap();
    assert_eq!(language, "de");
    look(&window, "german-login").await;

    // What the server says to a script is German, too.
    window.open("about:blank").await;
    window.open(format!("{}/setup#gl_st_wrong", server.issuer())).await;
    window.reads("Dieser Einrichtungslink ist hier nicht bekannt.").await;
    window.excuses("404").await;
    look(&window, "german-setup-unknown").await;
    window.open(format!("{}/gate/nothing", server.issuer())).await;
    window.reads("Diese Seite gibt es nicht.").await;
    window.excuses("404").await;
    look(&window, "german-error").await;
}
