//! Requests that need no page, where a session is a cookie: the client gets its code at once.

use std::pin::pin;
use std::sync::mpsc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use futures_util::FutureExt as _;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::keys::JwtKind;
use gatelodge::store::View as _;
use gatelodge::store::schema::{Code, Interaction};
use serde_json::json;

use crate::support::{Browser, RelyingParty, Response, Server};

/// A server under a name of its own, an administrator, and a client that she has allowed all that it asks for.
async fn ada_at_shop() -> (Server, Browser, RelyingParty) {
    let server = Server::with("https://id.example".parse().unwrap(), |_| {}).await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;
    (server, ada, shop)
}

/// The response to one request, by what the browser has for it.
async fn first(browser: &mut Browser, path: &str) -> Response {
    browser.send(Request::get(path).body(Body::empty()).unwrap()).await
}

/// How many interactions and codes there are.
fn stored(server: &Server) -> (usize, usize) {
    let view = server.app.read().unwrap();
    (view.list::<Interaction>(100).unwrap().len(), view.list::<Code>(100).unwrap().len())
}

#[tokio::test]
async fn who_is_asked_nothing_brings_the_code_from_the_first_request() {
    let (server, mut ada, shop) = ada_at_shop().await;
    let request = shop.request(&[]);
    let form = request.split_once('?').unwrap().1.to_owned();
    let post = Request::post("/oauth/authorize")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");

    let got = first(&mut ada, &request).await;
    let posted = ada.send(post.body(Body::from(form)).unwrap()).await;
    let silent = first(&mut ada, &shop.request(&[("prompt", "none")])).await;

    for response in [got, posted, silent] {
        assert_eq!(
            (response.status.as_u16(), response.header("referrer-policy")),
            (303, "no-referrer")
        );
        assert!(!response.headers.contains_key(header::SET_COOKIE));
        let brought = response.brought();
        assert_eq!((&*brought["state"], &*brought["iss"]), ("s-1", "https://id.example"));
        let tokens = shop.redeem(&brought["code"]).await.tokens();
        assert_eq!(server.verified(tokens.id(), JwtKind::Id)["nonce"], "n-1");
    }
    assert_eq!(stored(&server).0, 0);
}

#[tokio::test]
async fn whoever_is_asked_something_goes_by_the_page() {
    let (server, mut ada, shop) = ada_at_shop().await;
    let mut bob = server.person("bob").await;
    let hint = shop.tokens(&mut bob).await.id().to_owned();
    let spa = RelyingParty::spa(&server).await;
    let native = RelyingParty::native(&server).await;
    native.code(&mut ada).await;
    let (_, codes) = stored(&server);

    for request in [
        shop.request(&[("prompt", "login")]),
        shop.request(&[("prompt", "consent")]),
        shop.request(&[("prompt", "select_account")]),
        shop.request(&[("max_age", "0")]),
        shop.request(&[("scope", "openid email")]),
        shop.request(&[("id_token_hint", &hint)]),
        spa.request(&[]),
        native.request(&[]),
        native.request(&[("prompt", "none")]),
    ] {
        let response = first(&mut ada, &request).await;

        assert!(response.location().starts_with("/gate/interaction/"), "{request}");
    }
    let nobody = first(&mut Browser::new(&server), &shop.request(&[])).await;
    assert!(nobody.location().starts_with("/gate/interaction/"));
    assert_eq!(stored(&server), (10, codes));
}

#[tokio::test]
async fn a_session_that_is_over_opens_nothing() {
    let (server, mut ada, shop) = ada_at_shop().await;
    let mut copied = Browser::new(&server);
    copied.keep_from(&ada);
    ada.sign_out().await;
    let (_, codes) = stored(&server);

    let response = first(&mut copied, &shop.request(&[])).await;

    assert!(response.location().starts_with("/gate/interaction/"));
    assert_eq!(stored(&server), (1, codes));
    assert!(copied.visit(response.location()).await.asks_to_sign_in());
}

/// A cookie proves nothing there: every port of the host gets it.
#[tokio::test]
async fn where_a_session_is_a_key_everybody_goes_by_the_page() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;

    let response = first(&mut ada, &shop.request(&[])).await;

    assert!(response.location().starts_with("/gate/interaction/"));
    assert!(ada.visit(response.location()).await.brought().contains_key("code"));
}

#[tokio::test]
async fn whoever_only_looks_gets_no_code() {
    let (server, mut ada, shop) = ada_at_shop().await;
    let before = stored(&server);
    let look = |method: Method| Request::builder().method(method).uri(shop.request(&[]));
    let fetch = look(Method::GET).header("sec-fetch-site", "cross-site");
    let fetch = fetch.header("sec-fetch-mode", "no-cors");

    let head = ada.send(look(Method::HEAD).body(Body::empty()).unwrap()).await;
    let fetched = ada.send(fetch.body(Body::empty()).unwrap()).await;

    assert_eq!((head.status.as_u16(), head.headers.contains_key(header::LOCATION)), (303, false));
    fetched.refused(ErrorCode::InvalidRequest, Refusal::NavigationRequired);
    assert_eq!(stored(&server), before);
}

/// Whoever loads it again, since no response came, is not told that it was used.
#[tokio::test]
async fn a_request_that_was_pushed_goes_by_the_page() {
    let (server, mut ada, shop) = ada_at_shop().await;
    let (pushed, (_, codes)) = (shop.push(&[]).await, stored(&server));

    for _ in 0..2 {
        let response = first(&mut ada, &pushed).await;

        assert!(response.location().starts_with("/gate/interaction/"));
    }
    assert_eq!(stored(&server), (2, codes));
    assert!(ada.visit(&pushed).await.brought().contains_key("code"));
}

/// However short its idle lifetime is: the last use is recorded more often then.
#[tokio::test]
async fn a_session_lives_for_as_long_as_codes_come_of_it() {
    let idle = Duration::from_mins(5);
    let server = Server::with("https://id.example".parse().unwrap(), |config| {
        config.lifetimes.session_idle = idle;
    });
    let server = server.await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    shop.code(&mut ada).await;

    for _ in 0..10 {
        server.advance(Duration::from_mins(2));
        let response = first(&mut ada, &shop.request(&[("prompt", "none")])).await;
        assert!(response.brought().contains_key("code"));
    }
    server.advance(idle);
    let response = first(&mut ada, &shop.request(&[])).await;

    assert!(response.location().starts_with("/gate/interaction/"));
}

/// Where it would be redirected was the client's a moment ago, and nothing proves that it still is.
#[tokio::test]
async fn a_redirect_uri_that_is_removed_while_its_request_waits_gets_no_redirect() {
    let (server, mut ada, shop) = ada_at_shop().await;
    let (before, request) = (stored(&server), shop.request(&[]));
    let (free, until_free) = mpsc::channel::<()>();
    let busy = server.app.write(move |_, _| {
        let _ = until_free.recv();
        Ok(())
    });
    let moved = server.change_client("shop", |client| {
        client.metadata_mut().redirect_uris = vec!["https://shop.example/new".parse().unwrap()];
    });
    let asked = first(&mut ada, &request);
    let (mut busy, mut moved, mut asked) = (pin!(busy), pin!(moved), pin!(asked));

    // One after the other they come to the writer, which has not ended with the first.
    assert!(busy.as_mut().now_or_never().is_none());
    assert!(moved.as_mut().now_or_never().is_none());
    assert!(asked.as_mut().now_or_never().is_none());
    free.send(()).unwrap();
    busy.await.unwrap();
    moved.await;
    let response = asked.await;

    response.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriUnregistered);
    assert!(!response.headers.contains_key(header::LOCATION));
    assert_eq!(stored(&server), before);
}

#[tokio::test]
async fn a_response_that_is_posted_is_a_page_of_its_own() {
    let (_server, mut ada, shop) = ada_at_shop().await;

    let page = first(&mut ada, &shop.request(&[("response_mode", "form_post")])).await;

    assert_eq!(page.status, 200);
    shop.redeem(&page.brought()["code"]).await.tokens();
}

#[tokio::test]
async fn a_session_tells_the_device_that_used_it_last() {
    let (server, mut ada, shop) = ada_at_shop().await;
    ada.headers = vec![("user-agent", "Lynx/2.9")];

    first(&mut ada, &shop.request(&[])).await.brought();

    let sessions = server.operate(Method::GET, "/sessions", json!(null)).await;
    assert!(sessions.text().contains("Lynx/2.9"), "{}", sessions.text());
}
