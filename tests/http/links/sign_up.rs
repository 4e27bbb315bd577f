//! Accounts that people make by themselves, where the operator lets them (Initiating User
//! Registration via OpenID Connect 1.0).

use std::fs;

use axum::http::Method;
use gatelodge::config::{Config, Flags, Layers, SignUpPolicy};
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::issuer::Issuer;
use gatelodge::store::View as _;
use gatelodge::store::schema::Person;
use serde_json::json;

use super::newest;
use crate::support::{Browser, RelyingParty, Response, Server};

fn open(config: &mut Config) {
    config.policy.sign_up = SignUpPolicy::Open;
}

async fn installed() -> Server {
    let server = Server::with(Issuer::localhost(7455), open).await;
    server.first_administrator().await;
    server
}

/// What signing up under a name responds, at its start or at its end.
async fn sign_up(browser: &mut Browser, username: &str) -> Response {
    browser.visit("/login").await;
    match browser.started_passkey(&json!({ "token": "", "username": username })).await {
        Ok(passkey) => browser.finish_setup(&passkey).await,
        Err(refused) => *refused,
    }
}

fn people(server: &Server) -> usize {
    server.app.read().unwrap().count::<Person>(1000).unwrap()
}

#[tokio::test]
async fn whoever_signs_up_is_a_user_with_a_session_and_nothing_else() {
    let server = installed().await;
    server.advance(std::time::Duration::from_secs(1));
    let mut bob = Browser::at_login(&server).await;

    let seen = bob.call("/gate/setup", &json!({})).await.json();
    let done = sign_up(&mut bob, "bob").await;

    let expected = json!({
        "purpose": "sign_up", "username": null, "display_name": null, "takes_email": true,
        "signed_in_as": null,
        "takes_names": true,
    });
    assert_eq!(seen, expected);
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(!bob.visit("/account").await.asks_to_sign_in());
    let user = server.operate(Method::GET, "/users/bob", json!({})).await.json();
    assert_eq!((&user["roles"], &user["groups"]), (&json!(["user"]), &json!([])));
    let event = newest(&server, "user.added").await;
    assert_eq!(event["facts"]["by"], "sign-up");
    assert_eq!(event["actor"]["username"], "bob");
    bob.sign_out().await;
    bob.sign_in().await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_said_before_a_passkey_is_made() {
    let server = installed().await;
    let mut eve = Browser::at_login(&server).await;

    let refused = sign_up(&mut eve, "ADA").await;

    refused.refused(ErrorCode::UsernameTaken, Refusal::UsernameTaken);
    assert_eq!(people(&server), 1);
}

#[tokio::test]
async fn nobody_signs_up_where_it_is_closed_or_before_an_administrator_is_there() {
    let (closed, _ada) = Server::with_ada().await;
    let empty = Server::with(Issuer::localhost(7455), open).await;

    for server in [&closed, &empty] {
        let refused = sign_up(&mut Browser::new(server), "bob").await;
        refused.refused(ErrorCode::SignUpClosed, Refusal::SignUpClosed);
    }
    assert_eq!((people(&closed), people(&empty)), (1, 0));
}

#[tokio::test]
async fn a_reload_closes_what_was_open_and_ends_what_was_begun() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gatelodge.toml");
    let written = |policy: &str| fs::write(&path, format!("[policy]\nsign_up = '{policy}'\n"));
    written("open").unwrap();
    let flags = Flags {
        config: Some(path.clone()),
        data: Some(directory.path().join("data")),
        ..Flags::default()
    };
    let server = Server::with_layers(Layers::new(flags, [].into())).await;
    server.first_administrator().await;
    let mut bob = Browser::at_login(&server).await;
    let passkey = bob.started_passkey(&json!({ "username": "bob" })).await.unwrap();

    written("closed").unwrap();
    let reloaded = server.operate(Method::POST, "/config/reload", json!({})).await;
    let refused = bob.finish_setup(&passkey).await;

    assert_eq!(reloaded.status, 200, "{}", reloaded.text());
    refused.refused(ErrorCode::SignUpClosed, Refusal::SignUpClosed);
    assert_eq!(people(&server), 1);
}

#[tokio::test]
async fn a_network_signs_up_so_many_in_a_minute() {
    let few = |config: &mut Config| {
        open(config);
        config.registration.per_minute = 2;
    };
    let server = Server::with(Issuer::localhost(7455), few).await;
    server.first_administrator().await;
    let at = |address: &str| Browser::new(&server).at(address);

    let mut early = at("203.0.113.7");
    early.visit("/login").await;
    let made = early.started_passkey(&json!({ "token": "", "username": "early" })).await.unwrap();

    for name in ["one", "two"] {
        let done = sign_up(&mut at("203.0.113.7"), name).await;
        assert_eq!(done.status, 200, "{}", done.text());
    }
    let mut third = at("203.0.113.7");
    third.visit("/login").await;
    let third = third.started_passkey(&json!({ "token": "", "username": "three" })).await;
    let began_before = early.finish_setup(&made).await;
    let other = sign_up(&mut at("198.51.100.7"), "four").await;
    server.advance(std::time::Duration::from_mins(1));
    let later = sign_up(&mut at("203.0.113.7"), "five").await;

    // No passkey is made that would be refused; only one that was made meanwhile is.
    assert_eq!(third.unwrap_err().status, 429);
    assert_eq!(began_before.status, 429, "{}", began_before.text());
    assert_eq!((other.status.as_u16(), later.status.as_u16()), (200, 200));
    assert_eq!(people(&server), 5);
}

/// A stranger asks for names without making an account, and for free ones as for taken ones.
#[tokio::test]
async fn a_network_asks_for_so_many_names_in_a_minute() {
    let server = installed().await;
    let mut stranger = Browser::new(&server).at("203.0.113.7");
    stranger.visit("/login").await;
    let start = "/gate/webauthn/register/start";

    for at in 0..60 {
        let name = if at % 2 == 0 { "ada".to_owned() } else { format!("free{at}") };
        let response = stranger.call(start, &json!({ "username": name })).await;
        assert_eq!(response.status.as_u16(), if at % 2 == 0 { 409 } else { 200 });
    }
    let paused = stranger.call(start, &json!({ "username": "ada" })).await;
    let other = sign_up(&mut Browser::new(&server).at("198.51.100.7"), "bob").await;

    assert_eq!(paused.status, 429, "{}", paused.text());
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn a_ceremony_without_a_link_spends_none_and_the_other_way_round() {
    let server = installed().await;
    let link = super::made(&server, "/users", json!({ "username": "bob" })).await;
    let mut browser = Browser::new(&server);
    let token = browser.open_link(link["setup_url"].as_str().unwrap()).await;
    let mut own = browser.started_passkey(&json!({ "username": "eve" })).await.unwrap();
    let mut bobs = browser.made_passkey(&token, None).await;

    own["token"] = token.as_str().into();
    let with_link = browser.finish_setup(&own).await;
    bobs["token"] = "".into();
    let without_link = browser.finish_setup(&bobs).await;

    with_link.refused(ErrorCode::SetupLinkMismatched, Refusal::SetupTokenMismatched);
    without_link.refused(ErrorCode::SetupLinkMismatched, Refusal::SetupTokenMismatched);
    assert_eq!(people(&server), 2);
}

/// The account that is made is the sign-in that the request asks for, whoever was signed in before.
#[tokio::test]
async fn a_new_account_goes_on_with_the_request_that_asked_for_it() {
    let server = Server::with(Issuer::localhost(7455), open).await;
    let mut browser = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let metadata = server.get("/.well-known/openid-configuration").await.json();
    server.advance(std::time::Duration::from_secs(1));

    let page = browser.visit(&shop.request(&[("prompt", "create")])).await;
    let passkey = browser.started_passkey(&json!({ "username": "bob" })).await.unwrap();
    assert_eq!(browser.finish_setup(&passkey).await.status, 200);
    let consent = browser.visit(&crate::pages::prompts::next(&page)).await;
    let allowed = browser.decide(&consent, "allow").await;

    assert!(page.asks_to_sign_in(), "{}", page.text());
    let (before, _) = page.text().split_once("id=\"login\"").unwrap();
    assert!(before.contains("<h1>Make an account</h1>") && before.contains("#sign-up"), "{before}");
    assert!(consent.asks_for_consent(), "{}", consent.text());
    let tokens = shop.redeem(&allowed.brought()["code"]).await.tokens();
    assert_eq!(shop.userinfo(&tokens.access).await.status, 200);
    let prompts = metadata["prompt_values_supported"].as_array().unwrap();
    assert!(prompts.contains(&json!("create")), "{prompts:?}");
}
