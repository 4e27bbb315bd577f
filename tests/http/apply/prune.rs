//! What a document made and another one does not name.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::{applied, get, pruned, send, whole};
use crate::support::Server;

#[tokio::test]
async fn all_that_a_document_made_is_removed_and_nothing_else() {
    let server = Server::new().await;
    server.operate(Method::POST, "/users", json!({ "username": "eve" })).await;
    server.client(json!({ "name": "Robot", "client_id": "robot" })).await;
    let mut document = whole();
    document["users"]["eve"] = json!({ "display_name": "Eve" });
    document["clients"]["robot"] = json!({ "name": "R2" });
    applied(&server, &document).await;

    let without = applied(&server, &json!({})).await;
    let removed = pruned(&server, &json!({})).await;

    assert_eq!(without, [""; 0], "nothing is removed without being asked for");
    assert_eq!(
        removed,
        [
            "removed client editor",
            "removed client shop",
            "removed resource https://api.example/",
            "removed role clerk",
            "removed scope orders:read",
            "removed user ada",
            "removed user bob",
        ]
    );
    assert_eq!(get(&server, "/users/eve").await["display_name"], "Eve");
    assert_eq!(get(&server, "/clients/robot").await["name"], "R2");
    assert_eq!(pruned(&server, &json!({})).await, [""; 0]);
}

#[tokio::test]
async fn what_was_made_anew_by_hand_is_no_documents() {
    let server = Server::new().await;
    let document = json!({ "users": { "ada": {} }, "clients": { "shop": {} } });
    applied(&server, &document).await;
    server.operate(Method::DELETE, "/users/ada", json!({})).await;
    server.operate(Method::DELETE, "/clients/shop", json!({})).await;
    server.advance(std::time::Duration::from_secs(1));
    server.operate(Method::POST, "/users", json!({ "username": "ada" })).await;
    server.client(json!({ "name": "Shop", "client_id": "shop" })).await;

    assert_eq!(pruned(&server, &json!({})).await, [""; 0]);
    assert_eq!(get(&server, "/users/ada").await["username"], "ada");
}

#[tokio::test]
async fn the_last_administrator_stays_and_so_does_everything_else() {
    let server = Server::new().await;
    let document = json!({ "users": { "ada": { "roles": ["admin"] }, "bob": {} } });
    applied(&server, &document).await;

    let refused = send(&server, &json!({}), json!({ "prune": true })).await;

    refused.refused(ErrorCode::Conflict, Refusal::LastAdministrator);
    assert_eq!(refused.json()["at"], "users.ada");
    assert_eq!(get(&server, "/users/bob").await["username"], "bob");
}

#[tokio::test]
async fn a_definition_in_use_is_refused_with_what_uses_it() {
    let server = Server::new().await;
    let document = json!({
        "roles": { "clerk": { "scopes": ["orders:read"] } },
        "scopes": { "orders:read": {} },
    });
    applied(&server, &document).await;
    server.operate(Method::POST, "/users", json!({ "username": "eve", "roles": ["clerk"] })).await;
    server.client(json!({ "name": "Robot", "client_id": "robot", "scope": "orders:read" })).await;
    let refused = async |document: Value| {
        let response = send(&server, &document, json!({ "prune": true })).await;
        response.refused(ErrorCode::Conflict, Refusal::DefinitionInUse);
        let body = response.json();
        (body["at"].clone(), body["used_by"].clone())
    };

    let role = refused(json!({})).await;
    let scope = refused(json!({ "roles": { "clerk": { "scopes": [] } } })).await;

    assert_eq!(role, (json!("roles.clerk"), json!([{ "id": "eve", "name": "user" }])));
    let robot = json!([{ "id": "robot", "name": "client" }]);
    assert_eq!(scope, (json!("scopes.\"orders:read\""), robot));
}

#[tokio::test]
async fn a_scope_goes_together_with_what_has_it() {
    let server = Server::new().await;
    let document = json!({
        "clients": { "shop": { "scopes": ["orders:read"] } },
        "scopes": { "orders:read": { "open": true } },
    });
    applied(&server, &document).await;

    let both = pruned(&server, &json!({})).await;

    assert_eq!(both, ["removed client shop", "removed scope orders:read"]);
}
