//! The earlier root keys are forgotten: what was never used since ends, and nothing else.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::{by_personal_token, forget, generations, rotate};
use crate::bridge;
use crate::links::{invitation, invited_by};
use crate::refusals::codes;
use crate::support::{Browser, RelyingParty, Server};

/// What would end now.
async fn planned(server: &Server) -> Value {
    let asked = json!({ "dry_run": true });
    let planned = server.operate(Method::POST, "/keys/root/forget", asked).await;
    assert_eq!(planned.status, 200, "{}", planned.text());
    planned.json()
}

#[tokio::test]
async fn what_was_never_used_since_ends_and_what_was_goes_on() {
    let (server, mut ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let (shop, robot) = (RelyingParty::web(&server).await, RelyingParty::robot(&server).await);
    let (of_ada, of_bob) = (shop.tokens(&mut ada).await, shop.tokens(&mut bob).await);
    codes::made(&mut bob).await;
    let link = server.operate(Method::POST, "/users", json!({ "username": "eve" })).await.json();
    let invited = invitation(&server, json!({ "uses": 3 })).await;
    let pat = bridge::pat(&server).await;

    rotate(&server).await;
    ada.visit("/account").await;
    let of_ada = shop.refresh(of_ada.refresh()).await.tokens();
    let planned = planned(&server).await;
    let forgotten = forget(&server).await;

    let expected = json!({
        "application_sessions": 0, "client_secrets": ["robot"], "grants": 1, "hook_secrets": 0,
        "invitations": 1, "links": 1, "personal_tokens": 1, "recovery_codes": ["bob"],
        "registration_tokens": 0, "sessions": 1,
    });
    assert_eq!((&planned["ended"], &forgotten["ended"]), (&expected, &expected));
    assert_eq!((generations(&planned), generations(&forgotten)), (vec![2, 1], vec![2]));
    assert!(!ada.visit("/account").await.asks_to_sign_in());
    assert!(bob.visit("/account").await.asks_to_sign_in());
    shop.refresh(of_ada.refresh()).await.tokens();
    let refused = shop.refresh(of_bob.refresh()).await;
    refused.refused(ErrorCode::InvalidGrant, Refusal::RefreshUnknown);
    let refused = robot.ask(&[("grant_type", "client_credentials")]).await;
    refused.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    let refused = by_personal_token(&server, &pat).await;
    assert_eq!(refused.status, 401);
    let mut eve = Browser::new(&server);
    eve.visit("/setup").await;
    let token = eve.open_link(link["setup_url"].as_str().unwrap()).await;
    let described = eve.call("/gate/setup", &json!({ "token": token })).await;
    assert_eq!(described.refusal(), Some(Refusal::SetupTokenUnknown));
    assert!(invited_by(&server, &invited, "carol").await.is_err());
    let listed = server.operate(Method::GET, "/sessions?user=bob", json!({})).await.json();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 0, "its row is gone, too");
    let grants = server.operate(Method::GET, "/grants?user=bob", json!({})).await.json();
    assert_eq!(grants["grants"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn forgetting_is_an_event_with_what_it_ended() {
    let (server, _ada) = Server::with_ada().await;
    rotate(&server).await;

    forget(&server).await;

    let events = server.operate(Method::GET, "/events?kind=key.root_forgotten", json!({})).await;
    let events = events.json();
    let facts: Vec<&Value> =
        events["events"].as_array().unwrap().iter().map(|event| &event["facts"]).collect();
    let expected = [json!({ "generations": "1" }), json!({ "sessions": "1" })];
    assert!(facts.len() == 2 && expected.iter().all(|fact| facts.contains(&fact)), "{facts:?}");
}

/// A client that still has its secret, or got another one, is none without.
#[tokio::test]
async fn a_client_whose_secret_ended_needs_a_new_one_and_gets_it() {
    let (server, _ada) = Server::with_ada().await;
    let robot = RelyingParty::robot(&server).await;
    rotate(&server).await;
    forget(&server).await;
    let without = crate::support::posted(
        &server,
        "/oauth/token",
        None,
        &[("grant_type", "client_credentials"), ("client_id", "robot")],
    );
    without.await.refused(ErrorCode::InvalidClient, Refusal::ClientAuthMissing);

    let given = server.operate(Method::POST, "/clients/robot/secret", json!({})).await.json();

    let secret = given["client_secret"].as_str().unwrap().to_owned();
    let basic = crate::support::basic("robot", &secret);
    let fields = [("grant_type", "client_credentials")];
    crate::support::posted(&server, "/oauth/token", Some(&basic), &fields).await.tokens();
    let refused = robot.ask(&fields).await;
    refused.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
}

#[tokio::test]
async fn a_client_secret_that_was_used_since_goes_on() {
    let (server, _ada) = Server::with_ada().await;
    let robot = RelyingParty::robot(&server).await;
    let fields = [("grant_type", "client_credentials")];
    rotate(&server).await;
    robot.ask(&fields).await.tokens();

    let forgotten = forget(&server).await;

    assert_eq!(forgotten["ended"]["client_secrets"], json!([]));
    robot.ask(&fields).await.tokens();
}

/// The page was never opened since, but an application refreshed in the session.
#[tokio::test]
async fn a_grant_that_was_used_since_goes_on_without_the_cookie_of_its_session() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens_of(&mut ada, "openid").await;
    rotate(&server).await;
    let used = shop.refresh(tokens.refresh()).await.tokens();

    let forgotten = forget(&server).await;

    assert_eq!(
        (&forgotten["ended"]["sessions"], &forgotten["ended"]["grants"]),
        (&1.into(), &0.into())
    );
    shop.refresh(used.refresh()).await.tokens();
    assert!(ada.visit("/account").await.asks_to_sign_in());
}

#[tokio::test]
async fn without_an_earlier_key_nothing_ends() {
    let (server, mut ada) = Server::with_ada().await;

    let forgotten = forget(&server).await;

    assert_eq!(generations(&forgotten), [1]);
    assert_eq!(forgotten["ended"]["sessions"], 0);
    assert!(!ada.visit("/account").await.asks_to_sign_in());
    let events = server.operate(Method::GET, "/events?kind=key.root_forgotten", json!({})).await;
    assert_eq!(events.json()["events"], json!([]));
}

/// Whoever rotates once more before anything is forgotten keeps what was used between.
#[tokio::test]
async fn what_was_used_before_the_last_of_two_rotations_goes_on_until_it_is_forgotten() {
    let (server, mut ada) = Server::with_ada().await;
    rotate(&server).await;
    ada.visit("/account").await;
    rotate(&server).await;

    assert!(!ada.visit("/account").await.asks_to_sign_in());
    let forgotten = forget(&server).await;

    assert_eq!(generations(&forgotten), [3]);
    assert!(!ada.visit("/account").await.asks_to_sign_in());
}
