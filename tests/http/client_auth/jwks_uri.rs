//! Clients that keep their keys at an address of their own (RFC 7591 §2).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::get;
use axum::{Json, Router};
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::client::SigningAlg;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Response, Server, Signer, assert_to, register};

/// A server on loopback that publishes keys, and can publish others.
struct Publisher {
    asked: Arc<AtomicUsize>,
    port: u16,
    says: Arc<Mutex<(StatusCode, &'static str, Value)>>,
}

impl Publisher {
    async fn of(keys: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, says) = (Arc::default(), Arc::default());
        let publisher = Self { asked, port, says };
        publisher.publish(keys, "max-age=3600");
        let (asked, says) = (Arc::clone(&publisher.asked), Arc::clone(&publisher.says));
        let jwks = get(move || async move {
            asked.fetch_add(1, Ordering::SeqCst);
            let (status, cache, body) = says.lock().unwrap().clone();
            (status, [(header::CACHE_CONTROL, cache)], Json(body)).into_response()
        });
        let router = Router::new().route("/jwks.json", jwks);
        tokio::spawn(async { axum::serve(listener, router).await });
        publisher
    }

    fn publish(&self, keys: &[&Signer], cache: &'static str) {
        let keys: Vec<_> = keys.iter().map(|signer| signer.jwk()).collect();
        self.say(StatusCode::OK, cache, json!({ "keys": keys }));
    }

    fn say(&self, status: StatusCode, cache: &'static str, body: Value) {
        *self.says.lock().unwrap() = (status, cache, body);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// An installation that may fetch from here, with a client whose keys lie here.
    async fn server(&self) -> Server {
        let authority = format!("127.0.0.1:{}", self.port);
        let private = authority.clone();
        let server =
            Server::with(Issuer::localhost(7455), |config| config.fetch.private = vec![private]);
        let server = server.await;
        let uri = format!("http://{authority}/jwks.json");
        server.client(json!({ "name": "Far", "client_id": "far", "jwks_uri": uri })).await;
        server
    }
}

async fn asserted(server: &Server, signer: &Signer) -> Response {
    assert_to(server, &signer.assertion(server, "far", &json!({}))).await
}

/// The keys lie on this machine, over plain HTTP, and the configuration says nothing of it.
#[tokio::test]
async fn keys_may_be_on_this_machine_where_an_operator_named_them() {
    let signer = Signer::new(SigningAlg::Es256);
    let publisher = Publisher::of(&[&signer]).await;
    let uri = format!("http://127.0.0.1:{}/jwks.json", publisher.port);
    let server = Server::new().await;
    server.client(json!({ "name": "Far", "client_id": "far", "jwks_uri": uri })).await;
    let stated = json!({
        "redirect_uris": ["https://app.example/cb"], "jwks_uri": uri,
        "token_endpoint_auth_method": "private_key_jwt",
    });
    let strange = register(&server, stated).await.json()["client_id"].as_str().unwrap().to_owned();

    // What was fetched for the operator's client is there, and no stranger's to use.
    asserted(&server, &signer).await.tokens();
    let refused = assert_to(&server, &signer.assertion(&server, &strange, &json!({}))).await;

    refused.refused(ErrorCode::InvalidClient, Refusal::ClientKeysUnavailable);
    assert_eq!(publisher.asked(), 1);
}

#[tokio::test]
async fn keys_are_fetched_once_and_kept_as_long_as_their_server_says() {
    let signer = Signer::new(SigningAlg::Es256);
    let publisher = Publisher::of(&[&signer]).await;
    let server = publisher.server().await;

    asserted(&server, &signer).await.tokens();
    server.advance(Duration::from_secs(3599));
    asserted(&server, &signer).await.tokens();
    assert_eq!(publisher.asked(), 1);
    server.advance(Duration::from_secs(1));
    asserted(&server, &signer).await.tokens();

    assert_eq!(publisher.asked(), 2);
}

#[tokio::test]
async fn keys_are_kept_five_minutes_at_least_and_a_day_at_most() {
    let signer = Signer::new(SigningAlg::Es256);
    let publisher = Publisher::of(&[&signer]).await;

    for (cache, cached) in [("no-store", 5 * 60), ("max-age=31536000", 24 * 60 * 60)] {
        let server = publisher.server().await;
        publisher.publish(&[&signer], cache);
        asserted(&server, &signer).await.tokens();
        let before = publisher.asked();

        server.advance(Duration::from_secs(cached - 1));
        asserted(&server, &signer).await.tokens();
        assert_eq!(publisher.asked(), before, "{cache}");
        server.advance(Duration::from_secs(1));
        asserted(&server, &signer).await.tokens();
        assert_eq!(publisher.asked(), before + 1, "{cache}");
    }
}

#[tokio::test]
async fn a_new_key_is_found_and_an_old_one_forgotten() {
    let (old, new) = (Signer::new(SigningAlg::Es256), Signer::new(SigningAlg::Es256));
    let publisher = Publisher::of(&[&old]).await;
    let server = publisher.server().await;
    asserted(&server, &old).await.tokens();
    server.advance(Duration::from_mins(1));

    publisher.publish(&[&new], "max-age=3600");
    asserted(&server, &new).await.tokens();
    let forgotten = asserted(&server, &old).await;

    forgotten.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionSignatureWrong);
    assert_eq!(publisher.asked(), 2);
}

#[tokio::test]
async fn an_unknown_key_causes_one_fetch_a_minute() {
    let (signer, stranger) = (Signer::new(SigningAlg::Es256), Signer::new(SigningAlg::Es256));
    let publisher = Publisher::of(&[&signer]).await;
    let server = publisher.server().await;
    asserted(&server, &signer).await.tokens();

    for asked in [1, 2, 3] {
        for _ in 0..3 {
            let response = asserted(&server, &stranger).await;
            response.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionSignatureWrong);
        }
        assert_eq!(publisher.asked(), asked);
        server.advance(Duration::from_mins(1));
    }
}

#[tokio::test]
async fn a_new_key_is_found_also_where_keys_have_no_names() {
    let (old, new) = (Signer::new(SigningAlg::Es256), Signer::new(SigningAlg::Es256));
    let nameless = |signer: &Signer| {
        let mut key = signer.jwk();
        key.as_object_mut().unwrap().remove("kid");
        json!({ "keys": [key] })
    };
    let publisher = Publisher::of(&[]).await;
    publisher.say(StatusCode::OK, "max-age=3600", nameless(&old));
    let server = publisher.server().await;
    asserted(&server, &old).await.tokens();
    server.advance(Duration::from_mins(1));

    publisher.say(StatusCode::OK, "max-age=3600", nameless(&new));
    asserted(&server, &new).await.tokens();

    assert_eq!(publisher.asked(), 2);
}

#[tokio::test]
async fn a_failure_is_not_kept_and_takes_nothing_away_that_is_still_fresh() {
    let (signer, stranger) = (Signer::new(SigningAlg::Es256), Signer::new(SigningAlg::Es256));
    let publisher = Publisher::of(&[&signer]).await;
    let server = publisher.server().await;
    publisher.say(StatusCode::INTERNAL_SERVER_ERROR, "max-age=3600", json!({}));
    let failed = asserted(&server, &signer).await;
    failed.refused(ErrorCode::InvalidClient, Refusal::ClientKeysUnavailable);

    publisher.publish(&[&signer], "max-age=3600");
    asserted(&server, &signer).await.tokens();
    publisher.say(StatusCode::INTERNAL_SERVER_ERROR, "max-age=3600", json!({}));
    server.advance(Duration::from_mins(2));
    let unknown = asserted(&server, &stranger).await;

    unknown.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionSignatureWrong);
    asserted(&server, &signer).await.tokens();
    server.advance(Duration::from_hours(1));
    let stale = asserted(&server, &signer).await;
    stale.refused(ErrorCode::InvalidClient, Refusal::ClientKeysUnavailable);
}

#[tokio::test]
async fn a_network_has_sixty_key_sets_a_minute_fetched_and_keys_that_are_kept_cost_nothing() {
    let signer = Signer::new(SigningAlg::Es256);
    let publisher = Publisher::of(&[&signer]).await;
    let server = publisher.server().await;
    publisher.say(StatusCode::INTERNAL_SERVER_ERROR, "", json!({}));

    for _ in 0..60 {
        let failed = asserted(&server, &signer).await;
        failed.refused(ErrorCode::InvalidClient, Refusal::ClientKeysUnavailable);
    }
    let too_many = asserted(&server, &signer).await;

    too_many.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    assert_eq!(publisher.asked(), 60);
    server.advance(Duration::from_mins(1));
    publisher.publish(&[&signer], "max-age=3600");
    for _ in 0..61 {
        asserted(&server, &signer).await.tokens();
    }
    assert_eq!(publisher.asked(), 61);
}

#[tokio::test]
async fn what_is_no_key_set_is_as_good_as_none() {
    let signer = Signer::new(SigningAlg::Es256);
    let publisher = Publisher::of(&[&signer]).await;
    let server = publisher.server().await;
    let mut private = signer.jwk();
    private["d"] = "AA".into();

    for body in [
        json!([]),
        json!({ "keys": [] }),
        json!({ "keys": [private] }),
        json!({ "keys": [signer.jwk()], "padding": "x".repeat(64 * 1024) }),
    ] {
        publisher.say(StatusCode::OK, "max-age=3600", body);
        let response = asserted(&server, &signer).await;
        response.refused(ErrorCode::InvalidClient, Refusal::ClientKeysUnavailable);
    }
}
