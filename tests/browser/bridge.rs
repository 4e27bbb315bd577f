//! A bridge: a person lets it in through the browser, or does not.

use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::landing::Landing;
use crate::program::Home;
use crate::setup::ada;
use crate::sign_in::{by_button, sign_out};

/// Where a bridge sends the browser.
pub(crate) fn link(issuer: &str, redirect: Option<&str>) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(redirect.map(|redirect| ("redirect", redirect)));
    format!("{issuer}/bridge/device-link?{}", query.finish())
}

async fn post(url: String, body: Value) -> (u16, Value) {
    let asked = reqwest::Client::new().post(url).header("content-type", "application/json");
    let answer = asked.body(body.to_string()).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_bridge_that_listens_gets_its_code_by_the_browser() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let desk = Landing::new().await;

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
    let desk = Landing::new().await;

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
    let desk = Landing::new().await;
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
    window.reads("Good for 1:5").await;
    let code: String = window.ask("document.querySelectorAll('pre')[1].innerText").await.unwrap();

    let pat = format!("{}/v1/auth/bridge/session-pat", server.issuer());
    let (status, told) = post(pat, json!({ "code": code.trim(), "device_name": "desk" })).await;
    assert_eq!(status, 200);
    assert!(told["pat"].as_str().unwrap().starts_with("sp-live-"));
    let listed = home.json("bridge pats");
    assert_eq!(listed["personal_tokens"][0]["name"], "desk");
}
