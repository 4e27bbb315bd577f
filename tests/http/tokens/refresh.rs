//! Refresh tokens: rotation, families, grace and strictness.

use std::time::Duration;

use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::client::RefreshPolicy;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::store::View as _;

use crate::support::{Browser, RelyingParty, Response, Server, Tokens, decoded};

async fn signed_in() -> (Server, Browser, RelyingParty, Tokens) {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    (server, ada, shop, tokens)
}

async fn narrowed(shop: &RelyingParty, token: &str, scope: &str) -> Response {
    let grant = ("grant_type", "refresh_token");
    shop.ask(&[grant, ("refresh_token", token), ("scope", scope)]).await
}

#[tokio::test]
async fn each_refresh_brings_a_new_token_of_the_same_grant() {
    let (_server, _ada, shop, first) = signed_in().await;

    let second = shop.refresh(first.refresh()).await.tokens();
    let third = shop.refresh(second.refresh()).await.tokens();

    let grant = |tokens: &Tokens| {
        let jti = decoded(&tokens.access).1["jti"].as_str().unwrap().to_owned();
        jti.split_once('.').unwrap().0.to_owned()
    };
    assert_eq!(grant(&first), grant(&second));
    assert_eq!(grant(&first), grant(&third));
    assert_ne!(first.refresh, second.refresh);
    assert_ne!(second.refresh, third.refresh);
    assert_ne!(first.access, third.access);
}

/// Several agents on one machine share one file of tokens.
#[tokio::test]
async fn a_spent_token_is_answered_with_the_newest_for_a_minute() {
    let (server, _ada, shop, first) = signed_in().await;
    let second = shop.refresh(first.refresh()).await.tokens();
    let third = shop.refresh(second.refresh()).await.tokens();
    server.advance(Duration::from_mins(1));

    let late = shop.refresh(first.refresh()).await.tokens();
    let later = shop.refresh(second.refresh()).await.tokens();

    assert_eq!(late.refresh, third.refresh);
    assert_eq!(later.refresh, third.refresh);
    assert_eq!(shop.userinfo(&late.access).await.status, 200);
}

/// RFC 9700 §4.14.2
#[tokio::test]
async fn a_spent_token_that_returns_later_ends_the_family() {
    let (server, _ada, shop, first) = signed_in().await;
    let second = shop.refresh(first.refresh()).await.tokens();
    server.advance(Duration::from_millis(60_001));

    let replayed = shop.refresh(first.refresh()).await;

    replayed.refused(ErrorCode::InvalidGrant, Refusal::RefreshReplayed);
    let ended = shop.refresh(second.refresh()).await;
    ended.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
    let userinfo = shop.userinfo(&second.access).await;
    userinfo.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
}

/// Whoever knows the id of a grant, which its access tokens name, can neither use nor end it.
#[tokio::test]
async fn a_token_with_a_wrong_mac_is_unknown_and_ends_nothing() {
    let (server, _ada, shop, first) = signed_in().await;
    let second = shop.refresh(first.refresh()).await.tokens();
    server.advance(Duration::from_mins(5));
    let forged = |token: &str| {
        let (rest, last) = token.split_at(token.len() - 1);
        format!("{rest}{}", if last == "A" { "B" } else { "A" })
    };

    for token in [forged(first.refresh()), forged(second.refresh())] {
        let refreshed = shop.refresh(&token).await;
        refreshed.refused(ErrorCode::InvalidGrant, Refusal::RefreshUnknown);
        assert_eq!(shop.introspect(&token).await.json()["active"], false);
        assert_eq!(shop.revoke(&token).await.status, 200);
    }

    shop.refresh(second.refresh()).await.tokens();
}

#[tokio::test]
async fn a_rotation_leaves_nothing_behind() {
    let (server, _ada, shop, mut tokens) = signed_in().await;
    let rows = || {
        let view = server.app.read().unwrap();
        view.raw_range(&[], &[u8::MAX], usize::MAX).unwrap()
    };
    let bytes = || rows().iter().map(|(key, row)| key.len() + row.len()).sum::<usize>();
    tokens = shop.refresh(tokens.refresh()).await.tokens();
    let (before, bytes_before) = (rows().len(), bytes());

    for _ in 0..200 {
        server.advance(Duration::from_secs(1));
        tokens = shop.refresh(tokens.refresh()).await.tokens();
    }

    assert_eq!(rows().len(), before);
    // What grows are the marks in the grant's row, and the digits of numbers.
    assert!(bytes() < bytes_before + 100, "{} bytes", bytes() - bytes_before);
}

/// At one rotation a second, each generation is inside the grace for 60 seconds at least, and
/// outside it after 68 at the latest.
#[tokio::test]
async fn the_grace_of_a_busy_family_lasts_60_to_68_seconds() {
    let (server, _ada, shop, first) = signed_in().await;
    let mut line = vec![first.refresh().to_owned()];
    let rotate = async |line: &mut Vec<String>| {
        let next = shop.refresh(line.last().unwrap()).await.tokens();
        line.push(next.refresh().to_owned());
        server.advance(Duration::from_secs(1));
    };
    for _ in 0..120 {
        rotate(&mut line).await;
    }

    // The generation at this place was spent that many seconds ago.
    let spent = |ago: usize| &line[line.len() - 1 - ago];
    for ago in 1..=60 {
        let late = shop.refresh(spent(ago)).await.tokens();
        assert_eq!(late.refresh(), line.last().unwrap(), "{ago} s");
    }
    let replayed = shop.refresh(spent(69)).await;
    replayed.refused(ErrorCode::InvalidGrant, Refusal::RefreshReplayed);
}

#[tokio::test]
async fn grace_does_not_keep_itself_alive() {
    let (server, _ada, shop, first) = signed_in().await;
    shop.refresh(first.refresh()).await.tokens();
    server.advance(Duration::from_secs(45));
    shop.refresh(first.refresh()).await.tokens();
    server.advance(Duration::from_secs(45));

    let replayed = shop.refresh(first.refresh()).await;

    replayed.refused(ErrorCode::InvalidGrant, Refusal::RefreshReplayed);
}

#[tokio::test]
async fn a_grace_of_zero_is_none() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.lifetimes.replay_grace = Duration::ZERO;
    });
    let server = server.await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let first = shop.tokens(&mut ada).await;
    shop.refresh(first.refresh()).await.tokens();

    let replayed = shop.refresh(first.refresh()).await;

    replayed.refused(ErrorCode::InvalidGrant, Refusal::RefreshReplayed);
}

#[tokio::test]
async fn a_strict_client_has_no_grace() {
    let (server, _ada, shop, first) = signed_in().await;
    server
        .change_client("shop", |client| client.decisions_mut().refresh = RefreshPolicy::Strict)
        .await;
    let second = shop.refresh(first.refresh()).await.tokens();

    let replayed = shop.refresh(first.refresh()).await;

    replayed.refused(ErrorCode::InvalidGrant, Refusal::RefreshReplayed);
    let ended = shop.refresh(second.refresh()).await;
    ended.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
}

#[tokio::test]
async fn a_spent_token_in_the_hands_of_another_client_ends_nothing() {
    let (server, _ada, shop, first) = signed_in().await;
    let reader = RelyingParty::spa(&server).await;
    let second = shop.refresh(first.refresh()).await.tokens();
    server.advance(Duration::from_mins(5));

    let stolen = reader.refresh(first.refresh()).await;

    stolen.refused(ErrorCode::InvalidGrant, Refusal::RefreshClientDiffers);
    shop.refresh(second.refresh()).await.tokens();
}

/// RFC 6749 §6
#[tokio::test]
async fn a_narrower_scope_counts_for_one_access_token_alone() {
    let (_server, _ada, shop, first) = signed_in().await;

    let narrow = narrowed(&shop, first.refresh(), "openid").await.tokens();
    let whole = shop.refresh(narrow.refresh()).await.tokens();

    assert_eq!(narrow.scope, "openid");
    assert_eq!(whole.scope, "offline_access openid");
}

#[tokio::test]
async fn a_refused_refresh_spends_nothing() {
    let (_server, _ada, shop, first) = signed_in().await;

    let wider = narrowed(&shop, first.refresh(), "openid email").await;
    let second = shop.refresh(first.refresh()).await.tokens();
    let third = shop.refresh(second.refresh()).await.tokens();

    wider.refused(ErrorCode::InvalidScope, Refusal::ScopeWidened);
    assert_ne!(second.refresh, third.refresh);
}

#[tokio::test]
async fn nothing_is_no_scope_to_narrow_to() {
    let (_server, _ada, shop, first) = signed_in().await;

    let nothing = narrowed(&shop, first.refresh(), " ").await;

    nothing.refused(ErrorCode::InvalidScope, Refusal::ScopeNotAllowed);
}

#[tokio::test]
async fn a_token_that_nobody_uses_expires_after_thirty_days() {
    let (server, _ada, shop, first) = signed_in().await;
    let days = |days: u64| Duration::from_secs(days * 86_400);
    server.advance(days(30) - Duration::from_millis(1));
    let second = shop.refresh(first.refresh()).await.tokens();
    server.advance(days(30));

    let late = shop.refresh(second.refresh()).await;

    late.refused(ErrorCode::InvalidGrant, Refusal::RefreshExpired);
}

#[tokio::test]
async fn a_family_ends_after_a_hundred_and_eighty_days_however_often_used() {
    let (server, _ada, shop, mut tokens) = signed_in().await;
    for _ in 0..8 {
        server.advance(Duration::from_secs(20 * 86_400));
        tokens = shop.refresh(tokens.refresh()).await.tokens();
    }
    server.advance(Duration::from_secs(20 * 86_400) - Duration::from_mins(5));
    let last = shop.refresh(tokens.refresh()).await;
    server.advance(Duration::from_mins(5));

    let late = shop.refresh(last.tokens().refresh()).await;

    // The last access token ends with its grant.
    assert_eq!(last.json()["expires_in"], 300);
    late.refused(ErrorCode::InvalidGrant, Refusal::RefreshExpired);
}

#[tokio::test]
async fn a_code_or_an_access_token_is_no_refresh_token() {
    let (_server, mut ada, shop, tokens) = signed_in().await;
    let code = shop.code(&mut ada).await;

    for other in [code.as_str(), &tokens.access, "", "gl_rt_", "gl_rt_!"] {
        let response = shop.refresh(other).await;

        assert_eq!(response.status, 400);
        assert!(response.json().get("access_token").is_none());
    }
}
