//! How MCP clients go from a 401 to a token with no operator's hand
//! ([Model Context Protocol, Authorization](https://modelcontextprotocol.io/specification)), and
//! the habits of those that people use.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use serde_json::{Value, json};
use url::Url;

use super::documents::reaching;
use crate::refusals::documents::document;
use crate::support::{Browser, RelyingParty, Server, Site, decoded};

const MCP: &str = "http://localhost:3000/mcp";

/// What a program learns from the metadata: the path of an endpoint.
async fn endpoint(server: &Server, name: &str) -> String {
    let metadata = server.get("/.well-known/oauth-authorization-server").await.json();
    Url::parse(metadata[name].as_str().unwrap()).unwrap().path().to_owned()
}

/// A client that registers itself with `metadata`, and its registration.
async fn registered(server: &Server, metadata: Value) -> (RelyingParty, Value) {
    let request = Request::post(endpoint(server, "registration_endpoint").await)
        .header("content-type", "application/json")
        .body(Body::from(metadata.to_string()));
    let response = server.send(request.unwrap()).await;
    assert_eq!(response.status, 201, "{}", response.text());
    (RelyingParty::new(server, &response.json()), response.json())
}

/// An MCP server: what it publishes of itself, and its response to a request without a token.
async fn mcp_server(server: &Server, scope: &str) -> (Value, String) {
    let resource = json!({ "resource": MCP, "scope": scope });
    let registered = server.operate(Method::POST, "/resources", resource).await.json();
    (registered["metadata"].clone(), registered["www_authenticate"].as_str().unwrap().to_owned())
}

/// A parameter of a challenge (RFC 9110 §11.2).
fn parameter<'a>(challenge: &'a str, name: &str) -> &'a str {
    let (_, rest) = challenge.split_once(&format!("{name}=\"")).unwrap();
    rest.split('"').next().unwrap()
}

/// A client on its person's machine whose document `site` has, at a port that it just got.
fn described(server: &Server, site: &Site) -> RelyingParty {
    let mut document = document(site);
    document["redirect_uris"] = json!(["http://localhost/callback"]);
    site.serve(&document, "");
    let mut client = RelyingParty::new(server, &document);
    client.redirect_uri = "http://localhost:51234/callback".to_owned();
    client
}

/// The claims of the access token that `changes` lead to.
async fn claims(client: &RelyingParty, ada: &mut Browser, changes: &[(&str, &str)]) -> Value {
    let code = client.authorize(ada, changes).await.brought().remove("code").unwrap();
    decoded(&client.redeem(&code).await.tokens().access).1
}

#[tokio::test]
async fn a_client_that_registers_itself_gets_a_token_for_an_mcp_server() {
    let (server, mut ada) = Server::with_ada().await;
    let metadata = json!({
        "client_name": "An agent",
        "redirect_uris": ["http://localhost:33418/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": "mcp:tools",
    });
    let (client, registration) = registered(&server, metadata).await;

    let asked = [("resource", MCP), ("scope", "mcp:tools offline_access")];
    let code = client.authorize(&mut ada, &asked).await.brought().remove("code").unwrap();
    let mut form = client.redemption(&code);
    form.push(("resource", MCP));
    let tokens = client.ask(&form).await.tokens();
    // Some refresh at once to learn how long the token lasts.
    server.advance(Duration::from_secs(1));
    let refreshed = client.refresh(tokens.refresh()).await.tokens();

    assert_eq!(registration["token_endpoint_auth_method"], "none");
    for access in [&tokens.access, &refreshed.access] {
        let claims = decoded(access).1;
        assert_eq!(
            (claims["aud"].clone(), claims["scope"].clone()),
            (MCP.into(), "mcp:tools offline_access".into())
        );
    }
}

#[tokio::test]
async fn a_client_named_by_a_document_gets_a_token_for_an_mcp_server() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    let (published, challenge) = mcp_server(&server, "mcp:tools").await;
    let client = described(&server, &site);

    let issuer = published["authorization_servers"][0].as_str().unwrap();
    let discovered = server.get("/.well-known/oauth-authorization-server").await.json();
    let resource = published["resource"].as_str().unwrap();
    let scope = format!("{} offline_access", parameter(&challenge, "scope"));
    let asked = [("resource", resource), ("scope", &scope)];
    let code = client.authorize(&mut ada, &asked).await.brought().remove("code").unwrap();
    let mut form = client.redemption(&code);
    form.push(("resource", resource));
    let tokens = client.ask(&form).await.tokens();
    ada.sign_out().await;
    server.advance(Duration::from_secs(1));
    let refreshed = client.refresh(tokens.refresh()).await.tokens();

    assert_eq!(discovered["issuer"], issuer);
    assert_eq!(discovered["client_id_metadata_document_supported"], true);
    for access in [&tokens.access, &refreshed.access] {
        let claims = decoded(access).1;
        assert_eq!((&claims["aud"], &claims["client_id"]), (&json!(MCP), &json!(client.id)));
        assert_eq!(claims["scope"], "mcp:tools offline_access");
    }
}

/// MCP, "Step-Up Authorization Flow": a server that responded with `insufficient_scope` is asked again
/// with a token for what it named beside what was granted.
#[tokio::test]
async fn a_client_that_lacks_a_scope_asks_for_it_beside_those_it_has() {
    let site = Site::new().await;
    let (server, mut ada) = reaching(&site, |_| {}).await;
    mcp_server(&server, "mcp:read mcp:write").await;
    let client = described(&server, &site);
    let first = claims(&client, &mut ada, &[("resource", MCP), ("scope", "mcp:read")]).await;

    let more = [("resource", MCP), ("scope", "mcp:read mcp:write")];
    let page = ada.visit(&client.request(&more)).await;
    let second = claims(&client, &mut ada, &more).await;

    assert!(page.asks_for_consent(), "{}", page.text());
    let (new, before) = page.text().split_once("What you allowed it before").unwrap();
    assert!(new.contains("<code>mcp:write</code>"), "{new}");
    assert!(!new.contains("<code>mcp:read</code>"), "{new}");
    assert!(before.contains("<code>mcp:read</code>"), "{before}");
    assert_eq!((&first["scope"], &second["scope"]), (&json!("mcp:read"), &json!(more[1].1)));
    assert_eq!(second["aud"], MCP);
}

#[tokio::test]
async fn any_port_fits_a_portless_loopback_registration() {
    let (server, mut ada) = Server::with_ada().await;
    let metadata = json!({
        "redirect_uris": ["http://localhost/callback"], "token_endpoint_auth_method": "none",
    });
    let (mut client, _) = registered(&server, metadata).await;

    client.redirect_uri = "http://localhost:51234/callback".to_owned();

    assert_eq!(claims(&client, &mut ada, &[]).await["aud"], server.issuer());
}

#[tokio::test]
async fn a_registration_may_mix_a_private_use_scheme_with_loopback_and_https() {
    let (server, mut ada) = Server::with_ada().await;
    let uris = [
        "cursor://anysphere.cursor-retrieval/oauth/callback",
        "http://localhost:6274/oauth/callback",
        "https://www.example.com/oauth/callback",
        "unheard-of://callback",
    ];
    let metadata = json!({ "redirect_uris": uris, "token_endpoint_auth_method": "none" });
    let (mut client, registration) = registered(&server, metadata).await;

    // RFC 7591 §3.2.1: the response has what was registered.
    assert_eq!(registration["redirect_uris"], json!(uris[..3]));
    for uri in &uris[..3] {
        client.redirect_uri = (*uri).to_owned();
        claims(&client, &mut ada, &[]).await;
    }
}

#[tokio::test]
async fn offline_access_is_had_by_a_client_that_saw_it_advertised() {
    let (server, mut ada) = Server::with_ada().await;
    let metadata = json!({
        "redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"], "scope": "openid",
    });
    let (client, _) = registered(&server, metadata).await;
    let asked = [("scope", "openid offline_access")];
    let code = client.authorize(&mut ada, &asked).await.brought().remove("code").unwrap();
    let tokens = client.redeem(&code).await.tokens();

    ada.sign_out().await;

    assert_eq!(tokens.scope, "offline_access openid");
    client.refresh(tokens.refresh()).await.tokens();
}

/// A client of 2025 sends no `resource`; it gets a token for this server, and never one that an
/// MCP server should take.
#[tokio::test]
async fn a_missing_resource_is_this_server() {
    let (server, mut ada) = Server::with_ada().await;
    let metadata = json!({ "redirect_uris": ["http://127.0.0.1/cb"] });
    let (client, registration) = registered(&server, metadata).await;

    assert_eq!(claims(&client, &mut ada, &[]).await["aud"], server.issuer());
    assert!(registration["client_secret"].as_str().unwrap().starts_with("gl_cs_"));
}
