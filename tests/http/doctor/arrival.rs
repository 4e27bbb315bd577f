//! A request by which an operator learns how it arrives, and of which nobody else learns anything.

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::http::Peer;
use serde_json::{Value, json};

use crate::support::{Response, Server};

/// `https://id.example` behind 172.18.0.0/16.
async fn behind_a_proxy() -> Server {
    Server::with("https://id.example".parse().unwrap(), |config| {
        config.behind_proxy.push("172.18.0.0/16".parse().unwrap());
    })
    .await
}

async fn start(server: &Server) -> Value {
    let response = server.operate(Method::POST, "/doctor/probes", json!({})).await;
    assert_eq!(response.status, 201);
    response.json()
}

async fn end(server: &Server, probe: &Value) -> Value {
    let path = format!("/doctor/probes/{}", probe["nonce"].as_str().unwrap());
    server.operate(Method::DELETE, &path, json!({})).await.json()
}

/// The request for `path` from `peer`, with `host` and these addresses.
async fn send(server: &Server, path: &str, peer: &str, host: &str, sent_for: &str) -> Response {
    let request = Request::get(path).header("host", host).header("x-forwarded-for", sent_for);
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    server.send(request).await
}

#[tokio::test]
async fn a_request_tells_its_operator_how_it_arrived_and_nobody_else() {
    let server = behind_a_proxy().await;
    let probe = start(&server).await;
    let path = probe["path"].as_str().unwrap();
    let plain = path.split_once('?').unwrap().0;
    let sent_for = format!("{}, 198.51.100.1", probe["forwarded_for"].as_str().unwrap());

    let response = send(&server, path, "172.18.0.2", "id.example", &sent_for).await;
    let other = send(&server, plain, "172.18.0.2", "id.example", &sent_for).await;
    let arrival = end(&server, &probe).await;

    assert_eq!((response.status.as_u16(), response.text()), (200, other.text()));
    assert_eq!(response.headers, other.headers);
    assert_eq!((&probe["host"], &arrival["arrived"]), (&"id.example".into(), &true.into()));
    assert_eq!(arrival["checks"][0]["state"], "ok", "{arrival}");
    assert_eq!(end(&server, &probe).await, json!({ "arrived": false, "checks": [] }), "told once");
}

/// The check of `Host` would keep from the operator what they want to know.
#[tokio::test]
async fn a_request_that_is_refused_for_its_host_has_arrived() {
    let server = behind_a_proxy().await;
    let probe = start(&server).await;
    let path = probe["path"].as_str().unwrap();

    let refused = send(&server, path, "172.18.0.2", "evil.example", "198.51.100.1").await;
    let arrival = end(&server, &probe).await;

    refused.refused(ErrorCode::MisdirectedRequest, Refusal::HostUnknown);
    assert_eq!(arrival["checks"][0]["state"], "problem");
    let found = arrival["checks"][0]["found"].as_str().unwrap();
    assert!(found.contains("Host evil.example"), "{found}");
}

#[tokio::test]
async fn a_nonce_that_nobody_has_is_that_of_no_request() {
    let server = behind_a_proxy().await;
    let probe = start(&server).await;
    let path = probe["path"].as_str().unwrap();

    let guessed = format!("{}{}", &path[..path.len() - 64], "0".repeat(64));
    let response = send(&server, &guessed, "192.0.2.9", "id.example", "198.51.100.1").await;

    assert_eq!(response.status, 200);
    assert_eq!(end(&server, &probe).await["arrived"], false);
    let unknown = end(&server, &json!({ "nonce": "0".repeat(64) })).await;
    assert_eq!(unknown["arrived"], false);
}
