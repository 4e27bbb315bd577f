//! What the token endpoint refuses.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use futures_util::stream;
use gatelodge::flow::installation::restore;
use gatelodge::oauth::client::PkcePolicy;
use gatelodge::oauth::params::form_encode;
use serde_json::json;

use crate::support::{Browser, CHALLENGE, RelyingParty, Response, Server, VERIFIER, basic, token};

/// A request to the token endpoint of an installation that knows the shop.
async fn ask(authorization: Option<&str>, fields: &[(&str, &str)]) -> Response {
    let server = Server::new().await;
    RelyingParty::web(&server).await;
    token(&server, authorization, fields).await
}

const CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");

pub(super) async fn another_method_than_was_registered() -> Response {
    let server = Server::new().await;
    let basic = json!({ "name": "Shop", "token_endpoint_auth_method": "client_secret_basic" });
    let shop = server.client(basic).await;
    let secret = shop.secret.unwrap();
    token(&server, None, &[CREDENTIALS, ("client_id", &shop.id), ("client_secret", &secret)]).await
}

pub(super) async fn a_bearer_token_instead_of_basic() -> Response {
    ask(Some("Bearer abc"), &[CREDENTIALS]).await
}

pub(super) async fn no_proof() -> Response {
    ask(None, &[CREDENTIALS, ("client_id", "shop")]).await
}

pub(super) async fn two_proofs() -> Response {
    ask(Some(&basic("shop", "s")), &[CREDENTIALS, ("client_secret", "s")]).await
}

pub(super) async fn a_secret_that_is_none() -> Response {
    ask(Some(&basic("shop", "\u{e9}")), &[CREDENTIALS]).await
}

pub(super) async fn a_wrong_secret() -> Response {
    ask(Some(&basic("shop", "wrong")), &[CREDENTIALS]).await
}

pub(super) async fn an_unknown_client() -> Response {
    ask(Some(&basic("nobody", "wrong")), &[CREDENTIALS]).await
}

pub(super) async fn a_client_that_is_switched_off() -> Response {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    server.change_client("robot", |client| client.enabled = false).await;
    robot.ask(&[CREDENTIALS]).await
}

/// The keys are still being made, so that the client can go while its request waits for them.
pub(super) async fn a_client_that_changes_meanwhile() -> Response {
    let server = Server::without_keys().await;
    let robot = RelyingParty::robot(&server).await;
    let mut asked = Box::pin(robot.ask(&[CREDENTIALS]));
    let early = std::future::poll_fn(|cx| std::task::Poll::Ready(asked.as_mut().poll(cx))).await;
    assert!(early.is_pending());
    server.operate(Method::DELETE, "/clients/robot", json!({})).await;
    server.app.make_missing_keys().await.unwrap();
    asked.await
}

pub(super) async fn no_grant_type() -> Response {
    let server = Server::new().await;
    RelyingParty::robot(&server).await.ask(&[]).await
}

pub(super) async fn an_unknown_grant_type() -> Response {
    let server = Server::new().await;
    RelyingParty::robot(&server).await.ask(&[("grant_type", "password")]).await
}

pub(super) async fn no_code() -> Response {
    let server = Server::new().await;
    RelyingParty::web(&server).await.ask(&[("grant_type", "authorization_code")]).await
}

pub(super) async fn an_unknown_code() -> Response {
    let server = Server::new().await;
    RelyingParty::web(&server).await.redeem(&format!("gl_ac_{CHALLENGE}")).await
}

/// A code of the shop's.
async fn code() -> (Server, Browser, RelyingParty, String) {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let code = shop.code(&mut ada).await;
    (server, ada, shop, code)
}

/// The shop redeems its code, `changes` made to the form.
async fn redeem(changes: &[(&str, &str)]) -> Response {
    let (_server, _ada, shop, code) = code().await;
    let mut form = shop.redemption(&code);
    for (name, value) in changes {
        form.retain(|(own, _)| own != name);
        form.push((name, value));
    }
    shop.ask(&form).await
}

pub(super) async fn a_code_of_another_client() -> Response {
    let (server, _ada, _shop, code) = code().await;
    RelyingParty::spa(&server).await.redeem(&code).await
}

pub(super) async fn a_code_after_its_time() -> Response {
    let (server, _ada, shop, code) = code().await;
    server.advance(Duration::from_mins(10));
    shop.redeem(&code).await
}

pub(super) async fn a_code_for_the_second_time() -> Response {
    let (_server, _ada, shop, code) = code().await;
    shop.redeem(&code).await.tokens();
    shop.redeem(&code).await
}

pub(super) async fn a_short_verifier() -> Response {
    redeem(&[("code_verifier", "short")]).await
}

pub(super) async fn no_verifier() -> Response {
    redeem(&[("code_verifier", "")]).await
}

pub(super) async fn a_wrong_verifier() -> Response {
    redeem(&[("code_verifier", CHALLENGE)]).await
}

pub(super) async fn a_verifier_without_a_challenge() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    server
        .change_client("shop", |client| client.decisions_mut().pkce = Some(PkcePolicy::Nonce))
        .await;
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = shop.authorize(&mut ada, &without).await.brought().remove("code").unwrap();
    shop.redeem(&code).await
}

pub(super) async fn a_resource_that_was_not_granted() -> Response {
    redeem(&[("resource", "https://api.example")]).await
}

pub(super) async fn one_token_of_two_types() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    for (resource, typ) in [("https://a.example", "jwt"), ("https://b.example", "at+jwt")] {
        let registration = json!({ "resource": resource, "typ": typ });
        server.operate(Method::POST, "/resources", registration).await;
    }
    let shop = RelyingParty::web(&server).await;
    let both = [("resource", "https://a.example"), ("resource", "https://b.example")];
    let page = ada.visit(&format!("{}&{}", shop.request(&[]), form_encode(both))).await;
    let code = ada.decide(&page, "allow").await.brought().remove("code").unwrap();
    shop.redeem(&code).await
}

pub(super) async fn another_redirect_uri() -> Response {
    redeem(&[("redirect_uri", "https://shop.example/other")]).await
}

/// A refresh token of the shop's.
async fn refresh() -> (Server, Browser, RelyingParty, String) {
    let (server, ada, shop, code) = code().await;
    let tokens = shop.redeem(&code).await.tokens();
    (server, ada, shop, tokens.refresh().to_owned())
}

pub(super) async fn a_grant_that_has_ended() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens_of(&mut ada, "openid").await;
    ada.sign_out().await;
    shop.refresh(tokens.refresh()).await
}

pub(super) async fn no_refresh_token() -> Response {
    let server = Server::new().await;
    RelyingParty::web(&server).await.ask(&[("grant_type", "refresh_token")]).await
}

pub(super) async fn an_unknown_refresh_token() -> Response {
    let server = Server::new().await;
    RelyingParty::web(&server).await.refresh(&format!("gl_rt_{}", "A".repeat(76))).await
}

pub(super) async fn a_refresh_token_from_after_the_backup() -> Response {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    let record = server.app.write(|tx, cx| Ok(restore::record(tx, cx, cx.now)?));
    record.await.unwrap();
    shop.refresh(&format!("gl_rt_{}", "A".repeat(76))).await
}

pub(super) async fn a_second_refresh_token_ahead_of_the_store() -> Response {
    let (server, disk) = Server::with_counted_syncs().await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let mut tokens = vec![shop.tokens(&mut ada).await];
    let older = disk.copy();
    for spent in 0..4 {
        tokens.push(shop.refresh(tokens[spent].refresh()).await.tokens());
    }
    let shop = shop.at(&server.restored_from(&older, 8));
    shop.refresh(tokens[2].refresh()).await.tokens();
    shop.refresh(tokens[4].refresh()).await
}

pub(super) async fn a_refresh_token_of_another_client() -> Response {
    let (server, _ada, _shop, token) = refresh().await;
    RelyingParty::spa(&server).await.refresh(&token).await
}

pub(super) async fn a_refresh_token_after_its_time() -> Response {
    let (server, _ada, shop, token) = refresh().await;
    server.advance(Duration::from_hours(30 * 24));
    shop.refresh(&token).await
}

pub(super) async fn a_refresh_token_that_was_spent() -> Response {
    let (server, _ada, shop, token) = refresh().await;
    shop.refresh(&token).await.tokens();
    server.advance(Duration::from_secs(61));
    shop.refresh(&token).await
}

pub(super) async fn a_wider_scope() -> Response {
    let (_server, _ada, shop, token) = refresh().await;
    let scope = ("scope", "openid email");
    shop.ask(&[("grant_type", "refresh_token"), ("refresh_token", &token), scope]).await
}

/// A body for the token endpoint, of whichever type.
async fn post(media: &str, body: Body) -> Response {
    let server = Server::new().await;
    let request = Request::post("/oauth/token").header(header::CONTENT_TYPE, media);
    server.send(request.body(body).unwrap()).await
}

const FORM: &str = "application/x-www-form-urlencoded";

pub(super) async fn a_large_body() -> Response {
    post(FORM, Body::from(form_encode([("code", "x".repeat(33 * 1024).as_str())]))).await
}

/// The clock of the sockets stands still, and so passes as soon as nothing else can happen.
pub(super) async fn a_slow_body() -> Response {
    tokio::time::pause();
    let never = stream::pending::<Result<&str, std::io::Error>>();
    let response = post(FORM, Body::from_stream(never)).await;
    tokio::time::resume();
    response
}

pub(super) async fn a_json_body() -> Response {
    post("application/json", Body::from(json!({ "code_verifier": VERIFIER }).to_string())).await
}

pub(super) async fn a_public_client_that_introspects() -> Response {
    let server = Server::new().await;
    RelyingParty::spa(&server).await.introspect("abc").await
}

pub(super) async fn no_token_to_revoke() -> Response {
    let server = Server::new().await;
    RelyingParty::spa(&server).await.post("/oauth/revoke", &[]).await
}

pub(super) async fn a_code_while_nothing_can_be_written() -> Response {
    let (server, disk) = Server::with_disk(|_| {}).await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let code = shop.code(&mut ada).await;
    disk.fail(true);
    shop.redeem(&code).await
}

pub(super) async fn a_scope_about_people_for_a_client() -> Response {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    robot.ask(&[("grant_type", "client_credentials"), ("scope", "profile")]).await
}

pub(super) async fn a_grant_of_somebody_who_left_the_groups() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens_of(&mut ada, "openid").await;
    let limited = json!({ "groups": ["staff"] });
    server.operate(Method::PATCH, &format!("/clients/{}", shop.id), limited).await;
    shop.refresh(tokens.refresh()).await
}

pub(super) async fn a_code_whose_session_has_ended() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let response = shop.authorize(&mut ada, &[("scope", "openid")]).await;
    let code = response.brought().remove("code").unwrap();
    ada.sign_out().await;
    shop.redeem(&code).await
}
