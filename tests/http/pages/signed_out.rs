//! The end of all sessions of a person but one.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Server};

/// Another browser with the passkey of `ada`, which has signed in.
async fn another(ada: &Browser) -> Browser {
    let mut other = Browser::new(&ada.server);
    other.authenticator = ada.authenticator.clone();
    other.sign_in().await;
    other
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    !browser.visit("/account").await.asks_to_sign_in()
}

async fn end_others(browser: &mut Browser) {
    browser.visit("/account").await;
    let ended = browser.submit("/gate/account/sessions/others", &[]).await;
    assert_eq!(ended.location(), "/gate/account", "{}", ended.text());
}

async fn sessions(server: &Server) -> usize {
    let listed = server.operate(Method::GET, "/sessions", json!({})).await.json();
    listed["sessions"].as_array().unwrap().len()
}

#[tokio::test]
async fn every_other_session_ends_and_this_one_goes_on() {
    let (server, mut ada) = Server::with_ada().await;
    let (mut second, mut third) = (another(&ada).await, another(&ada).await);
    let mut bob = server.person("bob").await;

    end_others(&mut ada).await;

    assert!(is_signed_in(&mut ada).await);
    assert!(!is_signed_in(&mut second).await && !is_signed_in(&mut third).await);
    assert!(is_signed_in(&mut bob).await);
    assert_eq!(sessions(&server).await, 2);
}

#[tokio::test]
async fn whatever_was_allowed_there_ends_with_offline_access_too() {
    let (server, mut ada) = Server::with_ada().await;
    let reader = RelyingParty::spa(&server).await;
    let mut second = another(&ada).await;
    let here = reader.tokens_of(&mut ada, "openid offline_access").await;
    let there = reader.tokens_of(&mut second, "openid offline_access").await;

    end_others(&mut ada).await;

    assert_eq!(reader.userinfo(&here.access).await.status, 200);
    reader.refresh(here.refresh()).await.tokens();
    let refused = reader.refresh(there.refresh()).await;
    refused.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
    let refused = reader.userinfo(&there.access).await;
    refused.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
}

/// The code was made in a session that has ended.
#[tokio::test]
async fn a_code_from_there_is_worth_nothing() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let mut second = another(&ada).await;
    let code = shop.code(&mut second).await;

    end_others(&mut ada).await;

    shop.redeem(&code).await.refused(ErrorCode::InvalidGrant, Refusal::CodeEnded);
}

#[tokio::test]
async fn a_sign_in_at_the_same_moment_is_later() {
    let (_server, mut ada) = Server::with_ada().await;
    let mut second = another(&ada).await;
    end_others(&mut ada).await;

    second.sign_in().await;

    assert!(is_signed_in(&mut second).await && is_signed_in(&mut ada).await);
}

#[tokio::test]
async fn the_one_that_went_on_ends_when_another_ends_all_others() {
    let (server, mut ada) = Server::with_ada().await;
    end_others(&mut ada).await;
    server.advance(Duration::from_secs(1));
    let mut second = another(&ada).await;

    end_others(&mut second).await;

    assert!(!is_signed_in(&mut ada).await && is_signed_in(&mut second).await);
}

#[tokio::test]
async fn a_clock_that_goes_back_brings_no_session_back() {
    let (server, mut ada) = Server::with_ada().await;
    server.advance(Duration::from_hours(1));
    let mut second = another(&ada).await;
    ada.sign_in().await;
    end_others(&mut ada).await;

    server.app.clock().set(crate::support::BEGINNING);

    assert!(!is_signed_in(&mut second).await);
    second.sign_in().await;
    assert!(is_signed_in(&mut second).await);
}

#[tokio::test]
async fn what_an_operator_issued_for_the_person_stays() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let asked = json!({ "client_id": shop.id, "username": "ada", "scope": "openid" });
    let issued = server.operate(Method::POST, "/tokens", asked).await.json();

    end_others(&mut ada).await;

    let token: &Value = &issued["access_token"];
    assert_eq!(shop.userinfo(token.as_str().unwrap()).await.status, 200);
}

#[tokio::test]
async fn it_is_an_event_of_the_person() {
    let (server, mut ada) = Server::with_ada().await;

    end_others(&mut ada).await;

    let path = "/events?kind=session.all_ended";
    let events = server.operate(Method::GET, path, json!({})).await.json();
    assert_eq!(events["events"][0]["actor"]["kind"], "person", "{events}");
    assert_eq!(events["events"][0]["username"], "ada", "{events}");
}

/// Somebody may have left the browser alone.
#[tokio::test]
async fn it_asks_for_a_sign_in_within_the_last_five_minutes() {
    let (server, mut ada) = Server::with_ada().await;
    server.advance(Duration::from_secs(301));
    let mut second = another(&ada).await;
    ada.visit("/account").await;

    let path = "/gate/account/sessions/others";
    let refused = ada.submit(path, &[]).await;
    let asked = ada.visit(path).await;
    let still = is_signed_in(&mut second).await;
    ada.sign_in().await;
    let page = ada.visit(path).await;
    end_others(&mut ada).await;

    assert_eq!(refused.location(), path);
    assert!(asked.asks_to_sign_in() && still, "{}", asked.text());
    assert!(page.text().contains("One other session ends"), "{}", page.text());
    assert!(!is_signed_in(&mut second).await);
    assert!(ada.visit(path).await.text().contains("You are signed in nowhere else."));
}

#[tokio::test]
async fn bridges_and_devices_go_on_unless_their_person_ticks_them() {
    let (server, mut ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    for username in ["ada", "bob"] {
        let token = json!({ "username": username, "name": "laptop" });
        let made = server.operate(Method::POST, "/personal-tokens", token).await;
        assert!(made.status.is_success(), "{}", made.text());
        let bridge = json!({ "username": username });
        let made = server.operate(Method::POST, "/bridge/tokens", bridge).await;
        assert!(made.status.is_success(), "{}", made.text());
    }
    let devices = async || {
        let tokens = server.operate(Method::GET, "/personal-tokens", json!({})).await.json();
        let sessions = server.operate(Method::GET, "/sessions", json!({})).await.json();
        let all = |view: &Value, name: &str| view[name].as_array().unwrap().clone();
        let of_bridges = all(&sessions, "sessions");
        let of_bridges = of_bridges.iter().filter(|session| session["client_id"].is_string());
        (all(&tokens, "personal_tokens").len(), of_bridges.count())
    };

    let page = ada.visit("/gate/account/sessions/others").await;
    end_others(&mut ada).await;
    let before = devices().await;
    let ended = ada.submit("/gate/account/sessions/others", &[("devices", "yes")]).await;

    assert!(page.text().contains("And end my 2 bridges and devices"), "{}", page.text());
    assert_eq!((before, devices().await), ((2, 2), (1, 1)));
    assert_eq!(ended.location(), "/gate/account");
    assert!(is_signed_in(&mut bob).await && is_signed_in(&mut ada).await);
}
