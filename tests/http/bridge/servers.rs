//! Resource servers that accept the tokens of bridges.

use axum::http::Method;
use gatelodge::oauth::jwt::Compact;
use serde_json::{Value, json};

use super::access;
use crate::support::{RelyingParty, Server};

/// Registers a resource, and returns the client as which it introspects.
async fn add(server: &Server, resource: Value) -> RelyingParty {
    let added = server.operate(Method::POST, "/resources", resource).await;
    assert_eq!(added.status, 201, "{}", added.text());
    RelyingParty::new(server, &added.json())
}

#[tokio::test]
async fn a_resource_server_knows_the_tokens_of_bridges_if_its_operator_says_so() {
    let (server, mut ada) = Server::with_ada().await;
    let resource = json!({ "resource": "https://mcp.example/", "accepts_bridge": true });
    let accepts = add(&server, resource).await;
    let resource = json!({ "resource": "https://api.example/", "introspect": true });
    let other = add(&server, resource).await;
    let token = access(&server, "s-1").await["token"].as_str().unwrap().to_owned();
    let claims: Value = Compact::parse(&token).unwrap().claims().unwrap();

    let known = accepts.introspect(&token).await.json();
    let unknown = other.introspect(&token).await.json();

    assert_eq!(known["active"], true);
    assert_eq!((&known["aud"], &known["username"]), (&json!(["bridge", "mcp"]), &json!("ada")));
    assert_eq!((&known["sub"], &known["sid"]), (&claims["sub"], &json!("s-1")));
    assert_eq!(unknown, json!({ "active": false }));
    // It knows at once that a device has ended, and no token of anything else.
    server.operate(Method::DELETE, "/bridge/devices/s-1", json!({})).await;
    assert_eq!(accepts.introspect(&token).await.json(), json!({ "active": false }));
    let shops = RelyingParty::web(&server).await.tokens(&mut ada).await.access;
    assert_eq!(accepts.introspect(&shops).await.json(), json!({ "active": false }));
}

#[tokio::test]
async fn a_resource_that_accepts_bridges_says_so_and_has_credentials() {
    let (server, _ada) = Server::with_ada().await;
    let resource = json!({ "resource": "https://mcp.example/", "accepts_bridge": true });
    let added = server.operate(Method::POST, "/resources", resource).await.json();
    let path = "/resources/https%3A%2F%2Fmcp.example%2F";

    let displayed = server.operate(Method::GET, path, json!({})).await.json();

    assert_eq!(
        (&added["accepts_bridge"], &displayed["accepts_bridge"]),
        (&json!(true), &json!(true))
    );
    assert!(added["client_secret"].is_string());
    let plain = json!({ "resource": "https://api.example/" });
    let plain = server.operate(Method::POST, "/resources", plain).await.json();
    assert_eq!((&plain["accepts_bridge"], &plain["client_id"]), (&json!(false), &Value::Null));
}

#[tokio::test]
async fn a_resource_that_accepts_bridges_later_gets_credentials_once() {
    let (server, _ada) = Server::with_ada().await;
    let resource = json!({ "resource": "https://mcp.example/" });
    server.operate(Method::POST, "/resources", resource).await.json();
    let path = "/resources/https%3A%2F%2Fmcp.example%2F";
    let accept = json!({ "accepts_bridge": true });
    let token = access(&server, "s-1").await["token"].as_str().unwrap().to_owned();

    let changed = server.operate(Method::PATCH, path, accept.clone()).await.json();
    let again = server.operate(Method::PATCH, path, accept).await.json();

    let accepts = RelyingParty::new(&server, &changed);
    assert_eq!(accepts.introspect(&token).await.json()["active"], true);
    assert_eq!((&again["client_id"], again.get("client_secret")), (&changed["client_id"], None));
    server.operate(Method::PATCH, path, json!({ "accepts_bridge": false })).await;
    assert_eq!(accepts.introspect(&token).await.json(), json!({ "active": false }));
    server.operate(Method::DELETE, &format!("/clients/{}", accepts.id), json!({})).await;
    let accept = json!({ "accepts_bridge": true });
    let anew = server.operate(Method::PATCH, path, accept).await.json();
    let anew = RelyingParty::new(&server, &anew);
    assert_eq!(anew.introspect(&token).await.json()["active"], true);
}
