//! `/metrics`: what it says, and to whom.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::config::{Config, ScopeEntry, TlsMode};
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::http::Peer;
use gatelodge::oauth::issuer::Issuer;
use serde_json::json;

use crate::support::{RelyingParty, Response, Server};

async fn metrics(server: &Server) -> String {
    let response = server.get("/metrics").await;
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    response.text().to_owned()
}

/// The value of a sample.
async fn sample(server: &Server, name: &str) -> f64 {
    let text = metrics(server).await;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

/// A request for the metrics with these headers, from this address.
async fn asked(server: &Server, peer: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Request::get("/metrics");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    server.send(request).await
}

#[tokio::test]
async fn requests_are_counted_by_route_and_outcome_and_nobody_is_named() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    shop.userinfo(&tokens.access).await;
    shop.userinfo("nonsense").await;
    server.get("/device/qr/GHOST-CODE").await;
    server.get("/ghost/path").await;

    let text = metrics(&server).await;

    for expected in [
        "gatelodge_request_duration_seconds_count{route=\"/oauth/userinfo\",status=\"2xx\"} 1\n",
        "gatelodge_request_duration_seconds_count{route=\"/oauth/userinfo\",status=\"4xx\"} 1\n",
        "gatelodge_requests_refused_total{route=\"/oauth/userinfo\",refusal=\"BearerTokenMalformed\"} 1\n",
        "gatelodge_requests_refused_total{route=\"(none)\",refusal=\"PageNotFound\"} 1\n",
        "route=\"/gate/interaction/{id}\"",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let user = server.operate(Method::GET, "/users/ada", json!({})).await.json();
    let secrets = ["ada", "shop", "ghost", "GHOST", user["id"].as_str().unwrap(), &tokens.access];
    for secret in secrets {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

/// Every family has a type and a help, and every sample a number.
#[tokio::test]
async fn every_line_is_of_the_format() {
    let (server, _ada) = Server::with_ada().await;

    let text = metrics(&server).await;

    let mut family = "";
    let mut families = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            family = rest.split(' ').next().unwrap();
            assert!(!families.contains(&family), "{family} twice");
            families.push(family);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert_eq!(rest.split(' ').next().unwrap(), family);
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            assert!(sample.starts_with(family), "{line}");
            value.parse::<f64>().unwrap();
        }
    }
    assert!(families.len() > 15, "{families:?}");
}

#[tokio::test]
async fn sessions_are_counted_once_a_minute() {
    let (server, _ada) = Server::with_ada().await;

    let first = sample(&server, "gatelodge_sessions{kind=\"web\"}").await;
    let _bob = server.person("bob").await;
    server.operate(Method::POST, "/bridge/tokens", json!({ "username": "ada" })).await;
    server.advance(Duration::from_secs(59));
    let soon = sample(&server, "gatelodge_sessions{kind=\"web\"}").await;
    server.advance(Duration::from_secs(1));
    let later = sample(&server, "gatelodge_sessions{kind=\"web\"}").await;

    assert_eq!([first, soon, later], [1.0, 1.0, 2.0]);
    assert_eq!(sample(&server, "gatelodge_sessions{kind=\"bridge\"}").await, 1.0);
}

#[tokio::test]
async fn keys_pools_and_commits_are_measured() {
    let server =
        Server::with(Issuer::localhost(7455), |config| config.policy.interactions = 64).await;
    let shop = RelyingParty::web(&server).await;
    server.advance(Duration::from_secs(100));
    let batches = "gatelodge_store_batch_transitions_count";
    let before = sample(&server, batches).await;
    let rows = "gatelodge_store_written_total{kind=\"row\"}";
    let entries = "gatelodge_store_written_total{kind=\"entry\"}";
    let sums = "gatelodge_store_written_total{kind=\"sum\"}";
    let bytes = "gatelodge_store_written_bytes_total";
    let mut written = Vec::new();
    for name in [rows, entries, sums, bytes] {
        written.push(sample(&server, name).await);
    }

    shop.push(&[]).await;

    // The request and the sums of the shares that it weighs on; its expiry, and its place in the pool.
    assert_eq!(sample(&server, rows).await, written[0] + 1.0);
    assert_eq!(sample(&server, entries).await, written[1] + 2.0);
    assert_eq!(sample(&server, sums).await, written[2] + 3.0);
    assert!(sample(&server, bytes).await > written[3] + 100.0);

    assert_eq!(sample(&server, batches).await, before + 1.0);
    assert_eq!(
        sample(&server, "gatelodge_store_commit_duration_seconds_count").await,
        before + 1.0
    );
    assert_eq!(sample(&server, "gatelodge_store_writable").await, 1.0);
    assert_eq!(sample(&server, "gatelodge_pool_rows{pool=\"pushed requests\"}").await, 1.0);
    assert_eq!(sample(&server, "gatelodge_pool_rows_limit{pool=\"pushed requests\"}").await, 64.0);
    let age = "gatelodge_signing_key_age_seconds{algorithm=\"ES256\"}";
    assert!(sample(&server, age).await >= 100.0);
    server.operate(Method::POST, "/keys/rotate", json!({ "now": true })).await;
    assert_eq!(sample(&server, age).await, 0.0);
    let retiring = "gatelodge_signing_keys{algorithm=\"ES256\",state=\"retiring\"}";
    assert_eq!(sample(&server, retiring).await, 1.0);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_shows() {
    let (server, disk) = Server::with_counted_syncs().await;
    disk.fail(true);

    server.operate(Method::POST, "/users", json!({ "username": "bob" })).await;

    assert_eq!(sample(&server, "gatelodge_store_writable").await, 0.0);
    assert_eq!(sample(&server, "gatelodge_store_commit_failures_total").await, 1.0);
}

/// Whoever comes through a proxy has its address.
#[tokio::test]
async fn nobody_reads_them_through_a_proxy_or_from_elsewhere() {
    let server = Server::new().await;
    let refused = [
        asked(&server, "192.0.2.1", &[]).await,
        asked(&server, "0.0.0.0", &[]).await,
        asked(&server, "127.0.0.1", &[("x-forwarded-for", "127.0.0.1")]).await,
        asked(&server, "127.0.0.1", &[("x-forwarded-host", "localhost:7455")]).await,
        asked(&server, "127.0.0.1", &[("x-real-ip", "127.0.0.1")]).await,
        asked(&server, "127.0.0.1", &[("forwarded", "for=127.0.0.1")]).await,
        asked(&server, "::1", &[("via", "1.1 proxy")]).await,
        server.send_over_no_listener(Request::get("/metrics").body(Body::empty()).unwrap()).await,
    ];

    for response in refused {
        response.refused(ErrorCode::NotFound, Refusal::PageNotFound);
    }
    for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(asked(&server, peer, &[]).await.status, 200, "{peer}");
    }
}

/// A proxy that adds no header is known by the configuration, or by the TLS that it has to speak.
#[tokio::test]
async fn a_proxy_that_adds_no_header_is_none_of_this_machine() {
    let named = |config: &mut Config| config.behind_proxy = vec!["127.0.0.1".parse().unwrap()];
    let named = Server::with(Issuer::localhost(7455), named).await;
    let issuer = || "https://id.example".parse::<Issuer>().unwrap();
    let fronted = Server::with(issuer(), |_| {}).await;
    let secure = Server::with(issuer(), |config| config.tls.mode = TlsMode::Files).await;

    for server in [named, fronted] {
        let response = asked(&server, "127.0.0.1", &[]).await;
        response.refused(ErrorCode::NotFound, Refusal::PageNotFound);
    }
    assert_eq!(asked(&secure, "127.0.0.1", &[]).await.status, 200);
}

#[tokio::test]
async fn a_token_of_the_administration_reads_them_from_anywhere() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        let entry = ScopeEntry { open: false, description: "Read everything".to_owned() };
        for scope in ["admin", "admin:read", "orders"] {
            config.scopes.insert(scope.parse().unwrap(), entry.clone());
        }
    })
    .await;
    let resource = json!({ "resource": "https://api.example", "scope": "parts" });
    server.operate(Method::POST, "/resources", resource).await;
    let token = async |id: &str, scope: &str| {
        let client = json!({ "name": id, "client_id": id, "scope": scope });
        let client = server.client(client).await;
        client.ask(&[("grant_type", "client_credentials")]).await.tokens().access
    };
    let bearer = async |token: &str| {
        let bearer = format!("Bearer {token}");
        asked(&server, "192.0.2.1", &[("authorization", &bearer)]).await
    };

    let reader = token("reader", "admin:read").await;
    let whole = token("whole", "admin").await;
    let other = token("other", "orders").await;
    let foreign = token("foreign", "parts").await;

    for token in [&reader, &whole] {
        assert_eq!(bearer(token).await.status, 200);
    }
    let missing = bearer(&other).await;
    let challenge = missing.header("www-authenticate").to_owned();
    assert!(challenge.ends_with("scope=\"admin:read\""), "{challenge}");
    missing.refused(
        ErrorCode::InsufficientScope,
        Refusal::BearerTokenWithoutAdministration("admin:read"),
    );
    let elsewhere = bearer(&foreign).await;
    elsewhere.refused(ErrorCode::InvalidToken, Refusal::BearerTokenForAnotherAudience);
    server.operate(Method::POST, "/tokens/revoke", json!({ "token": reader })).await;
    bearer(&reader).await.refused(ErrorCode::InvalidToken, Refusal::BearerTokenRevoked);
    // A token is judged on this machine, too: whoever brings one relies on it.
    let local = asked(&server, "127.0.0.1", &[("authorization", "Bearer nonsense")]).await;
    local.refused(ErrorCode::InvalidToken, Refusal::BearerTokenMalformed);
}
