//! What the administration API refuses.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::config::{Flags, Layers, ScopeEntry};
use gatelodge::http::Peer;
use gatelodge::oauth::id::KeyId;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::store::View as _;
use gatelodge::store::schema::SigningKeyRow;
use serde_json::{Value, json};

use crate::bridge::{access, send};
use crate::support::{BEGINNING, RelyingParty, Response, Server, register};

/// A registration of a client.
async fn client(registration: Value) -> Response {
    Server::new().await.operate(Method::POST, "/clients", registration).await
}

/// A person to be added.
async fn person(person: Value) -> Response {
    Server::new().await.operate(Method::POST, "/users", person).await
}

pub(super) async fn an_application_that_nobody_knows() -> Response {
    client(json!({ "catalogue": { "name": "nonsense", "url": "https://app.example" } })).await
}

pub(super) async fn an_application_without_its_address() -> Response {
    client(json!({ "catalogue": { "name": "gitea" } })).await
}

pub(super) async fn an_option_that_an_application_has_not() -> Response {
    let url = "https://app.example";
    client(json!({ "catalogue": { "name": "grafana", "url": url, "options": { "a": "b" } } })).await
}

pub(super) async fn a_file_of_another_server_about_somebody_who_is_there() -> Response {
    let server = Server::new().await;
    server.operate(Method::POST, "/users", json!({ "username": "ada" })).await;
    let document = json!({ "users": { "ada": { "display_name": "Ada Lovelace" } } });
    let request = json!({ "document": document, "import": true });
    server.operate(Method::POST, "/apply", request).await
}

pub(super) async fn a_file_that_is_no_export() -> Response {
    let lines = "{\"kind\":\"ghost\"}\n".to_owned();
    Server::new().await.operate_raw(Method::POST, "/import", lines).await
}

pub(super) async fn a_client_id_for_the_second_time() -> Response {
    let server = Server::new().await;
    let registration = json!({ "name": "Robot", "client_id": "robot" });
    server.client(registration.clone()).await;
    server.operate(Method::POST, "/clients", registration).await
}

pub(super) async fn a_reserved_client_id() -> Response {
    client(json!({ "name": "Robot", "client_id": "bridge:robot" })).await
}

pub(super) async fn a_public_client_with_a_secret() -> Response {
    client(json!({
        "name": "Robot",
        "client_type": "public",
        "token_endpoint_auth_method": "client_secret_basic",
    }))
    .await
}

pub(super) async fn a_public_client_without_pkce() -> Response {
    client(json!({
        "name": "Reader",
        "client_type": "public",
        "redirect_uris": ["https://reader.example/cb"],
        "pkce": "optional",
    }))
    .await
}

pub(super) async fn older_assertions_for_a_client_of_its_own() -> Response {
    let server = Server::new().await;
    let metadata = json!({ "redirect_uris": ["https://app.example/cb"] });
    let client = register(&server, metadata).await.json();
    let path = format!("/clients/{}", client["client_id"].as_str().unwrap());
    server.operate(Method::PATCH, &path, json!({ "assertions": "rfc7523" })).await
}

pub(super) async fn another_name_for_a_client_that_names_itself() -> Response {
    let server = Server::new().await;
    let metadata = json!({ "redirect_uris": ["https://app.example/cb"] });
    let client = register(&server, metadata).await.json();
    let path = format!("/clients/{}", client["client_id"].as_str().unwrap());
    server.operate(Method::PATCH, &path, json!({ "name": "Another" })).await
}

pub(super) async fn a_cursor_that_no_listing_returned() -> Response {
    Server::new().await.operate(Method::GET, "/users?cursor=next", json!({})).await
}

pub(super) async fn a_listing_without_results() -> Response {
    Server::new().await.operate(Method::GET, "/users?limit=0", json!({})).await
}

pub(super) async fn an_event_id_of_three_digits() -> Response {
    Server::new().await.operate(Method::GET, "/events/123", json!({})).await
}

pub(super) async fn an_event_that_is_not_there() -> Response {
    Server::new().await.operate(Method::GET, "/events/0123456789abcdef", json!({})).await
}

pub(super) async fn events_of_an_unknown_kind() -> Response {
    Server::new().await.operate(Method::GET, "/events?kind=user.danced", json!({})).await
}

pub(super) async fn events_of_an_unknown_refusal() -> Response {
    Server::new().await.operate(Method::GET, "/events?refusal=Gone", json!({})).await
}

pub(super) async fn events_since_a_day_without_a_time() -> Response {
    Server::new().await.operate(Method::GET, "/events?since=2026-01-31", json!({})).await
}

pub(super) async fn a_client_that_is_not_there() -> Response {
    Server::new().await.operate(Method::GET, "/clients/nobody", json!({})).await
}

/// Registrations over the wire are limited per minute.
pub(super) async fn very_many_registrations() -> Response {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.registration.per_minute = 2;
    });
    let server = server.await;
    let mut last = None;
    for _ in 0..3 {
        let metadata = json!({ "redirect_uris": ["http://127.0.0.1/cb"] });
        let request = Request::post("/oauth/register").header("content-type", "application/json");
        let mut request = request.body(Body::from(metadata.to_string())).unwrap();
        request.extensions_mut().insert(Peer([192, 0, 2, 1].into()));
        last = Some(server.send(request).await);
    }
    last.unwrap()
}

pub(super) async fn access_tokens_without_end() -> Response {
    client(json!({ "name": "Robot", "access_token_lifetime": 86_401 })).await
}

pub(super) async fn a_key_set_without_a_key() -> Response {
    client(json!({ "name": "Robot", "jwks": { "keys": [] } })).await
}

pub(super) async fn an_address_in_plain_http() -> Response {
    client(json!({ "name": "Robot", "jwks_uri": "http://robot.example/jwks" })).await
}

pub(super) async fn a_resource_for_the_second_time() -> Response {
    let server = Server::new().await;
    let registration = json!({ "resource": "https://api.example" });
    server.operate(Method::POST, "/resources", registration).await;
    let again = json!({ "resource": "https://API.example/" });
    server.operate(Method::POST, "/resources", again).await
}

/// A document, and the operation that imports it.
fn document() -> Value {
    json!({
        "client_id": "https://app.example/client",
        "document": {
            "client_id": "https://app.example/client",
            "redirect_uris": ["https://app.example/cb"],
        },
    })
}

pub(super) async fn a_resource_that_is_a_client() -> Response {
    let server = Server::new().await;
    server.operate(Method::POST, "/documents", document()).await;
    let resource = json!({ "resource": "https://app.example/client" });
    server.operate(Method::POST, "/resources", resource).await
}

pub(super) async fn a_document_at_a_resource() -> Response {
    let server = Server::new().await;
    let resource = json!({ "resource": "https://app.example/client" });
    server.operate(Method::POST, "/resources", resource).await;
    server.operate(Method::POST, "/documents", document()).await
}

pub(super) async fn a_person_of_too_many_groups() -> Response {
    let groups: Vec<_> = (0..60).map(|n| format!("{n:0100}")).collect();
    person(json!({ "username": "bob", "groups": groups })).await
}

pub(super) async fn a_resource_that_opens_the_administration() -> Response {
    let resource = json!({ "resource": "https://a.example", "scope": "a admin", "open": true });
    Server::new().await.operate(Method::POST, "/resources", resource).await
}

pub(super) async fn a_resource_server_that_is_public() -> Response {
    let server = Server::new().await;
    let spa = RelyingParty::spa(&server).await;
    let registration = json!({ "resource": "https://api.example", "client_id": spa.id });
    server.operate(Method::POST, "/resources", registration).await
}

pub(super) async fn a_resource_that_is_not_there() -> Response {
    let path = "/resources/https%3A%2F%2Fapi.example";
    Server::new().await.operate(Method::DELETE, path, json!({})).await
}

pub(super) async fn an_unknown_scope() -> Response {
    client(json!({ "name": "Robot", "scope": "payments" })).await
}

pub(super) async fn an_empty_name() -> Response {
    client(json!({ "name": " " })).await
}

pub(super) async fn a_name_that_two_clients_have() -> Response {
    let server = Server::new().await;
    for _ in 0..2 {
        server.client(json!({ "name": "Robot" })).await;
    }
    server.operate(Method::GET, "/clients/robot", json!({})).await
}

pub(super) async fn a_group_that_the_person_is_not_in() -> Response {
    change(json!({ "remove_groups": ["staff"] })).await
}

pub(super) async fn an_address_without_at() -> Response {
    person(json!({ "username": "bob", "email": "bob.example" })).await
}

/// A change to bob, who has no e-mail address.
async fn change(patch: Value) -> Response {
    let server = Server::new().await;
    server.person("bob").await;
    server.operate(Method::PATCH, "/users/bob", patch).await
}

pub(super) async fn a_word_about_no_address() -> Response {
    change(json!({ "email_verified": true })).await
}

pub(super) async fn an_address_of_somebody_else() -> Response {
    let server = Server::new().await;
    let bob = json!({ "username": "bob", "email": "bob@example.org" });
    server.operate(Method::POST, "/users", bob).await;
    let eve = json!({ "username": "eve", "email": "BOB@example.org" });
    server.operate(Method::POST, "/users", eve).await
}

pub(super) async fn a_claim_of_the_protocol() -> Response {
    change(json!({ "claims": { "sub": "eve" } })).await
}

pub(super) async fn a_group_with_a_comma() -> Response {
    change(json!({ "groups": ["a,b"] })).await
}

pub(super) async fn an_issuer_at_an_address() -> Response {
    let issuer = json!({ "issuer": "http://127.0.0.1:7455" });
    Server::new().await.operate(Method::PUT, "/issuer", issuer).await
}

pub(super) async fn an_issuer_with_a_path() -> Response {
    let issuer = json!({ "issuer": "https://id.example/path" });
    Server::new().await.operate(Method::PUT, "/issuer", issuer).await
}

pub(super) async fn an_unknown_role() -> Response {
    person(json!({ "username": "bob", "roles": ["wizard"] })).await
}

pub(super) async fn a_username_for_the_second_time() -> Response {
    let server = Server::new().await;
    server.person("bob").await;
    server.operate(Method::POST, "/users", json!({ "username": "Bob" })).await
}

pub(super) async fn a_person_who_is_not_there() -> Response {
    let named = json!({ "username": "bob" });
    Server::new().await.operate(Method::POST, "/recover", named).await
}

pub(super) async fn recovery_of_nobody_in_particular() -> Response {
    let server = Server::new().await;
    server.person("bob").await;
    server.operate(Method::POST, "/recover", json!({})).await
}

pub(super) async fn a_username_with_a_space() -> Response {
    person(json!({ "username": "bob the builder" })).await
}

pub(super) async fn a_chosen_secret_that_is_none() -> Response {
    let server = Server::new().await;
    let registration = json!({ "name": "Robot", "client_secret": "caf\u{e9}" });
    server.operate(Method::POST, "/clients", registration).await
}

pub(super) async fn a_link_for_somebody_who_is_switched_off() -> Response {
    let server = Server::new().await;
    server.operate(Method::POST, "/users", json!({ "username": "bob" })).await;
    server.operate(Method::PATCH, "/users/bob", json!({ "disabled": true })).await;
    server.operate(Method::POST, "/recover", json!({ "username": "bob" })).await
}

pub(super) async fn a_connection_that_is_not_there() -> Response {
    let (server, _ada) = Server::with_ada().await;
    RelyingParty::web(&server).await;
    server.operate(Method::DELETE, "/connections/ada:shop", json!({})).await
}

pub(super) async fn a_grant_that_is_not_there() -> Response {
    Server::new().await.operate(Method::DELETE, "/grants/none", json!({})).await
}

pub(super) async fn a_session_that_is_not_there() -> Response {
    let path = "/sessions/0190163d-8694-439b-aea5-966c26f8ad91";
    Server::new().await.operate(Method::DELETE, path, json!({})).await
}

pub(super) async fn the_only_administrator_switched_off() -> Response {
    let (server, _) = Server::with_ada().await;
    server.operate(Method::PATCH, "/users/ada", json!({ "disabled": true })).await
}

pub(super) async fn a_switch_that_is_a_text() -> Response {
    client(json!({ "name": "Robot", "require_pushed_authorization_requests": "yes" })).await
}

pub(super) async fn a_word_about_an_address_that_somebody_typed() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    ada.visit("/account").await;
    ada.submit("/gate/account/profile", &[("display_name", "ada"), ("email", "ada@example.org")])
        .await;
    server.operate(Method::PATCH, "/users/ada", json!({ "email_verified": true })).await
}

/// The operator's request about ada's hook client.
async fn about_hook_client(method: Method, below: &str) -> Response {
    let (server, _ada) = Server::with_ada().await;
    let token = access(&server, "s-1").await["token"].as_str().unwrap().to_owned();
    let headers = [("x-api-key", token.as_str())];
    let path = "/v1/auth/bridge/oauth-client";
    let made = send(&server, Method::POST, path, &headers, &json!({})).await.json();
    let id = made["client_id"].as_str().unwrap().replace(':', "%3A");
    server.operate(method, &format!("/clients/{id}{below}"), json!({})).await
}

pub(super) async fn a_hook_client_to_be_removed() -> Response {
    about_hook_client(Method::DELETE, "").await
}

pub(super) async fn a_new_secret_for_a_hook_client() -> Response {
    about_hook_client(Method::POST, "/secret").await
}

pub(super) async fn a_faulty_configuration() -> Response {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("gatelodge.toml");
    std::fs::write(&file, "").unwrap();
    let data = Some(directory.path().to_owned());
    let flags = Flags { config: Some(file.clone()), data, ..Flags::default() };
    let server = Server::with_layers(Layers::new(flags, BTreeMap::new())).await;
    std::fs::write(&file, "isuer = 'x'").unwrap();
    server.operate(Method::POST, "/config/reload", json!({})).await
}

pub(super) async fn a_key_that_waits_by_a_clock_in_doubt() -> Response {
    let server = Server::new().await;
    server.app.clock().set(BEGINNING + Duration::from_hours(24 * 365));
    server.operate(Method::POST, "/keys/rotate", json!({})).await
}

pub(super) async fn very_many_keys() -> Response {
    let server = Server::new().await;
    let filled = server.app.write(|tx, _| {
        let (_, key) = tx.list::<SigningKeyRow>(1)?.swap_remove(0);
        (0..253).try_for_each(|n| Ok(tx.put(&KeyId::new(&format!("key-{n}")), key.clone())?))
    });
    filled.await.unwrap();
    let request = json!({ "algorithms": ["EdDSA"], "now": true });
    server.operate(Method::POST, "/keys/rotate", request).await
}

pub(super) async fn a_fifth_root_key() -> Response {
    let server = Server::new().await;
    for _ in 0..3 {
        server.operate(Method::POST, "/keys/root/rotate", json!({})).await.json();
    }
    server.operate(Method::POST, "/keys/root/rotate", json!({})).await
}

pub(super) async fn a_root_key_beside_the_file_of_another_store() -> Response {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::on_disk(directory.path()).await;
    let key = directory.path().join("gatelodge.key");
    std::fs::write(&key, "0".repeat(64)).unwrap();
    server.operate(Method::POST, "/keys/root/rotate", json!({})).await
}

pub(super) async fn a_scope_that_the_configuration_defines() -> Response {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.scopes.insert("orders:read".parse().unwrap(), ScopeEntry::default());
    });
    let document = json!({ "scopes": { "orders:read": { "open": true } } });
    server.await.operate(Method::POST, "/apply", json!({ "document": document })).await
}

pub(super) async fn the_removal_of_a_scope_that_a_client_has() -> Response {
    let server = Server::new().await;
    let document = json!({ "scopes": { "orders:read": {} } });
    server.operate(Method::POST, "/apply", json!({ "document": document })).await;
    server.client(json!({ "name": "Robot", "scope": "orders:read" })).await;
    server.operate(Method::POST, "/apply", json!({ "document": {}, "prune": true })).await
}

pub(super) async fn a_document_with_a_mistyped_member() -> Response {
    let document =
        json!({ "clients": { "shop": { "redirect_uri": ["https://shop.example/cb"] } } });
    Server::new().await.operate(Method::POST, "/apply", json!({ "document": document })).await
}

pub(super) async fn an_administrator_by_one_who_may_change_people() -> Response {
    let server = Server::new().await;
    let token = server.token_of_robot("admin:people").await;
    let eve = json!({ "username": "eve", "roles": ["admin"] });
    server.administer(&token, Method::POST, "/users", eve).await
}

pub(super) async fn a_filter_that_is_misspelt() -> Response {
    Server::new().await.operate(Method::GET, "/grants?usr=ada", json!({})).await
}
