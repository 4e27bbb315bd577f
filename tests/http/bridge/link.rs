//! The device link: a page that says what is granted, asks, and leads to loopback alone.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::{post, whoami};
use crate::support::{Browser, Response, Server};

const LINK: &str = "/bridge/device-link?redirect=http%3A%2F%2F127.0.0.1%3A8767%2Fcb%3Fx%3D1";

async fn asked(browser: &mut Browser, address: &str) -> (Response, String) {
    let response = browser.visit(address).await;
    let action = response.text().split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    let action = action.to_owned();
    (response, action)
}

#[tokio::test]
async fn a_person_links_a_bridge_that_listens_on_their_machine() {
    let (server, mut ada) = Server::with_ada().await;
    let (page, action) = asked(&mut ada, LINK).await;
    assert!(page.text().contains("127.0.0.1:8767"), "{}", page.text());
    assert!(action.starts_with("/gate/link/"));

    let response = ada.submit(&action, &[("decision", "allow")]).await;

    let redirect_url = response.redirect_url().unwrap().to_string();
    let (back, code) = redirect_url.split_once("&code=").unwrap();
    assert_eq!(back, "http://127.0.0.1:8767/cb?x=1");
    assert_eq!(code.len(), 64);
    let access = post(&server, "/v1/auth/bridge/session", &json!({ "code": code })).await.json();
    assert_eq!(whoami(&server, access["token"].as_str().unwrap()).await.status, 200);
    // The request is over with its decision.
    let again = ada.submit(&action, &[("decision", "allow")]).await;
    assert_eq!(again.location(), action);
}

#[tokio::test]
async fn somebody_else_signs_in_first_and_links_their_bridge() {
    let (server, mut ada) = Server::with_ada().await;
    let bob = server.person("bob").await;
    let (page, action) = asked(&mut ada, LINK).await;
    let another = format!("{action}?as=another");
    assert!(page.text().contains(&format!("href=\"{another}\">Not you?</a>")), "{}", page.text());

    let sign_in = ada.visit(&another).await;
    ada.authenticator = bob.authenticator.clone();
    ada.sign_in().await;
    let again = ada.visit(&action).await;

    assert!(sign_in.asks_to_sign_in(), "{}", sign_in.text());
    assert!(sign_in.text().contains(&format!("data-next=\"{action}\"")), "{}", sign_in.text());
    assert!(again.text().contains("<strong><bdi>bob</bdi></strong>"), "{}", again.text());
}

#[tokio::test]
async fn a_person_who_declines_sends_the_bridge_a_refusal() {
    let (_server, mut ada) = Server::with_ada().await;
    let (_, action) = asked(&mut ada, LINK).await;

    let response = ada.submit(&action, &[("decision", "deny")]).await;

    assert_eq!(
        response.redirect_url().unwrap().to_string(),
        "http://127.0.0.1:8767/cb?x=1&error=access_denied"
    );
}

#[tokio::test]
async fn without_a_redirect_the_person_takes_the_code_there() {
    let (server, mut ada) = Server::with_ada().await;
    let (_, action) = asked(&mut ada, "/bridge/device-link").await;

    let page = ada.submit(&action, &[("decision", "allow")]).await;

    let text = page.unmarked();
    let code = text.split("<pre id=\"code\"><code>").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(code.len(), 64);
    assert!(text.contains("data-seconds=\"600\""));
    assert!(text.contains("Never send this code to anyone"));
    let command =
        format!("systemprompt-bridge login --gateway http://localhost:7455 --code {code}");
    assert!(text.contains(&command), "{text}");
    let response = post(&server, "/v1/auth/bridge/session-pat", &json!({ "code": code })).await;
    assert!(response.json()["pat"].as_str().unwrap().starts_with("sp-live-"));
    let (_, action) = asked(&mut ada, "/bridge/device-link").await;
    let declined = ada.submit(&action, &[("decision", "deny")]).await;
    assert!(declined.text().contains("Nothing was linked"));
}

/// A person has to carry the code, and a browser brings it at once.
#[tokio::test]
async fn a_code_that_is_shown_lasts_ten_minutes_and_any_other_two() {
    let (server, mut ada) = Server::with_ada().await;
    let displayed = async |ada: &mut Browser| {
        let (_, action) = asked(ada, "/bridge/device-link").await;
        let page = ada.submit(&action, &[("decision", "allow")]).await;
        let code =
            page.text().split("<pre id=\"code\"><code>").nth(1).unwrap().split('<').next().unwrap();
        code.to_owned()
    };
    let brought = async |ada: &mut Browser| {
        let (_, action) = asked(ada, LINK).await;
        let response = ada.submit(&action, &[("decision", "allow")]).await;
        response.redirect_url().unwrap().to_string().split_once("&code=").unwrap().1.to_owned()
    };
    let spend = async |code: &str| {
        let spent = post(&server, "/v1/auth/bridge/session", &json!({ "code": code })).await;
        spent.status.as_u16()
    };
    let displayed = [displayed(&mut ada).await, displayed(&mut ada).await];
    let brought = [brought(&mut ada).await, brought(&mut ada).await];

    server.advance(Duration::from_secs(119));
    assert_eq!(spend(&brought[0]).await, 200);
    server.advance(Duration::from_secs(1));
    assert_eq!(spend(&brought[1]).await, 401);
    server.advance(Duration::from_secs(479));
    assert_eq!(spend(&displayed[0]).await, 200);
    server.advance(Duration::from_secs(1));
    assert_eq!(spend(&displayed[1]).await, 401);
}

#[tokio::test]
async fn a_stranger_signs_in_first_and_comes_back() {
    let (server, _ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    bob.sign_out().await;

    let page = bob.visit(LINK).await;

    assert!(page.asks_to_sign_in());
    let next =
        page.text().split("data-next=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    bob.sign_in().await;
    let (_, action) = asked(&mut bob, &next).await;
    assert_eq!(action, next);
    bob.visit("/account").await;
    let response = bob.submit(&action, &[("decision", "allow")]).await;
    assert!(response.redirect_url().unwrap().to_string().contains("code="));
}

#[tokio::test]
async fn a_link_leads_to_loopback_alone() {
    let (_server, mut ada) = Server::with_ada().await;

    for (redirect, refusal) in [
        ("https://127.0.0.1:8767/", Refusal::LinkRedirectUnfit),
        ("http://127.0.0.1/", Refusal::LinkRedirectUnfit),
        ("http://evil.example:8767/", Refusal::RedirectUriNotHttps),
        ("http://u:p@127.0.0.1:8767/", Refusal::RedirectUriHasUserinfo),
        ("http://127.0.0.1:8767/%23#x", Refusal::RedirectUriHasFragment),
        ("http://localhost:7455/gate/account", Refusal::RedirectUriUnderGate),
        ("javascript:alert(1)", Refusal::RedirectUriDangerous),
        ("//127.0.0.1:8767/", Refusal::RedirectUriMalformed),
    ] {
        let query = gatelodge::oauth::params::form_encode([("redirect", redirect)]);

        let response = ada.visit(&format!("/bridge/device-link?{query}")).await;

        response.refused(ErrorCode::InvalidRequest, refusal);
        assert_eq!((response.status.as_u16(), response.redirect_url()), (400, None), "{redirect}");
    }
}

#[tokio::test]
async fn a_decision_comes_from_the_page_and_the_browser_that_was_asked() {
    let (server, mut ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let (_, action) = asked(&mut ada, LINK).await;

    bob.visit("/account").await;
    let other = bob.submit(&action, &[("decision", "allow")]).await;
    let undecided = ada.submit(&action, &[]).await;
    ada.csrf = "wrong".to_owned();
    let forged = ada.submit(&action, &[("decision", "allow")]).await;

    other.refused(ErrorCode::InteractionOver, Refusal::InteractionOfAnotherBrowser);
    undecided.refused(ErrorCode::InvalidRequest, Refusal::InteractionDecisionMalformed);
    forged.refused(ErrorCode::Forbidden, Refusal::CsrfTokenWrong);
    let listed: Value = server.operate(Method::GET, "/bridge", json!({})).await.json();
    assert_eq!(listed["bridges"], json!([]));
}
