//! Hook clients and hook tokens.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::jwt::Compact;
use serde_json::{Value, json};

use super::{access, send};
use crate::support::{RelyingParty, Response, Server};

async fn made(server: &Server) -> Value {
    let token = access(server, "s-1").await["token"].as_str().unwrap().to_owned();
    let headers = [("x-api-key", token.as_str())];
    let path = "/v1/auth/bridge/oauth-client";
    let response = send(server, Method::POST, path, &headers, &json!({})).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

async fn ask(server: &Server, hook: &Value, fields: &[(&str, &str)]) -> Response {
    let mut registered = hook.clone();
    registered["token_endpoint_auth_method"] = json!("client_secret_post");
    RelyingParty::new(server, &registered).ask(fields).await
}

const HOOK: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("audience", "hook"), ("plugin_id", "acme/lint@1")];

#[tokio::test]
async fn a_hook_client_gets_tokens_for_its_plugins_and_nothing_else() {
    let (server, _ada) = Server::with_ada().await;
    let user = server.operate(Method::GET, "/users/ada", json!({})).await.json()["id"].clone();
    let id = format!("bridge:{}", user.as_str().unwrap());

    let hook = made(&server).await;

    assert_eq!(hook["client_id"], *id);
    assert_eq!(hook["scopes"], json!(["hook:govern", "hook:track"]));
    assert_eq!(hook["token_endpoint"], "http://localhost:7455/oauth/token");
    let tokens = ask(&server, &hook, &HOOK).await.tokens();
    let claims: Value = Compact::parse(&tokens.access).unwrap().claims().unwrap();
    assert_eq!((&claims["aud"], &claims["plugin_id"]), (&json!(["hook"]), &json!("acme/lint@1")));
    assert_eq!(
        (&claims["scope"], &claims["client_id"]),
        (&json!("hook:govern hook:track"), &json!(id))
    );
    assert!(claims.get("roles").is_none());
    let path = format!("/clients/{}", id.replace(':', "%3A"));
    let view = server.operate(Method::GET, &path, json!({})).await.json();
    assert_eq!(view["name"], format!("bridge hook client for {}", user.as_str().unwrap()));
    assert_eq!(view["grant_types"], json!(["client_credentials"]));
    assert_eq!(view["origin"], "hook");
}

/// Each linked device would bring it back with its own secret.
#[tokio::test]
async fn a_hook_client_is_not_removed_and_gives_no_secret_while_it_is_switched_off() {
    let (server, _ada) = Server::with_ada().await;
    let hook = made(&server).await;
    let path = format!("/clients/{}", hook["client_id"].as_str().unwrap().replace(':', "%3A"));

    let removed = server.operate(Method::DELETE, &path, json!({})).await;
    let still = ask(&server, &hook, &HOOK).await;
    server.operate(Method::PATCH, &path, json!({ "enabled": false })).await;
    let token = access(&server, "s-2").await["token"].as_str().unwrap().to_owned();
    let (path, headers) = ("/v1/auth/bridge/oauth-client", [("x-api-key", token.as_str())]);
    let again = send(&server, Method::POST, path, &headers, &json!({})).await;

    removed.refused(ErrorCode::Conflict, Refusal::HookClientOfDevices);
    assert_eq!(still.status, 200);
    again.refused(ErrorCode::InvalidClient, Refusal::ClientDisabled);
}

#[tokio::test]
async fn hook_scopes_are_had_with_the_audience_alone_and_the_audience_by_hook_clients_alone() {
    let (server, _ada) = Server::with_ada().await;
    let hook = made(&server).await;
    let robot = RelyingParty::robot(&server).await;

    let without = ask(&server, &hook, &HOOK[..1]).await;
    let nameless = ask(&server, &hook, &HOOK[..2]).await;
    let foreign = robot.ask(&HOOK).await;
    let malformed =
        [("grant_type", "client_credentials"), ("audience", "hook"), ("plugin_id", " ")];
    let malformed = ask(&server, &hook, &malformed).await;
    let narrowed = ask(&server, &hook, &[&HOOK[..], &[("scope", "hook:track")]].concat()).await;
    let nothing = ask(&server, &hook, &[&HOOK[..], &[("scope", "email")]].concat()).await;

    without.refused(ErrorCode::InvalidScope, Refusal::HookScopeWithoutAudience);
    nameless.refused(ErrorCode::InvalidRequest, Refusal::PluginIdMissing);
    foreign.refused(ErrorCode::InvalidTarget, Refusal::HookAudienceForeign);
    malformed.refused(ErrorCode::InvalidRequest, Refusal::PluginIdMalformed);
    assert_eq!(narrowed.json()["scope"], "hook:track");
    nothing.refused(ErrorCode::InvalidScope, Refusal::ScopeNotAllowed);
}

#[tokio::test]
async fn a_new_secret_ends_the_old_one_at_once() {
    let (server, _ada) = Server::with_ada().await;
    let first = made(&server).await;

    let second = made(&server).await;

    assert_eq!(first["client_id"], second["client_id"]);
    let old = ask(&server, &first, &HOOK).await;
    old.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    assert_eq!(ask(&server, &second, &HOOK).await.status, 200);
}

#[tokio::test]
async fn a_hook_client_is_over_with_its_owner() {
    let (server, _ada) = Server::with_ada().await;
    server.person("bob").await;
    server.operate(Method::PATCH, "/users/bob", json!({ "roles": ["admin"] })).await;
    let hook = made(&server).await;
    let token = ask(&server, &hook, &HOOK).await.tokens().access;
    let inspect = async || {
        let asked = json!({ "token": token });
        server.operate(Method::POST, "/tokens/inspect", asked).await.json()["active"].clone()
    };
    assert_eq!(inspect().await, true);

    server.operate(Method::PATCH, "/users/ada", json!({ "disabled": true })).await;

    let refused = ask(&server, &hook, &HOOK).await;
    refused.refused(ErrorCode::InvalidClient, Refusal::ClientDisabled);
    assert_eq!(inspect().await, false);
}

#[tokio::test]
async fn whoever_was_let_in_again_makes_their_hook_client_anew() {
    let (server, _ada) = Server::with_ada().await;
    server.person("bob").await;
    server.operate(Method::PATCH, "/users/bob", json!({ "roles": ["admin"] })).await;
    let before = made(&server).await;
    let old = ask(&server, &before, &HOOK).await.tokens().access;
    server.operate(Method::PATCH, "/users/ada", json!({ "disabled": true })).await;
    server.advance(std::time::Duration::from_secs(1));
    server.operate(Method::PATCH, "/users/ada", json!({ "disabled": false })).await;
    ask(&server, &before, &HOOK).await.refused(ErrorCode::InvalidClient, Refusal::ClientDisabled);

    let after = made(&server).await;

    assert_eq!(ask(&server, &after, &HOOK).await.status, 200);
    let asked = json!({ "token": old });
    let old = server.operate(Method::POST, "/tokens/inspect", asked).await.json();
    assert_eq!(old["active"], false);
}

#[tokio::test]
async fn a_patch_of_a_hook_client_touches_what_it_names() {
    let (server, _ada) = Server::with_ada().await;
    let hook = made(&server).await;
    let id = hook["client_id"].as_str().unwrap().replace(':', "%3A");
    let path = format!("/clients/{id}");
    let before = server.operate(Method::GET, &path, json!({})).await.json();
    let decided = json!({ "access_token_lifetime": 60, "scope": "hook:track" });

    let patched = server.operate(Method::PATCH, &path, decided.clone()).await.json();

    let mut expected = before.clone();
    expected.as_object_mut().unwrap().extend(decided.as_object().unwrap().clone());
    assert_eq!(patched, expected);
    let token = ask(&server, &hook, &HOOK).await.json();
    assert_eq!((&token["expires_in"], &token["scope"]), (&json!(60), &json!("hook:track")));

    let back = json!({ "access_token_lifetime": null, "scope": null });
    assert_eq!(server.operate(Method::PATCH, &path, back).await.json(), before);
}

#[tokio::test]
async fn a_hook_client_that_is_switched_off_gets_nothing_until_it_is_on_again() {
    let (server, _ada) = Server::with_ada().await;
    let hook = made(&server).await;
    let id = hook["client_id"].as_str().unwrap().replace(':', "%3A");
    let path = format!("/clients/{id}");
    let switch = async |enabled: bool| {
        let patch = json!({ "enabled": enabled });
        let view = server.operate(Method::PATCH, &path, patch).await.json();
        assert_eq!(view["enabled"], enabled);
    };

    switch(false).await;
    let refused = ask(&server, &hook, &HOOK).await;
    switch(true).await;

    refused.refused(ErrorCode::InvalidClient, Refusal::ClientDisabled);
    assert_eq!(ask(&server, &hook, &HOOK).await.status, 200);
}

/// Its name, its grants and what it may be widened to are not the operator's to say.
#[tokio::test]
async fn a_hook_client_is_patched_in_nothing_that_describes_it() {
    let (server, _ada) = Server::with_ada().await;
    let hook = made(&server).await;
    let id = hook["client_id"].as_str().unwrap().replace(':', "%3A");
    let path = format!("/clients/{id}");
    let patch = async |patch: Value| server.operate(Method::PATCH, &path, patch).await;

    let named = patch(json!({ "name": "Mine" })).await;
    let endless = patch(json!({ "access_token_lifetime": 86_401 })).await;
    let widened = patch(json!({ "scope": "hook:track hook:everything" })).await;

    named.refused(ErrorCode::InvalidRequest, Refusal::ClientDescribesItself);
    endless.refused(ErrorCode::InvalidRequest, Refusal::AccessTokenLifetimeUnfit);
    widened.refused(ErrorCode::InvalidRequest, Refusal::ScopeUnknown);
}
