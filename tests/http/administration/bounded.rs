//! What a limited administrator gets neither by the name of another client, nor by a client that sees
//! more, nor by the size of a request.

use axum::http::Method;
use gatelodge::error::Refusal;
use serde_json::json;

use crate::support::Server;

/// A bridge token names a client, and a resource may go by that.
#[tokio::test]
async fn nobody_issues_a_bridge_token_in_the_name_of_a_client_that_has_more() {
    let server = Server::new().await;
    server.operate(Method::POST, "/users", json!({ "username": "ada" })).await;
    for (id, scope) in [("deploy", "admin"), ("shop", "openid")] {
        server.client(json!({ "name": id, "client_id": id, "scope": scope })).await;
    }
    let token = server.token_of_robot("admin:people").await;
    let issue = async |client: &str| {
        let asked = json!({ "username": "ada", "client_id": client });
        server.administer(&token, Method::POST, "/bridge/tokens", asked).await
    };

    let more = issue("deploy").await;
    let less = issue("shop").await;

    assert_eq!(more.status, 403, "{}", more.text());
    assert_eq!(more.json()["error"], "insufficient_scope");
    assert_eq!(less.status, 201, "{}", less.text());
}

/// Such a client sees what every token says, which is to read the administration.
#[tokio::test]
async fn nobody_lets_a_client_introspect_every_token_who_may_not_read() {
    let server = Server::new().await;
    let clients = server.token_of_robot("admin:clients").await;
    let reader = server.token_of_robot("admin:clients admin:read").await;
    let client = json!({ "name": "Gateway", "introspect_any": true });

    let refused = server.administer(&clients, Method::POST, "/clients", client.clone()).await;
    let added = server.administer(&reader, Method::POST, "/clients", client).await;

    let refusal = Refusal::AdministrationExceeded("admin:read");
    refused.refused(refusal.code(), refusal);
    assert_eq!(added.status, 201, "{}", added.text());
}

/// Only a file that is applied is large, and only whoever may do everything sends one.
#[tokio::test]
async fn a_limited_administrator_sends_no_large_body() {
    let server = Server::new().await;
    let limited = server.token_of_robot("admin:read").await;
    let whole = server.token_of_robot("admin").await;
    let large = json!({ "document": {}, "secrets": {}, "x": "y".repeat(100_000) });

    let refused = server.administer(&limited, Method::POST, "/apply", large.clone()).await;
    let read = server.administer(&whole, Method::POST, "/apply", large).await;

    assert_eq!(refused.status, 413, "{}", refused.text());
    assert_eq!(read.status, 400, "{}", read.text());
}
