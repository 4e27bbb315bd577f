//! A logout that begins with a program: a valid hint ends its session in the first request, with or
//! without a browser.

use axum::body::Body;
use axum::extract::Request;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::issuer::Issuer;
use gatelodge::oauth::params::form_encode;
use gatelodge::store::View as _;
use gatelodge::store::schema::Interaction;
use serde_json::json;

use crate::support::{Browser, Receiver, RelyingParty, Response, Server, Tokens};

const HOME: (&str, &str) = ("post_logout_redirect_uri", "https://shop.example/bye");

fn logout(params: &[(&str, &str)]) -> String {
    format!("/oauth/logout?{}", form_encode(params.iter().copied()))
}

/// Where a session is a key, and where it is a cookie.
async fn both() -> [Server; 2] {
    let elsewhere = "https://id.example".parse::<Issuer>().unwrap();
    [Server::new().await, Server::with(elsewhere, |_| {}).await]
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    !browser.visit("/account").await.asks_to_sign_in()
}

fn stored(server: &Server) -> usize {
    server.app.read().unwrap().list::<Interaction>(100).unwrap().len()
}

async fn ada_at_shop(server: &Server) -> (Browser, RelyingParty, Tokens) {
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(server).await;
    let tokens = shop.tokens_of(&mut ada, "openid").await;
    (ada, shop, tokens)
}

/// OpenID Connect RP-Initiated Logout §2, as programs' back ends use it.
#[tokio::test]
async fn a_hint_ends_its_session_without_a_browser_and_stores_nothing() {
    for server in both().await {
        let (mut ada, shop, tokens) = ada_at_shop(&server).await;
        let hint = ("id_token_hint", tokens.id());

        let home = server.get(&logout(&[hint, HOME, ("state", "a+b")])).await;
        let signed_in = is_signed_in(&mut ada).await;
        ada.sign_in().await;
        let tokens = shop.tokens_of(&mut ada, "openid").await;
        let page = server.get(&logout(&[("id_token_hint", tokens.id())])).await;

        assert_eq!(home.location(), "https://shop.example/bye?state=a%2Bb");
        assert!(!signed_in);
        assert_eq!(page.location(), "/gate/logged-out");
        assert!(!is_signed_in(&mut ada).await);
        assert!(!home.headers.contains_key("set-cookie"));
        assert_eq!(stored(&server), 0);
    }
}

#[tokio::test]
async fn a_posted_hint_does_the_same() {
    let server = Server::new().await;
    let (mut ada, _shop, tokens) = ada_at_shop(&server).await;
    let posted = Request::post("/oauth/logout")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form_encode([("id_token_hint", tokens.id()), HOME])));

    let response = server.send(posted.unwrap()).await;

    assert_eq!(response.location(), HOME.1);
    assert!(!is_signed_in(&mut ada).await);
}

#[tokio::test]
async fn the_other_clients_of_the_session_are_notified() {
    let receiver = Receiver::responding(&[200]).await;
    let listed = receiver.listed();
    let server =
        Server::with(Issuer::localhost(7455), |config| config.fetch.private = vec![listed]).await;
    let (mut ada, _shop, tokens) = ada_at_shop(&server).await;
    let registration = json!({
        "name": "Bank", "redirect_uris": ["https://bank.example/cb"],
        "backchannel_logout_uri": receiver.url(),
    });
    server.client(registration).await.code(&mut ada).await;

    server.get(&logout(&[("id_token_hint", tokens.id())])).await;

    assert_eq!(server.app.deliver_logouts().await.unwrap(), 1);
}

/// §3: "the OP MUST NOT perform post-logout redirection" to an address that is not registered.
#[tokio::test]
async fn an_address_that_cannot_be_verified_costs_the_redirect_alone() {
    for server in both().await {
        let (mut ada, shop, _) = ada_at_shop(&server).await;

        for address in ["https://evil.example/", "https://shop.example/bye/", "no address"] {
            let tokens = shop.tokens_of(&mut ada, "openid").await;
            let address = ("post_logout_redirect_uri", address);
            let page = server.get(&logout(&[("id_token_hint", tokens.id()), address])).await;

            assert_eq!(page.status, 200);
            assert!(page.text().contains("You are signed out"));
            assert!(page.text().contains("could not be verified, so you stay here."));
            assert_eq!(page.header("gatelodge-event").len(), 16);
            assert!(!is_signed_in(&mut ada).await);
            ada.sign_in().await;
        }
    }
}

#[tokio::test]
async fn the_hint_of_a_client_that_is_gone_ends_nothing_by_itself() {
    let server = Server::new().await;
    let (mut ada, _shop, tokens) = ada_at_shop(&server).await;
    server.change_client("shop", |shop| shop.enabled = false).await;
    let request = logout(&[("id_token_hint", tokens.id()), HOME]);

    let from_program = server.get(&request).await;
    let still = is_signed_in(&mut ada).await;
    let page = ada.visit(&request).await;

    assert!(from_program.location().starts_with("/gate/interaction/"));
    assert!(still);
    assert!(page.unmarked().contains("Sign out of Gatelodge?"));
    assert!(ada.decide(&page, "allow").await.text().contains("You are signed out"));
}

fn asks(page: &Response) -> bool {
    page.unmarked().contains("Sign out of Gatelodge?")
}

/// Where a session is a cookie, the request shows another one at once; where it is a key, the page
/// of the interaction does.
#[tokio::test]
async fn a_browser_with_another_session_is_asked_and_keeps_it() {
    for server in both().await {
        let (mut ada, shop, tokens) = ada_at_shop(&server).await;
        let mut bob = server.person("bob").await;
        bob.headers = vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        let request = logout(&[("id_token_hint", tokens.id()), HOME]);

        let response = bob.send(Request::get(&request).body(Body::empty()).unwrap()).await;
        let ended = shop.refresh(tokens.refresh()).await;
        bob.headers.clear();
        let page = bob.visit(response.location()).await;
        let stays = bob.decide(&page, "deny").await;

        assert_eq!(ended.json()["error"], "invalid_grant");
        assert!(asks(&page));
        assert!(page.text().contains("<bdi>bob</bdi>"));
        assert_eq!(stays.location(), "/gate/account");
        assert!(is_signed_in(&mut bob).await);
        assert!(!is_signed_in(&mut ada).await);
    }
}

/// The browser of the session itself goes home unasked, and its cookie goes.
#[tokio::test]
async fn the_browser_of_the_session_is_not_asked() {
    for server in both().await {
        let (mut ada, _shop, tokens) = ada_at_shop(&server).await;
        ada.headers = vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];

        let response = ada.visit(&logout(&[("id_token_hint", tokens.id()), HOME])).await;

        assert_eq!(response.location(), HOME.1);
        ada.headers.clear();
        assert!(!is_signed_in(&mut ada).await);
    }
}

/// A cross-site POST brings no cookie: what it does not show it cannot end.
#[tokio::test]
async fn a_session_that_the_request_does_not_show_keeps_its_cookie() {
    let server = Server::with("https://id.example".parse::<Issuer>().unwrap(), |_| {}).await;
    let (_ada, _shop, tokens) = ada_at_shop(&server).await;
    let posted = Request::post("/oauth/logout")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .header("sec-fetch-mode", "navigate")
        .body(Body::from(form_encode([("id_token_hint", tokens.id()), HOME])));

    let response = server.send(posted.unwrap()).await;

    assert_eq!(response.location(), HOME.1);
    assert!(!response.headers.contains_key("set-cookie"));
}

/// A hint of a session that has ended proves nothing of another: its page asks.
#[tokio::test]
async fn a_hint_that_comes_again_ends_nothing_more() {
    for server in both().await {
        let (mut ada, _shop, tokens) = ada_at_shop(&server).await;
        let request = logout(&[("id_token_hint", tokens.id()), HOME]);
        server.get(&request).await;
        ada.sign_in().await;

        let again = server.get(&request).await;
        let page = ada.visit(&request).await;

        assert!(again.location().starts_with("/gate/interaction/"));
        assert!(asks(&page));
        assert!(is_signed_in(&mut ada).await);
    }
}

#[tokio::test]
async fn a_logout_of_another_browser_has_words_of_its_own() {
    let (server, mut ada) = Server::with_ada().await;
    let elsewhere = server.get("/oauth/logout").await;

    let page = ada.visit(elsewhere.location()).await;

    page.refused(ErrorCode::InteractionOver, Refusal::LogoutOfAnotherBrowser);
    assert!(page.text().contains("This sign-out was begun in another browser, or too long ago."));
}

#[tokio::test]
async fn an_address_without_hint_and_client_is_not_told_as_unregistered() {
    let (server, mut ada) = Server::with_ada().await;

    let started = ada.send(Request::get(logout(&[HOME])).body(Body::empty()).unwrap()).await;
    let page = ada.visit(started.location()).await;
    let nobody = Browser::new(&server).visit(&logout(&[HOME])).await;
    let response = ada.decide(&page, "allow").await;

    assert_eq!(started.refusal(), Some(Refusal::PostLogoutClientMissing));
    assert!(asks(&page));
    assert!(page.text().contains("could not be verified, so you will stay here."));
    assert!(nobody.text().contains("You are signed out"));
    assert!(response.text().contains("could not be verified, so you stay here."));
    assert!(!is_signed_in(&mut ada).await);
}
