//! An application asks: the person signs in, allows it or not, and is sent back.

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
