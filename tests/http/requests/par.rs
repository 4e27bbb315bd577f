//! Pushed authorization requests (RFC 9126).

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::installation::sweep;
use gatelodge::oauth::client::SigningAlg;
use serde_json::json;

use crate::support::{Browser, RelyingParty, Server, Signer, presenting, register};

/// RFC 9126 §2.2
#[tokio::test]
async fn a_reference_lasts_a_minute_and_tells_nothing() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;

    let response = shop.push_raw(&[]).await;

    let body = response.json();
    let uri = body["request_uri"].as_str().unwrap();
    assert_eq!((response.status.as_u16(), &body["expires_in"]), (201, &60.into()));
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:gl_pr_"), "{uri}");
    assert_eq!(response.header("cache-control"), "no-store");
    assert_eq!(body.as_object().unwrap().len(), 2);
}

#[tokio::test]
async fn a_pushed_request_brings_home_a_code() {
    let (server, mut ada) = Server::with_ada().await;

    for client in [RelyingParty::web(&server).await, RelyingParty::spa(&server).await] {
        let page = ada.visit(&client.push(&[]).await).await;
        let brought = ada.decide(&page, "allow").await.brought();

        assert_eq!(brought["state"], "s-1");
        client.redeem(&brought["code"]).await.tokens();
    }
}

/// RFC 9126 §4: what stands beside the reference changes nothing.
#[tokio::test]
async fn everything_beside_a_reference_is_ignored() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let pushed = shop.push(&[("scope", "openid")]).await;
    let more = "state=evil&scope=email&redirect_uri=https%3A%2F%2Fevil.example&prompt=none\
        &response_type=token&request=a.b.c";

    let page = ada.visit(&format!("{pushed}&{more}")).await;

    assert_eq!(page.hidden("scope").as_deref(), Some("openid"));
    let response = ada.decide(&page, "allow").await;
    assert_eq!(response.redirect_url().unwrap().host_str(), Some("shop.example"));
    assert_eq!(response.brought()["state"], "s-1");
}

#[tokio::test]
async fn a_post_takes_a_reference_too() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    let pushed = shop.push(&[]).await;
    let form = pushed.split_once('?').unwrap().1.to_owned();

    let request = Request::post("/oauth/authorize")
        .header("content-type", "application/x-www-form-urlencoded");
    let response = server.send(request.body(Body::from(form)).unwrap()).await;

    assert!(response.location().starts_with("/gate/interaction/"));
}

/// A preview of a link looks and stores nothing.
#[tokio::test]
async fn whoever_only_looks_uses_up_no_reference() {
    let server = Server::new().await;
    let pushed = RelyingParty::web(&server).await.push(&[]).await;

    let head = Request::builder().method(Method::HEAD).uri(&pushed);
    let response = server.send(head.body(Body::empty()).unwrap()).await;

    assert_eq!(response.status, 303);
    assert!(server.get(&pushed).await.location().starts_with("/gate/interaction/"));
}

/// The client itself gets each refusal, before there is a browser.
#[tokio::test]
async fn a_push_is_checked_as_the_authorization_endpoint_checks() {
    use ErrorCode::*;
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;

    for (name, value, code, refusal) in [
        ("redirect_uri", "https://evil.example", InvalidRequest, Refusal::RedirectUriUnregistered),
        ("response_type", "token", UnsupportedResponseType, Refusal::ResponseTypeUnsupported),
        ("code_challenge", "short", InvalidRequest, Refusal::CodeChallengeMalformed),
        ("scope", "payments", InvalidScope, Refusal::ScopeNotAllowed),
        ("resource", "https://mcp.example", InvalidTarget, Refusal::ResourceUnknown),
        ("id_token_hint", "a.b.c", InvalidRequest, Refusal::IdTokenHintMalformed),
        ("request", "a.b.c", RequestNotSupported, Refusal::RequestObjectUnsupported),
        ("redirect_uri", "", InvalidRequest, Refusal::RedirectUriMissingForOpenid),
    ] {
        shop.push_raw(&[(name, value)]).await.refused(code, refusal);
    }
}

/// RFC 9126 §2: "authenticated in the same way as at the token endpoint".
#[tokio::test]
async fn a_client_proves_itself_before_its_request_is_looked_at() {
    let server = Server::new().await;
    let mut shop = RelyingParty::web(&server).await;
    let unregistered = [("redirect_uri", "https://evil.example")];
    shop.secret = Some("wrong".to_owned());

    let wrong = shop.push_raw(&unregistered).await;
    shop.secret = None;
    let none = shop.push_raw(&unregistered).await;

    wrong.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    assert!(wrong.header("www-authenticate").starts_with("Basic"));
    none.refused(ErrorCode::InvalidClient, Refusal::ClientAuthMissing);
}

/// RFC 9126 §2 as it was before RFC 10070: whichever name of the server its client takes for the
/// audience, where the operator says so.
#[tokio::test]
async fn a_client_of_older_assertions_may_name_the_endpoint_itself() {
    let server = Server::new().await;
    let signer = Signer::new(SigningAlg::Es256);
    let registration = json!({
        "name": "Shop", "client_id": "shop", "redirect_uris": ["https://shop.example/cb"],
        "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [signer.jwk()] },
        "assertions": "rfc7523",
    });
    let mut shop = server.client(registration).await;
    shop.id.clear();

    for path in ["", "/oauth/token", "/oauth/par"] {
        let aud = format!("{}{path}", server.issuer());
        let assertion = signer.assertion(&server, "shop", &json!({ "aud": aud }));
        let response = shop.push_raw(&presenting(&assertion)).await;

        assert_eq!(response.status, 201, "{aud}: {}", response.text());
    }
}

/// RFC 9126 §6
#[tokio::test]
async fn a_client_that_has_to_push_may_push() {
    let server = Server::new().await;
    let (must, uri) = ("require_pushed_authorization_requests", "https://shop.example/cb");
    let by_operator = json!({ "name": "Shop", "redirect_uris": [uri], must: true });
    let by_itself = json!({ "client_name": "Shop", "redirect_uris": [uri], must: true });
    let registered = register(&server, by_itself).await.json();
    assert_eq!(registered[must], true);

    for shop in [server.client(by_operator).await, RelyingParty::new(&server, &registered)] {
        let plain = server.get(&shop.request(&[])).await;

        plain.refused(ErrorCode::InvalidRequest, Refusal::RequestNotPushed);
        assert_eq!(server.get(&shop.push(&[]).await).await.status, 303);
    }
}

/// There is no callback to bring an error to, so the person reads what to do.
#[tokio::test]
async fn a_reference_that_is_over_is_told_on_a_page() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    let pushed = shop.push(&[]).await;
    server.advance(Duration::from_secs(59));
    assert_eq!(server.get(&pushed).await.status, 303);
    server.advance(Duration::from_secs(1));
    let unknown = shop.pushed("urn:ietf:params:oauth:request_uri:gl_pr_x");

    for (uri, refusal) in
        [(pushed, Refusal::PushedRequestExpired), (unknown, Refusal::PushedRequestUnknown)]
    {
        let response = server.get(&uri).await;

        response.refused(ErrorCode::InvalidRequestUri, refusal);
        assert!(response.text().contains("Go back to the application and start again."));
    }
}

#[tokio::test]
async fn the_client_may_have_changed_since_it_pushed() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    let (moved, off) = (shop.push(&[]).await, shop.push(&[]).await);

    server
        .change_client("shop", |client| {
            client.metadata_mut().redirect_uris = vec!["https://shop.example/new".parse().unwrap()];
        })
        .await;
    let moved = server.get(&moved).await;
    server.change_client("shop", |client| client.enabled = false).await;
    let off = server.get(&off).await;

    moved.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriUnregistered);
    off.refused(ErrorCode::InvalidRequest, Refusal::ClientDisabledAtAuthorize);
}

/// A scanner of links, a prefetcher and a person who goes back open a reference, too.
#[tokio::test]
async fn a_reference_is_opened_as_often_as_it_takes_and_completed_once() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let pushed = shop.push(&[]).await;

    let scanned = server.get(&pushed).await;
    let left = ada.visit(&pushed).await;
    let page = ada.visit(&pushed).await;
    let brought = ada.decide(&page, "allow").await.brought();

    assert!(scanned.location().starts_with("/gate/interaction/"));
    assert!(left.asks_for_consent());
    shop.redeem(&brought["code"]).await.tokens();
    for over in [ada.visit(&pushed).await, ada.decide(&left, "allow").await] {
        over.refused(ErrorCode::InvalidRequestUri, Refusal::PushedRequestSpent);
        assert!(over.text().contains("This sign-in was finished already"));
    }
}

/// The person's refusal is a response, too; an error that no person saw is none.
#[tokio::test]
async fn a_reference_is_spent_by_a_refusal_of_the_person_and_not_by_an_error() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let (declined, silent) = (shop.push(&[]).await, shop.push(&[("prompt", "none")]).await);

    let page = ada.visit(&declined).await;
    let response = ada.decide(&page, "deny").await;
    let again = ada.visit(&declined).await;
    shop.code(&mut ada).await;
    let nobody = Browser::new(&server).visit(&silent).await;
    let granted = ada.visit(&silent).await;

    assert_eq!(response.brought()["error"], "access_denied");
    again.refused(ErrorCode::InvalidRequestUri, Refusal::PushedRequestSpent);
    nobody.refused(ErrorCode::LoginRequired, Refusal::LoginNeeded);
    assert!(granted.brought().contains_key("code"));
}

/// It may be opened for a minute, and completed for as long as a sign-in may take.
#[tokio::test]
async fn of_two_browsers_that_opened_a_reference_the_first_to_finish_goes_on() {
    let (server, mut ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let pushed = RelyingParty::web(&server).await.push(&[]).await;
    let (of_ada, of_bob) = (ada.visit(&pushed).await, bob.visit(&pushed).await);
    server.advance(Duration::from_mins(20));
    server.app.write(sweep::run).await.unwrap();

    let late = server.get(&pushed).await;
    let (of_ada, of_bob) = tokio::join!(ada.decide(&of_ada, "allow"), bob.decide(&of_bob, "allow"));

    late.refused(ErrorCode::InvalidRequestUri, Refusal::PushedRequestExpired);
    let (won, lost): (Vec<_>, Vec<_>) =
        [of_ada, of_bob].into_iter().partition(|response| response.redirect_url().is_some());
    assert!(won[0].brought().contains_key("code"));
    assert_eq!((won.len(), lost.len()), (1, 1));
    lost[0].refused(ErrorCode::InvalidRequestUri, Refusal::PushedRequestSpent);
}
