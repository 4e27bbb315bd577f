//! Scopes and roles that a document defines beside the configuration.

use std::fs;

use axum::http::Method;
use gatelodge::config::{Flags, Layers};
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::{applied, changes, get, pruned, send};
use crate::support::Server;

async fn scopes_supported(server: &Server) -> Value {
    server.get("/.well-known/openid-configuration").await.json()["scopes_supported"].clone()
}

fn definitions() -> Value {
    json!({
        "roles": { "clerk": { "scopes": ["openid", "orders:read"] } },
        "scopes": { "orders:read": { "description": "See your orders" } },
    })
}

/// A server whose configuration is a file with this text, and the file.
async fn configured(text: &str) -> (Server, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gatelodge.toml");
    fs::write(&path, text).unwrap();
    let flags =
        Flags { config: Some(path), data: Some(directory.path().join("data")), ..Flags::default() };
    (Server::with_layers(Layers::new(flags, [].into())).await, directory)
}

#[tokio::test]
async fn a_scope_and_a_role_are_in_force_at_once() {
    let server = Server::new().await;

    applied(&server, &definitions()).await;

    assert!(scopes_supported(&server).await.to_string().contains("orders:read"));
    let eve = json!({ "username": "eve", "roles": ["clerk"] });
    assert_eq!(server.operate(Method::POST, "/users", eve).await.status, 201);
    let settings = get(&server, "/config").await["settings"].clone();
    let of = |key: &str| {
        let all = settings.as_array().unwrap();
        all.iter().find(|own| own["key"] == key).unwrap().clone()
    };
    assert_eq!(of("roles.clerk.scopes")["value"], json!(["openid", "orders:read"]));
    assert_eq!(of("scopes.\"orders:read\".description")["source"], "gatelodge apply");
    assert!(of("roles.admin.scopes")["value"].to_string().contains("orders:read"));
}

#[tokio::test]
async fn they_stay_in_force_after_a_reload_and_a_restart() {
    let (server, directory) = configured("").await;
    applied(&server, &definitions()).await;
    fs::write(directory.path().join("gatelodge.toml"), "[lifetimes]\nid_token = \"2h\"").unwrap();

    let reloaded = server.operate(Method::POST, "/config/reload", json!({})).await;

    assert_eq!(reloaded.json()["changed"], json!(["lifetimes.id_token"]));
    assert!(scopes_supported(&server).await.to_string().contains("orders:read"));
}

#[tokio::test]
async fn another_start_knows_them() {
    let (server, disk) = Server::with_counted_syncs().await;
    applied(&server, &definitions()).await;

    let restarted = server.restored_from(&disk.copy(), 9);

    assert!(scopes_supported(&restarted).await.to_string().contains("orders:read"));
    assert_eq!(applied(&restarted, &definitions()).await, [""; 0]);
}

#[tokio::test]
async fn what_the_configuration_defines_in_the_same_way_is_its_own() {
    let text = "[scopes.\"orders:read\"]\ndescription = \"See your orders\"\n\
                [roles.clerk]\nscopes = [\"orders:read\", \"openid\"]";
    let (server, _directory) = configured(text).await;

    let same = applied(&server, &definitions()).await;
    let scope = json!({ "scopes": { "orders:read": { "open": true } } });
    let scope = send(&server, &scope, json!({})).await;
    let role = json!({ "roles": { "clerk": { "scopes": ["openid"] } } });
    let role = send(&server, &role, json!({})).await;

    assert_eq!(same, [""; 0]);
    scope.refused(ErrorCode::Conflict, Refusal::ConfiguredOtherwise);
    assert_eq!(scope.json()["at"], "scopes.\"orders:read\".open");
    role.refused(ErrorCode::Conflict, Refusal::ConfiguredOtherwise);
    assert_eq!(role.json()["at"], "roles.clerk.scopes");
    assert_eq!(pruned(&server, &json!({})).await, [""; 0]);
}

#[tokio::test]
async fn a_reload_that_contradicts_them_is_refused_by_name() {
    let (server, directory) = configured("").await;
    applied(&server, &definitions()).await;
    let file = directory.path().join("gatelodge.toml");
    fs::write(&file, "[scopes.\"orders:read\"]\ndescription = \"Orders\"").unwrap();

    let refused = server.operate(Method::POST, "/config/reload", json!({})).await;

    refused.refused(ErrorCode::Conflict, Refusal::ConfigurationFaulty);
    let faults = refused.json()["faults"].to_string();
    assert!(faults.contains("scopes.\\\"orders:read\\\": gatelodge apply defined it"), "{faults}");
    fs::write(&file, "[scopes.\"orders:read\"]\ndescription = \"See your orders\"").unwrap();
    assert_eq!(server.operate(Method::POST, "/config/reload", json!({})).await.status, 200);
    assert_eq!(
        pruned(&server, &json!({})).await,
        ["removed role clerk", "removed scope orders:read"]
    );
    assert!(scopes_supported(&server).await.to_string().contains("orders:read"));
}

#[tokio::test]
async fn a_built_in_role_can_be_defined_and_gets_its_default_back() {
    let server = Server::new().await;
    let before = get(&server, "/config").await["settings"].clone();

    let defined = applied(&server, &json!({ "roles": { "user": { "scopes": ["openid"] } } })).await;
    let removed = pruned(&server, &json!({})).await;

    assert_eq!(
        (defined, removed),
        (vec!["added role user".to_owned()], vec!["removed role user".to_owned()])
    );
    assert_eq!(get(&server, "/config").await["settings"], before);
}

#[tokio::test]
async fn a_dry_run_leaves_the_rules_alone() {
    let server = Server::new().await;

    let tried = send(&server, &definitions(), json!({ "dry_run": true })).await;

    assert_eq!(changes(&tried), ["added role clerk", "added scope orders:read"]);
    assert!(!scopes_supported(&server).await.to_string().contains("orders:read"));
}
