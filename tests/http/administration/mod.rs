//! The administration API at the ports: who comes in, and as whom.

mod bounded;
mod exceeding;
mod operations;
mod store;

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::http::Peer;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use crate::support::{RelyingParty, Response, Server, register};

/// The shop of the tests, which may ask for the scopes of the administration.
pub(crate) async fn console(server: &Server) -> RelyingParty {
    let scope = "openid offline_access admin admin:read admin:people admin:clients admin:keys";
    let registration = json!({
        "name": "Console", "client_id": "console", "scope": scope,
        "redirect_uris": ["https://console.example/cb"],
    });
    server.client(registration).await
}

async fn users(server: &Server, token: &str) -> Response {
    server.administer(token, Method::GET, "/users", json!({})).await
}

#[tokio::test]
async fn a_client_of_its_own_administers_by_its_token() {
    let server = Server::new().await;
    let token = server.token_of_robot("admin:people").await;

    let bob = json!({ "username": "bob" });
    let added = server.administer(&token, Method::POST, "/users", bob).await;
    let listed = users(&server, &token).await;

    assert_eq!((added.status.as_u16(), listed.status.as_u16()), (201, 200), "{}", added.text());
    assert_eq!(listed.json()["users"][0]["username"], "bob");
    assert_eq!(listed.header("cache-control"), "no-store");
    assert_eq!(listed.header("x-content-type-options"), "nosniff");
    for cors in ["access-control-allow-origin", "set-cookie"] {
        assert_eq!(listed.header(cors), "");
    }
}

#[tokio::test]
async fn a_person_administers_by_a_client_as_far_as_both_may() {
    let (server, mut ada) = Server::with_ada().await;
    let console = console(&server).await;

    let narrow = console.tokens_of(&mut ada, "openid admin:read").await;
    let wide = console.tokens_of(&mut ada, "openid admin").await;

    let bob = json!({ "username": "bob" });
    assert_eq!(users(&server, &narrow.access).await.status, 200);
    let refused = server.administer(&narrow.access, Method::POST, "/users", bob.clone()).await;
    let refusal = Refusal::BearerTokenWithoutAdministration("admin:people");
    refused.refused(ErrorCode::InsufficientScope, refusal);
    let challenge = refused.header("www-authenticate").to_owned();
    assert!(challenge.starts_with("Bearer resource_metadata="), "{challenge}");
    assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
    assert!(challenge.ends_with(", scope=\"admin:people\""), "{challenge}");
    assert!(refused.json()["remedy"].as_str().unwrap().contains("client set"));
    assert_eq!(refused.header("gatelodge-event").len(), 16);
    let added = server.administer(&wide.access, Method::POST, "/users", bob).await;
    assert_eq!(added.status, 201, "{}", added.text());
}

/// RFC 6750 §3.1: "If the request lacks any authentication information […], the resource server
/// SHOULD NOT include an error code or other error information."
#[tokio::test]
async fn nobody_comes_in_without_a_token_of_this_server_for_this_server() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let resource = json!({ "resource": "https://api.example", "scope": "parts" });
    server.operate(Method::POST, "/resources", resource).await;
    let bridge = server.operate(Method::POST, "/bridge/tokens", json!({ "username": "ada" })).await;
    let bridge = bridge.json()["token"].as_str().unwrap().to_owned();
    let foreign = server.token_of_robot("parts").await;
    let plain = shop.tokens(&mut ada).await;

    // The session of an administrator counts for nothing.
    let missing = ada.visit("/api/v1/users").await;
    missing.refused(ErrorCode::InvalidToken, Refusal::BearerTokenMissing);
    assert!(!missing.header("www-authenticate").contains("error"));
    let in_query = server.get(&format!("/api/v1/users?access_token={}", plain.access)).await;
    in_query.refused(ErrorCode::InvalidToken, Refusal::BearerTokenMissing);
    for (token, refusal) in [
        ("nonsense", Refusal::BearerTokenMalformed),
        (&bridge, Refusal::BearerTokenForAnotherAudience),
        (&foreign, Refusal::BearerTokenForAnotherAudience),
    ] {
        let refused = users(&server, token).await;
        refused.refused(ErrorCode::InvalidToken, refusal);
        assert_eq!(refused.json().get("remedy"), None, "nobody is proven");
        assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""));
    }
    let refused = users(&server, &plain.access).await;
    let refusal = Refusal::BearerTokenWithoutAdministration("admin:read");
    refused.refused(ErrorCode::InsufficientScope, refusal);
}

#[tokio::test]
async fn whoever_is_no_administrator_any_more_has_no_right_at_once() {
    for end in ["role", "scope", "token", "grant", "client", "person", "time"] {
        let (server, mut ada) = Server::with_ada().await;
        let console = console(&server).await;
        let eve = json!({ "username": "eve", "roles": ["admin"] });
        server.operate(Method::POST, "/users", eve).await;
        let token = console.tokens_of(&mut ada, "openid admin:read").await.access;
        assert_eq!(users(&server, &token).await.status, 200);

        let change = async |path: &str, patch: Value| {
            server.operate(Method::PATCH, path, patch).await;
        };
        let refusal = match end {
            "role" => {
                change("/users/ada", json!({ "roles": ["user"] })).await;
                Refusal::BearerTokenWithoutAdministration("admin:read")
            }
            "scope" => {
                change("/clients/console", json!({ "scope": "openid" })).await;
                Refusal::BearerTokenWithoutAdministration("admin:read")
            }
            "token" => {
                let token = json!({ "token": token });
                server.operate(Method::POST, "/tokens/revoke", token).await;
                Refusal::BearerTokenRevoked
            }
            "grant" => {
                ada.submit("/gate/account/apps", &[("client_id", "console")]).await;
                Refusal::BearerTokenOfEndedGrant
            }
            "client" => {
                change("/clients/console", json!({ "enabled": false })).await;
                Refusal::BearerTokenOfEndedGrant
            }
            "person" => {
                change("/users/ada", json!({ "disabled": true })).await;
                Refusal::BearerTokenOfEndedGrant
            }
            _ => {
                server.advance(Duration::from_mins(15));
                Refusal::BearerTokenExpired
            }
        };

        let refused = users(&server, &token).await;
        assert!(refused.status.is_client_error(), "{end}");
        refused.refused(refusal.code(), refusal);
    }
}

#[tokio::test]
async fn it_is_at_the_names_of_the_issuer_alone_and_no_script_reads_it() {
    let app = |config: &mut gatelodge::config::Config| {
        config.apps.insert("wiki.localhost:8080".parse().unwrap(), Vec::new());
    };
    let server = Server::with(Issuer::localhost(7455), app).await;
    let token = server.token_of_robot("admin").await;
    let ask = async |method: Method, host: &str| {
        let request = Request::builder().method(method).uri("/api/v1/server").header("host", host);
        let request = request
            .header("authorization", format!("Bearer {token}"))
            .header("origin", "https://elsewhere.example")
            .header("access-control-request-method", "GET");
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer([127, 0, 0, 1].into()));
        server.send(request).await
    };

    let here = ask(Method::GET, "localhost:7455").await;
    let preflight = ask(Method::OPTIONS, "localhost:7455").await;

    assert_eq!((here.status.as_u16(), preflight.status.as_u16()), (200, 204));
    for response in [here, preflight] {
        assert_eq!(response.header("access-control-allow-origin"), "");
        assert_eq!(response.header("access-control-allow-headers"), "");
    }
    for host in ["wiki.localhost:8080", "evil.example"] {
        let refused = ask(Method::GET, host).await;
        refused.refused(ErrorCode::MisdirectedRequest, Refusal::HostUnknown);
    }
}

#[tokio::test]
async fn bodies_have_the_limits_of_the_port_and_names_need_not_be_right() {
    let server = Server::new().await;
    let token = server.token_of_robot("admin").await;
    let ask = async |method: Method, path: &str, body: Value| {
        server.administer(&token, method, path, body).await
    };

    let large = ask(Method::POST, "/clients", json!("x".repeat(65 * 1024))).await;
    let verb = ask(Method::PATCH, "/clients", json!({})).await;
    let unknown = ask(Method::GET, "/users/nobody", json!({})).await;

    large.refused(ErrorCode::PayloadTooLarge, Refusal::BodyTooLarge);
    verb.refused(ErrorCode::MethodNotAllowed, Refusal::MethodNotAllowed);
    assert_eq!(verb.header("allow"), "GET,HEAD,POST");
    unknown.refused(ErrorCode::NotFound, Refusal::UserNotFound);
    assert!(unknown.json()["remedy"].is_string());
}

/// The transition proves the administrator once more.
#[tokio::test]
async fn a_right_that_ends_while_a_request_is_on_its_way_does_nothing_any_more() {
    let applied = r#"{"document":{"users":{"bob":{}}}}"#;
    let operations = [
        ("admin:people", "/users", r#"{"username":"bob"}"#),
        ("admin:keys", "/keys/rotate", r#"{"algorithms":["ES256"]}"#),
        ("admin", "/apply", applied),
    ];
    for (end, (needed, path, body)) in
        ["token", "scope"].into_iter().flat_map(|end| operations.map(|operation| (end, operation)))
    {
        let server = Server::new().await;
        let keys = server.operate(Method::GET, "/keys", json!({})).await.json();
        let scope = json!({ "name": "Robot", "client_id": "robot", "scope": needed });
        let robot = server.client(scope).await;
        let token = robot.ask(&[("grant_type", "client_credentials")]).await.tokens().access;
        let (other, ended) = (server.clone(), token.clone());
        // Whoever reads the body has proven the token already.
        let ending = async move {
            if end == "token" {
                let ended = json!({ "token": ended });
                other.operate(Method::POST, "/tokens/revoke", ended).await;
            } else {
                let scope = json!({ "scope": "admin:read" });
                other.operate(Method::PATCH, "/clients/robot", scope).await;
            }
            Ok::<_, std::convert::Infallible>(body)
        };
        let body = Body::from_stream(futures_util::stream::once(ending));
        let request = Request::post(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {token}"))
            .body(body);

        let refused = server.send(request.unwrap()).await;

        if end == "token" {
            refused.refused(ErrorCode::InvalidToken, Refusal::BearerTokenRevoked);
        } else {
            let refusal = Refusal::BearerTokenWithoutAdministration(needed);
            assert_eq!(refused.refusal(), Some(refusal), "{}", refused.text());
        }
        let after = server.operate(Method::GET, "/keys", json!({})).await.json();
        assert_eq!(after, keys, "{end} {path}");
        let listed = server.operate(Method::GET, "/users", json!({})).await.json();
        assert_eq!(listed, json!({ "users": [] }), "{end} {path}");
    }
}

/// A 401 would have the caller look for another token of their own.
#[tokio::test]
async fn a_credential_in_a_request_that_is_none_is_no_challenge_to_the_caller() {
    let server = Server::new().await;
    let token = server.token_of_robot("admin").await;
    let unknown = format!("/bridge/certificates/{}/person", "0".repeat(64));

    let revoked = json!({ "token": "nonsense" });
    let revoked = server.administer(&token, Method::POST, "/tokens/revoke", revoked).await;
    let person = server.administer(&token, Method::GET, &unknown, json!({})).await;

    for response in [revoked, person] {
        assert_eq!(response.status, 400, "{}", response.text());
        assert_eq!(response.header("www-authenticate"), "");
        assert!(response.json()["remedy"].is_string());
    }
}

/// Nobody gets a scope of the administration by asking for it.
#[tokio::test]
async fn a_client_that_registers_itself_never_has_the_scopes() {
    let (server, mut ada) = Server::with_ada().await;
    let metadata = json!({
        "redirect_uris": ["https://stranger.example/cb"], "scope": "openid admin admin:read",
    });
    let registered = register(&server, metadata).await.json();
    let stranger = RelyingParty::new(&server, &registered);

    let tokens = stranger.tokens_of(&mut ada, "openid admin admin:read").await;

    assert_eq!((&registered["scope"], tokens.scope.as_str()), (&json!("openid"), "openid"));
    let metadata = server.get("/.well-known/openid-configuration").await.json();
    assert!(!metadata["scopes_supported"].to_string().contains("admin"));
    let own = server.get("/.well-known/oauth-protected-resource").await.json();
    assert!(own["scopes_supported"].to_string().contains("\"admin:people\""));
}

/// Other servers take the tokens of bridges.
#[tokio::test]
async fn a_bridge_of_an_administrator_has_no_scope_of_the_administration() {
    let (server, _ada) = Server::with_ada().await;

    let issued = server.operate(Method::POST, "/bridge/tokens", json!({ "username": "ada" })).await;

    let token = issued.json()["token"].as_str().unwrap().to_owned();
    let scope = crate::support::decoded(&token).1["scope"].as_str().unwrap().to_owned();
    assert_eq!(scope, "email groups offline_access openid profile roles");
}

/// Makes one thing of each kind, for ada.
pub(crate) async fn fill(server: &Server) {
    let operate = async |path: &str, body: Value| {
        let made = server.operate(Method::POST, path, body).await;
        assert_eq!(made.status, 201, "{path}: {}", made.text());
        made.json()
    };
    let pairwise = json!({
        "name": "Shop", "client_id": "shop", "redirect_uris": ["https://shop.example/cb"],
        "subject_type": "pairwise", "sector": "shop.example", "groups": [],
    });
    operate("/clients", pairwise).await;
    let asked = json!({ "client_id": "shop", "username": "ada", "scope": "openid" });
    operate("/tokens", asked).await;
    operate("/personal-tokens", json!({ "username": "ada" })).await;
    operate("/invitations", json!({ "uses": 3, "roles": ["user"], "groups": ["staff"] })).await;
    operate("/bridge/tokens", json!({ "username": "ada" })).await;
    let certificate = crate::devices::certificate_until(2030);
    let enrollment = json!({ "username": "ada", "certificate": certificate });
    operate("/bridge/certificates", enrollment).await;
    let resource =
        json!({ "resource": "https://api.example", "scope": "parts", "introspect": true });
    operate("/resources", resource).await;
    let anonymous = crate::anonymous::allowed(server).await;
    crate::anonymous::ask(server, &json!({ "client_id": anonymous.id })).await;
}
