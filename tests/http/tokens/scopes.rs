//! What is granted of what is asked.

use axum::http::Method;
use gatelodge::config::ScopeEntry;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::issuer::Issuer;
use serde_json::json;

use crate::support::{RelyingParty, Server};

/// An installation with a scope that only administrators have.
async fn server() -> Server {
    Server::with(Issuer::localhost(7455), |config| {
        let entry = ScopeEntry { open: false, description: "Change prices".to_owned() };
        config.scopes.insert("orders".parse().unwrap(), entry.clone());
        config.scopes.insert("prices".parse().unwrap(), entry);
        config.roles.insert("admin".parse().unwrap(), config.scope());
    })
    .await
}

async fn shop(server: &Server, scope: &str) -> RelyingParty {
    let uris = ["https://shop.example/cb"];
    server.client(json!({ "name": "Shop", "redirect_uris": uris, "scope": scope })).await
}

#[tokio::test]
async fn a_person_grants_what_their_roles_allow() {
    let server = server().await;
    let (mut ada, mut bob) = (server.first_administrator().await, server.person("bob").await);
    let shop = shop(&server, "openid prices").await;

    let of_ada = shop.tokens_of(&mut ada, "openid prices").await;
    let of_bob = shop.tokens_of(&mut bob, "openid prices").await;
    let nothing = bob.visit(&shop.request(&[("scope", "prices")])).await;

    assert_eq!(of_ada.scope, "openid prices");
    assert_eq!(of_bob.scope, "openid");
    nothing.refused(ErrorCode::InvalidScope, Refusal::ScopeNotAllowed);
}

/// A role that was lost is lost for the tokens to come.
#[tokio::test]
async fn a_refreshed_token_has_no_more_than_the_person_may_grant_today() {
    let server = server().await;
    let mut ada = server.first_administrator().await;
    let shop = shop(&server, "openid prices").await;
    let tokens = shop.tokens_of(&mut ada, "openid prices").await;
    server.change_person("ada", |ada| ada.roles = vec!["user".parse().unwrap()]).await;

    let refreshed = shop.refresh(tokens.refresh()).await.tokens();

    assert_eq!(refreshed.scope, "openid");
}

/// RFC 6749 §3.3: "the authorization server MUST include the scope response parameter".
#[tokio::test]
async fn an_unknown_scope_is_dropped_and_the_rest_is_told() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    let tokens = shop.tokens_of(&mut ada, "openid payments email  openid").await;

    assert_eq!(tokens.scope, "email openid");
}

#[tokio::test]
async fn a_request_without_scope_gets_what_the_client_registered() {
    let server = server().await;
    let mut ada = server.first_administrator().await;
    let shop = shop(&server, "email openid").await;
    let response = shop.authorize(&mut ada, &[("scope", "")]).await;

    let tokens = shop.redeem(&response.brought()["code"]).await.tokens();

    assert_eq!(tokens.scope, "email openid");
}

#[tokio::test]
async fn a_client_is_held_to_the_scopes_it_registered() {
    let server = server().await;
    let mut ada = server.first_administrator().await;
    let shop = shop(&server, "openid").await;

    let tokens = shop.tokens_of(&mut ada, "openid prices").await;
    let nothing = ada.visit(&shop.request(&[("scope", "prices")])).await;

    assert_eq!(tokens.scope, "openid");
    nothing.refused(ErrorCode::InvalidScope, Refusal::ScopeNotAllowed);
}

#[tokio::test]
async fn a_client_that_acts_for_itself_may_narrow_its_scope() {
    let server = server().await;
    let robot = server.client(json!({ "name": "Robot", "scope": "prices orders" })).await;
    let ask = |scope: &'static str| {
        let robot = robot.clone();
        async move { robot.ask(&[("grant_type", "client_credentials"), ("scope", scope)]).await }
    };

    assert_eq!(ask("").await.tokens().scope, "orders prices");
    assert_eq!(ask("prices").await.tokens().scope, "prices");
    assert_eq!(ask("prices profile").await.tokens().scope, "prices");
    ask("profile").await.refused(ErrorCode::InvalidScope, Refusal::ScopeNotForItself);
}

#[tokio::test]
async fn a_client_that_acts_for_itself_has_no_scope_about_a_person() {
    const ABOUT: &str = "email groups offline_access openid profile roles";
    let server = Server::with(Issuer::localhost(7455), |config| {
        for name in ["groups", "prices", "roles"] {
            config.scopes.insert(name.parse().unwrap(), ScopeEntry::default());
        }
    })
    .await;
    let scope = format!("{ABOUT} prices");
    let robot = server.client(json!({ "name": "Robot", "scope": scope })).await;
    let grant = ("grant_type", "client_credentials");

    for asked in ["", &scope] {
        assert_eq!(robot.ask(&[grant, ("scope", asked)]).await.tokens().scope, "prices");
    }
    for about in ABOUT.split(' ') {
        let nothing = robot.ask(&[grant, ("scope", about)]).await;
        nothing.refused(ErrorCode::InvalidScope, Refusal::ScopeNotForItself);
    }
}

/// What the authorization dropped is dropped at the refresh, too; what it could have granted is not
/// granted there.
#[tokio::test]
async fn a_refresh_drops_what_the_authorization_dropped() {
    let server = server().await;
    let mut bob = server.person("bob").await;
    let shop = shop(&server, "openid profile prices").await;
    let tokens = shop.tokens_of(&mut bob, "openid prices payments").await;
    let refresh = |scope: &'static str| {
        let (shop, token) = (shop.clone(), tokens.refresh().to_owned());
        let grant = ("grant_type", "refresh_token");
        async move { shop.ask(&[grant, ("refresh_token", &token), ("scope", scope)]).await }
    };

    let same = refresh("openid prices payments").await.tokens();

    assert_eq!((tokens.scope.as_str(), same.scope.as_str()), ("openid", "openid"));
    for (scope, refusal) in
        [("prices payments", Refusal::ScopeNotAllowed), ("openid profile", Refusal::ScopeWidened)]
    {
        refresh(scope).await.refused(ErrorCode::InvalidScope, refusal);
    }
}

#[tokio::test]
async fn a_device_is_told_what_was_dropped() {
    let (server, mut ada) = Server::with_ada().await;
    let telly = RelyingParty::tv(&server).await;
    let asked = [("scope", "openid payments")];

    let device = telly.post("/oauth/device_authorization", &asked).await.json();
    let page = ada.open_device(&device).await;
    ada.decide_on_device(&page, "allow").await;

    assert_eq!(telly.poll(&device).await.tokens().scope, "openid");
}

#[tokio::test]
async fn the_consent_page_tells_scopes_in_words() {
    let server = server().await;
    let mut ada = server.first_administrator().await;
    let shop = shop(&server, "openid prices").await;

    let page = ada.visit(&shop.request(&[("scope", "openid prices")])).await;

    assert!(page.text().contains("Change prices"));
    assert!(page.text().contains("Know that it is you who signs in"));
    assert_eq!(page.hidden("scope").as_deref(), Some("openid prices"));
}

/// RFC 8707 §2: an absolute URI. A browser would read these as `https://api.example/`.
#[tokio::test]
async fn an_address_without_its_two_slashes_is_no_resource() {
    let (server, mut ada) = Server::with_ada().await;
    let api = json!({ "resource": "https://api.example/", "scope": "read" });
    server.operate(Method::POST, "/resources", api).await;
    let shop = RelyingParty::web(&server).await;

    for resource in ["https:/api.example/", "https:api.example/", "https:///api.example/"] {
        let response = ada.visit(&shop.request(&[("resource", resource)])).await;
        response.refused(ErrorCode::InvalidTarget, Refusal::ResourceMalformed);
    }
}
