//! The page of the signing keys.

use axum::http::Method;
use serde_json::{Value, json};

use super::server;
use crate::support::Server;

async fn keys(server: &Server) -> Vec<Value> {
    let keys = server.operate(Method::GET, "/keys", json!({})).await.json();
    keys["keys"].as_array().unwrap().clone()
}

#[tokio::test]
async fn keys_are_rotated_in_the_name_of_whoever_pressed_the_button() {
    let (server, mut ada) = server().await;
    let before = keys(&server).await;
    ada.visit("/gate/admin/keys/rotate").await;

    let rotated = ada.submit("/gate/admin/keys/rotate", &[]).await;
    let page = ada.visit(rotated.location()).await;

    assert_eq!(rotated.location(), "/gate/admin/keys");
    let after = keys(&server).await;
    assert_eq!(after.len(), 2 * before.len());
    for key in after {
        assert!(page.text().contains(key["kid"].as_str().unwrap()), "{}", page.text());
    }
    let events = server.operate(Method::GET, "/events?kind=key.rotated", json!({})).await.json();
    let actor = &events["events"][0]["actor"];
    assert_eq!((&actor["kind"], &actor["username"]), (&json!("administrator"), &json!("ada")));
    assert_eq!(actor["client_id"], Value::Null);
}

#[tokio::test]
async fn keys_that_wait_already_are_not_replaced_once_more_and_the_page_says_so() {
    let (server, mut ada) = server().await;
    ada.visit("/gate/admin/keys/rotate").await;
    ada.submit("/gate/admin/keys/rotate", &[]).await;
    let waiting = keys(&server).await;
    let events = async || {
        let listed = server.operate(Method::GET, "/events?kind=key.rotated", json!({})).await;
        listed.json()["events"].as_array().unwrap().len()
    };
    assert_eq!(events().await, 3);

    let again = ada.submit("/gate/admin/keys/rotate", &[]).await;

    assert_eq!(again.status, 200, "{}", again.text());
    assert!(again.text().contains("New keys are waiting already"), "{}", again.text());
    let from = waiting.iter().find(|key| key["state"] == "published").unwrap();
    let from = format!("sign from {}", from["signs_from"].as_str().unwrap());
    assert!(again.text().contains(&from), "{}", again.text());
    assert_eq!(keys(&server).await, waiting);
    assert_eq!(events().await, 3, "nothing was replaced");
}

#[tokio::test]
async fn what_a_key_signed_ends_with_it_where_somebody_ticks_that() {
    let (server, mut ada) = server().await;
    let before = keys(&server).await;
    ada.visit("/gate/admin/keys/rotate").await;

    ada.submit("/gate/admin/keys/rotate", &[("revoke", "yes")]).await;

    let after = keys(&server).await;
    assert_eq!(after.len(), before.len());
    assert!(before.iter().all(|key| !after.iter().any(|new| new["kid"] == key["kid"])));
}
