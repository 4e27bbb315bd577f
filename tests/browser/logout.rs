//! An application asks to sign the person out: they confirm it, or stay.

use crate::application::Application;
use crate::program::Home;
use crate::setup::ada;

#[tokio::test]
async fn a_confirmed_sign_out_ends_the_session_and_goes_back() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;

    window.open(shop.logout()).await;
    window.reads("Sign out of Gatelodge?").await;
    window.reads("The Shop asks to sign you out.").await;
    window.press("Sign out").await;

    assert_eq!(shop.visited("/bye").await["state"], "until-we-meet-again");
    window.reads("Welcome back.").await;
    window.passkeys.touch(false).await;
    window.open(format!("{}/account", server.issuer())).await;
    window.is_at("/gate/login").await;
}

#[tokio::test]
async fn somebody_who_stays_is_still_signed_in() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;

    window.open(shop.logout()).await;
    window.press("Stay signed in").await;

    window.is_at("/gate/account").await;
    window.reads("Ada Lovelace").await;
}

/// OpenID Connect RP-Initiated Logout §2: a hint that names the session is enough.
#[tokio::test]
async fn with_an_id_token_of_the_session_nothing_is_asked() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    window.open(shop.request("openid")).await;
    window.press("Allow").await;
    let (_, tokens) = shop.redeem(&shop.visited("/callback").await["code"]).await;

    let hint = tokens["id_token"].as_str().unwrap();
    window.set_off(format!("{}&id_token_hint={hint}", shop.logout()));

    assert_eq!(shop.visited("/bye").await["state"], "until-we-meet-again");
    window.reads("Welcome back.").await;
    window.passkeys.touch(false).await;
    window.open(format!("{}/account", server.issuer())).await;
    window.is_at("/gate/login").await;
}

#[tokio::test]
async fn without_an_application_it_ends_at_our_own_page() {
    let home = Home::new();
    let (server, window) = ada(&home).await;

    window.open(format!("{}/oauth/logout", server.issuer())).await;
    window.press("Sign out").await;

    window.reads("You are signed out").await;
}
