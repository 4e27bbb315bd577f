//! Where responses go, and where they never go.

use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::Context;
use gatelodge::store::schema::Protected;
use gatelodge::store::{Row as _, Tx};
use serde_json::json;

use crate::support::{RelyingParty, Server};

/// RFC 8252 §7.3
#[tokio::test]
async fn a_public_client_on_loopback_may_listen_at_any_port() {
    let (server, mut ada) = Server::with_ada().await;
    let mut native = RelyingParty::native(&server).await;

    for uri in ["http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"] {
        uri.clone_into(&mut native.redirect_uri);
        let code = native.code(&mut ada).await;

        native.redeem(&code).await.tokens();
    }
}

#[tokio::test]
async fn everything_but_a_loopback_port_is_compared_to_the_letter() {
    let (server, _ada) = Server::with_ada().await;
    let (native, shop) = (RelyingParty::native(&server).await, RelyingParty::web(&server).await);

    for (client, uri) in [
        (&native, "http://localhost:4000/cb"),
        (&native, "http://[::1]:4000/cb"),
        (&native, "http://127.0.0.1:4000/cb/"),
        (&native, "http://127.0.0.1:4000/CB"),
        (&native, "http://127.0.0.1:4000/cb?x=1"),
        (&native, "https://127.0.0.1:4000/cb"),
        (&shop, "https://shop.example:8443/cb"),
        (&shop, "https://shop.example/cb/"),
        (&shop, "https://shop.example/cb?"),
        (&shop, "https://www.shop.example/cb"),
        (&shop, "https://shop.example.evil.example/cb"),
    ] {
        let response = server.get(&client.request(&[("redirect_uri", uri)])).await;

        response.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriUnregistered);
        assert!(!response.headers.contains_key("location"), "{uri}");
    }
}

#[tokio::test]
async fn a_confidential_client_is_held_to_the_port_it_registered() {
    let (server, mut ada) = Server::with_ada().await;
    let uris = ["http://localhost:3000/cb", "http://localhost/any"];
    let mut local = server.client(json!({ "name": "Local", "redirect_uris": uris })).await;

    let refused = server.get(&local.request(&[("redirect_uri", "http://localhost:3001/cb")])).await;
    "http://localhost:3001/any".clone_into(&mut local.redirect_uri);
    let code = local.code(&mut ada).await;

    refused.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriUnregistered);
    local.redeem(&code).await.tokens();
}

#[tokio::test]
async fn nothing_is_redirected_before_client_and_redirect_uri_are_proven() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;

    for changes in [
        [("client_id", "nobody"), ("state", "x")],
        [("redirect_uri", "https://evil.example/cb"), ("response_type", "token")],
        [("redirect_uri", "javascript:alert(1)"), ("state", "x")],
    ] {
        let response = server.get(&shop.request(&changes)).await;

        assert_eq!(response.status, 400);
        assert!(response.redirect_url().is_none());
        assert!(response.header("content-type").starts_with("text/html"));
    }
}

#[tokio::test]
async fn a_redirect_uri_keeps_its_own_query() {
    let (server, mut ada) = Server::with_ada().await;
    let uris = ["https://tenant.example/cb?tenant=a%20b"];
    let tenant = server.client(json!({ "name": "Tenant", "redirect_uris": uris })).await;

    let response = tenant.authorize(&mut ada, &[]).await;

    let redirect_url = response.redirect_url().unwrap();
    assert!(
        redirect_url.as_str().starts_with("https://tenant.example/cb?tenant=a%20b&code=gl_ac_")
    );
    tenant.redeem(&response.brought()["code"]).await.tokens();
}

#[tokio::test]
async fn state_comes_back_byte_for_byte() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let long = "s".repeat(4096);

    for state in ["a b&c=d+e%20f", "{\"json\":[1]}", "\u{e9}\u{1f511}", "#?/\\", " ", &long] {
        let granted = shop.authorize(&mut ada, &[("state", state)]).await.brought();
        let refused = ada.visit(&shop.request(&[("state", state), ("max_age", "x")])).await;

        assert_eq!(granted["state"], state);
        assert_eq!(refused.brought()["state"], state);
    }
}

/// RFC 6749 §4.1.2: "the exact value received from the client". Some write `+` for itself, and some
/// for a space.
#[tokio::test]
async fn a_plus_in_state_comes_back_as_it_came() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let raw = |query: &str, state: &str| format!("{query}&state={state}");

    for state in ["a+b", "a%2Bb", "a%20b", "+a%20b+%2B"] {
        let request = raw(&shop.request(&[("state", "")]), state);
        let refused =
            ada.visit(&raw(&shop.request(&[("state", ""), ("max_age", "x")]), state)).await;
        let page = ada.visit(&request).await;
        let page = if page.asks_for_consent() { ada.decide(&page, "allow").await } else { page };

        for response in [refused, page] {
            let url = response.redirect_url().unwrap();
            let returned = url.query().unwrap().split('&').find(|own| own.starts_with("state="));
            assert_eq!(returned, Some(format!("state={state}").as_str()));
        }
    }
}

/// OpenID Connect Core §3.1.2.1: `redirect_uri` is "REQUIRED", although RFC 6749 §3.1.2.3 is not so
/// strict.
#[tokio::test]
async fn an_openid_request_has_to_name_its_redirect_uri() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let without = ("redirect_uri", "");

    let openid = ada.visit(&shop.request(&[without])).await;
    let oauth = shop.authorize(&mut ada, &[without, ("scope", "profile")]).await;

    openid.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriMissingForOpenid);
    assert!(openid.redirect_url().is_none());
    assert!(oauth.brought().contains_key("code"));
}

#[tokio::test]
async fn an_empty_path_on_loopback_is_the_root() {
    let (server, mut ada) = Server::with_ada().await;
    for (registered, client_type, uris) in [
        ("http://127.0.0.1/", "public", ["http://127.0.0.1:4000", "http://127.0.0.1/"]),
        ("http://127.0.0.1", "public", ["http://127.0.0.1:4000/", "http://127.0.0.1"]),
        (
            "http://localhost:3000",
            "confidential",
            ["http://localhost:3000/", "http://localhost:3000"],
        ),
    ] {
        let registration = json!({
            "name": "Agent", "client_type": client_type, "redirect_uris": [registered],
        });
        let mut native = server.client(registration).await;
        for uri in uris {
            uri.clone_into(&mut native.redirect_uri);
            let code = native.code(&mut ada).await;
            native.redeem(&code).await.tokens();
        }
        let other = native.request(&[("redirect_uri", "http://127.0.0.1:4000//")]);
        server
            .get(&other)
            .await
            .refused(ErrorCode::InvalidRequest, Refusal::RedirectUriUnregistered);
    }
}

#[tokio::test]
async fn a_request_without_state_is_answered_without_state() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    let brought = shop.authorize(&mut ada, &[("state", ""), ("nonce", "")]).await.brought();

    assert_eq!(brought.keys().collect::<Vec<_>>(), ["code", "iss"]);
}

/// RFC 9207 §2
#[tokio::test]
async fn every_answer_says_who_gives_it() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;

    let responses = [
        ada.decide(&page, "deny").await,
        shop.authorize(&mut ada, &[]).await,
        ada.visit(&shop.request(&[])).await,
        ada.visit(&shop.request(&[("prompt", "none"), ("scope", "email")])).await,
        ada.visit(&shop.request(&[("response_type", "token")])).await,
    ];

    for response in responses {
        assert_eq!(response.brought()["iss"], server.issuer(), "{:?}", response.redirect_url());
    }
}

/// OpenID Connect Core §3.1.2.1: GET and POST alike.
#[tokio::test]
async fn a_request_may_be_posted() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let request = shop.request(&[]);
    let (path, form) = request.split_once('?').unwrap();
    let posted = axum::extract::Request::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(form.to_owned().into());

    let response = ada.send(posted.unwrap()).await;
    let page = ada.visit(response.location()).await;

    assert!(page.asks_for_consent());
    assert!(ada.decide(&page, "allow").await.brought().contains_key("code"));
}

/// RFC 6749 §4.1.2.1: once the client is proven it learns of every failure, and not why.
#[tokio::test]
async fn a_failure_of_ours_goes_home_as_server_error() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    server.leaves_flaws();
    let resource = "https://mcp.example/";
    let key = [&[Protected::TABLE.byte], resource.as_bytes(), &[0]].concat();
    let broken = move |tx: &mut Tx<'_>, _: &Context| {
        tx.put_raw(key.clone(), b"no row".to_vec());
        Ok(())
    };
    server.app.write(broken).await.unwrap();

    let response = server.get(&shop.request(&[("resource", resource)])).await;
    let pushed = shop.push_raw(&[("resource", resource)]).await;

    let brought = response.brought();
    assert_eq!((&*brought["error"], &*brought["state"]), ("server_error", "s-1"));
    assert_eq!(brought["iss"], server.issuer());
    assert_eq!(response.header("gatelodge-event").len(), 16);
    assert_eq!((pushed.status.as_u16(), &pushed.json()["error"]), (500, &"server_error".into()));
}
