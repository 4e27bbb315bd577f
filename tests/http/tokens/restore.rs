//! Refresh tokens after the store was replaced by an older copy of itself.

use std::sync::Arc;
use std::time::Duration;

use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::installation::{restore, sweep};

use crate::support::{Browser, Disk, RelyingParty, Server, Tokens};

const DAY: Duration = Duration::from_hours(24);

/// A shop at which ada is signed in, and the disk of the server.
async fn signed_in(scope: &str) -> (Server, Arc<Disk>, Browser, RelyingParty, Tokens) {
    let (server, disk) = Server::with_counted_syncs().await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens_of(&mut ada, scope).await;
    (server, disk, ada, shop, tokens)
}

/// The tokens of `times` rotations.
async fn rotated(shop: &RelyingParty, from: &Tokens, times: usize) -> Vec<Tokens> {
    let mut line = vec![from.clone()];
    for spent in 0..times {
        line.push(shop.refresh(line[spent].refresh()).await.tokens());
    }
    line.split_off(1)
}

/// The server over an older copy of its store, which was made some time `ago` if the restore is
/// recorded.
async fn restored(server: &Server, copy: &Disk, ago: Option<Duration>) -> Server {
    let server = server.restored_from(&copy.copy(), 8);
    if let Some(ago) = ago {
        record(&server, ago).await;
    }
    while server.app.write(sweep::run).await.unwrap().more {}
    server
}

/// Records a restore, as the command to come will.
async fn record(server: &Server, ago: Duration) {
    let record = server.app.write(move |tx, cx| Ok(restore::record(tx, cx, cx.now - ago)?));
    record.await.unwrap();
}

#[tokio::test]
async fn the_newest_token_of_a_grant_is_taken_after_a_restore() {
    let (server, disk, _ada, shop, first) = signed_in("openid offline_access").await;
    let backup = disk.copy();
    let line = rotated(&shop, &first, 3).await;
    server.advance(DAY);
    let server = restored(&server, &backup, Some(DAY)).await;
    let shop = shop.at(&server);

    assert_eq!(shop.introspect(line[2].refresh()).await.json()["active"], true);
    let next = shop.refresh(line[2].refresh()).await.tokens();

    assert_eq!(shop.userinfo(&next.access).await.status, 200);
    // The grant has moved up: the tokens before are spent, and the family is one line.
    assert_eq!(shop.refresh(line[0].refresh()).await.tokens().refresh, next.refresh);
    server.advance(Duration::from_secs(69));
    let replayed = shop.refresh(line[1].refresh()).await;
    replayed.refused(ErrorCode::InvalidGrant, Refusal::RefreshReplayed);
    let ended = shop.refresh(next.refresh()).await;
    ended.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
}

/// Several programs that shared a family before it may come back in any order.
#[tokio::test]
async fn every_token_ahead_is_taken_while_a_restore_explains_it() {
    let (server, disk, _ada, shop, first) = signed_in("openid offline_access").await;
    let backup = disk.copy();
    let line = rotated(&shop, &first, 6).await;
    let server = restored(&server, &backup, Some(Duration::ZERO)).await;
    let shop = shop.at(&server);

    for ahead in [&line[1], &line[3], &line[5]] {
        shop.refresh(ahead.refresh()).await.tokens();
    }
}

#[tokio::test]
async fn idle_lifetimes_count_from_the_restore() {
    let (server, disk, _ada, shop, first) = signed_in("openid offline_access").await;
    let backup = disk.copy();
    server.advance(DAY * 20);
    let second = shop.refresh(first.refresh()).await.tokens();
    server.advance(DAY * 20);

    for newest in [&first, &second] {
        let server = restored(&server, &backup, Some(DAY * 40)).await;
        shop.clone().at(&server).refresh(newest.refresh()).await.tokens();
    }
    let late = restored(&server, &backup, Some(DAY * 40)).await;
    late.advance(DAY * 30);
    let late = shop.at(&late).refresh(first.refresh()).await;
    late.refused(ErrorCode::InvalidGrant, Refusal::RefreshExpired);
}

#[tokio::test]
async fn what_had_expired_in_the_backup_stays_expired() {
    let (server, disk, _ada, shop, first) = signed_in("openid offline_access").await;
    server.advance(DAY * 31);
    let backup = disk.copy();
    server.advance(DAY);
    let server = restored(&server, &backup, Some(DAY)).await;

    let late = shop.at(&server).refresh(first.refresh()).await;

    late.refused(ErrorCode::InvalidGrant, Refusal::RefreshExpired);
}

/// The second backup is made while the first restore still counts.
#[tokio::test]
async fn what_one_restore_keeps_alive_the_next_one_keeps_too() {
    let (server, disk, _ada, shop, first) = signed_in("openid offline_access").await;
    let backup = disk.copy();
    server.advance(DAY * 40);
    let server = restored(&server, &backup, Some(DAY * 40)).await;
    server.advance(DAY * 10);
    record(&server, DAY).await;
    server.advance(DAY * 25);

    shop.at(&server).refresh(first.refresh()).await.tokens();
}

/// A session that idled out while its store was lost would take its grants along.
#[tokio::test]
async fn a_grant_that_depends_on_its_session_outlives_a_restore_too() {
    let (server, disk, mut ada, shop, first) = signed_in("openid").await;
    let backup = disk.copy();
    server.advance(DAY * 4);
    shop.code(&mut ada).await;
    server.advance(DAY * 4);
    let newest = shop.refresh(first.refresh()).await.tokens();

    let lost = restored(&server, &backup, None).await;
    let lost = shop.clone().at(&lost).refresh(newest.refresh()).await;
    lost.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
    let server = restored(&server, &backup, Some(DAY * 8)).await;
    let shop = shop.at(&server);
    let next = shop.refresh(newest.refresh()).await.tokens();
    server.advance(DAY * 7);
    let over = shop.refresh(next.refresh()).await;
    over.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
}

/// The store was copied or rolled back, and nobody said so.
#[tokio::test]
async fn without_a_record_one_token_ahead_is_taken_and_a_second_ends_nothing() {
    let (server, disk, _ada, shop, first) = signed_in("openid offline_access").await;
    let backup = disk.copy();
    let line = rotated(&shop, &first, 5).await;
    let server = restored(&server, &backup, None).await;
    let shop = shop.at(&server);

    let next = shop.refresh(line[1].refresh()).await.tokens();
    let second = shop.refresh(line[4].refresh()).await;

    second.refused(ErrorCode::InvalidGrant, Refusal::RefreshAhead);
    assert_eq!(shop.introspect(line[4].refresh()).await.json()["active"], false);
    shop.refresh(next.refresh()).await.tokens();
}

/// The store knows of no use since it was copied, however long ago that was.
#[tokio::test]
async fn a_token_that_was_used_since_the_copy_is_not_idle() {
    let (server, disk, _ada, shop, first) = signed_in("openid offline_access").await;
    let backup = disk.copy();
    let mut newest = first.clone();
    for _ in 0..3 {
        server.advance(DAY * 20);
        newest = shop.refresh(newest.refresh()).await.tokens();
    }
    let server = restored(&server, &backup, None).await;
    let shop = shop.at(&server);

    let next = shop.refresh(newest.refresh()).await.tokens();

    shop.refresh(next.refresh()).await.tokens();
    let idle = restored(&server, &backup, None).await;
    let idle = shop.at(&idle).refresh(first.refresh()).await;
    idle.refused(ErrorCode::InvalidGrant, Refusal::RefreshExpired);
}

/// Every token from before a restore has been idle too long by then.
#[tokio::test]
async fn a_restore_explains_tokens_ahead_for_one_idle_lifetime() {
    let (server, disk, _ada, shop, first) = signed_in("openid offline_access").await;
    let backup = disk.copy();
    let line = rotated(&shop, &first, 5).await;
    let server = restored(&server, &backup, Some(Duration::ZERO)).await;
    let shop = shop.at(&server);
    server.advance(DAY * 29);
    shop.refresh(first.refresh()).await.tokens();
    server.advance(DAY);

    shop.refresh(line[2].refresh()).await.tokens();
    let second = shop.refresh(line[4].refresh()).await;

    second.refused(ErrorCode::InvalidGrant, Refusal::RefreshAhead);
}

#[tokio::test]
async fn a_token_of_a_grant_that_the_backup_does_not_hold_is_lost() {
    let (server, disk, mut ada, shop, _first) = signed_in("openid offline_access").await;
    let backup = disk.copy();
    let later = shop.tokens(&mut ada).await;
    let server = restored(&server, &backup, Some(Duration::ZERO)).await;

    let unknown = shop.at(&server).refresh(later.refresh()).await;

    unknown.refused(ErrorCode::InvalidGrant, Refusal::RefreshLost);
}
