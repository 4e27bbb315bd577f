//! The whole way as an independent client library walks it.

use std::convert::Infallible;
use std::future::Future;

use axum::body::Body;
use axum::http::Response;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl,
    Scope, TokenResponse as _,
};
use serde_json::json;

use crate::support::{RelyingParty, Server, decoded};

/// The library's way to the server.
fn client_of(
    server: &Server,
) -> impl Fn(HttpRequest) -> std::pin::Pin<Box<dyn Future<Output = Result<HttpResponse, Infallible>>>>
{
    let server = server.clone();
    move |request| {
        let server = server.clone();
        Box::pin(async move {
            let received = server.send(request.map(Body::from)).await;
            let mut response = Response::new(received.body.to_vec());
            *response.status_mut() = received.status;
            *response.headers_mut() = received.headers;
            Ok(response)
        })
    }
}

/// Signs ada in by way of the library, with a client whose ID tokens are signed by `alg`.
async fn signs_in_with(alg: &str) {
    let (server, mut ada) = Server::with_ada().await;
    let shop = server
        .client(json!({
            "name": "Shop",
            "redirect_uris": ["https://shop.example/cb"],
            "id_token_signed_response_alg": alg,
        }))
        .await;
    let http = client_of(&server);
    let issuer = IssuerUrl::new(server.issuer().to_owned()).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &http).await.unwrap();
    let secret = ClientSecret::new(shop.secret.clone().unwrap());
    let client =
        CoreClient::from_provider_metadata(metadata, ClientId::new(shop.id.clone()), Some(secret))
            .set_redirect_uri(RedirectUrl::new(shop.redirect_uri.clone()).unwrap());
    let (challenge, code_verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scopes(["profile", "offline_access"].map(|scope| Scope::new(scope.to_owned())))
        .set_pkce_challenge(challenge)
        .url();

    let page = ada.visit(url.as_str()).await;
    let brought = ada.decide(&page, "allow").await.brought();
    let code = AuthorizationCode::new(brought["code"].clone());
    let exchange = client.exchange_code(code).unwrap().set_pkce_verifier(code_verifier);
    let tokens = exchange.request_async(&http).await.unwrap();

    assert_eq!(brought["state"], *state.secret());
    let now = i64::try_from(server.app.clock().now().seconds()).unwrap();
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs([
            CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            CoreJwsSigningAlgorithm::EdDsa,
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        ])
        .set_time_fn(move || chrono::DateTime::from_timestamp(now, 0).unwrap());
    let id_token = tokens.id_token().unwrap();
    let claims = id_token.claims(&verifier, &nonce).unwrap();
    let signed_with = id_token.signing_alg().unwrap();
    let key = id_token.signing_key(&verifier).unwrap();
    let hash = AccessTokenHash::from_token(tokens.access_token(), signed_with, key).unwrap();
    assert_eq!(claims.access_token_hash(), Some(&hash));
    assert_eq!(decoded(&id_token.to_string()).0["alg"], alg);
    assert!(id_token.claims(&verifier, &Nonce::new("another".to_owned())).is_err());

    let subject = Some(claims.subject().clone());
    let asked = client.user_info(tokens.access_token().clone(), subject).unwrap();
    let userinfo: CoreUserInfoClaims = asked.request_async(&http).await.unwrap();
    assert_eq!(userinfo.preferred_username().unwrap().as_str(), "ada");

    let asked = client.exchange_refresh_token(tokens.refresh_token().unwrap()).unwrap();
    let refreshed = asked.request_async(&http).await.unwrap();
    let again = refreshed.id_token().unwrap().claims(&verifier, |_: Option<&Nonce>| Ok(()));
    assert_eq!(again.unwrap().subject(), claims.subject());
}

#[tokio::test]
async fn a_client_library_signs_in_and_verifies_es256() {
    signs_in_with("ES256").await;
}

#[tokio::test]
async fn a_client_library_signs_in_and_verifies_rs256() {
    signs_in_with("RS256").await;
}

#[tokio::test]
async fn a_client_library_signs_in_and_verifies_eddsa() {
    signs_in_with("EdDSA").await;
}

/// OpenID Connect Core §12.2: a refreshed ID token tells the same sign-in.
#[tokio::test]
async fn a_refreshed_id_token_tells_the_original_sign_in() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let first = shop.tokens(&mut ada).await;
    server.advance(std::time::Duration::from_hours(1));

    let second = shop.refresh(first.refresh()).await.tokens();

    let (before, after) = (decoded(first.id()).1, decoded(second.id()).1);
    for claim in ["iss", "sub", "aud", "azp", "auth_time", "sid", "amr", "acr"] {
        assert_eq!(before[claim], after[claim], "{claim}");
    }
    assert_eq!(after["iat"].as_u64(), before["iat"].as_u64().map(|iat| iat + 3600));
}
