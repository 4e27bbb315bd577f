//! How setup links end beside their use and their time.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::json;

use super::{listed, look, made, newest};
use crate::support::{Browser, Server};

const MOMENT: Duration = Duration::from_secs(1);

fn pairs(links: &[(String, String)]) -> Vec<(&str, &str)> {
    links.iter().map(|(purpose, state)| (purpose.as_str(), state.as_str())).collect()
}

#[tokio::test]
async fn a_new_link_for_a_person_ends_theirs_and_nobody_elses() {
    let server = Server::new().await;
    let bob = made(&server, "/users", json!({ "username": "bob" })).await;
    let eve = made(&server, "/users", json!({ "username": "eve" })).await;
    server.advance(MOMENT);

    let newer = made(&server, "/recover", json!({ "username": "bob" })).await;
    let issued = newest(&server, "link.issued").await;
    server.advance(MOMENT);
    let newest_link =
        made(&server, "/recover", json!({ "username": "bob", "further": true })).await;

    for over in [&bob, &newer] {
        let response = look(&server, over).await;
        response.refused(ErrorCode::SetupLinkSuperseded, Refusal::SetupTokenSuperseded);
    }
    assert_eq!(look(&server, &newest_link).await.json()["purpose"], "further");
    assert_eq!(look(&server, &eve).await.json()["purpose"], "new");
    assert_eq!(issued["facts"]["superseded"], bob["setup_id"]);
    assert_eq!(issued["facts"]["link"], newer["setup_id"]);
    let links = listed(&server, "?user=bob").await;
    assert_eq!(
        pairs(&links),
        [("new", "superseded"), ("recovery", "superseded"), ("further", "open")]
    );
}

#[tokio::test]
async fn a_new_link_for_the_first_administrator_ends_the_one_before() {
    let server = Server::new().await;
    let older = made(&server, "/recover", json!({})).await;

    let newer = made(&server, "/recover", json!({})).await;

    let response = look(&server, &older).await;
    response.refused(ErrorCode::SetupLinkSuperseded, Refusal::SetupTokenSuperseded);
    assert_eq!(look(&server, &newer).await.json()["purpose"], "first");
    // Somebody is there, and no first administrator is made any more.
    made(&server, "/users", json!({ "username": "bob" })).await;
    let response = look(&server, &newer).await;
    response.refused(ErrorCode::SetupLinkUsed, Refusal::SetupTokenUsed);
}

#[tokio::test]
async fn whoever_is_switched_off_and_on_again_has_no_link_from_before() {
    let server = Server::new().await;
    let before = made(&server, "/users", json!({ "username": "bob" })).await;
    let switch = async |disabled: bool| {
        server.operate(Method::PATCH, "/users/bob", json!({ "disabled": disabled })).await
    };

    switch(true).await;
    let off = look(&server, &before).await;
    let none = server.operate(Method::POST, "/recover", json!({ "username": "bob" })).await;
    switch(false).await;
    let on = look(&server, &before).await;
    // In the same moment, by the clock.
    let after = made(&server, "/recover", json!({ "username": "bob" })).await;

    off.refused(ErrorCode::AccountDisabled, Refusal::SetupTokenDisabled);
    none.refused(ErrorCode::Conflict, Refusal::UserDisabled);
    on.refused(ErrorCode::SetupLinkSuspended, Refusal::SetupTokenSuspended);
    assert_eq!(look(&server, &after).await.json()["username"], "bob");
    Browser::new(&server).enrol(after["setup_url"].as_str().unwrap(), None).await;
    assert_eq!(look(&server, &after).await.refusal(), Some(Refusal::SetupTokenUsed));
}

#[tokio::test]
async fn a_ceremony_that_was_begun_ends_with_its_link() {
    let server = Server::new().await;
    let bob = made(&server, "/users", json!({ "username": "bob" })).await;
    let mut browser = Browser::new(&server);
    let token = browser.open_link(bob["setup_url"].as_str().unwrap()).await;
    let passkey = browser.made_passkey(&token, None).await;

    server.operate(Method::POST, "/links/revoke", json!({ "username": "bob" })).await;

    let response = browser.finish_setup(&passkey).await;
    response.refused(ErrorCode::SetupLinkRevoked, Refusal::SetupTokenRevoked);
    let users = server.operate(Method::GET, "/users/bob", json!({})).await.json();
    assert_eq!(users["passkeys"], 0);
}

#[tokio::test]
async fn links_of_people_who_are_gone_say_so_and_are_listed() {
    let server = Server::new().await;
    let bob = made(&server, "/users", json!({ "username": "bob" })).await;
    server.operate(Method::DELETE, "/users/bob", json!({})).await;

    let response = look(&server, &bob).await;

    response.refused(ErrorCode::AccountRemoved, Refusal::StartedWithoutPerson);
    assert_eq!(pairs(&listed(&server, "").await), [("new", "removed")]);
}

#[tokio::test]
async fn links_are_revoked_one_and_all() {
    let server = Server::new().await;
    let mut links = Vec::new();
    for name in ["ada", "bob", "eve"] {
        links.push(made(&server, "/users", json!({ "username": name })).await);
    }
    let [ada, bob, eve] = &links[..] else { panic!("three") };
    let one = format!("/links/{}", ada["setup_id"].as_str().unwrap());

    let revoked = server.operate(Method::DELETE, &one, json!({})).await.json();
    let event = newest(&server, "link.revoked").await;
    server.advance(MOMENT);
    let of_bob = json!({ "username": "bob" });
    let of_bob = server.operate(Method::POST, "/links/revoke", of_bob).await.json();
    server.advance(MOMENT);
    let rest = server.operate(Method::POST, "/links/revoke", json!({})).await.json();
    let bulk = newest(&server, "link.revoked").await;
    let none = server.operate(Method::POST, "/links/revoke", json!({})).await.json();

    assert_eq!((&revoked["state"], &revoked["username"]), (&json!("revoked"), &json!("ada")));
    assert_eq!(event["facts"]["link"], ada["setup_id"]);
    assert_eq!((&event["name"], &event["actor"]["kind"]), (&json!("ada"), &json!("operator")));
    assert_eq!(of_bob["links"][0]["id"], bob["setup_id"]);
    assert_eq!(rest["links"].as_array().unwrap().len(), 1);
    assert_eq!(rest["links"][0]["id"], eve["setup_id"]);
    assert_eq!(bulk["facts"]["links"], "1");
    assert_eq!(none, json!({ "links": [] }));
    for link in &links {
        let response = look(&server, link).await;
        response.refused(ErrorCode::SetupLinkRevoked, Refusal::SetupTokenRevoked);
    }
}

/// Whoever may not end one of them ends none.
#[tokio::test]
async fn a_limited_administrator_revokes_all_links_or_none() {
    let server = Server::new().await;
    made(&server, "/users", json!({ "username": "bob" })).await;
    let root = made(&server, "/users", json!({ "username": "root", "roles": ["admin"] })).await;
    let people = server.token_of_robot("admin:people").await;

    let refused = server.administer(&people, Method::POST, "/links/revoke", json!({})).await;
    let states = listed(&server, "").await;
    server.operate(Method::DELETE, "/users/root", json!({})).await;
    let one = format!("/links/{}", root["setup_id"].as_str().unwrap());
    server.operate(Method::DELETE, &one, json!({})).await;

    let refusal = Refusal::AdministrationExceeded("admin");
    refused.refused(refusal.code(), refusal);
    assert!(states.iter().all(|(_, state)| state == "open"), "{states:?}");
}

#[tokio::test]
async fn a_link_is_shown_without_its_secret_and_by_the_beginning_of_its_id() {
    let server = Server::new().await;
    let bob = made(&server, "/users", json!({ "username": "bob" })).await;
    let id = bob["setup_id"].as_str().unwrap();

    let viewed = server.operate(Method::GET, &format!("/links/{}", &id[..8]), json!({})).await;

    let secret = bob["setup_url"].as_str().unwrap().split_once("gl_st_").unwrap().1;
    assert!(!viewed.text().contains(secret));
    let expected = json!({
        "created": "2026-01-01T00:00:00Z", "ended": null, "expires": "2026-01-01T00:15:00Z",
        "id": id, "purpose": "new", "state": "open", "user_id": bob["id"], "username": "bob",
        "made_by": {
            "kind": "operator", "client_id": null, "uid": null, "user_id": null, "username": null,
        },
    });
    assert_eq!(viewed.json(), expected);
}

#[tokio::test]
async fn a_link_that_is_over_is_listed_for_a_week() {
    let server = Server::new().await;
    made(&server, "/users", json!({ "username": "bob" })).await;

    server.advance(Duration::from_mins(15));
    let expired = listed(&server, "").await;
    server.advance(Duration::from_hours(8 * 24));
    crate::clocks::sweep_all(&server).await;

    assert_eq!(pairs(&expired), [("new", "expired")]);
    assert_eq!(pairs(&listed(&server, "").await), []);
}
