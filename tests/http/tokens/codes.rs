//! Authorization codes.

use std::time::Duration;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::client::PkcePolicy;
use gatelodge::oauth::issuer::Issuer;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::support::{RelyingParty, Server, VERIFIER};

/// RFC 6749 §4.1.2: "SHOULD revoke (when possible) all tokens previously issued".
#[tokio::test]
async fn a_code_that_returns_ends_everything_that_came_of_it() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let code = shop.code(&mut ada).await;
    let tokens = shop.redeem(&code).await.tokens();

    let again = shop.redeem(&code).await;

    again.refused(ErrorCode::InvalidGrant, Refusal::CodeReplayed);
    let userinfo = shop.userinfo(&tokens.access).await;
    userinfo.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
    let refreshed = shop.refresh(tokens.refresh()).await;
    refreshed.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
}

#[tokio::test]
async fn a_code_that_returns_long_after_still_ends_its_grant() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let code = shop.code(&mut ada).await;
    let tokens = shop.redeem(&code).await.tokens();
    server.advance(Duration::from_hours(7 * 24));
    let tokens = shop.refresh(tokens.refresh()).await.tokens();

    shop.redeem(&code).await.refused(ErrorCode::InvalidGrant, Refusal::CodeReplayed);

    let refreshed = shop.refresh(tokens.refresh()).await;
    refreshed.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
}

#[tokio::test]
async fn what_does_not_fit_a_code_does_not_spend_it() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let reader = RelyingParty::spa(&server).await;
    let code = shop.code(&mut ada).await;
    let wrong_verifier = VERIFIER.replace('d', "e");
    let mut wrong_proof = shop.redemption(&code);
    wrong_proof.retain(|(name, _)| *name != "code_verifier");
    wrong_proof.push(("code_verifier", &wrong_verifier));
    let mut no_redirect_uri = shop.redemption(&code);
    no_redirect_uri.retain(|(name, _)| *name != "redirect_uri");

    let of_another = reader.redeem(&code).await;
    let unproven = shop.ask(&wrong_proof).await;
    let elsewhere = shop.ask(&no_redirect_uri).await;

    of_another.refused(ErrorCode::InvalidGrant, Refusal::CodeClientDiffers);
    unproven.refused(ErrorCode::InvalidGrant, Refusal::CodeVerifierWrong);
    elsewhere.refused(ErrorCode::InvalidGrant, Refusal::RedirectUriDiffers);
    shop.redeem(&code).await.tokens();
}

/// Another client that learns a spent code must not be able to end the grant with it.
#[tokio::test]
async fn a_spent_code_in_the_hands_of_another_client_ends_nothing() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let reader = RelyingParty::spa(&server).await;
    let code = shop.code(&mut ada).await;
    let tokens = shop.redeem(&code).await.tokens();

    let stolen = reader.redeem(&code).await;

    stolen.refused(ErrorCode::InvalidGrant, Refusal::CodeClientDiffers);
    assert_eq!(shop.userinfo(&tokens.access).await.status, 200);
}

#[tokio::test]
async fn a_code_lives_for_ten_minutes() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let (early, late) = (shop.code(&mut ada).await, shop.code(&mut ada).await);

    server.advance(Duration::from_millis(599_999));
    shop.redeem(&early).await.tokens();
    server.advance(Duration::from_millis(1));

    shop.redeem(&late).await.refused(ErrorCode::InvalidGrant, Refusal::CodeExpired);
}

/// RFC 6749 §4.1.3: `redirect_uri` is required where the authorization request had it.
#[tokio::test]
async fn a_request_without_redirect_uri_is_redeemed_without_one() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let response = shop.authorize(&mut ada, &[("redirect_uri", ""), ("scope", "profile")]).await;
    let code = response.brought().remove("code").unwrap();
    let mut form = shop.redemption(&code);
    form.retain(|(name, _)| *name != "redirect_uri");

    let response = shop.ask(&form).await;

    response.tokens();
}

/// RFC 9700 §2.1.1
#[tokio::test]
async fn a_confidential_client_may_rely_on_its_nonce_where_the_operator_lets_it() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    server
        .change_client("shop", |client| client.decisions_mut().pkce = Some(PkcePolicy::Nonce))
        .await;
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = shop.authorize(&mut ada, &without).await.brought().remove("code").unwrap();
    let mut form = shop.redemption(&code);
    form.retain(|(name, _)| *name != "code_verifier");

    let response = shop.ask(&form).await;

    response.tokens();
    for missing in
        [[without[0], without[1], ("nonce", "")], [without[0], without[1], ("scope", "email")]]
    {
        let refused = ada.visit(&shop.request(&missing)).await;
        refused.refused(ErrorCode::InvalidRequest, Refusal::CodeChallengeMissing);
    }
}

#[tokio::test]
async fn a_clients_own_pkce_policy_goes_before_the_configured_one() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.policy.pkce = PkcePolicy::Nonce;
    })
    .await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    shop.authorize(&mut ada, &without).await.brought().remove("code").unwrap();

    let strict = json!({ "pkce": "required" });
    server.operate(Method::PATCH, "/clients/shop", strict).await;
    let response = ada.visit(&shop.request(&without)).await;

    response.refused(ErrorCode::InvalidRequest, Refusal::CodeChallengeMissing);
}

#[tokio::test]
async fn a_public_client_never_goes_without_pkce() {
    let (server, mut ada) = Server::with_ada().await;
    let reader = RelyingParty::spa(&server).await;
    server
        .change_client("reader", |client| client.decisions_mut().pkce = Some(PkcePolicy::Nonce))
        .await;
    let without = [("code_challenge", ""), ("code_challenge_method", "")];

    let response = ada.visit(&reader.request(&without)).await;

    response.refused(ErrorCode::InvalidRequest, Refusal::CodeChallengeMissing);
}

#[tokio::test]
async fn a_client_without_the_refresh_grant_gets_no_refresh_token() {
    let (server, mut ada) = Server::with_ada().await;
    let registration = json!({
        "name": "Once",
        "redirect_uris": ["https://once.example/cb"],
        "grant_types": ["authorization_code"],
    });
    let once = server.client(registration).await;

    let tokens = once.tokens(&mut ada).await;

    assert!(tokens.refresh.is_none());
}

#[tokio::test]
async fn a_code_is_worth_nothing_once_its_person_or_session_has_gone() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let response = shop.authorize(&mut ada, &[("scope", "openid")]).await;
    let code = response.brought().remove("code").unwrap();

    ada.sign_out().await;

    shop.redeem(&code).await.refused(ErrorCode::InvalidGrant, Refusal::CodeEnded);
}

/// RFC 7636 §4.1 says unreserved characters; some clients send standard base64, and the hash decides.
#[tokio::test]
async fn the_alphabet_of_a_verifier_is_not_judged() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let short = "ab+/cd==".repeat(5) + "ab";

    for (verifier, fits) in
        [(short.clone() + "!", true), (short, false), ("\u{e9}".repeat(43), false)]
    {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let response = shop.authorize(&mut ada, &[("code_challenge", &challenge)]).await;
        let code = response.brought().remove("code").unwrap();
        let mut form = shop.redemption(&code);
        form.retain(|(name, _)| *name != "code_verifier");
        form.push(("code_verifier", &verifier));

        let response = shop.ask(&form).await;

        if fits {
            response.tokens();
        } else {
            response.refused(ErrorCode::InvalidRequest, Refusal::CodeVerifierMalformed);
        }
    }
}
