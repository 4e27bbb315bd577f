//! What the authorization endpoint refuses.

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::config::ScopeEntry;
use gatelodge::oauth::client::PkcePolicy;
use gatelodge::oauth::issuer::Issuer;
use serde_json::json;

use crate::support::{Browser, CHALLENGE, RelyingParty, Response, Server};

/// A request of the shop's, `changes` made to it, in the browser of nobody.
async fn shop(changes: &[(&str, &str)]) -> Response {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    server.get(&shop.request(changes)).await
}

pub(super) async fn a_client_that_is_switched_off() -> Response {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    server.change_client("shop", |client| client.enabled = false).await;
    server.get(&shop.request(&[])).await
}

pub(super) async fn an_unknown_client() -> Response {
    shop(&[("client_id", "nobody")]).await
}

pub(super) async fn no_client() -> Response {
    shop(&[("client_id", "")]).await
}

pub(super) async fn a_client_id_that_is_none() -> Response {
    shop(&[("client_id", "caf\u{e9}")]).await
}

pub(super) async fn a_short_challenge() -> Response {
    shop(&[("code_challenge", "E9Mel")]).await
}

pub(super) async fn a_plain_challenge() -> Response {
    shop(&[("code_challenge_method", "plain")]).await
}

pub(super) async fn no_challenge() -> Response {
    shop(&[("code_challenge", ""), ("code_challenge_method", "")]).await
}

pub(super) async fn nothing_that_protects_the_code() -> Response {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    server
        .change_client("shop", |client| client.decisions_mut().pkce = Some(PkcePolicy::Optional))
        .await;
    let bare = ["code_challenge", "code_challenge_method", "nonce", "state"].map(|name| (name, ""));
    server.get(&shop.request(&bare)).await
}

pub(super) async fn an_acr_that_nobody_has() -> Response {
    let acr = json!({ "essential": true, "value": "gold" });
    shop(&[("claims", &json!({ "id_token": { "acr": acr } }).to_string())]).await
}

pub(super) async fn claims_that_are_no_json() -> Response {
    shop(&[("claims", "email")]).await
}

pub(super) async fn a_hint_for_another_client() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = RelyingParty::spa(&server).await.tokens(&mut ada).await;
    ada.visit(&shop.request(&[("id_token_hint", tokens.id())])).await
}

pub(super) async fn a_hint_that_is_no_token() -> Response {
    shop(&[("id_token_hint", "a.b.c")]).await
}

pub(super) async fn nobody_signed_in_and_no_prompt() -> Response {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    Browser::new(&server).visit(&shop.request(&[("prompt", "none")])).await
}

pub(super) async fn no_consent_and_no_prompt() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    ada.visit(&shop.request(&[("prompt", "none")])).await
}

pub(super) async fn a_person_who_declines() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;
    ada.decide(&page, "deny").await
}

pub(super) async fn max_age_not_numeric() -> Response {
    shop(&[("max_age", "soon")]).await
}

pub(super) async fn prompt_none_and_login() -> Response {
    shop(&[("prompt", "none login")]).await
}

pub(super) async fn an_account_where_nobody_makes_one() -> Response {
    shop(&[("prompt", "create")]).await
}

pub(super) async fn an_unknown_prompt() -> Response {
    shop(&[("prompt", "magic")]).await
}

pub(super) async fn a_request_object() -> Response {
    shop(&[("request", "a.b.c")]).await
}

pub(super) async fn a_request_uri() -> Response {
    shop(&[("request_uri", "https://shop.example/request")]).await
}

pub(super) async fn an_unknown_resource() -> Response {
    shop(&[("resource", "https://mcp.example")]).await
}

pub(super) async fn administration_beside_a_resource() -> Response {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.scopes.insert("admin".parse().unwrap(), ScopeEntry::default());
    });
    let server = server.await;
    server.operate(Method::POST, "/resources", json!({ "resource": "https://api.example" })).await;
    let registration = json!({
        "name": "Console", "redirect_uris": ["https://console.example/cb"], "scope": "openid admin",
    });
    let console = server.client(registration).await;
    let asked = [("resource", "https://api.example"), ("scope", "openid admin")];
    server.get(&console.request(&asked)).await
}

pub(super) async fn a_resource_that_is_no_address() -> Response {
    shop(&[("resource", "bridge")]).await
}

pub(super) async fn an_unsupported_response_mode() -> Response {
    shop(&[("response_mode", "fragment")]).await
}

pub(super) async fn no_response_type() -> Response {
    shop(&[("response_type", "")]).await
}

pub(super) async fn the_implicit_response_type() -> Response {
    shop(&[("response_type", "token")]).await
}

pub(super) async fn a_scope_in_quotes() -> Response {
    shop(&[("scope", "\"openid\"")]).await
}

pub(super) async fn nothing_left_of_the_scope() -> Response {
    shop(&[("scope", "payments")]).await
}

pub(super) async fn a_script_that_asks_for_an_authorization() -> Response {
    let server = Server::new().await;
    let request = Request::get(RelyingParty::web(&server).await.request(&[]));
    let request = request.header("sec-fetch-site", "same-site").header("sec-fetch-mode", "no-cors");
    server.send(request.body(Body::empty()).unwrap()).await
}

pub(super) async fn a_client_without_the_code_grant() -> Response {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    robot.ask(&[("grant_type", "authorization_code"), ("code", &code())]).await
}

fn code() -> String {
    format!("gl_ac_{CHALLENGE}")
}

pub(super) async fn a_repeated_parameter() -> Response {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    server.get(&format!("{}&nonce=n-2", shop.request(&[]))).await
}

pub(super) async fn a_broken_percent_encoding() -> Response {
    let server = Server::new().await;
    server.get("/oauth/authorize?client_id=%FF").await
}

pub(super) async fn a_very_long_parameter() -> Response {
    shop(&[("state", &"s".repeat(8 * 1024 + 1))]).await
}

pub(super) async fn very_many_parameters() -> Response {
    let server = Server::new().await;
    server.get(&format!("/oauth/authorize?{}", "a=b&".repeat(101))).await
}

/// A request that names `uri` as its redirect URI.
pub(super) async fn a_redirect_uri(uri: &str) -> Response {
    shop(&[("redirect_uri", uri)]).await
}

pub(super) async fn no_redirect_uri_out_of_two() -> Response {
    let server = Server::new().await;
    let uris = ["https://shop.example/1", "https://shop.example/2"];
    let shop = server.client(json!({ "name": "Shop", "redirect_uris": uris })).await;
    server.get(&shop.request(&[("redirect_uri", ""), ("scope", "profile")])).await
}

pub(super) async fn no_redirect_uri_and_openid() -> Response {
    shop(&[("redirect_uri", "")]).await
}

pub(super) async fn a_private_scheme_nobody_knows() -> Response {
    let server = Server::new().await;
    let registration = json!({ "name": "Mine", "redirect_uris": ["mine://cb"] });
    server.operate(Method::POST, "/clients", registration).await
}

pub(super) async fn a_person_of_other_groups() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let limited = json!({ "groups": ["staff"] });
    server.operate(Method::PATCH, &format!("/clients/{}", shop.id), limited).await;
    let page = ada.visit(&shop.request(&[])).await;
    ada.decide(&page, "deny").await
}
