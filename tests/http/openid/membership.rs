//! Clients that are for people of some groups.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Server};

async fn put_into(server: &Server, username: &str, groups: Value) {
    let path = format!("/users/{username}");
    let put = server.operate(Method::PATCH, &path, json!({ "groups": groups })).await;
    assert_eq!(put.status, 200, "{}", put.text());
}

/// A client for people of `staff` or `ops`.
async fn desk(server: &Server, more: Value) -> RelyingParty {
    let mut registration = json!({
        "name": "Desk", "client_id": "desk", "redirect_uris": ["https://desk.example/cb"],
        "groups": ["staff", "ops"],
        "grant_types": ["authorization_code", "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code"],
    });
    registration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.client(registration).await
}

async fn someone(server: &Server, groups: Value) -> Browser {
    let bob = server.person("bob").await;
    put_into(server, "bob", groups).await;
    bob
}

#[tokio::test]
async fn a_person_of_one_of_the_groups_uses_the_client() {
    let server = Server::new().await;
    let mut bob = someone(&server, json!(["ops", "chess"])).await;
    let desk = desk(&server, json!({})).await;

    let tokens = desk.tokens(&mut bob).await;

    assert_eq!(desk.userinfo(&tokens.access).await.status, 200);
    assert_eq!(desk.refresh(tokens.refresh()).await.status, 200);
}

#[tokio::test]
async fn somebody_else_is_told_whom_to_ask_and_goes_back_with_an_error() {
    let (server, _ada) = Server::with_ada().await;
    let mut bob = someone(&server, json!(["chess"])).await;
    // Neither the operator's word nor an earlier consent goes before the groups.
    let desk = desk(&server, json!({ "first_party": true })).await;

    let page = bob.visit(&desk.request(&[("state", "s")])).await;
    let text = page.text();
    let back = bob.decide(&page, "deny").await;

    assert_eq!(page.status, 403);
    assert_eq!(page.refusal(), Some(Refusal::PersonAstray));
    for part in ["Desk", "<bdi>staff</bdi>", "<bdi>ops</bdi>", "Ask", "<bdi>ada</bdi>", "bob"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let response = back.brought();
    assert_eq!((&*response["error"], &*response["state"]), ("access_denied", "s"));
    server.app.write_counts().await.unwrap();
    let usage = server.operate(Method::GET, "/clients/desk/usage", json!({})).await.json();
    assert!(usage.to_string().contains("PersonAstray"), "{usage}");
}

#[tokio::test]
async fn nobody_gets_past_the_page_by_the_form_of_consent() {
    let server = Server::new().await;
    let mut bob = someone(&server, json!(["staff"])).await;
    let desk = desk(&server, json!({})).await;
    let consent = bob.visit(&desk.request(&[])).await;
    put_into(&server, "bob", json!(["chess"])).await;

    let again = bob.decide(&consent, "allow").await;
    let page = bob.visit(again.location()).await;

    assert_eq!(page.refusal(), Some(Refusal::PersonAstray));
}

#[tokio::test]
async fn a_silent_request_gets_an_error_and_no_page() {
    let server = Server::new().await;
    let mut bob = someone(&server, json!(["chess"])).await;
    let desk = desk(&server, json!({})).await;

    let silent = bob.visit(&desk.request(&[("prompt", "none")])).await;

    assert_eq!(silent.brought()["error"], "access_denied");
}

#[tokio::test]
async fn whoever_leaves_the_groups_leaves_the_client_at_once_and_may_come_back() {
    let server = Server::new().await;
    let mut bob = someone(&server, json!(["staff"])).await;
    let desk = desk(&server, json!({})).await;
    let tokens = desk.tokens(&mut bob).await;
    let code = desk.code(&mut bob).await;

    put_into(&server, "bob", json!(["chess"])).await;
    let refreshed = desk.refresh(tokens.refresh()).await;
    let redeemed = desk.redeem(&code).await;
    let userinfo = desk.userinfo(&tokens.access).await;
    let inspected = json!({ "token": tokens.access });
    let inspected = server.operate(Method::POST, "/tokens/inspect", inspected).await.json();
    put_into(&server, "bob", json!(["staff"])).await;
    let again = desk.refresh(tokens.refresh()).await;

    refreshed.refused(ErrorCode::InvalidGrant, Refusal::GrantOutsideGroups);
    redeemed.refused(ErrorCode::InvalidGrant, Refusal::GrantOutsideGroups);
    userinfo.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
    assert_eq!(inspected["active"], false);
    assert_eq!(again.status, 200, "{}", again.text());
}

#[tokio::test]
async fn a_client_that_is_limited_later_is_limited_at_once() {
    let server = Server::new().await;
    let mut bob = someone(&server, json!(["chess"])).await;
    let desk = desk(&server, json!({ "groups": [] })).await;
    let tokens = desk.tokens(&mut bob).await;

    let limited = json!({ "groups": ["staff"] });
    server.operate(Method::PATCH, "/clients/desk", limited).await;

    let refreshed = desk.refresh(tokens.refresh()).await;
    refreshed.refused(ErrorCode::InvalidGrant, Refusal::GrantOutsideGroups);
}

#[tokio::test]
async fn a_device_of_such_a_client_is_allowed_by_people_of_its_groups_alone() {
    let (server, _ada) = Server::with_ada().await;
    let mut bob = someone(&server, json!(["chess"])).await;
    let desk = desk(&server, json!({})).await;
    let device = desk.post("/oauth/device_authorization", &[]).await.json();
    let code = device["user_code"].as_str().unwrap();

    let page = bob.submit("/gate/device", &[("user_code", code)]).await;
    let forced = [("user_code", code), ("decision", "allow"), ("scope", "")];
    let forced = bob.submit("/gate/device", &forced).await;
    put_into(&server, "bob", json!(["staff"])).await;
    let allowing = bob.submit("/gate/device", &[("user_code", code)]).await;
    bob.decide_on_device(&allowing, "allow").await;
    put_into(&server, "bob", json!([])).await;
    let polled = desk.poll(&device).await;

    for page in [page, forced] {
        assert_eq!(page.status, 403);
        assert_eq!(page.refusal(), Some(Refusal::PersonAstray));
        let text = page.text();
        assert!(text.contains("<bdi>ada</bdi>") && !text.contains("value=\"allow\""), "{text}");
    }
    polled.refused(ErrorCode::InvalidGrant, Refusal::GrantOutsideGroups);
}

#[tokio::test]
async fn a_person_is_listed_with_the_clients_of_their_groups() {
    let server = Server::new().await;
    let _bob = someone(&server, json!(["ops", "staff"])).await;
    desk(&server, json!({})).await;

    let bob = server.operate(Method::GET, "/users/bob", json!({})).await.json();
    let desk = server.operate(Method::GET, "/clients/desk", json!({})).await.json();

    assert_eq!(bob["clients"], json!(["desk"]));
    assert_eq!(desk["groups"], json!(["staff", "ops"]));
}
