//! What was used once, and what was revoked, stays so after the clock went back behind the time up to
//! which the evidence of it was removed; and what is made then is as good as ever.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::client::SigningAlg;
use gatelodge::store::schema::{Revoked, UsedAssertion, UsedCeremony, Withdrawal};
use serde_json::json;

use super::{DAY, HOUR, MINUTE, recorded, set, stored, sweep_all};
use crate::support::{BEGINNING, RelyingParty, Server, Signer, assert_to, decoded};

/// An hour passes with its sweep, and turns out not to have.
async fn pass_in_error(server: &Server) {
    server.advance(HOUR);
    sweep_all(server).await;
    set(server, BEGINNING + MINUTE / 10);
}

#[tokio::test]
async fn a_used_assertion_does_not_return() {
    let (server, signer) = (Server::new().await, Signer::new(SigningAlg::Es256));
    signer.register(&server, "signer").await;
    let used = signer.assertion(&server, "signer", &json!({}));
    assert_to(&server, &used).await.tokens();

    pass_in_error(&server).await;

    assert_eq!(stored::<UsedAssertion>(&server), 0);
    let replayed = assert_to(&server, &used).await;
    replayed.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionExpired);
    assert_to(&server, &signer.assertion(&server, "signer", &json!({ "exp": null })))
        .await
        .refused(ErrorCode::InvalidClient, Refusal::ClientAssertionMalformed);
    server.advance(MINUTE);
    let next = signer.assertion(&server, "signer", &json!({}));
    assert_to(&server, &next).await.tokens();
}

#[tokio::test]
async fn a_used_ceremony_does_not_return_and_a_new_one_signs_in() {
    let (server, mut ada) = Server::with_ada().await;
    let signed = ada.signed_challenge().await;
    assert_eq!(ada.finish_sign_in(&signed).await.status, 200);

    pass_in_error(&server).await;

    assert_eq!(stored::<UsedCeremony>(&server), 0);
    ada.visit("/account").await;
    let replayed = ada.finish_sign_in(&signed).await;
    replayed.refused(ErrorCode::CeremonyOver, Refusal::CeremonyExpired);
    ada.sign_in().await;
    let late = ada.signed_challenge().await;
    server.advance(HOUR);
    ada.finish_sign_in(&late).await.refused(ErrorCode::CeremonyOver, Refusal::CeremonyExpired);
}

#[tokio::test]
async fn a_revoked_access_token_does_not_return_and_new_ones_can_be_revoked() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    assert_eq!(shop.revoke(&tokens.access).await.status, 200);

    pass_in_error(&server).await;

    assert_eq!(stored::<Revoked>(&server), 0);
    let replayed = shop.userinfo(&tokens.access).await;
    replayed.refused(ErrorCode::InvalidToken, Refusal::BearerTokenExpired);
    let next = shop.refresh(tokens.refresh()).await.tokens();
    assert_eq!(shop.userinfo(&next.access).await.status, 200);
    shop.revoke(&next.access).await;
    let revoked = shop.userinfo(&next.access).await;
    revoked.refused(ErrorCode::InvalidToken, Refusal::BearerTokenRevoked);
    pass_in_error(&server).await;
    assert_eq!(shop.userinfo(&next.access).await.status, 401);
}

/// The claim tells resource servers nothing, so it is left out as long as the clock is right.
#[tokio::test]
async fn only_a_token_of_a_clock_that_went_back_says_until_when_it_can_be_revoked() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let first = shop.tokens(&mut ada).await;

    pass_in_error(&server).await;

    let second = decoded(&shop.refresh(first.refresh()).await.tokens().access).1;
    assert_eq!(decoded(&first.access).1.get("revocable_until"), None);
    let until = (BEGINNING + HOUR).seconds() + 15 * 60;
    assert_eq!(second["revocable_until"], until);
    assert_eq!(second["exp"], (BEGINNING + MINUTE / 10).seconds() + 15 * 60);
}

#[tokio::test]
async fn a_spent_code_does_not_return_and_a_new_one_is_redeemed_once_within_its_time() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let code = shop.code(&mut ada).await;
    shop.redeem(&code).await.tokens();

    server.advance(DAY * 400);
    sweep_all(&server).await;
    set(&server, BEGINNING);

    let replayed = shop.redeem(&code).await;
    replayed.refused(ErrorCode::InvalidGrant, Refusal::CodeUnknown);
    ada.sign_in().await;
    let (once, late) = (shop.code(&mut ada).await, shop.code(&mut ada).await);
    shop.redeem(&once).await.tokens();
    shop.redeem(&once).await.refused(ErrorCode::InvalidGrant, Refusal::CodeReplayed);
    server.advance(HOUR);
    shop.redeem(&late).await.refused(ErrorCode::InvalidGrant, Refusal::CodeExpired);
}

#[tokio::test]
async fn a_pushed_request_is_used_once_within_its_time_after_the_clock_went_back() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let used = shop.push(&[]).await;
    assert!(ada.visit(&used).await.asks_for_consent());

    pass_in_error(&server).await;

    let replayed = ada.visit(&used).await;
    replayed.refused(ErrorCode::InvalidRequestUri, Refusal::PushedRequestUnknown);
    let (next, late) = (shop.push(&[]).await, shop.push(&[]).await);
    assert!(ada.visit(&next).await.asks_for_consent());
    server.advance(HOUR);
    let late = ada.visit(&late).await;
    late.refused(ErrorCode::InvalidRequestUri, Refusal::PushedRequestExpired);
}

#[tokio::test]
async fn a_setup_link_is_used_once_within_its_time_after_the_clock_went_back() {
    let (server, _) = Server::with_ada().await;
    let link = |name: &'static str| {
        let server = server.clone();
        async move {
            let added = server.operate(Method::POST, "/users", json!({ "username": name })).await;
            added.json()["setup_url"].as_str().unwrap().to_owned()
        }
    };
    let used = link("bob").await;
    let mut bob = crate::support::Browser::new(&server);
    bob.enrol(&used, None).await;

    server.advance(DAY * 30);
    sweep_all(&server).await;
    set(&server, BEGINNING);

    let token = bob.open_link(&used).await;
    let start = json!({ "token": token, "username": null });
    let replayed = bob.call("/gate/webauthn/register/start", &start).await;
    replayed.refused(ErrorCode::SetupLinkUnknown, Refusal::SetupTokenUnknown);
    let mut eve = crate::support::Browser::new(&server);
    eve.enrol(&link("eve").await, None).await;
}

/// The withdrawal is forgotten before the device code that it made void.
#[tokio::test]
async fn an_approved_device_whose_authorization_was_withdrawn_does_not_return() {
    let (server, mut ada) = Server::with_ada().await;
    let tv = RelyingParty::tv(&server).await;
    let device = tv.device().await;
    let page = ada.open_device(&device).await;
    ada.decide_on_device(&page, "allow").await;
    ada.visit("/account").await;
    ada.submit("/gate/account/apps", &[("client_id", &tv.id)]).await;

    server.advance(MINUTE * 16);
    sweep_all(&server).await;
    set(&server, BEGINNING + MINUTE);

    assert_eq!(stored::<Withdrawal>(&server), 0);
    assert!(tv.poll(&device).await.status.is_client_error());
}

#[tokio::test]
async fn the_time_up_to_which_evidence_was_removed_never_goes_back() {
    let (server, _ada) = Server::with_ada().await;
    pass_in_error(&server).await;
    let first = recorded(&server).removed_up_to;

    server.advance(MINUTE * 30);
    sweep_all(&server).await;

    assert_eq!((first, recorded(&server).removed_up_to), (BEGINNING + HOUR, BEGINNING + HOUR));
}
