//! Signing keys: published before they sign, and after, for as long as it takes.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

use axum::http::Method;
use futures_util::FutureExt as _;
use gatelodge::config::Config;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::installation::sweep;
use gatelodge::oauth::client::SigningAlg;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::oauth::params::form_encode;
use gatelodge::store::View as _;
use gatelodge::store::schema::SigningKeyRow;
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::bridge;
use crate::support::{BEGINNING, RelyingParty, Server, decoded};

const DAY: Duration = Duration::from_hours(24);

async fn published(server: &Server) -> BTreeSet<String> {
    let keys = server.get("/.well-known/jwks.json").await.json();
    let kid = |key: &serde_json::Value| key["kid"].as_str().unwrap().to_owned();
    keys["keys"].as_array().unwrap().iter().map(kid).collect()
}

/// The key that signs access tokens now.
async fn signing(robot: &RelyingParty) -> String {
    let tokens = robot.ask(&[("grant_type", "client_credentials")]).await.tokens();
    decoded(&tokens.access).0["kid"].as_str().unwrap().to_owned()
}

/// Lets time pass with what the server does meanwhile.
async fn pass(server: &Server, time: Duration) {
    server.advance(time);
    server.app.write(sweep::run).await.unwrap();
    server.app.rotate_keys().await.unwrap();
}

#[tokio::test]
async fn a_new_key_is_published_a_day_ahead_and_the_old_one_stays_as_long_as_its_tokens() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    let (first, before) = (signing(&robot).await, published(&server).await);

    server.app.rotate_keys().await.unwrap();
    assert_eq!(published(&server).await, before, "no key is due");

    server.advance(DAY * 89);
    server.app.rotate_keys().await.unwrap();
    let both = published(&server).await;
    assert_eq!((both.len(), signing(&robot).await), (6, first.clone()));

    server.advance(DAY);
    let second = signing(&robot).await;
    assert_ne!(second, first);
    assert_eq!(published(&server).await, both);

    server.advance(DAY - Duration::from_secs(1));
    assert_eq!(published(&server).await, both);

    server.advance(Duration::from_secs(1));
    let after = published(&server).await;
    assert!(after.is_disjoint(&before) && after.contains(&second));
}

/// A client may have longer tokens than the others, up to a day.
#[tokio::test]
async fn a_key_stays_until_the_longest_token_that_it_signed_has_expired() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    server
        .change_client("robot", |robot| {
            robot.decisions_mut().access_token_lifetime = Some(24 * 60 * 60);
        })
        .await;
    server.advance(DAY * 89);
    server.app.rotate_keys().await.unwrap();
    server.advance(DAY - Duration::from_secs(1));
    let last = robot.ask(&[("grant_type", "client_credentials")]).await.tokens().access;
    let signed_by = decoded(&last).0["kid"].as_str().unwrap().to_owned();

    server.advance(DAY - Duration::from_secs(1));

    assert!(published(&server).await.contains(&signed_by));
    assert_ne!(signing(&robot).await, signed_by);
    assert_eq!(robot.introspect(&last).await.json()["active"], true);
}

/// Whoever came by an old key would sign tokens of any age.
#[tokio::test]
async fn a_key_that_retired_vouches_for_no_access_token() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    let old = server.app.signing_key(SigningAlg::Es256).await.unwrap();
    server.advance(DAY * 89);
    server.app.rotate_keys().await.unwrap();
    let response = robot.ask(&[("grant_type", "client_credentials")]).await;
    let mut claims = decoded(&response.tokens().access).1;
    claims["exp"] = (server.app.clock().now() + DAY * 9).seconds().into();
    let forged = old.sign("at+jwt", &claims).unwrap();

    let before = robot.introspect(&forged).await;
    server.advance(DAY * 2);
    let after = robot.introspect(&forged).await;

    assert_eq!((&before.json()["active"], &after.json()["active"]), (&true.into(), &false.into()));
}

/// A key that leaks after its retirement opens no bridge session, and an inspection says why.
#[tokio::test]
async fn a_retired_key_opens_no_bridge_and_an_inspection_names_its_retirement() {
    let (server, _ada) = Server::with_ada().await;
    let old = server.app.signing_key(SigningAlg::Es256).await.unwrap();
    server.advance(DAY * 89);
    server.app.rotate_keys().await.unwrap();
    server.advance(DAY * 2);
    let current = bridge::access(&server, "s-1").await["token"].as_str().unwrap().to_owned();
    let forged = old.sign("at+jwt", &decoded(&current).1).unwrap();

    let bridge = bridge::whoami(&server, &forged).await;
    let asked = json!({ "token": forged });
    let inspected = server.operate(Method::POST, "/tokens/inspect", asked.clone()).await.json();
    let revoked = server.operate(Method::POST, "/tokens/revoke", asked).await;

    assert_eq!(bridge::whoami(&server, &current).await.status, 200);
    bridge.refused(ErrorCode::InvalidToken, Refusal::BearerTokenKeyRetired);
    assert_eq!(
        (&inspected["active"], &inspected["refusal"]),
        (&json!(false), &json!("BearerTokenKeyRetired"))
    );
    let reason = inspected["reason"].as_str().unwrap();
    assert!(reason.starts_with("signed by a key retired on "), "{reason}");
    assert_eq!(revoked.status, 401, "such a token is worth nothing already");
}

#[tokio::test]
async fn a_token_of_an_old_key_is_accepted_and_an_old_hint_recognised() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    server.advance(DAY * 89);
    server.app.rotate_keys().await.unwrap();
    server.advance(DAY - Duration::from_mins(1));
    ada.sign_in().await;
    let tokens = shop.tokens(&mut ada).await;

    server.advance(Duration::from_mins(2));

    let hinted = [("prompt", "none"), ("id_token_hint", tokens.id())];
    assert_eq!(shop.userinfo(&tokens.access).await.status, 200);
    assert!(ada.visit(&shop.request(&hinted)).await.brought().contains_key("code"));
    assert_ne!(
        signing(&RelyingParty::robot(&server).await).await,
        decoded(&tokens.access).0["kid"]
    );
}

/// RP-Initiated Logout §2: "The OP SHOULD accept ID Tokens when the RP [...] had a recent session".
#[tokio::test]
async fn a_hint_is_recognised_as_long_as_a_session_lasts_and_no_longer() {
    let rotation = |config: &mut Config| config.lifetimes.key_rotation = DAY * 10;
    let server = Server::with(Issuer::localhost(7455), rotation).await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let signed_by = decoded(tokens.id()).0["kid"].as_str().unwrap().to_owned();
    let hint = ("id_token_hint", tokens.id());
    let silent = shop.request(&[("prompt", "none"), hint]);
    let home = ("post_logout_redirect_uri", "https://shop.example/bye");
    let logout = format!("/oauth/logout?{}", form_encode([hint, home]));
    for _ in 0..5 {
        pass(&server, DAY * 5).await;
        ada.visit("/account").await;
    }

    assert!(!published(&server).await.contains(&signed_by));
    assert!(ada.visit(&silent).await.brought().contains_key("code"));
    assert_eq!(ada.visit(&logout).await.location(), "https://shop.example/bye");

    pass(&server, DAY * 10).await;
    pass(&server, DAY * 10).await;
    let response = ada.visit(&silent).await;
    response.refused(ErrorCode::InvalidRequest, Refusal::IdTokenHintMalformed);
}

/// RFC 8725 §3.1: the algorithm is that of the key, whatever the header says.
#[tokio::test]
async fn a_token_cannot_choose_its_algorithm_or_key() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let (kid, rest) =
        (decoded(&tokens.access).0["kid"].clone(), tokens.access.split_once('.').unwrap().1);
    let (claims, signature) = rest.split_once('.').unwrap();

    for (alg, kid, signature) in [
        ("none", &kid, ""),
        ("HS256", &kid, signature),
        ("RS256", &kid, signature),
        ("ES256", &serde_json::json!("other"), signature),
        ("ES256", &serde_json::json!(null), signature),
    ] {
        let header = serde_json::json!({ "typ": "at+jwt", "alg": alg, "kid": kid });
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let response = shop.userinfo(&format!("{header}.{claims}.{signature}")).await;

        assert_eq!(
            (response.status.as_u16(), &response.json()["error"]),
            (401, &"invalid_token".into()),
            "{alg}"
        );
    }
    let id_token = shop.userinfo(tokens.id()).await;
    assert_eq!(id_token.status, 401, "an ID token is no access token");
}

/// What an operator's rotation does, with these options, to the keys of one algorithm.
async fn rotated(server: &Server, options: Value) -> Value {
    let mut request = json!({ "algorithms": ["ES256"] });
    request.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let response = server.operate(Method::POST, "/keys/rotate", request).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()["rotated"][0].clone()
}

/// The state of each key of access tokens, the newest first.
async fn states(server: &Server) -> Vec<(String, String)> {
    let listed = server.operate(Method::GET, "/keys", json!({})).await.json();
    let keys = listed["keys"].as_array().unwrap().iter().filter(|key| key["algorithm"] == "ES256");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    keys.map(|key| (text(&key["kid"]), text(&key["state"]))).collect()
}

#[tokio::test]
async fn a_key_of_an_operator_is_published_at_once_and_signs_after_the_overlap() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    let first = signing(&robot).await;

    let new = rotated(&server, json!({})).await;
    let kid = new["kid"].as_str().unwrap().to_owned();

    assert_eq!((&new["made"], &new["revoked"]), (&json!(true), &json!([])));
    assert_eq!((published(&server).await.len(), signing(&robot).await), (4, first.clone()));
    let waiting = [(kid.clone(), "published".to_owned()), (first.clone(), "signing".to_owned())];
    assert_eq!(states(&server).await, waiting);
    pass(&server, DAY).await;
    assert_eq!(signing(&robot).await, kid);
    assert_eq!(states(&server).await[1], (first.clone(), "retiring".to_owned()));
    pass(&server, DAY).await;
    assert_eq!(states(&server).await[1], (first.clone(), "retired".to_owned()));
    assert!(!published(&server).await.contains(&first));
    pass(&server, DAY * 365).await;
    assert!(!states(&server).await.iter().any(|(kid, _)| *kid == first), "it is removed");
}

#[tokio::test]
async fn the_schedule_counts_from_the_key_of_an_operator() {
    let server = Server::new().await;
    server.advance(DAY * 88);
    rotated(&server, json!({})).await;

    pass(&server, DAY * 2).await;
    assert_eq!(states(&server).await.len(), 2, "the other algorithms alone are due");
    assert_eq!(published(&server).await.len(), 3 + 2);
    pass(&server, DAY * 88).await;
    assert_eq!(states(&server).await[0].1, "published");
}

#[tokio::test]
async fn a_key_that_signs_now_leaves_the_tokens_of_the_old_one_valid() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    let old = robot.ask(&[("grant_type", "client_credentials")]).await.tokens().access;

    let new = rotated(&server, json!({ "now": true })).await;

    assert_eq!(signing(&robot).await, new["kid"].as_str().unwrap());
    assert_eq!(published(&server).await.len(), 4);
    assert_eq!(robot.introspect(&old).await.json()["active"], true);
}

#[tokio::test]
async fn a_key_that_waits_is_taken_and_signs_when_it_is_wanted() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    let first = rotated(&server, json!({})).await;

    let second = rotated(&server, json!({})).await;
    let third = rotated(&server, json!({ "now": true })).await;

    assert_eq!((&second["kid"], &second["made"]), (&first["kid"], &json!(false)));
    assert_eq!(second["signs_from"], first["signs_from"]);
    assert_eq!((&third["kid"], &third["made"]), (&first["kid"], &json!(false)));
    assert_eq!(signing(&robot).await, first["kid"].as_str().unwrap());
    server.advance(DAY);
    assert_eq!(published(&server).await.len(), 3, "the old one retires a day after it signed");
}

/// Whoever has a leaked key signs anything, ID tokens that serve as hints included.
#[tokio::test]
async fn a_revoked_key_vouches_for_nothing_and_sessions_and_refresh_tokens_go_on() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    rotated(&server, json!({})).await;
    let hinted = shop.request(&[("prompt", "none"), ("id_token_hint", tokens.id())]);
    let before = states(&server).await;

    let options = json!({ "algorithms": [], "now": true, "revoke": true });
    let response = server.operate(Method::POST, "/keys/rotate", options).await.json();

    let revoked = |n: usize| response["rotated"][n]["revoked"].as_array().unwrap().len();
    assert_eq!((0..3).map(revoked).sum::<usize>(), 4, "the one that waited, too: {response}");
    let after = states(&server).await;
    assert_eq!((after.len(), after[0].1.as_str()), (1, "signing"));
    assert!(!before.contains(&after[0]));
    assert_eq!(published(&server).await.len(), 3);
    assert_eq!(shop.userinfo(&tokens.access).await.status, 401);
    assert_eq!(shop.introspect(&tokens.access).await.json()["active"], false);
    let hint = ada.visit(&hinted).await;
    hint.refused(ErrorCode::InvalidRequest, Refusal::IdTokenHintMalformed);
    let refreshed = shop.refresh(tokens.refresh()).await.tokens();
    assert_eq!(shop.userinfo(&refreshed.access).await.status, 200);
    assert_eq!(ada.visit("/gate/account").await.status, 200);
}

#[tokio::test]
async fn a_revoked_key_stays_away_wherever_the_clock_goes_and_after_a_restart() {
    let (server, disk) = Server::with_counted_syncs().await;
    let new = rotated(&server, json!({ "now": true, "revoke": true })).await;
    let kid = new["kid"].as_str().unwrap().to_owned();

    server.app.clock().set(BEGINNING - Duration::from_hours(1));
    let back = states(&server).await;
    let restarted = server.restored_from(&disk.copy(), 9);

    assert_eq!(back, [(kid, "signing".to_owned())]);
    assert_eq!(states(&restarted).await, back);
    assert_eq!(published(&restarted).await, published(&server).await);
}

#[tokio::test]
async fn rotations_at_once_make_one_key_and_the_ring_is_that_of_the_store() {
    let server = Server::new().await;
    server.advance(DAY * 89);

    let (one, two, scheduled, now) = tokio::join!(
        rotated(&server, json!({})),
        rotated(&server, json!({})),
        server.app.rotate_keys(),
        rotated(&server, json!({ "now": true })),
    );

    scheduled.unwrap();
    assert_eq!([&one["kid"], &two["kid"]], [&now["kid"]; 2]);
    let stored = server.app.read().unwrap().list::<SigningKeyRow>(100).unwrap();
    assert_eq!(stored.len(), 6, "the schedule made no further key of this algorithm");
    let ring: BTreeSet<_> = published(&server).await;
    assert_eq!(ring, stored.iter().map(|(id, _)| id.as_str().to_owned()).collect());
}

/// The rotation is durable before its answer, so it has to be in force even if nobody waits for that.
#[tokio::test]
async fn a_revocation_is_in_force_although_its_operator_went_away() {
    let server = Server::new().await;
    let before = states(&server).await;
    let options = json!({ "now": true, "revoke": true });

    let mut request = Box::pin(rotated(&server, options));
    assert!(futures_util::poll!(&mut request).is_pending());
    drop(request);
    tokio::task::yield_now().await;
    // It waits until the rotation is over.
    server.app.rotate_keys().await.unwrap();

    let after = states(&server).await;
    assert_eq!((after.len(), after[0].0 == before[0].0), (1, false));
}

#[tokio::test]
async fn a_rotation_that_cannot_be_stored_changes_nothing() {
    let (server, disk) = Server::with_counted_syncs().await;
    let before = (states(&server).await, published(&server).await);
    disk.fail(true);

    let options = json!({ "now": true, "revoke": true });
    let refused = server.operate(Method::POST, "/keys/rotate", options).await;

    refused.refused(ErrorCode::TemporarilyUnavailable, Refusal::StoreUnwritable);
    assert_eq!((states(&server).await, published(&server).await), before);
}

#[tokio::test]
async fn all_algorithms_are_rotated_or_none_and_a_wrong_name_is_refused() {
    let server = Server::new().await;
    let before = published(&server).await;

    let wrong = json!({ "algorithms": ["ES256", "none"] });
    let wrong = server.operate(Method::POST, "/keys/rotate", wrong).await;
    let later = server.operate(Method::POST, "/keys/rotate", json!({ "revoke": true })).await;

    for response in [wrong, later] {
        assert_eq!(response.status, 400, "{}", response.text());
    }
    assert_eq!(published(&server).await, before);
    let all = server.operate(Method::POST, "/keys/rotate", json!({ "now": true })).await.json();
    assert_eq!(all["rotated"].as_array().unwrap().len(), 3);
    assert_eq!(published(&server).await.len(), 6);
}

/// It takes the time of a dozen requests, which are not to wait for it.
#[test]
fn a_signature_by_rsa_is_made_on_another_thread() {
    let one_more = Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
    one_more.unwrap().block_on(async {
        let server = Server::new().await;
        let (free, until_free) = mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || until_free.recv());
        let claims = json!({ "sub": "ada" });

        let es256 = server.app.sign(SigningAlg::Es256, "JWT", &claims).now_or_never();
        let es256 = es256.expect("it waits for no other thread").unwrap();
        let mut rs256 = Box::pin(server.app.sign(SigningAlg::Rs256, "JWT", &claims));
        assert!(rs256.as_mut().now_or_never().is_none());
        free.send(()).unwrap();
        busy.await.unwrap().unwrap();

        assert_eq!(decoded(&es256).1, claims);
        assert_eq!(decoded(&rs256.await.unwrap()).1, claims);
    });
}
