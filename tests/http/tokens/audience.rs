//! Whom a token is for where the request does not say it, and the type that a resource wants.

use axum::http::Method;
use gatelodge::config::ScopeEntry;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::issuer::Issuer;
use gatelodge::oauth::params::form_encode;
use serde_json::{Value, json};

use crate::bridge::whoami;
use crate::support::{Browser, RelyingParty, Server, Tokens, decoded};

async fn register(server: &Server, resource: Value) {
    let response = server.operate(Method::POST, "/resources", resource).await;
    assert_eq!(response.status, 201, "{}", response.text());
}

/// The tokens that a request with `changes` leads to.
async fn tokens(client: &RelyingParty, ada: &mut Browser, changes: &[(&str, &str)]) -> Tokens {
    let code = client.authorize(ada, changes).await.brought().remove("code").unwrap();
    client.redeem(&code).await.tokens()
}

fn aud(tokens: &Tokens) -> Value {
    decoded(&tokens.access).1["aud"].clone()
}

fn typ(jwt: &str) -> Value {
    decoded(jwt).0["typ"].clone()
}

/// A client of an operator for the scopes of two APIs.
async fn buyer(server: &Server) -> RelyingParty {
    for (resource, scope) in [("https://a.example", "a:read s"), ("https://b.example", "b:read s")]
    {
        register(server, json!({ "resource": resource, "scope": scope })).await;
    }
    let registration = json!({
        "name": "Buyer", "redirect_uris": ["https://buyer.example/cb"],
        "scope": "openid profile a:read b:read s",
        "grant_types": ["authorization_code", "client_credentials", "refresh_token"],
    });
    server.client(registration).await
}

#[tokio::test]
async fn a_scope_that_one_resource_has_brings_that_resource() {
    let (server, mut ada) = Server::with_ada().await;
    let buyer = buyer(&server).await;

    let of_a = tokens(&buyer, &mut ada, &[("scope", "a:read")]).await;
    let of_both = tokens(&buyer, &mut ada, &[("scope", "a:read b:read")]).await;
    let again = buyer.refresh(of_a.refresh()).await.tokens();

    assert_eq!((aud(&of_a), &*of_a.scope), ("https://a.example".into(), "a:read"));
    assert_eq!(aud(&of_both), json!(["https://a.example", "https://b.example"]));
    assert_eq!((aud(&again), &*again.scope), ("https://a.example".into(), "a:read"));
}

/// Two APIs have it, so the request does not say which is meant.
#[tokio::test]
async fn a_scope_that_two_resources_have_brings_neither() {
    let (server, mut ada) = Server::with_ada().await;
    let buyer = buyer(&server).await;

    let tokens = tokens(&buyer, &mut ada, &[("scope", "openid s")]).await;

    assert_eq!((aud(&tokens), &*tokens.scope), (server.issuer().into(), "openid"));
}

#[tokio::test]
async fn a_scope_of_two_resources_brings_the_one_that_the_client_may_use() {
    let (server, mut ada) = Server::with_ada().await;
    let buyer = buyer(&server).await;
    let only_b = json!({ "resources": ["https://b.example"] });
    server.operate(Method::PATCH, &format!("/clients/{}", buyer.id), only_b).await;

    let for_ada = tokens(&buyer, &mut ada, &[("scope", "s a:read")]).await;
    let grant = ("grant_type", "client_credentials");
    let for_itself = buyer.ask(&[grant, ("scope", "s")]).await.tokens();
    let by_default = buyer.ask(&[grant]).await.tokens();
    let beyond = buyer.ask(&[grant, ("scope", "a:read")]).await;

    assert_eq!((aud(&for_ada), &*for_ada.scope), ("https://b.example".into(), "s"));
    assert_eq!((aud(&for_itself), &*for_itself.scope), ("https://b.example".into(), "s"));
    assert_eq!((aud(&by_default), &*by_default.scope), ("https://b.example".into(), "b:read s"));
    beyond.refused(ErrorCode::InvalidScope, Refusal::ScopeNotForItself);
}

/// An operator gave it the scope, so they mean the resource.
#[tokio::test]
async fn a_client_that_acts_for_itself_gets_the_resource_of_a_scope_that_it_was_given() {
    let server = Server::new().await;
    let buyer = buyer(&server).await;
    let grant = ("grant_type", "client_credentials");
    let there = ("resource", "https://a.example");

    let asked = buyer.ask(&[grant, ("scope", "a:read")]).await.tokens();
    let named = buyer.ask(&[grant, there, ("scope", "a:read")]).await.tokens();
    let by_default = buyer.ask(&[grant]).await.tokens();

    assert_eq!((aud(&asked), &*asked.scope), ("https://a.example".into(), "a:read"));
    assert_eq!((aud(&named), &*named.scope), ("https://a.example".into(), "a:read"));
    assert_eq!(aud(&by_default), json!(["https://a.example", "https://b.example"]));
}

/// A scope that is open to everyone is no word of an operator's about this client.
#[tokio::test]
async fn a_client_that_acts_for_itself_gets_no_resource_that_nobody_gave_it() {
    let server = Server::new().await;
    let robot = server.client(json!({ "name": "Robot", "scope": "openid" })).await;
    let open = json!({ "resource": "https://b.example", "scope": "b:read", "open": true });
    register(&server, open).await;
    let grant = ("grant_type", "client_credentials");

    let brought = robot.ask(&[grant, ("scope", "b:read")]).await;
    let named = robot.ask(&[grant, ("resource", "https://b.example")]).await;

    brought.refused(ErrorCode::InvalidScope, Refusal::ScopeNotForItself);
    named.refused(ErrorCode::InvalidTarget, Refusal::ResourceUnknown);
}

/// Before anybody is asked to consent.
#[tokio::test]
async fn scopes_that_bring_resources_of_two_types_are_refused_at_once() {
    let (server, mut ada) = Server::with_ada().await;
    let buyer = buyer(&server).await;
    let telly = RelyingParty::tv(&server).await;
    for (resource, typ) in [("https://c.example", "jwt"), ("https://d.example", "at+jwt")] {
        let scope = if typ == "jwt" { "c:read" } else { "d:read" };
        let row = json!({ "resource": resource, "scope": scope, "typ": typ, "open": true });
        register(&server, row).await;
    }
    let scope = ("scope", "c:read d:read");

    let visited = ada.visit(&buyer.request(&[scope])).await;
    let pushed = buyer.push_raw(&[scope]).await;
    let device = telly.post("/oauth/device_authorization", &[scope]).await;
    let named = tokens(&buyer, &mut ada, &[scope, ("resource", "https://c.example")]).await;

    for refused in [visited, pushed, device] {
        refused.refused(ErrorCode::InvalidTarget, Refusal::ResourceTokenTypesDiffer);
    }
    assert_eq!((aud(&named), &*named.scope), ("https://c.example".into(), "c:read"));
}

/// An open scope is for every client, a closed one only for those that registered it.
#[tokio::test]
async fn a_scope_that_is_not_the_clients_brings_nothing() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    register(&server, json!({ "resource": "https://a.example", "scope": "a:read" })).await;
    let open = json!({ "resource": "https://b.example", "scope": "b:read", "open": true });
    register(&server, open).await;

    let closed = tokens(&shop, &mut ada, &[("scope", "openid a:read")]).await;
    let open = tokens(&shop, &mut ada, &[("scope", "b:read a:read")]).await;

    assert_eq!((aud(&closed), &*closed.scope), (server.issuer().into(), "openid"));
    assert_eq!((aud(&open), &*open.scope), ("https://b.example".into(), "b:read"));
}

#[tokio::test]
async fn a_device_that_asks_for_a_scope_gets_its_resource() {
    let (server, mut ada) = Server::with_ada().await;
    let telly = RelyingParty::tv(&server).await;
    let open = json!({ "resource": "https://b.example", "scope": "b:read", "open": true });
    register(&server, open).await;
    let device = telly.post("/oauth/device_authorization", &[("scope", "b:read")]).await.json();

    let code = device["user_code"].as_str().unwrap();
    let page = ada.submit("/gate/device", &[("user_code", code)]).await;
    ada.decide_on_device(&page, "allow").await;
    let tokens = telly.poll(&device).await.tokens();

    assert!(page.text().contains("https://b.example"));
    assert_eq!((aud(&tokens), &*tokens.scope), ("https://b.example".into(), "b:read"));
}

/// OpenID Connect Core §5.3.1: userinfo takes the token of every sign-in. The other endpoints of
/// this server take none that another server sees.
#[tokio::test]
async fn a_sign_in_beside_a_resource_opens_userinfo_and_nothing_else_here() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    register(&server, json!({ "resource": "https://a.example" })).await;

    let asked = [("resource", "https://a.example"), ("scope", "openid profile")];
    let with = tokens(&shop, &mut ada, &asked).await;
    let asked = [("resource", "https://a.example"), ("scope", "profile")];
    let without = tokens(&shop, &mut ada, &asked).await;

    assert_eq!(aud(&with), json!(["https://a.example", server.issuer()]));
    assert_eq!(shop.userinfo(&with.access).await.json()["preferred_username"], "ada");
    assert_eq!(aud(&without), "https://a.example");
    let elsewhere = shop.userinfo(&without.access).await;
    elsewhere.refused(ErrorCode::InvalidToken, Refusal::BearerTokenForAnotherAudience);
    let bridge = whoami(&server, &with.access).await;
    bridge.refused(ErrorCode::InvalidToken, Refusal::BearerTokenForAnotherAudience);
}

/// A server that gets the token could use it here.
#[tokio::test]
async fn a_scope_of_the_administration_is_not_had_beside_a_resource() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        for scope in ["admin", "admin:users"] {
            config.scopes.insert(scope.parse().unwrap(), ScopeEntry::default());
        }
        config.roles.insert("admin".parse().unwrap(), config.scope());
    });
    let server = server.await;
    let mut ada = server.first_administrator().await;
    register(&server, json!({ "resource": "https://a.example", "scope": "a:read" })).await;
    let registration = json!({
        "name": "Console", "redirect_uris": ["https://console.example/cb"],
        "scope": "openid admin:users a:read", "resources": ["https://a.example"],
        "grant_types": ["authorization_code", "client_credentials"],
    });
    let console = server.client(registration).await;
    let there = ("resource", "https://a.example");
    let grant = ("grant_type", "client_credentials");

    let alone = tokens(&console, &mut ada, &[("scope", "openid admin:users")]).await;
    let by_default = tokens(&console, &mut ada, &[("scope", ""), there]).await;
    let beside = ada.visit(&console.request(&[("scope", "openid admin:users"), there])).await;
    let brought = ada.visit(&console.request(&[("scope", "admin:users a:read")])).await;
    let for_itself = console.ask(&[grant, ("scope", "admin:users"), there]).await;

    assert_eq!((aud(&alone), &*alone.scope), (server.issuer().into(), "admin:users openid"));
    assert_eq!(by_default.scope, "a:read openid");
    for refused in [beside, brought, for_itself] {
        refused.refused(ErrorCode::InvalidScope, Refusal::AdminScopeBesideResource);
    }
}

/// Spring Security's default decoder refuses `at+jwt`, and asks userinfo at each sign-in.
#[tokio::test]
async fn a_resource_may_want_tokens_of_the_older_type() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let marked = json!({ "resource": "https://a.example", "typ": "jwt", "introspect": true });
    let api = server.operate(Method::POST, "/resources", marked).await.json();
    register(&server, json!({ "resource": "https://b.example" })).await;

    let of_a = tokens(&shop, &mut ada, &[("resource", "https://a.example")]).await;
    let of_b = tokens(&shop, &mut ada, &[("resource", "https://b.example")]).await;
    let path = "/resources/https%3A%2F%2Fa.example";
    let changed = server.operate(Method::PATCH, path, json!({ "typ": "at+jwt" })).await;
    let later = shop.refresh(of_a.refresh()).await.tokens();

    assert_eq!((typ(&of_a.access), typ(&of_b.access)), ("JWT".into(), "at+jwt".into()));
    assert_eq!((&changed.json()["typ"], typ(&later.access)), (&"at+jwt".into(), "at+jwt".into()));
    assert_eq!(shop.userinfo(&of_a.access).await.status, 200);
    let introspected = RelyingParty::new(&server, &api).introspect(&of_a.access).await.json();
    assert_eq!(introspected["active"], true);
    assert_eq!(shop.revoke(&of_a.access).await.status, 200);
    let revoked = shop.userinfo(&of_a.access).await;
    revoked.refused(ErrorCode::InvalidToken, Refusal::BearerTokenRevoked);
}

/// RFC 8725 §3.12: the type no longer tells them apart, the claims do.
#[tokio::test]
async fn an_access_token_of_the_older_type_is_no_hint_and_an_id_token_no_access_token() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    register(&server, json!({ "resource": "https://a.example", "typ": "jwt" })).await;
    let tokens = tokens(&shop, &mut ada, &[("resource", "https://a.example")]).await;
    assert_eq!((typ(&tokens.access), typ(tokens.id())), ("JWT".into(), "JWT".into()));

    let by_id_token = shop.userinfo(tokens.id()).await;
    let hint = ("id_token_hint", tokens.access.as_str());
    let by_access_token = ada.visit(&shop.request(&[hint])).await;
    let inspect = async |token: &str| {
        let asked = json!({ "token": token });
        server.operate(Method::POST, "/tokens/inspect", asked).await.json()["kind"].clone()
    };

    by_id_token.refused(ErrorCode::InvalidToken, Refusal::BearerTokenMalformed);
    by_access_token.refused(ErrorCode::InvalidRequest, Refusal::IdTokenHintMalformed);
    assert_eq!(inspect(&tokens.access).await, "access_token");
    assert_eq!(inspect(tokens.id()).await, "id_token");
}

#[tokio::test]
async fn one_token_is_not_of_two_types() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    register(&server, json!({ "resource": "https://a.example", "typ": "jwt" })).await;
    register(&server, json!({ "resource": "https://b.example" })).await;
    let (a, b) = (("resource", "https://a.example"), ("resource", "https://b.example"));
    let page = ada.visit(&format!("{}&{}", shop.request(&[]), form_encode([a, b]))).await;
    let code = ada.decide(&page, "allow").await.brought().remove("code").unwrap();

    let both = shop.redeem(&code).await;
    let mut form = shop.redemption(&code);
    form.push(a);
    let one = shop.ask(&form).await.tokens();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", one.refresh())];
    let other = shop.ask(&[refresh[0], refresh[1], b]).await.tokens();

    both.refused(ErrorCode::InvalidTarget, Refusal::ResourceTokenTypesDiffer);
    assert_eq!((typ(&one.access), typ(&other.access)), ("JWT".into(), "at+jwt".into()));
}
