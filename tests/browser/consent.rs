//! An application asks: the person signs in, allows it or not, and is sent back.

use std::fs;
use std::path::PathBuf;

use chromiumoxide::cdp::browser_protocol::emulation::SetDeviceMetricsOverrideParams;
use chromiumoxide::page::ScreenshotParams;
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::application::Application;
use crate::pages::look;
use crate::program::Home;
use crate::setup::ada;
use crate::sign_in::{by_button, sign_out};

#[tokio::test]
async fn what_is_allowed_arrives_as_a_code_that_is_redeemed() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;

    window.open(shop.request("openid profile")).await;
    window.reads("Allow The Shop?").await;
    window.reads("See your name and username").await;
    window.reads("127.0.0.1").await;
    window.press("Allow").await;
    let response = shop.visited("/callback").await;

    assert_eq!(response["state"], "af0ifjsldkj");
    assert_eq!(response["iss"], server.issuer());
    let (status, tokens) = shop.redeem(&response["code"]).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(tokens["scope"], "openid profile");
    assert!(tokens["id_token"].is_string() && tokens["refresh_token"].is_string());
    window.reads("Welcome back.").await;
}

#[tokio::test]
async fn a_whole_sign_in_leaves_no_secret_in_the_log() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    window.open(shop.request("openid profile")).await;
    window.press("Allow").await;
    let code = shop.visited("/callback").await["code"].clone();
    let (_, tokens) = shop.redeem(&code).await;
    let cookies = window.page.get_cookies().await.unwrap();
    let setup = server.ready["setup_url"].as_str().unwrap().rsplit_once('#').unwrap().1.to_owned();

    // The last request.
    let log = home.log_with("\"route\":\"/oauth/token\"");
    assert!(log.contains("/gate/webauthn/register/finish"), "{log}");
    for kind in ["access_token", "id_token", "refresh_token"] {
        assert!(!log.contains(tokens[kind].as_str().unwrap()), "{kind}");
    }
    for secret in cookies.iter().map(|cookie| &cookie.value).chain([&code, &setup]) {
        assert!(!log.contains(secret.as_str()), "{secret}");
    }
    for value in ["gl_ac_", "gl_rt_", "gl_cs_", "gl_st_", "af0ifjsldkj", "n-0S6_WzA2Mj", "Lovelace"]
    {
        assert!(!log.contains(value), "{value}");
    }
}

#[tokio::test]
async fn what_is_not_allowed_arrives_as_access_denied() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;

    window.open(shop.request("openid")).await;
    window.reads("Allow The Shop?").await;
    window.press("Don’t allow").await;
    let response = shop.visited("/callback").await;

    assert_eq!(response["error"], "access_denied");
    assert_eq!(response["state"], "af0ifjsldkj");
    assert_eq!(response["iss"], server.issuer());
    assert!(!response.contains_key("code"));
}

#[tokio::test]
async fn somebody_who_is_signed_out_signs_in_on_the_way() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    sign_out(&window).await;
    window.passkeys.touch(false).await;

    window.open(shop.request("openid")).await;
    window.reads("to continue to The Shop").await;
    by_button(&window).await;
    window.reads("Allow The Shop?").await;
    window.press("Allow").await;

    let (status, tokens) = shop.redeem(&shop.visited("/callback").await["code"]).await;
    assert_eq!(status, 200, "{tokens}");
}

#[tokio::test]
async fn a_sign_in_that_is_cancelled_goes_back_as_access_denied() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    sign_out(&window).await;
    window.passkeys.touch(false).await;

    window.open(shop.request("openid")).await;
    window.press("Cancel and go back to The Shop").await;

    assert_eq!(shop.visited("/callback").await["error"], "access_denied");
}

/// A confidential client is proven by its secret, so what was allowed is not asked again.
#[tokio::test]
async fn a_second_request_asks_only_for_what_is_new() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    window.open(shop.request("openid")).await;
    window.press("Allow").await;
    shop.visited("/callback").await;

    window.set_off(shop.request("openid"));
    assert!(shop.visited("/callback").await.contains_key("code"));
    window.reads("Welcome back.").await;
    window.open(shop.request("openid email")).await;
    window.reads("See your e-mail address").await;
    window.reads("What you allowed it before").await;
    window.press("Don’t allow").await;

    assert_eq!(shop.visited("/callback").await["error"], "access_denied");
}

#[tokio::test]
async fn the_operators_own_application_is_not_asked_about() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &["--first-party"]).await;

    window.set_off(shop.request("openid"));

    assert!(shop.visited("/callback").await.contains_key("code"));
}

/// An application that needs the claim fails without it.
#[tokio::test]
async fn whoever_has_no_address_may_name_one_where_it_is_asked_for() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    home.json("user add bob --email bob@id.example");
    let shop = Application::registered(&home, &[]).await;

    window.open(shop.request("openid email")).await;
    window.reads("you have none here").await;
    look(&window, "consent-address").await;
    window.fill("email", "BOB@id.example").await;
    window.press("Allow").await;
    window.reads("This e-mail address cannot be used here.").await;
    window.excuses("409").await;
    look(&window, "consent-address-fault").await;
    window.fill("email", "ada@id.example").await;
    window.press("Allow").await;
    let response = shop.visited("/callback").await;

    let (status, _) = shop.redeem(&response["code"]).await;
    assert_eq!(status, 200);
    let ada = home.json("user show ada");
    assert_eq!((&ada["email"], &ada["email_verified"]), (&"ada@id.example".into(), &false.into()));
}

/// An app that registered itself, with the most to say and to warn of.
async fn editor(issuer: &str) -> String {
    let redirect_uri = "http://127.0.0.1:25078/callback";
    let metadata = json!({
        "client_name": "Editor",
        "client_uri": "http://127.0.0.1:25078/",
        "policy_uri": "http://127.0.0.1:25078/privacy",
        "redirect_uris": [redirect_uri],
        "token_endpoint_auth_method": "none",
        "tos_uri": "http://127.0.0.1:25078/terms",
    });
    let url = format!("{issuer}/oauth/register");
    let registered = reqwest::Client::new().post(url).body(metadata.to_string());
    let registered = registered.header("content-type", "application/json").send().await.unwrap();
    let registered: Value = serde_json::from_slice(&registered.bytes().await.unwrap()).unwrap();
    let query = Serializer::new(String::new())
        .extend_pairs([
            ("client_id", registered["client_id"].as_str().unwrap()),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
            ("redirect_uri", redirect_uri),
            ("resource", "http://127.0.0.1:8931/mcp"),
            ("response_type", "code"),
            ("scope", "openid profile email offline_access mcp:tools mcp:resources"),
        ])
        .finish();
    format!("{issuer}/oauth/authorize?{query}")
}

#[tokio::test]
async fn the_answer_is_on_the_first_screen_of_a_phone_however_much_is_asked() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let request = editor(server.issuer()).await;

    window.open(request).await;
    window.reads("Allow Editor?").await;
    look(&window, "consent-self-named").await;
    let phone = SetDeviceMetricsOverrideParams::new(360, 640, 2.0, true);
    window.page.execute(phone).await.unwrap();

    let places = "['allow', 'deny'].every(value => { \
                  const it = document.querySelector(`button[value=${value}]`); \
                  const { top, bottom, left, right } = it.getBoundingClientRect(); \
                  const seen = document.elementFromPoint((left + right) / 2, (top + bottom) / 2); \
                  return top > 0 && bottom <= 640 && left >= 0 && right <= 360 && it === seen; })";
    window.until(places, &"answer on the first screen").await;
    let picture = ScreenshotParams::builder().build();
    let picture = window.page.screenshot(picture).await.unwrap();
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
    fs::write(directory.join("consent-first-screen.png"), picture).unwrap();
    // What has the focus is not below it.
    let focused = "(() => { const it = document.querySelector('.links a'); it.focus(); \
                   const bar = document.querySelector('.stays').getBoundingClientRect(); \
                   return it.getBoundingClientRect().bottom <= bar.top; })()";
    window.until(focused, &"focus beside the answer").await;
}
