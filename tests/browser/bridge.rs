//! A bridge: a person lets it in through the browser, or does not.

use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::callback_server::CallbackServer;
use crate::program::Home;
use crate::setup::ada;
use crate::sign_in::{by_button, sign_out};

/// Where a bridge sends the browser.
pub(crate) fn link(issuer: &str, redirect: Option<&str>) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(redirect.map(|redirect| ("redirect", redirect)));
    format!("{issuer}/bridge/device-link?{}", query.finish())
}

/// Sends JSON, if there is any, and gives the status and the JSON that comes back, if any does.
async fn call(
    method: reqwest::Method,
    url: String,
    headers: &[(&str, &str)],
    body: Value,
) -> (u16, Value) {
    let mut asked = reqwest::Client::new().request(method, url);
    for (name, value) in headers {
        asked = asked.header(*name, *value);
    }
    if !body.is_null() {
        asked = asked.header("content-type", "application/json").body(body.to_string());
    }
    let response = asked.send().await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
}

async fn post(url: String, body: Value) -> (u16, Value) {
    call(reqwest::Method::POST, url, &[], body).await
}

#[tokio::test]
async fn a_bridge_that_listens_gets_its_code_by_the_browser() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let desk = CallbackServer::new().await;

    window.open(link(server.issuer(), Some(&desk.at("/cb?x=1")))).await;
    window.reads("Link this device?").await;
    window.reads("Did you start this yourself?").await;
    window.reads(&desk.at("")["http://".len()..]).await;
    window.press("Link device").await;

    let brought = desk.visited("/cb").await;
    assert_eq!((brought["x"].as_str(), brought["code"].len()), ("1", 64));
    let session = format!("{}/v1/auth/bridge/session", server.issuer());
    let (status, access) = post(session.clone(), json!({ "code": brought["code"] })).await;
    assert_eq!((status, &access["ttl"]), (200, &json!(3600)));
    assert_eq!(post(session, json!({ "code": brought["code"] })).await.0, 401);
}

#[tokio::test]
async fn a_bridge_that_is_not_let_in_is_told_so() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let desk = CallbackServer::new().await;

    window.open(link(server.issuer(), Some(&desk.at("/cb")))).await;
    window.press("Don’t link").await;

    let brought = desk.visited("/cb").await;
    assert_eq!(brought["error"], "access_denied");
    assert!(!brought.contains_key("code"));
}

#[tokio::test]
async fn somebody_who_is_signed_out_signs_in_on_the_way_to_the_bridge() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let desk = CallbackServer::new().await;
    sign_out(&window).await;
    window.passkeys.touch(false).await;

    window.open(link(server.issuer(), Some(&desk.at("/cb")))).await;
    window.reads("to continue to your bridge").await;
    by_button(&window).await;
    window.reads("Link this device?").await;
    window.press("Link device").await;

    assert_eq!(desk.visited("/cb").await["code"].len(), 64);
}

#[tokio::test]
async fn without_an_address_the_code_is_shown_and_counts_down() {
    let home = Home::new();
    let (server, window) = ada(&home).await;

    window.open(link(server.issuer(), None)).await;
    window.press("Link device").await;
    window.reads("Never send this code to anyone.").await;
    window.reads("Good for 9:5").await;
    let code: String = window.ask("document.querySelector('pre').innerText").await.unwrap();

    let pat = format!("{}/v1/auth/bridge/session-pat", server.issuer());
    let (status, response) = post(pat, json!({ "code": code.trim(), "device_name": "desk" })).await;
    assert_eq!(status, 200);
    assert!(response["pat"].as_str().unwrap().starts_with("sp-live-"));
    let listed = home.json("bridge pats");
    assert_eq!(listed["personal_tokens"][0]["name"], "desk");
}

/// The contract as a bridge plays it: bind its port, open the page, catch the code, and live on
/// what comes of it.
#[tokio::test]
async fn a_bridge_plays_its_part_from_the_page_to_a_hook() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let at = |path: &str| format!("{}{path}", server.issuer());
    let desk = CallbackServer::at_port(8767).await;

    let (status, health) = call(reqwest::Method::GET, at("/health"), &[], json!(null)).await;
    assert_eq!((status, &health["status"]), (200, &json!("ok")));
    window.open(link(server.issuer(), Some("http://127.0.0.1:8767/callback"))).await;
    window.press("Link device").await;
    let code = desk.visited("/callback").await["code"].clone();

    let asked = json!({ "code": code, "device_name": "desk" });
    let (_, response) = post(at("/v1/auth/bridge/session-pat"), asked).await;
    let pat = format!("Bearer {}", response["pat"].as_str().unwrap());
    let headers = [("authorization", pat.as_str()), ("x-session-id", "desk-1")];
    let post = reqwest::Method::POST;
    let access = call(post.clone(), at("/v1/auth/bridge/pat"), &headers, json!({})).await.1;
    assert_eq!(access["headers"]["x-session-id"], "desk-1");
    let token = access["token"].as_str().unwrap();
    let own = [("x-api-key", token)];

    let (_, who) = call(reqwest::Method::GET, at("/v1/bridge/whoami"), &own, json!(null)).await;
    assert_eq!(who["display_name"], "Ada Lovelace");
    let beat = json!({
        "session_id": "desk-1", "bridge_version": "1.0", "os": "linux", "hostname": "desk",
        "forwarded_total": 1, "tokens_in_total": 2, "tokens_out_total": 3,
    });
    let (status, _) = call(post.clone(), at("/v1/bridge/heartbeat"), &own, beat).await;
    assert_eq!(status, 200);
    assert_eq!(home.json("bridge list")["bridges"][0]["hostname"], "desk");
    let path = at("/v1/auth/bridge/oauth-client");
    let (_, hook) = call(post, path, &own, json!({})).await;
    let form = Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", hook["client_id"].as_str().unwrap())
        .append_pair("client_secret", hook["client_secret"].as_str().unwrap())
        .append_pair("audience", "hook")
        .append_pair("plugin_id", "acme/lint")
        .finish();
    let asked = reqwest::Client::new().post(hook["token_endpoint"].as_str().unwrap());
    let asked = asked.header("content-type", "application/x-www-form-urlencoded").body(form);
    let response = asked.send().await.unwrap().bytes().await.unwrap();
    let response: Value = serde_json::from_slice(&response).unwrap();
    assert_eq!(response["scope"], "hook:govern hook:track");

    home.json("session revoke desk-1");
    let (status, _) = call(reqwest::Method::GET, at("/v1/bridge/whoami"), &own, json!(null)).await;
    assert_eq!(status, 401);
}
