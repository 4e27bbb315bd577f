//! `/v1/auth/bridge/session` and the tokens that come of it.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::installation::sweep;
use gatelodge::oauth::jwt::Compact;
use gatelodge::store::View as _;
use gatelodge::store::schema::EndedBridge;
use serde_json::{Value, json};

use super::{access, code, post, send, whoami};
use crate::support::{RelyingParty, Server};

const SESSION: &str = "/v1/auth/bridge/session";

fn claims(access: &Value) -> Value {
    Compact::parse(access["token"].as_str().unwrap()).unwrap().claims().unwrap()
}

#[tokio::test]
async fn a_code_brings_a_token_a_session_and_the_headers_to_carry_on() {
    let (server, _ada) = Server::with_ada().await;
    let user = server.operate(Method::GET, "/users/ada", json!({})).await.json()["id"].clone();

    let access = access(&server, " s-1 ").await;

    assert_eq!(access["ttl"], 3600);
    let headers = access["headers"].as_object().unwrap();
    let trace = headers["x-trace-id"].as_str().unwrap();
    assert_eq!(trace.len(), 36);
    assert_eq!(
        access["headers"],
        json!({
            "x-user-id": user,
            "x-session-id": "s-1",
            "x-trace-id": trace,
            "x-client-id": "sp_bridge",
            "x-policy-version": "unversioned",
            "x-call-source": "bridge",
        })
    );
    let claims = claims(&access);
    assert_eq!(claims["aud"], json!(["bridge", "mcp"]));
    assert_eq!((&claims["client_id"], &claims["sid"]), (&json!("sp_bridge"), &json!("s-1")));
    assert_eq!((&claims["sub"], &claims["roles"]), (&user, &json!(["admin", "user"])));
    assert_eq!(claims["scope"], "email groups offline_access openid profile roles");
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
    assert_eq!(whoami(&server, access["token"].as_str().unwrap()).await.status, 200);
}

#[tokio::test]
async fn a_missing_code_is_told_apart_from_one_that_opens_nothing() {
    let (server, _ada) = Server::with_ada().await;
    for body in [json!({}), json!({ "code": "" }), json!({ "code": null })] {
        let response = post(&server, SESSION, &body).await;

        response.refused(ErrorCode::ExchangeCodeMissing, Refusal::ExchangeCodeMissing);
        assert_eq!(
            (response.status.as_u16(), &response.json()["error_description"]),
            (400, &json!("missing exchange code"))
        );
    }
    let spent = code(&server).await;
    let expired = code(&server).await;
    post(&server, SESSION, &json!({ "code": spent })).await;
    server.advance(Duration::from_secs(599));
    let late = code(&server).await;
    assert_eq!(post(&server, SESSION, &json!({ "code": late })).await.status, 200);
    server.advance(Duration::from_secs(1));
    for (code, refusal) in [
        (spent.as_str(), Refusal::ExchangeCodeSpent),
        (expired.as_str(), Refusal::ExchangeCodeExpired),
        (&"0".repeat(64), Refusal::ExchangeCodeUnknown),
        ("nonsense", Refusal::ExchangeCodeUnknown),
    ] {
        let response = post(&server, SESSION, &json!({ "code": code })).await;

        assert_eq!(response.status, 401);
        response.refused(ErrorCode::ExchangeCodeInvalid, refusal);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_exchanges_of_one_code_one_wins() {
    let (server, _ada) = Server::with_ada().await;
    let body = json!({ "code": code(&server).await });

    let mut all = tokio::task::JoinSet::new();
    for turn in 0..32 {
        let (server, body) = (server.clone(), body.clone());
        let path = if turn % 2 == 0 { SESSION } else { "/v1/auth/bridge/session-pat" };
        all.spawn(async move { post(&server, path, &body).await.status.as_u16() });
    }
    let mut statuses = all.join_all().await;
    statuses.sort_unstable();

    assert_eq!(statuses, [&[200][..], &[401; 31]].concat());
}

#[tokio::test]
async fn a_session_is_continued_by_its_own_person_alone_and_does_not_come_back() {
    let (server, _ada) = Server::with_ada().await;
    server.person("bob").await;
    let first = access(&server, "mine").await;
    let again = access(&server, "mine").await;
    assert_eq!(
        (&first["headers"]["x-session-id"], &again["headers"]["x-session-id"]),
        (&json!("mine"), &json!("mine"))
    );

    let asked = json!({ "username": "bob" });
    let bobs = server.operate(Method::POST, "/bridge/codes", asked).await.json()["code"].clone();
    let headers = [("x-session-id", "mine")];
    let body = json!({ "code": bobs });
    let bob = send(&server, Method::POST, SESSION, &headers, &body).await.json();
    let drawn = bob["headers"]["x-session-id"].as_str().unwrap();

    assert_ne!(drawn, "mine");
    server.operate(Method::DELETE, "/sessions/mine", json!({})).await;
    whoami(&server, again["token"].as_str().unwrap())
        .await
        .refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
    assert_ne!(access(&server, "mine").await["headers"]["x-session-id"], "mine");
    // An id that this server drew is nobody's to bring, unless it lives.
    server.operate(Method::DELETE, &format!("/sessions/{drawn}"), json!({})).await;
    server.advance(Duration::from_hours(24 * 31));
    assert_ne!(access(&server, drawn).await["headers"]["x-session-id"], *drawn);
    for wrong in ["a b", "é", &"x".repeat(129), ""] {
        let id = access(&server, wrong).await["headers"]["x-session-id"].clone();
        assert!(id.as_str().unwrap().starts_with("gls-"), "{wrong}");
    }
}

/// Until then a token that names the id could live.
#[tokio::test]
async fn a_chosen_id_comes_back_after_the_longest_life_of_a_session_and_no_sooner() {
    let (server, _ada) = Server::with_ada().await;
    let sweep = async || while server.app.write(sweep::run).await.unwrap().more {};
    let remembered = || server.app.read().unwrap().count::<EndedBridge>(9).unwrap();
    access(&server, "mine").await;
    server.operate(Method::DELETE, "/sessions/mine", json!({})).await;
    server.advance(Duration::from_hours(24));
    sweep().await;
    assert_eq!(remembered(), 1);

    server.advance(Duration::from_hours(24 * 30) - Duration::from_millis(1));
    assert_ne!(access(&server, "mine").await["headers"]["x-session-id"], "mine");
    server.advance(Duration::from_millis(1));
    assert_eq!(access(&server, "mine").await["headers"]["x-session-id"], "mine");

    sweep().await;
    assert_eq!(remembered(), 0);
}

#[tokio::test]
async fn a_person_who_is_switched_off_has_no_bridge_any_more() {
    let (server, _ada) = Server::with_ada().await;
    server.person("bob").await;
    server.operate(Method::PATCH, "/users/bob", json!({ "roles": ["admin"] })).await;
    let access = access(&server, "s-1").await;
    let (token, waiting) = (access["token"].as_str().unwrap(), code(&server).await);
    let pat = super::pat(&server).await;

    server.operate(Method::PATCH, "/users/ada", json!({ "disabled": true })).await;

    let dead = async || {
        let response = whoami(&server, token).await;
        response.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
        let response = post(&server, SESSION, &json!({ "code": waiting })).await;
        response.refused(ErrorCode::ExchangeCodeInvalid, Refusal::ExchangeCodeExpired);
        let bearer = format!("Bearer {pat}");
        let headers = [("authorization", bearer.as_str())];
        let response =
            send(&server, Method::POST, "/v1/auth/bridge/pat", &headers, &json!({})).await;
        response.refused(ErrorCode::InvalidToken, Refusal::PersonalTokenExpired);
    };
    dead().await;
    server.operate(Method::PATCH, "/users/ada", json!({ "disabled": false })).await;
    dead().await;
}

#[tokio::test]
async fn a_bridge_token_opens_nothing_but_the_bridge() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let access = access(&server, "s-1").await;
    let bearer = format!("Bearer {}", access["token"].as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];

    let userinfo = send(&server, Method::GET, "/oauth/userinfo", &headers, &json!({})).await;
    let whoami = whoami(&server, &tokens.access).await;

    userinfo.refused(ErrorCode::InvalidToken, Refusal::BearerTokenForAnotherAudience);
    whoami.refused(ErrorCode::InvalidToken, Refusal::BearerTokenForAnotherAudience);
    // No client can be given the audience of the bridge by asking.
    let refused = shop.authorize(&mut ada, &[("resource", "bridge")]).await;
    assert_eq!(refused.brought()["error"], "invalid_target");
}

#[tokio::test]
async fn a_token_outlives_neither_its_hour_nor_its_session() {
    let (server, _ada) = Server::with_ada().await;
    let access = access(&server, "s-1").await;
    let token = access["token"].as_str().unwrap();

    server.advance(Duration::from_secs(3599));
    assert_eq!(whoami(&server, token).await.status, 200);
    server.advance(Duration::from_secs(1));

    let late = whoami(&server, token).await;
    late.refused(ErrorCode::InvalidToken, Refusal::BearerTokenExpired);
}

#[tokio::test]
async fn an_operator_issues_a_token_on_terms_of_their_own() {
    let (server, _ada) = Server::with_ada().await;
    let asked = json!({ "username": "ada", "client_id": "ci", "source": "pipeline", "ttl": 60 });

    let issued = server.operate(Method::POST, "/bridge/tokens", asked).await.json();

    let claims = claims(&issued);
    assert_eq!((&claims["client_id"], &issued["ttl"]), (&json!("ci"), &json!(60)));
    let token = issued["token"].as_str().unwrap();
    assert_eq!(whoami(&server, token).await.status, 200);
    let listed = server.operate(Method::GET, "/sessions?user=ada", json!({})).await.json();
    let mut sources: Vec<_> =
        listed["sessions"].as_array().unwrap().iter().map(|own| own["source"].clone()).collect();
    sources.sort_by_key(ToString::to_string);
    assert_eq!(sources, ["pipeline", "web"]);
    let path = format!("/sessions/{}", issued["session_id"].as_str().unwrap());
    server.operate(Method::DELETE, &path, json!({})).await;
    assert_eq!(whoami(&server, token).await.status, 401);
}

#[tokio::test]
async fn a_bridge_session_has_no_source_of_another_kind() {
    let (server, _ada) = Server::with_ada().await;

    for source in ["web", "anonymous", "a b", ""] {
        let asked = json!({ "username": "ada", "source": source });
        let response = server.operate(Method::POST, "/bridge/tokens", asked).await;
        response.refused(ErrorCode::InvalidRequest, Refusal::MemberMalformed("member", "why"));
    }
}

#[tokio::test]
async fn an_id_that_was_forgotten_does_not_come_back() {
    let (server, _ada) = Server::with_ada().await;
    access(&server, "mine").await;
    server.advance(Duration::from_hours(25));
    server.app.write(gatelodge::flow::installation::sweep::run).await.unwrap();

    let later = access(&server, "mine").await;

    assert_ne!(later["headers"]["x-session-id"], "mine");
    let listed = server.operate(Method::GET, "/sessions?user=ada", json!({})).await.json();
    let bridges = listed["sessions"].as_array().unwrap().iter();
    assert_eq!(bridges.filter(|own| own["source"] == "bridge").count(), 1);
}

#[tokio::test]
async fn a_bridge_takes_no_browsers_name() {
    let (server, _ada) = Server::with_ada().await;
    let listed = server.operate(Method::GET, "/sessions?user=ada", json!({})).await.json();
    let sid = listed["sessions"][0]["id"].as_str().unwrap();

    let access = access(&server, sid).await;

    assert_ne!(access["headers"]["x-session-id"], sid);
}

#[tokio::test]
async fn a_token_lasts_its_hour_however_old_the_session() {
    let (server, _ada) = Server::with_ada().await;
    access(&server, "mine").await;
    for _ in 0..30 {
        server.advance(Duration::from_hours(23));
        access(&server, "mine").await;
    }
    server.advance(Duration::from_mins(29 * 60 + 30));

    let late = access(&server, "mine").await;

    assert_eq!(late["ttl"], 3600);
    assert_ne!(late["headers"]["x-session-id"], "mine");
}

/// A bridge in a loop shuts out neither another device of its person nor the operator.
#[tokio::test]
async fn a_device_comes_sixty_times_a_minute() {
    let (server, _ada) = Server::with_ada().await;
    let login = async |name: &str| {
        let body = json!({ "code": code(&server).await, "device_name": name });
        let made = post(&server, "/v1/auth/bridge/session-pat", &body).await.json();
        made["pat"].as_str().unwrap().to_owned()
    };
    let (loops, other) = (login("loops").await, login("other").await);
    let comes = async |pat: &str| {
        let bearer = format!("Bearer {pat}");
        let headers = [("authorization", bearer.as_str())];
        send(&server, Method::POST, "/v1/auth/bridge/pat", &headers, &json!({})).await
    };
    for _ in 0..60 {
        assert_eq!(comes(&loops).await.status, 200);
    }

    let more = comes(&loops).await;

    more.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    assert_eq!(comes(&other).await.status, 200);
    assert_eq!(access(&server, "by-code").await["ttl"], 3600);
    let asked = json!({ "username": "ada" });
    for _ in 0..61 {
        let operator = server.operate(Method::POST, "/bridge/tokens", asked.clone()).await;
        assert_eq!(operator.status, 201);
    }
    server.advance(Duration::from_mins(1));
    assert_eq!(comes(&loops).await.status, 200);
}
