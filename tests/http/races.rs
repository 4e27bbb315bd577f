//! The same thing sixty-four times at once.

use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::client::RefreshPolicy;
use tokio::task::JoinSet;

use crate::support::{Browser, RelyingParty, Response, Server, Tokens};

const AT_ONCE: usize = 64;

/// The responses to `AT_ONCE` tasks on several threads.
async fn at_once<F, A>(ask: F) -> Vec<Response>
where
    F: Fn() -> A,
    A: Future<Output = Response> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONCE {
        tasks.spawn(ask());
    }
    tasks.join_all().await
}

async fn redeemed_at_once(shop: &RelyingParty, code: &str) -> Vec<Response> {
    at_once(|| {
        let (shop, code) = (shop.clone(), code.to_owned());
        async move { shop.redeem(&code).await }
    })
    .await
}

async fn refreshed_at_once(shop: &RelyingParty, token: &str) -> Vec<Response> {
    at_once(|| {
        let (shop, token) = (shop.clone(), token.to_owned());
        async move { shop.refresh(&token).await }
    })
    .await
}

/// The one success among responses that are otherwise refused as `refusal`.
fn only_success(responses: Vec<Response>, refusal: Refusal) -> Tokens {
    let (won, lost): (Vec<_>, Vec<_>) = responses.into_iter().partition(|a| a.status == 200);
    for response in lost {
        response.refused(ErrorCode::InvalidGrant, refusal);
    }
    let [one] = &won[..] else { panic!("{} succeeded", won.len()) };
    one.tokens()
}

async fn is_dead(shop: &RelyingParty, tokens: &Tokens) {
    let userinfo = shop.userinfo(&tokens.access).await;
    userinfo.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
    let refreshed = shop.refresh(tokens.refresh()).await;
    refreshed.refused(ErrorCode::InvalidGrant, Refusal::GrantEnded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_redemptions_of_one_code_one_succeeds_and_its_grant_is_revoked() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let code = shop.code(&mut ada).await;

    let responses = redeemed_at_once(&shop, &code).await;

    let tokens = only_success(responses, Refusal::CodeReplayed);
    is_dead(&shop, &tokens).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_strict_refreshes_one_succeeds_and_its_grant_is_revoked() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    server
        .change_client("shop", |client| client.decisions_mut().refresh = RefreshPolicy::Strict)
        .await;
    let tokens = shop.tokens(&mut ada).await;

    let responses = refreshed_at_once(&shop, tokens.refresh()).await;

    let successor = only_success(responses, Refusal::RefreshReplayed);
    is_dead(&shop, &successor).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn within_grace_no_refresh_is_refused_and_the_family_stays_one_line() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;

    let responses = refreshed_at_once(&shop, tokens.refresh()).await;

    let all: Vec<_> = responses.iter().map(Response::tokens).collect();
    let newest = all.first().unwrap().refresh().to_owned();
    assert!(all.iter().all(|tokens| tokens.refresh() == newest));
    assert_eq!(shop.refresh(&newest).await.status, 200);
    for tokens in all {
        assert_eq!(shop.userinfo(&tokens.access).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_ceremony_signs_in_once_however_often_it_is_finished() {
    let (server, mut ada) = Server::with_ada().await;
    let signed = ada.signed_challenge().await;

    let responses = at_once(|| {
        let mut same = Browser::new(&server);
        same.keep_from(&ada);
        same.csrf.clone_from(&ada.csrf);
        let signed = signed.clone();
        async move { same.finish_sign_in(&signed).await }
    })
    .await;

    let (won, lost): (Vec<_>, Vec<_>) = responses.into_iter().partition(|a| a.status == 200);
    assert_eq!(won.len(), 1);
    for response in lost {
        response.refused(ErrorCode::CeremonyOver, Refusal::CeremonyUnknown);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_yes_that_is_pressed_often_brings_one_code() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;

    let responses = at_once(|| {
        let mut same = Browser::new(&server);
        same.keep_from(&ada);
        same.csrf.clone_from(&ada.csrf);
        let page = page.clone();
        async move { same.decide(&page, "allow").await }
    })
    .await;

    let (won, lost): (Vec<_>, Vec<_>) = responses.into_iter().partition(|a| a.status == 200);
    assert_eq!(won.len(), 1);
    for response in lost {
        response.refused(ErrorCode::InteractionOver, Refusal::InteractionUnknown);
    }
}
