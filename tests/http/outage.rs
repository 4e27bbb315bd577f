//! A disk that cannot be written for a while: what would write says so in the form of its endpoint
//! and changes nothing, what reads goes on.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use gatelodge::app::WriteHealth;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::json;

use crate::bridge::{access, code, post, send, whoami};
use crate::forward_auth::{Visit, WIKI};
use crate::support::{Browser, Disk, Receiver, RelyingParty, Response, Server};

async fn with_ada() -> (Server, Arc<Disk>, Browser) {
    let wiki = |config: &mut gatelodge::config::Config| {
        config.apps.insert(WIKI.parse().unwrap(), Vec::new());
    };
    let (server, disk) = Server::with_disk(wiki).await;
    let ada = server.first_administrator().await;
    (server, disk, ada)
}

#[track_caller]
fn assert_unwritable(response: &Response) {
    response.refused(ErrorCode::TemporarilyUnavailable, Refusal::StoreUnwritable);
    assert_eq!(response.header("retry-after"), "10");
}

#[tokio::test]
async fn a_code_and_a_refresh_token_are_not_spent_by_what_could_not_be_written() {
    let (server, disk, mut ada) = with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let first = shop.tokens(&mut ada).await;
    let code = shop.code(&mut ada).await;

    disk.fail(true);
    for _ in 0..3 {
        assert_unwritable(&shop.redeem(&code).await);
        assert_unwritable(&shop.refresh(first.refresh()).await);
    }
    disk.fail(false);
    // A replay outside the grace would end the grant.
    server.advance(Duration::from_secs(59));

    shop.redeem(&code).await.tokens();
    let second = shop.refresh(first.refresh()).await.tokens();
    assert_ne!(second.refresh, first.refresh);
}

#[tokio::test]
async fn everybody_is_told_in_the_form_of_their_endpoint() {
    let (server, disk, mut ada) = with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let bridge = access(&server, "s-1").await["token"].as_str().unwrap().to_owned();
    let exchange = code(&server).await;
    let tv = RelyingParty::tv(&server).await;
    let signed = ada.signed_challenge().await;
    ada.visit("/account").await;
    disk.fail(true);

    let form = ada.submit("/gate/logout", &[]).await;
    let script = ada.finish_sign_in(&signed).await;
    let client = ada.visit(&shop.request(&[])).await;
    let device = tv.post("/oauth/device_authorization", &[]).await;
    let by_code = post(&server, "/v1/auth/bridge/session", &json!({ "code": exchange })).await;
    let enabled = json!({ "host_id": "claude-code", "enabled": false });
    let key = [("x-api-key", bridge.as_str())];
    let hosts =
        send(&server, Method::POST, "/v1/bridge/profile/enabled_hosts", &key, &enabled).await;
    let operator = server.operate(Method::POST, "/users", json!({ "username": "bob" })).await;

    for response in [&form, &script, &device, &by_code, &hosts, &operator] {
        assert_unwritable(response);
    }
    assert!(
        form.text().contains("The server cannot write at the moment, and nothing was changed.")
    );
    // RFC 6749 §4.1.2.1: a redirect has no status for it.
    client.refused(ErrorCode::TemporarilyUnavailable, Refusal::StoreUnwritable);
    assert_eq!(client.brought()["error"], "temporarily_unavailable");
    disk.fail(false);
    assert!(!ada.visit("/account").await.asks_to_sign_in(), "nobody was signed out");
}

#[tokio::test]
async fn what_reads_goes_on_although_it_would_record_a_use() {
    let (server, disk, mut ada) = with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let bridge = access(&server, "s-1").await["token"].as_str().unwrap().to_owned();
    let mut visit = Visit::default();
    visit.enter(&mut ada, WIKI).await;
    server.advance(Duration::from_mins(11));
    disk.fail(true);

    for path in ["/.well-known/openid-configuration", "/.well-known/jwks.json", "/healthz"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    let account = ada.visit("/account").await;
    assert!(account.text().contains("<h1><bdi>ada</bdi></h1>"), "{}", account.text());
    assert_eq!(visit.nginx(&server, WIKI).await.header("remote-user"), "ada");
    assert_eq!(shop.userinfo(&tokens.access).await.status, 200);
    assert_eq!(shop.introspect(&tokens.access).await.json()["active"], true);
    assert_eq!(whoami(&server, &bridge).await.status, 200);
    let users = server.operate(Method::GET, "/users", json!({})).await;
    assert_eq!(users.json()["users"][0]["username"], "ada");
}

#[tokio::test]
async fn readiness_tells_of_a_disk_that_nobody_writes_to() {
    let (server, disk, _ada) = with_ada().await;
    assert_eq!(server.get("/readyz").await.status, 200);
    disk.fail(true);

    for _ in 0..3 {
        let ready = server.get("/readyz").await;
        assert_eq!((ready.status.as_u16(), ready.header("retry-after")), (503, "10"));
        assert_eq!(
            ready.without_event(),
            json!({
                "error": "temporarily_unavailable",
                "error_description": Refusal::StoreUnwritable.sentence(),
                "detail": "the store cannot be written: nothing is written",
            })
        );
    }
    let cause = "nothing is written".to_owned();
    assert_eq!(server.app.write_health(), WriteHealth::Unwritable { cause });
    assert_eq!(server.get("/healthz").await.status, 200);
    disk.fail(false);

    assert_eq!(server.get("/readyz").await.json(), json!({ "status": "ok" }));
    assert_eq!(server.app.write_health(), WriteHealth::Writable);
}

#[tokio::test]
async fn a_logout_is_not_told_again_and_again_while_it_cannot_be_recorded() {
    let receiver = Receiver::responding(&[200]).await;
    let listed = receiver.listed();
    let (server, disk) = Server::with_disk(|config| config.fetch.private = vec![listed]).await;
    let mut ada = server.first_administrator().await;
    let registration = json!({
        "name": "shop",
        "client_id": "shop",
        "redirect_uris": ["https://shop.example/cb"],
        "backchannel_logout_uri": receiver.url(),
    });
    let shop = server.client(registration).await;
    shop.code(&mut ada).await;
    ada.sign_out().await;
    disk.fail(true);

    assert!(server.app.deliver_logouts().await.is_err());
    for _ in 0..3 {
        assert_eq!(server.app.deliver_logouts().await.unwrap(), 0);
    }
    assert_eq!(receiver.requests().len(), 1);
    disk.fail(false);
    server.app.probe().await.unwrap();

    assert_eq!(server.app.deliver_logouts().await.unwrap(), 1);
    assert_eq!(server.app.deliver_logouts().await.unwrap(), 0);
}

/// At a first start, whoever waits for the keys learns at once that they cannot be stored.
#[tokio::test]
async fn keys_that_cannot_be_stored_are_not_waited_for() {
    let (server, disk) = Server::without_keys_on_disk().await;
    let waiting = tokio::spawn({
        let server = server.clone();
        async move { server.get("/.well-known/jwks.json").await }
    });
    tokio::task::yield_now().await;

    disk.fail(true);
    assert!(server.app.make_missing_keys().await.is_err());
    assert_unwritable(&waiting.await.unwrap());
    assert_unwritable(&server.get("/.well-known/jwks.json").await);
    disk.fail(false);
    server.app.make_missing_keys().await.unwrap();

    assert_eq!(server.get("/.well-known/jwks.json").await.status, 200);
}
