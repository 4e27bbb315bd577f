//! Form Post Response Mode: a response that is delivered in a form.

use gatelodge::error::{ErrorCode, Refusal};
use serde_json::json;

use crate::support::{Browser, RelyingParty, Response, Server};

const FORM: (&str, &str) = ("response_mode", "form_post");

/// Asserts that this is a page whose form goes to `action`, and that it may.
#[track_caller]
fn posts_to(response: &Response, action: &str) {
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(response.text().contains(&format!("method=\"post\" action=\"{action}\"")));
    assert!(response.text().contains("/form_post.js\""));
    assert!(response.text().contains("<button class=\"full\">Continue</button>"));
    let policy = response.header("content-security-policy");
    assert!(!policy.contains("form-action") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
    assert_eq!(response.header("referrer-policy"), "no-referrer");
    assert_eq!(response.header("cache-control"), "no-store");
    assert_eq!(response.header("location"), "");
}

/// Form Post Response Mode §2
#[tokio::test]
async fn a_code_comes_home_in_a_form_after_consent_and_silently() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    for _ in 0..2 {
        let response = shop.authorize(&mut ada, &[FORM, ("state", "\"<&>'")]).await;

        posts_to(&response, "https://shop.example/cb");
        let brought = response.brought();
        assert_eq!(brought.keys().collect::<Vec<_>>(), ["code", "iss", "state"]);
        assert_eq!(
            (brought["state"].as_str(), brought["iss"].as_str()),
            ("\"<&>'", server.issuer())
        );
        shop.redeem(&brought["code"]).await.tokens();
    }
}

#[tokio::test]
async fn the_page_that_posts_carries_no_secret_of_ours() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    let response = shop.authorize(&mut ada, &[FORM]).await;

    assert_eq!(response.csrf().as_deref(), Some(""));
    assert_eq!(response.text().matches("type=\"hidden\"").count(), 3);
}

#[tokio::test]
async fn an_error_comes_home_in_a_form_too_wherever_it_arises() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let mut nobody = Browser::new(&server);
    let silent = ("prompt", "none");

    let at_once = server.get(&shop.request(&[FORM, ("scope", "payments")])).await;
    let later = nobody.visit(&shop.request(&[FORM, silent])).await;
    let page = ada.visit(&shop.request(&[FORM])).await;
    let declined = ada.decide(&page, "deny").await;

    for (response, code, refusal) in [
        (at_once, ErrorCode::InvalidScope, Refusal::ScopeNotAllowed),
        (later, ErrorCode::LoginRequired, Refusal::LoginNeeded),
        (declined, ErrorCode::AccessDenied, Refusal::PersonDeclined),
    ] {
        posts_to(&response, "https://shop.example/cb");
        response.refused(code, refusal);
        assert_eq!(response.brought()["state"], "s-1");
    }
}

#[tokio::test]
async fn an_unknown_mode_goes_home_by_query() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;

    for mode in ["fragment", "form_post.jwt", "FORM_POST"] {
        let response = server.get(&shop.request(&[("response_mode", mode)])).await;

        assert!(response.location().starts_with("https://shop.example/cb?error=invalid_request"));
        response.refused(ErrorCode::InvalidRequest, Refusal::ResponseModeUnsupported);
    }
}

/// A browser hands the program only the URI.
#[tokio::test]
async fn no_form_goes_to_a_program_that_claimed_a_scheme() {
    let server = Server::new().await;
    let registration = json!({
        "name": "App", "client_type": "public", "redirect_uris": ["com.example.app:/cb"],
    });
    let app = server.client(registration).await;

    let response = server.get(&app.request(&[FORM])).await;

    assert!(response.location().starts_with("com.example.app:/cb?error=invalid_request"));
    response.refused(ErrorCode::InvalidRequest, Refusal::ResponseModeUnsupported);
}

#[tokio::test]
async fn without_a_proven_redirect_uri_there_is_no_form() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;

    let response =
        server.get(&shop.request(&[FORM, ("redirect_uri", "https://evil.example/")])).await;

    assert_eq!(response.status, 400);
    assert!(!response.text().contains("<form") && !response.text().contains("href=\"https://evil"));
    response.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriUnregistered);
}
