//! Resource indicators (RFC 8707) and protected resource metadata (RFC 9728).

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::issuer::Issuer;
use gatelodge::oauth::params::form_encode;
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Server, decoded};

const MCP: &str = "http://localhost:3000/mcp";

async fn register(server: &Server, resource: Value) -> Value {
    let response = server.operate(Method::POST, "/resources", resource).await;
    assert_eq!(response.status, 201, "{}", response.text());
    response.json()
}

/// The audience and the scope of the token that a request for `resource` leads to.
async fn granted(
    client: &RelyingParty,
    browser: &mut Browser,
    changes: &[(&str, &str)],
) -> (Value, Value) {
    let code = client.authorize(browser, changes).await.brought().remove("code").unwrap();
    let claims = decoded(&client.redeem(&code).await.tokens().access).1;
    (claims["aud"].clone(), claims["scope"].clone())
}

#[tokio::test]
async fn a_token_names_its_resource_as_it_is_registered() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    register(&server, json!({ "resource": "https://API.example", "scope": "orders:read" })).await;

    let asked = [("resource", "https://api.example/"), ("scope", "openid")];
    let (aud, _) = granted(&shop, &mut ada, &asked).await;

    assert_eq!(aud, json!(["https://API.example", server.issuer()]));
}

#[tokio::test]
async fn a_resource_server_with_another_name_still_asks_about_tokens_and_for_none() {
    let server = Server::new().await;
    let resource = json!({ "resource": "https://api.example", "introspect": true });
    let api = RelyingParty::new(&server, &register(&server, resource).await);

    let path = format!("/clients/{}", api.id);
    let client = server.operate(Method::PATCH, &path, json!({ "name": "Orders" })).await.json();

    assert_eq!((&client["name"], &client["grant_types"]), (&json!("Orders"), &json!([])));
    let asked = api.ask(&[("grant_type", "client_credentials")]).await;
    asked.refused(ErrorCode::UnauthorizedClient, Refusal::GrantTypeNotRegistered);
    assert_eq!(api.introspect("abc").await.json(), json!({ "active": false }));
}

/// A scope that only a resource knows is for clients that registered it, unless it is open.
#[tokio::test]
async fn a_resource_brings_scopes_of_its_own() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let closed = json!({ "resource": "https://a.example", "scope": "a:read" });
    let open = json!({ "resource": "https://b.example", "scope": "b:read", "open": true });
    register(&server, closed).await;
    register(&server, open).await;

    let asked = |resource| [("resource", resource), ("scope", "openid a:read b:read")];
    let (_, of_a) = granted(&shop, &mut ada, &asked("https://a.example")).await;
    let (_, of_b) = granted(&shop, &mut ada, &asked("https://b.example")).await;

    assert_eq!((of_a, of_b), ("openid".into(), "b:read openid".into()));
}

/// One token would be for both, so the stricter of two resources decides.
#[tokio::test]
async fn a_scope_that_one_resource_keeps_is_not_had_by_naming_another_beside_it() {
    let (server, mut ada) = Server::with_ada().await;
    let native = RelyingParty::native(&server).await;
    let closed = json!({ "resource": "https://a.example", "scope": "orders:write" });
    let open = json!({ "resource": "https://b.example", "scope": "orders:write", "open": true });
    register(&server, closed).await;
    register(&server, open).await;
    let beside = async |ada: &mut Browser, other: &str| {
        let request = native.request(&[("scope", "openid orders:write")]);
        let named = form_encode([("resource", "https://a.example"), ("resource", other)]);
        let page = ada.visit(&format!("{request}&{named}")).await;
        let code = ada.decide(&page, "allow").await.brought().remove("code").unwrap();
        let claims = decoded(&native.redeem(&code).await.tokens().access).1;
        (claims["aud"].clone(), claims["scope"].clone())
    };

    for other in [MCP, "https://b.example"] {
        let aud = json!(["https://a.example", other, server.issuer()]);
        assert_eq!(beside(&mut ada, other).await, (aud, "openid".into()));
    }
}

#[tokio::test]
async fn a_scope_that_a_resource_comes_to_keep_is_gone_at_the_next_refresh() {
    let (server, mut ada) = Server::with_ada().await;
    let native = RelyingParty::native(&server).await;
    let at =
        |open: bool| json!({ "resource": "https://a.example", "scope": "a:write", "open": open });
    register(&server, at(true)).await;
    let request = native.request(&[("scope", "openid a:write")]);
    let named = form_encode([("resource", "https://a.example"), ("resource", MCP)]);
    let page = ada.visit(&format!("{request}&{named}")).await;
    let code = ada.decide(&page, "allow").await.brought().remove("code").unwrap();
    let before = native.redeem(&code).await.tokens();

    let path = "/resources/https%3A%2F%2Fa.example";
    assert_eq!(server.operate(Method::DELETE, path, json!({})).await.status, 200);
    register(&server, at(false)).await;
    let after = native.refresh(before.refresh()).await.tokens();

    assert_eq!((&*before.scope, &*after.scope), ("a:write openid", "openid"));
}

#[tokio::test]
async fn a_program_of_the_persons_machine_is_granted_by_a_visible_consent() {
    let (server, mut ada) = Server::with_ada().await;
    let registration = json!({
        "name": "Own", "client_id": "own", "first_party": true,
        "redirect_uris": ["https://own.example/cb"],
    });
    let own = server.client(registration).await;
    let asked = [("resource", MCP), ("scope", "mcp:tools admin")];

    let page = ada.visit(&own.request(&asked)).await;
    let (aud, scope) = granted(&own, &mut ada, &asked).await;

    assert!(page.asks_for_consent());
    assert!(page.text().contains(MCP) && page.text().contains("mcp:tools"));
    assert_eq!((aud, scope), (MCP.into(), "mcp:tools".into()));
}

/// Nobody vouches for it, so that no consent for it is remembered.
#[tokio::test]
async fn each_token_for_a_program_of_the_persons_machine_is_confirmed() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let asked = [("resource", MCP), ("scope", "mcp:tools")];
    granted(&shop, &mut ada, &asked).await;

    let again = ada.visit(&shop.request(&asked)).await;

    assert!(again.asks_for_consent());
}

#[tokio::test]
async fn this_servers_own_ports_are_nobodys_resource_under_any_name() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.tls.listen_for_devices = vec!["127.0.0.1:7456".parse().unwrap()];
    });
    let server = server.await;
    let mut ada = server.first_administrator().await;
    let native = RelyingParty::native(&server).await;

    for authority in [
        "127.0.0.1:7455",
        "127.1:7455",
        "[::1]:7455",
        "localhost:7455",
        "a.localhost:7455",
        "0.0.0.0:7455",
        "localhost:7456",
    ] {
        let resource = format!("http://{authority}/api");
        let response = ada.visit(&native.request(&[("resource", &resource)])).await;

        response.refused(ErrorCode::InvalidTarget, Refusal::ResourceUnknown);
    }
}

#[tokio::test]
async fn elsewhere_only_what_is_registered_is_a_resource() {
    let issuer = "https://id.example".parse::<Issuer>().unwrap();
    let public = Server::with(issuer, |_| {}).await;
    let strict = Server::with(Issuer::localhost(7455), |config| {
        config.policy.loopback_resources = false;
    });

    for server in [public, strict.await] {
        let mut ada = server.first_administrator().await;
        let native = RelyingParty::native(&server).await;
        let before = ada.visit(&native.request(&[("resource", MCP)])).await;
        register(&server, json!({ "resource": MCP })).await;
        let after = native.authorize(&mut ada, &[("resource", MCP)]).await;

        before.refused(ErrorCode::InvalidTarget, Refusal::ResourceUnknown);
        assert!(after.brought().contains_key("code"));
    }
}

/// RFC 8707 §2.2
#[tokio::test]
async fn a_token_may_be_for_some_of_what_was_granted_and_for_nothing_else() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    for resource in ["https://a.example", "https://b.example", "https://c.example"] {
        register(&server, json!({ "resource": resource })).await;
    }
    let both = format!(
        "{}&resource=https%3A%2F%2Fa.example&resource=https%3A%2F%2Fb.example",
        shop.request(&[])
    );
    let page = ada.visit(&both).await;
    let code = ada.decide(&page, "allow").await.brought().remove("code").unwrap();
    let mut form = shop.redemption(&code);
    form.push(("resource", "https://a.example/"));
    let tokens = shop.ask(&form).await.tokens();
    let refresh = |resource| {
        let token = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())];
        [token[0], token[1], ("resource", resource)]
    };

    let other = shop.ask(&refresh("https://c.example")).await;
    let issuer = shop.ask(&refresh("http://localhost:7455")).await;
    let second = shop.ask(&refresh("https://b.example")).await.tokens();
    let all = shop.refresh(tokens.refresh()).await.tokens();

    let aud = |access: &str| decoded(access).1["aud"].clone();
    let (a, b) = ("https://a.example", "https://b.example");
    assert_eq!(aud(&tokens.access), json!([a, server.issuer()]));
    assert_eq!(aud(&second.access), json!([b, server.issuer()]));
    assert_eq!(aud(&all.access), json!([a, b, server.issuer()]));
    other.refused(ErrorCode::InvalidTarget, Refusal::ResourceNotGranted);
    issuer.refused(ErrorCode::InvalidTarget, Refusal::ResourceNotGranted);
}

/// RFC 8707 §2.2
#[tokio::test]
async fn a_token_for_some_resources_has_none_of_the_scopes_of_others() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    for name in ["a", "b"] {
        let (resource, scope) = (format!("https://{name}.example"), format!("{name}:read"));
        register(&server, json!({ "resource": resource, "scope": scope, "open": true })).await;
    }
    let request = shop.request(&[("scope", "openid a:read b:read")]);
    let named = [("resource", "https://a.example"), ("resource", "https://b.example")];
    let page = ada.visit(&format!("{request}&{}", form_encode(named))).await;
    let code = ada.decide(&page, "allow").await.brought().remove("code").unwrap();
    let mut form = shop.redemption(&code);
    form.push(named[0]);

    let at_a = shop.ask(&form).await.tokens();
    let token = [("grant_type", "refresh_token"), ("refresh_token", at_a.refresh())];
    let at_b = shop.ask(&[token[0], token[1], named[1]]).await.tokens();
    let at_both = shop.refresh(at_a.refresh()).await.tokens();

    let scopes = [at_a, at_b, at_both].map(|tokens| decoded(&tokens.access).1["scope"].clone());
    assert_eq!(scopes, ["a:read openid", "b:read openid", "a:read b:read openid"]);
}

/// RFC 6749 §5.1: without `scope` in the response, the client has all that it requested.
#[tokio::test]
async fn a_token_that_would_have_no_scope_is_refused() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    for name in ["a", "b"] {
        let resource = json!({
            "resource": format!("https://{name}.example"),
            "scope": format!("{name}:read"),
            "open": true,
        });
        register(&server, resource).await;
    }
    let request = shop.request(&[("scope", "openid a:read b:read")]);
    let named = [("resource", "https://a.example"), ("resource", "https://b.example")];
    let page = ada.visit(&format!("{request}&{}", form_encode(named))).await;
    let code = ada.decide(&page, "allow").await.brought().remove("code").unwrap();
    let tokens = shop.redeem(&code).await.tokens();

    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())];
    let of_a = [refresh[0], refresh[1], ("scope", "a:read"), ("resource", "https://a.example")];
    let of_b = [refresh[0], refresh[1], ("scope", "a:read"), ("resource", "https://b.example")];
    let other = shop.ask(&of_b).await;
    let same = shop.ask(&of_a).await;

    other.refused(ErrorCode::InvalidScope, Refusal::ScopeNotAllowed);
    same.tokens();
}

#[tokio::test]
async fn a_code_for_a_resource_that_is_gone_brings_nothing() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    register(&server, json!({ "resource": "https://a.example" })).await;
    let asked = [("resource", "https://a.example")];
    let code = shop.authorize(&mut ada, &asked).await.brought().remove("code").unwrap();

    server.operate(Method::DELETE, "/resources/https%3A%2F%2Fa.example", json!({})).await;

    shop.redeem(&code).await.refused(ErrorCode::InvalidTarget, Refusal::ResourceUnknown);
}

/// What a person allowed for one resource says nothing of another.
#[tokio::test]
async fn a_step_up_asks_only_for_what_is_new() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    for name in ["a", "b"] {
        let resource = format!("https://{name}.example");
        register(&server, json!({ "resource": resource, "scope": "r w", "open": true })).await;
    }
    let asked = |resource, scope| [("resource", resource), ("scope", scope)];
    shop.authorize(&mut ada, &asked("https://a.example", "r")).await;

    let again = ada.visit(&shop.request(&asked("https://a.example", "r"))).await;
    let more = ada.visit(&shop.request(&asked("https://a.example", "r w"))).await;
    let elsewhere = ada.visit(&shop.request(&asked("https://b.example", "r"))).await;

    assert!(again.brought().contains_key("code"));
    assert!(more.asks_for_consent() && elsewhere.asks_for_consent());
    let (new, before) = more.text().split_once("What you allowed it before").unwrap();
    assert!(new.contains("<code>w</code>") && !new.contains("<code>r</code>"));
    assert!(before.contains("<code>r</code>"));
    assert!(!elsewhere.text().contains("What you allowed it before"));
}

#[tokio::test]
async fn a_client_with_resources_of_its_own_asks_for_no_others() {
    let (server, mut ada) = Server::with_ada().await;
    register(&server, json!({ "resource": "https://a.example" })).await;
    register(&server, json!({ "resource": "https://b.example" })).await;
    let registration = json!({
        "name": "Kept", "client_id": "kept", "redirect_uris": ["https://kept.example/cb"],
        "resources": ["https://a.example"],
        "grant_types": ["authorization_code", "client_credentials"],
    });
    let limited = server.client(registration).await;

    let own = limited.authorize(&mut ada, &[("resource", "https://a.example")]).await;
    let other = ada.visit(&limited.request(&[("resource", "https://b.example")])).await;
    let grant = ("grant_type", "client_credentials");
    let for_itself = limited.ask(&[grant, ("resource", "https://a.example")]).await;
    let beyond = limited.ask(&[grant, ("resource", "https://b.example")]).await;

    assert!(own.brought().contains_key("code"));
    other.refused(ErrorCode::InvalidTarget, Refusal::ResourceUnknown);
    assert_eq!(decoded(&for_itself.tokens().access).1["aud"], "https://a.example");
    beyond.refused(ErrorCode::InvalidTarget, Refusal::ResourceUnknown);
}

/// A scope that only a resource knows can be registered for a client, and brings the resource.
#[tokio::test]
async fn a_client_may_be_given_a_scope_that_a_resource_keeps() {
    let (server, mut ada) = Server::with_ada().await;
    let resource = json!({ "resource": "https://a.example", "scope": "a:write" });
    register(&server, resource).await;
    let registration = json!({
        "name": "Kept", "client_id": "kept", "redirect_uris": ["https://kept.example/cb"],
        "resources": ["https://a.example"], "scope": "openid a:write",
        "grant_types": ["authorization_code", "client_credentials"],
    });
    let limited = server.client(registration).await;
    let asked = [("resource", "https://a.example"), ("scope", "openid a:write")];

    let (_, there) = granted(&limited, &mut ada, &asked).await;
    let brought = granted(&limited, &mut ada, &asked[1..]).await;
    let grant = ("grant_type", "client_credentials");
    let for_itself = limited.ask(&[grant, ("resource", "https://a.example")]).await.tokens();
    let by_scope = limited.ask(&[grant, ("scope", "a:write")]).await.tokens();

    assert_eq!(there, "a:write openid");
    assert_eq!(brought, (json!(["https://a.example", server.issuer()]), there));
    assert_eq!((&*for_itself.scope, &*by_scope.scope), ("a:write", "a:write"));
}

/// Nobody is there to see what such a program would be given.
#[tokio::test]
async fn a_client_that_acts_for_itself_gets_nothing_for_a_program_that_nobody_registered() {
    let server = Server::new().await;
    let registration = json!({ "name": "Robot", "client_id": "robot", "resources": [MCP] });
    let robot = server.client(registration).await;

    let asked = [("grant_type", "client_credentials"), ("resource", MCP)];
    let refused = robot.ask(&asked).await;

    refused.refused(ErrorCode::InvalidTarget, Refusal::ResourceUnknown);
}

/// RFC 8707 §2.2, for the device grant.
#[tokio::test]
async fn a_device_asks_for_resources_and_may_be_content_with_some() {
    let (server, mut ada) = Server::with_ada().await;
    let telly = RelyingParty::tv(&server).await;
    for resource in ["https://a.example", "https://b.example", "https://c.example"] {
        register(&server, json!({ "resource": resource })).await;
    }
    let named = [("resource", "https://a.example"), ("resource", "https://b.example")];
    let device = telly.post("/oauth/device_authorization", &named).await.json();
    let code = device["user_code"].as_str().unwrap();
    let page = ada.submit("/gate/device", &[("user_code", code)]).await;
    ada.decide_on_device(&page, "allow").await;
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    let code = ("device_code", device["device_code"].as_str().unwrap());

    let unknown = telly.post("/oauth/device_authorization", &[("resource", "https://d.example")]);
    let unknown = unknown.await;
    let beyond = telly.ask(&[grant, code, ("resource", "https://c.example")]).await;
    let some = telly.ask(&[grant, code, ("resource", "https://b.example")]).await.tokens();
    let all = telly.refresh(some.refresh()).await.tokens();

    unknown.refused(ErrorCode::InvalidTarget, Refusal::ResourceUnknown);
    beyond.refused(ErrorCode::InvalidTarget, Refusal::ResourceNotGranted);
    let aud = |access: &str| decoded(access).1["aud"].clone();
    let (a, b) = ("https://a.example", "https://b.example");
    assert_eq!(aud(&some.access), json!([b, server.issuer()]));
    assert_eq!(aud(&all.access), json!([a, b, server.issuer()]));
}

#[tokio::test]
async fn a_resource_that_goes_takes_its_tokens_along() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    register(&server, json!({ "resource": "https://a.example" })).await;
    let asked = [("resource", "https://a.example")];
    let code = shop.authorize(&mut ada, &asked).await.brought().remove("code").unwrap();
    let tokens = shop.redeem(&code).await.tokens();

    let path = "/resources/https%3A%2F%2Fa.example";
    assert_eq!(server.operate(Method::DELETE, path, json!({})).await.status, 200);
    let refreshed = shop.refresh(tokens.refresh()).await;

    refreshed.refused(ErrorCode::InvalidTarget, Refusal::ResourceUnknown);
}

/// RFC 9728 §2 and §5.1
#[tokio::test]
async fn a_registered_resource_is_described_and_comes_with_its_challenge() {
    let server = Server::new().await;
    let registration = json!({
        "resource": "https://api.example/mcp", "resource_name": "Orders", "scope": "orders:read",
        "introspect": true,
    });

    let registered = register(&server, registration).await;
    let copy = registered["metadata_copy"].as_str().unwrap().strip_prefix(server.issuer()).unwrap();
    let described = server.get(copy).await;

    let metadata = json!({
        "resource": "https://api.example/mcp",
        "resource_name": "Orders",
        "authorization_servers": [server.issuer()],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["orders:read"],
    });
    assert_eq!((&registered["metadata"], &described.json()), (&metadata, &metadata));
    assert_eq!(described.header("access-control-allow-origin"), "*");
    assert_eq!(
        registered["www_authenticate"],
        "Bearer resource_metadata=\"https://api.example/.well-known/oauth-protected-resource/mcp\", \
         scope=\"orders:read\""
    );
    assert!(registered["client_secret"].as_str().unwrap().starts_with("gl_cs_"));
    let unknown = server.get("/.well-known/oauth-protected-resource/other.example").await;
    unknown.refused(ErrorCode::NotFound, Refusal::ResourceNotFound);
}

#[tokio::test]
async fn no_two_resources_share_the_copy_of_their_metadata() {
    let server = Server::new().await;
    for resource in [
        "https://a.example/x",
        "https://a.example/x/",
        "http://a.example/x",
        "https://a.example/x%2Fy",
        "https://a.example/x/y",
        "https://a.example/x?y=%20",
    ] {
        let registered = register(&server, json!({ "resource": resource })).await;
        let copy =
            registered["metadata_copy"].as_str().unwrap().strip_prefix(server.issuer()).unwrap();

        assert_eq!(server.get(copy).await.json()["resource"], resource, "{copy}");
    }
}

/// A known habit: clients that know nothing of resources get tokens for this server.
#[tokio::test]
async fn without_a_resource_a_token_is_for_this_server() {
    let (server, mut ada) = Server::with_ada().await;
    let native = RelyingParty::native(&server).await;

    let (aud, _) = granted(&native, &mut ada, &[]).await;
    let code = native.code(&mut ada).await;
    let mut form = native.redemption(&code);
    form.push(("resource", "http://localhost:7455/"));
    let named = native.ask(&form).await.tokens();

    assert_eq!(aud, server.issuer());
    assert_eq!(decoded(&named.access).1["aud"], server.issuer());
}
