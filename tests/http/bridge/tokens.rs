//! Personal access tokens.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::json;

use super::{code, pat, post, send, whoami};
use crate::support::{Response, Server};

async fn by(server: &Server, pat: &str) -> Response {
    let bearer = format!("Bearer {pat}");
    let headers = [("authorization", bearer.as_str()), ("x-session-id", "s-1")];
    send(server, Method::POST, "/v1/auth/bridge/pat", &headers, &json!({})).await
}

#[tokio::test]
async fn a_personal_token_brings_access_as_often_as_it_is_shown() {
    let (server, _ada) = Server::with_ada().await;
    let pat = pat(&server).await;

    let (first, second) = (by(&server, &pat).await.json(), by(&server, &pat).await.json());

    assert!(pat.starts_with("sp-live-") && pat.len() >= 40 && pat.contains('.'));
    assert_eq!(first["headers"]["x-session-id"], second["headers"]["x-session-id"]);
    assert_ne!(first["token"], second["token"]);
    assert_eq!(whoami(&server, first["token"].as_str().unwrap()).await.status, 200);
    let listed = server.operate(Method::GET, "/personal-tokens?user=ada", json!({})).await.json();
    let listed = &listed["personal_tokens"][0];
    assert_eq!((&listed["name"], &listed["id"]), (&json!("laptop"), &json!(pat[8..20])));
    assert_eq!(listed["used"], "2026-01-01T00:00:00Z");
}

#[tokio::test]
async fn a_device_without_a_name_is_called_after_the_way_it_came() {
    let (server, _ada) = Server::with_ada().await;
    let body = json!({ "code": code(&server).await });

    post(&server, "/v1/auth/bridge/session-pat", &body).await;

    let listed = server.operate(Method::GET, "/personal-tokens", json!({})).await.json();
    assert_eq!(listed["personal_tokens"][0]["name"], "bridge device-link");
}

#[tokio::test]
async fn a_token_that_is_none_expired_or_revoked_opens_nothing() {
    let (server, _ada) = Server::with_ada().await;
    let revoked = pat(&server).await;
    let body = json!({ "code": code(&server).await, "device_name": "desk" });
    let expiring = post(&server, "/v1/auth/bridge/session-pat", &body).await.json();
    let expiring = expiring["pat"].as_str().unwrap().to_owned();
    let path = format!("/personal-tokens/{}", &revoked[8..20]);
    server.operate(Method::DELETE, &path, json!({})).await;
    let again = server.operate(Method::DELETE, &path, json!({})).await;
    again.refused(ErrorCode::NotFound, Refusal::PersonalTokenNotFound);

    let forged = format!("{}{}", &expiring[..21], "0".repeat(52));
    for (presented, refusal) in [
        (revoked.as_str(), Refusal::PersonalTokenRevoked),
        (forged.as_str(), Refusal::PersonalTokenUnknown),
        ("sp-live-x", Refusal::PersonalTokenUnknown),
    ] {
        by(&server, presented).await.refused(ErrorCode::InvalidToken, refusal);
    }
    server.advance(Duration::from_hours(90 * 24));
    let late = by(&server, &expiring).await;
    late.refused(ErrorCode::InvalidToken, Refusal::PersonalTokenExpired);
    assert!(late.header("www-authenticate").starts_with("Bearer "));
    let none = send(&server, Method::POST, "/v1/auth/bridge/pat", &[], &json!({})).await;
    none.refused(ErrorCode::InvalidToken, Refusal::BearerTokenMissing);
}

#[tokio::test]
async fn a_person_has_a_hundred_tokens_and_no_more() {
    let (server, _ada) = Server::with_ada().await;
    let asked = json!({ "username": "ada", "name": "one of many" });
    for _ in 0..100 {
        let made = server.operate(Method::POST, "/personal-tokens", asked.clone()).await;
        assert_eq!(made.status, 201);
    }

    let more = server.operate(Method::POST, "/personal-tokens", asked).await;

    more.refused(ErrorCode::TooManyRequests, Refusal::PersonalTokensTooMany);
}

#[tokio::test]
async fn whoever_revokes_a_token_has_room_for_another() {
    let (server, _ada) = Server::with_ada().await;
    let asked = json!({ "username": "ada" });
    for _ in 0..101 {
        let made = server.operate(Method::POST, "/personal-tokens", asked.clone()).await;
        assert_eq!(made.status, 201);
        let path = format!("/personal-tokens/{}", made.json()["id"].as_str().unwrap());
        server.operate(Method::DELETE, &path, json!({})).await;
    }
}
