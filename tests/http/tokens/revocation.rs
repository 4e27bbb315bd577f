//! Revocation (RFC 7009): what ends, what stays, and that the response says neither.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::store::View as _;
use gatelodge::store::schema::Revoked;
use serde_json::json;

use crate::support::{Browser, RelyingParty, Response, Server, basic, posted};

async fn shop() -> (Server, Browser, RelyingParty) {
    let (server, ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    (server, ada, shop)
}

async fn is_active(client: &RelyingParty, token: &str) -> bool {
    client.introspect(token).await.json()["active"].as_bool().unwrap()
}

#[track_caller]
fn done(response: &Response) {
    assert_eq!((response.status.as_u16(), response.text()), (200, ""));
}

/// RFC 7009 §2.1
#[tokio::test]
async fn a_refresh_token_takes_its_grant_along() {
    let (_server, mut ada, shop) = shop().await;
    let first = shop.tokens(&mut ada).await;
    let second = shop.refresh(first.refresh()).await.tokens();
    let other = shop.tokens(&mut ada).await;

    done(&shop.revoke(second.refresh()).await);

    for token in [&first.access, &second.access, second.refresh()] {
        assert!(!is_active(&shop, token).await);
    }
    let refused = shop.refresh(second.refresh()).await;
    refused.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
    assert!(is_active(&shop, &other.access).await && is_active(&shop, other.refresh()).await);
}

/// A client that rotated, and lost the response, has only the spent one.
#[tokio::test]
async fn a_spent_refresh_token_takes_its_grant_along_too() {
    let (_server, mut ada, shop) = shop().await;
    let first = shop.tokens(&mut ada).await;
    let second = shop.refresh(first.refresh()).await.tokens();

    done(&shop.revoke(first.refresh()).await);

    assert!(!is_active(&shop, second.refresh()).await);
    assert!(!is_active(&shop, &second.access).await);
}

#[tokio::test]
async fn an_access_token_ends_alone() {
    let (_server, mut ada, shop) = shop().await;
    let first = shop.tokens(&mut ada).await;
    let second = shop.refresh(first.refresh()).await.tokens();

    done(&shop.revoke(&first.access).await);
    done(&shop.revoke(&first.access).await);

    assert!(!is_active(&shop, &first.access).await);
    let refused = shop.userinfo(&first.access).await;
    refused.refused(ErrorCode::InvalidToken, Refusal::BearerTokenRevoked);
    assert!(is_active(&shop, &second.access).await);
    shop.refresh(second.refresh()).await.tokens();
}

#[tokio::test]
async fn a_token_of_the_client_itself_can_be_revoked() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    let ask = [("grant_type", "client_credentials")];
    let (one, other) = (robot.ask(&ask).await.tokens(), robot.ask(&ask).await.tokens());

    done(&robot.revoke(&one.access).await);

    assert!(!is_active(&robot, &one.access).await);
    assert!(is_active(&robot, &other.access).await);
}

/// RFC 7009 §2.1: "An authorization server MAY ignore this parameter".
#[tokio::test]
async fn no_hint_saves_a_token() {
    let (_server, mut ada, shop) = shop().await;
    for hint in ["access_token", "refresh_token", "saml2_token", ""] {
        let tokens = shop.tokens(&mut ada).await;

        for token in [&tokens.access, tokens.refresh()] {
            let fields = [("token", token), ("token_type_hint", hint)];
            done(&shop.post("/oauth/revoke", &fields).await);

            assert!(!is_active(&shop, token).await, "{hint}");
        }
    }
}

#[tokio::test]
async fn a_public_client_revokes_by_its_name() {
    let (server, mut ada, _shop) = shop().await;
    let spa = RelyingParty::spa(&server).await;
    let tokens = spa.tokens(&mut ada).await;

    let response = spa.revoke(tokens.refresh()).await;

    done(&response);
    assert_eq!(response.header("access-control-allow-origin"), "*");
    let refused = spa.refresh(tokens.refresh()).await;
    refused.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
}

/// RFC 7009 §2.1: "verifies whether the token was issued to the client making the revocation
/// request".
#[tokio::test]
async fn the_tokens_of_another_client_stay_and_nobody_is_told() {
    let (server, mut ada, shop) = shop().await;
    let spa = RelyingParty::spa(&server).await;
    let monitor = server.client(json!({ "name": "Monitor", "introspect_any": true })).await;
    let tokens = shop.tokens(&mut ada).await;

    for other in [&spa, &monitor] {
        done(&other.revoke(&tokens.access).await);
        done(&other.revoke(tokens.refresh()).await);
    }

    assert!(is_active(&shop, &tokens.access).await && is_active(&shop, tokens.refresh()).await);
    shop.refresh(tokens.refresh()).await.tokens();
}

#[tokio::test]
async fn an_access_token_after_its_time_is_revoked_all_the_same() {
    let (server, mut ada, shop) = shop().await;
    let tokens = shop.tokens(&mut ada).await;
    server.advance(Duration::from_mins(15));

    done(&shop.revoke(&tokens.access).await);

    assert_eq!(server.app.read().unwrap().count::<Revoked>(1).unwrap(), 0, "nothing is kept");
    shop.refresh(tokens.refresh()).await.tokens();
}

/// RFC 7009 §2.2: "The authorization server responds with HTTP status code 200 if the token has
/// been revoked successfully or if the client submitted an invalid token."
#[tokio::test]
async fn what_is_no_token_is_revoked_all_the_same() {
    let (_server, mut ada, shop) = shop().await;
    let tokens = shop.tokens(&mut ada).await;
    let unknown = format!("gl_rt_{}", "A".repeat(76));

    for token in ["abc", "a.b.c", &unknown, tokens.id()] {
        done(&shop.revoke(token).await);
    }

    assert!(is_active(&shop, &tokens.access).await);
}

/// RFC 7009 §2.1: "The authorization server first validates the client credentials".
#[tokio::test]
async fn a_client_that_does_not_prove_itself_revokes_nothing() {
    let (server, mut ada, shop) = shop().await;
    let tokens = shop.tokens(&mut ada).await;
    let fields = [("token", tokens.refresh())];

    let wrong = posted(&server, "/oauth/revoke", Some(&basic("shop", "wrong")), &fields).await;
    let named = [("token", tokens.refresh()), ("client_id", "shop")];
    let unproven = posted(&server, "/oauth/revoke", None, &named).await;
    let nothing = shop.post("/oauth/revoke", &[("token_type_hint", "access_token")]).await;

    wrong.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    unproven.refused(ErrorCode::InvalidClient, Refusal::ClientAuthMissing);
    nothing.refused(ErrorCode::InvalidRequest, Refusal::TokenMissing);
    assert!(is_active(&shop, tokens.refresh()).await);
}

#[tokio::test]
async fn a_later_client_of_the_same_name_inherits_no_token() {
    let (server, mut ada, shop) = shop().await;
    let tokens = shop.tokens(&mut ada).await;
    server.advance(std::time::Duration::from_secs(1));
    server.operate(Method::DELETE, "/clients/shop", json!({})).await;
    let later = RelyingParty::web(&server).await;

    assert!(!is_active(&later, &tokens.access).await);
    assert!(!is_active(&later, tokens.refresh()).await);
    done(&later.revoke(tokens.refresh()).await);
}
