//! What a proxy is told of a person.

use axum::http::Method;
use serde_json::json;

use super::{Visit, WIKI, installed};

/// A header cannot say whether anybody vouches for an address, and applications know people by it.
#[tokio::test]
async fn an_address_that_a_person_typed_is_told_once_an_operator_vouches_for_it() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();
    visit.enter(&mut ada, WIKI).await;
    ada.visit("/account").await;
    ada.submit("/gate/account/profile", &[("display_name", "ada"), ("email", "ada@id.example")])
        .await;

    let typed = visit.nginx(&server, WIKI).await;
    let vouching = json!({ "email": "ada@id.example", "email_verified": true });
    server.operate(Method::PATCH, "/users/ada", vouching).await;
    let vouched = visit.nginx(&server, WIKI).await;

    assert_eq!(typed.header("remote-email"), "");
    assert_eq!(vouched.header("remote-email"), "ada@id.example");
}
