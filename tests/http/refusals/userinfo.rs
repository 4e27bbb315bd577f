//! What userinfo refuses.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use gatelodge::oauth::client::SigningAlg;

use crate::support::{Browser, RelyingParty, Response, Server, decoded};

/// The shop, and an access token of its own.
async fn access(scope: &str) -> (Server, Browser, RelyingParty, String) {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens_of(&mut ada, scope).await;
    (server, ada, shop, tokens.access)
}

pub(super) async fn a_token_after_its_time() -> Response {
    let (server, _ada, shop, access) = access("openid").await;
    server.advance(Duration::from_mins(15));
    shop.userinfo(&access).await
}

/// The issuer has changed since the token was issued, its keys have not.
pub(super) async fn a_token_for_another_audience() -> Response {
    let (_server, _ada, mut shop, access) = access("openid").await;
    shop.server = Server::with("http://id.localhost:7455".parse().unwrap(), |_| {}).await;
    shop.userinfo(&access).await
}

pub(super) async fn a_token_that_is_none() -> Response {
    let server = Server::new().await;
    RelyingParty::web(&server).await.userinfo("abc").await
}

/// Somebody who came by a key after its retirement signs with it.
pub(super) async fn a_token_of_a_retired_key() -> Response {
    let (server, _ada, shop, access) = access("openid").await;
    let old = server.app.signing_key(SigningAlg::Es256).await.unwrap();
    server.advance(Duration::from_hours(24) * 89);
    server.app.rotate_keys().await.unwrap();
    server.advance(Duration::from_hours(24) * 2);
    shop.userinfo(&old.sign("at+jwt", &decoded(&access).1).unwrap()).await
}

pub(super) async fn no_token() -> Response {
    Server::new().await.get("/oauth/userinfo").await
}

pub(super) async fn a_token_of_an_ended_grant() -> Response {
    let (_server, mut ada, shop, access) = access("openid").await;
    ada.sign_out().await;
    shop.userinfo(&access).await
}

pub(super) async fn a_token_that_was_revoked() -> Response {
    let (_server, _ada, shop, access) = access("openid").await;
    assert_eq!(shop.revoke(&access).await.status, 200);
    shop.userinfo(&access).await
}

pub(super) async fn two_tokens() -> Response {
    let (server, _ada, _shop, access) = access("openid").await;
    let request = Request::post("/oauth/userinfo")
        .header(header::AUTHORIZATION, format!("Bearer {access}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    server.send(request.body(Body::from(format!("access_token={access}"))).unwrap()).await
}

pub(super) async fn a_token_whose_claims_were_changed() -> Response {
    let (_server, _ada, shop, access) = access("openid").await;
    let (head, signature) = access.rsplit_once('.').unwrap();
    let (header, claims) = head.split_once('.').unwrap();
    let claims = claims.replacen('J', "K", 1);
    shop.userinfo(&format!("{header}.{claims}.{signature}")).await
}

pub(super) async fn a_token_without_openid() -> Response {
    let (_server, _ada, shop, access) = access("email").await;
    shop.userinfo(&access).await
}

pub(super) async fn a_token_for_the_metrics_without_their_scope() -> Response {
    let (server, _ada, _shop, access) = access("openid").await;
    let request =
        Request::get("/metrics").header(header::AUTHORIZATION, format!("Bearer {access}"));
    server.send(request.body(Body::empty()).unwrap()).await
}
