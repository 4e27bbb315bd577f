//! What bridges are refused.

use axum::http::Method;
use gatelodge::model::bridge::HostId;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use crate::bridge::{access, code, pat, post, send};
use crate::support::{RelyingParty, Response, Server};

const SESSION: &str = "/v1/auth/bridge/session";

async fn with_token(path: &str, body: Value) -> Response {
    let (server, _) = Server::with_ada().await;
    let token = access(&server, "s-1").await["token"].as_str().unwrap().to_owned();
    let headers = [("x-api-key", token.as_str())];
    send(&server, Method::POST, path, &headers, &body).await
}

async fn beat(session: &str) -> Response {
    let body = json!({
        "session_id": session, "bridge_version": "1", "os": "linux", "hostname": "desk",
        "forwarded_total": 0, "tokens_in_total": 0, "tokens_out_total": 0,
    });
    with_token("/v1/bridge/heartbeat", body).await
}

async fn prefer(host: &str, protocol: &str) -> Response {
    let body = json!({ "host_id": host, "model_protocols": [protocol] });
    with_token("/v1/bridge/profile/host-model-filter", body).await
}

async fn with_pat(change: impl FnOnce(String) -> String, days: u64) -> Response {
    let (server, _) = Server::with_ada().await;
    let presented = change(pat(&server).await);
    server.advance(std::time::Duration::from_hours(24 * days));
    let bearer = format!("Bearer {presented}");
    let headers = [("authorization", bearer.as_str())];
    send(&server, Method::POST, "/v1/auth/bridge/pat", &headers, &json!({})).await
}

/// A hook client that asks for a token with `fields`.
async fn hook(fields: &[(&str, &str)]) -> Response {
    let (server, _) = Server::with_ada().await;
    let token = access(&server, "s-1").await["token"].as_str().unwrap().to_owned();
    let headers = [("x-api-key", token.as_str())];
    let path = "/v1/auth/bridge/oauth-client";
    let mut made = send(&server, Method::POST, path, &headers, &json!({})).await.json();
    made["token_endpoint_auth_method"] = json!("client_secret_post");
    let fields = [&[("grant_type", "client_credentials")], fields].concat();
    RelyingParty::new(&server, &made).ask(&fields).await
}

pub(super) async fn a_way_that_is_off() -> Response {
    let server = Server::with(Issuer::localhost(7455), |config| config.bridge.modes = Vec::new());
    post(&server.await, SESSION, &json!({ "code": "x" })).await
}

pub(super) async fn a_session_with_a_space() -> Response {
    beat("a b").await
}

pub(super) async fn a_session_of_somebody_else() -> Response {
    let (server, _) = Server::with_ada().await;
    server.person("bob").await;
    let asked = json!({ "username": "bob" });
    let bobs = server.operate(Method::POST, "/bridge/tokens", asked).await.json();
    let token = access(&server, "s-1").await["token"].as_str().unwrap().to_owned();
    let body = json!({
        "session_id": bobs["session_id"], "bridge_version": "1", "os": "linux", "hostname": "desk",
        "forwarded_total": 0, "tokens_in_total": 0, "tokens_out_total": 0,
    });
    let headers = [("x-api-key", token.as_str())];
    send(&server, Method::POST, "/v1/bridge/heartbeat", &headers, &body).await
}

pub(super) async fn a_code_after_its_time() -> Response {
    let (server, _) = Server::with_ada().await;
    let body = json!({ "code": code(&server).await });
    server.advance(std::time::Duration::from_secs(600));
    post(&server, SESSION, &body).await
}

pub(super) async fn no_code() -> Response {
    post(&Server::new().await, SESSION, &json!({})).await
}

pub(super) async fn a_code_for_the_second_time() -> Response {
    let (server, _) = Server::with_ada().await;
    let body = json!({ "code": code(&server).await });
    post(&server, SESSION, &body).await;
    post(&server, SESSION, &body).await
}

pub(super) async fn a_code_that_nobody_made() -> Response {
    post(&Server::new().await, SESSION, &json!({ "code": "0".repeat(64) })).await
}

pub(super) async fn the_audience_of_hooks_for_another() -> Response {
    let server = Server::new().await;
    let fields = [("grant_type", "client_credentials"), ("audience", "hook"), ("plugin_id", "p")];
    RelyingParty::robot(&server).await.ask(&fields).await
}

pub(super) async fn hook_scopes_without_their_audience() -> Response {
    hook(&[]).await
}

pub(super) async fn an_unknown_host() -> Response {
    prefer("emacs", "openai").await
}

pub(super) async fn a_host_that_is_off() -> Response {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.bridge.hosts_off = vec!["cowork".parse().unwrap()];
    });
    let server = server.await;
    server.first_administrator().await;
    let token = access(&server, "s-1").await["token"].as_str().unwrap().to_owned();
    let headers = [("x-api-key", token.as_str())];
    let body = json!({ "host_id": "cowork", "enabled": true });
    send(&server, Method::POST, "/v1/bridge/profile/enabled_hosts", &headers, &body).await
}

pub(super) async fn the_last_host() -> Response {
    let server = Server::with(Issuer::localhost(7455), |config| {
        let off = HostId::KNOWN.iter().filter(|host| **host != "cowork");
        config.bridge.hosts_off = off.map(|host| host.parse().unwrap()).collect();
    });
    let server = server.await;
    server.first_administrator().await;
    let token = access(&server, "s-1").await["token"].as_str().unwrap().to_owned();
    let headers = [("x-api-key", token.as_str())];
    let body = json!({ "host_id": "cowork", "enabled": false });
    send(&server, Method::POST, "/v1/bridge/profile/enabled_hosts", &headers, &body).await
}

pub(super) async fn a_link_to_elsewhere() -> Response {
    let address = "/bridge/device-link?redirect=https%3A%2F%2Fevil.example%2F";
    Server::new().await.get(address).await
}

pub(super) async fn an_unknown_protocol() -> Response {
    prefer("cowork", "smtp").await
}

pub(super) async fn a_personal_token_after_its_time() -> Response {
    with_pat(|pat| pat, 91).await
}

pub(super) async fn a_personal_token_that_is_not_there() -> Response {
    Server::new().await.operate(Method::DELETE, "/personal-tokens/0", json!({})).await
}

pub(super) async fn a_linked_device_that_is_not_there() -> Response {
    Server::new().await.operate(Method::DELETE, "/bridge/devices/0", json!({})).await
}

pub(super) async fn a_personal_token_that_was_revoked() -> Response {
    let (server, _) = Server::with_ada().await;
    let pat = pat(&server).await;
    let path = format!("/personal-tokens/{}", &pat[8..20]);
    server.operate(Method::DELETE, &path, json!({})).await;
    let bearer = format!("Bearer {pat}");
    let headers = [("authorization", bearer.as_str())];
    send(&server, Method::POST, "/v1/auth/bridge/pat", &headers, &json!({})).await
}

pub(super) async fn a_personal_token_that_nobody_made() -> Response {
    with_pat(|pat| format!("{}{}", &pat[..21], "0".repeat(52)), 0).await
}

pub(super) async fn very_many_personal_tokens() -> Response {
    let (server, _) = Server::with_ada().await;
    let mut last = None;
    for _ in 0..=100 {
        let asked = json!({ "username": "ada" });
        last = Some(server.operate(Method::POST, "/personal-tokens", asked).await);
    }
    last.unwrap()
}

pub(super) async fn a_plugin_that_is_none() -> Response {
    hook(&[("audience", "hook"), ("plugin_id", " ")]).await
}

pub(super) async fn no_plugin() -> Response {
    hook(&[("audience", "hook")]).await
}
