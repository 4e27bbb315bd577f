//! What a bridge that is signed in may do.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::model::bridge::HostId;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use super::{access, send};
use crate::support::{Response, Server};

async fn put(server: &Server, token: &str, path: &str, body: Value) -> Response {
    let headers = [("x-api-key", token)];
    send(server, Method::POST, &format!("/v1/bridge/{path}"), &headers, &body).await
}

async fn signed_in() -> (Server, String) {
    let (server, _ada) = Server::with_ada().await;
    let access = access(&server, "s-1").await;
    (server, access["token"].as_str().unwrap().to_owned())
}

fn beat(session: &str) -> Value {
    json!({
        "session_id": session,
        "bridge_version": "1.2.3",
        "os": "linux",
        "hostname": "desk",
        "last_activity_at": "2026-01-01T00:00:00Z",
        "forwarded_total": 7,
        "tokens_in_total": 8,
        "tokens_out_total": 9,
    })
}

#[tokio::test]
async fn a_bridge_learns_whom_it_acts_for_by_either_header() {
    let (server, token) = signed_in().await;
    let user = server.operate(Method::GET, "/users/ada", json!({})).await.json()["id"].clone();
    let bearer = format!("Bearer {token}");

    for headers in [
        &[("authorization", bearer.as_str())][..],
        &[("x-api-key", token.as_str())],
        &[("authorization", bearer.as_str()), ("x-api-key", token.as_str())],
    ] {
        let response = send(&server, Method::GET, "/v1/bridge/whoami", headers, &json!({})).await;

        assert_eq!(
            response.json(),
            json!({
                "user_id": user, "email": "", "display_name": "ada", "roles": ["admin", "user"],
            })
        );
    }
    let vouched = json!({ "email": "ada@id.example", "email_verified": true });
    let denied = json!({ "email_verified": false });
    for (change, email) in [(vouched, "ada@id.example"), (denied, "")] {
        server.operate(Method::PATCH, "/users/ada", change).await;
        let headers = [("x-api-key", token.as_str())];
        let response = send(&server, Method::GET, "/v1/bridge/whoami", &headers, &json!({})).await;
        assert_eq!(response.json()["email"], email);
    }
    let headers = [("authorization", bearer.as_str()), ("x-api-key", "another")];
    let two = send(&server, Method::GET, "/v1/bridge/whoami", &headers, &json!({})).await;
    two.refused(ErrorCode::InvalidRequest, Refusal::BearerTokenRepeated);
    let none = send(&server, Method::GET, "/v1/bridge/whoami", &[], &json!({})).await;
    none.refused(ErrorCode::InvalidToken, Refusal::BearerTokenMissing);
}

#[tokio::test]
async fn a_heartbeat_shows_a_bridge_to_its_operator() {
    let (server, token) = signed_in().await;

    let response = put(&server, &token, "heartbeat", beat("s-1")).await;

    let known = json!({ "min_bridge_version": null, "compatible": true, "window_status": null });
    assert_eq!((response.status.as_u16(), response.json()), (200, known));
    let list = async || {
        let listed = server.operate(Method::GET, "/bridge", json!({})).await.json();
        listed["bridges"][0].clone()
    };
    let ada = server.operate(Method::GET, "/users/ada", json!({})).await.json();
    assert_eq!(
        list().await,
        json!({
            "session_id": "s-1", "user_id": ada["id"], "username": "ada", "active": true, "hostname": "desk",
            "bridge_version": "1.2.3", "os": "linux",
            "first_seen": "2026-01-01T00:00:00Z", "last_seen": "2026-01-01T00:00:00Z", "hosts": [],
            "last_activity_at": "2026-01-01T00:00:00Z",
            "forwarded_total": 7, "tokens_in_total": 8, "tokens_out_total": 9,
        })
    );
    server.advance(Duration::from_secs(100));
    put(&server, &token, "heartbeat", beat("s-1")).await;
    server.advance(Duration::from_secs(120));
    assert_eq!(list().await["active"], true);
    assert_eq!(list().await["first_seen"], "2026-01-01T00:00:00Z");
    server.advance(Duration::from_secs(1));
    assert_eq!(list().await["active"], false);
}

#[tokio::test]
async fn a_heartbeat_speaks_for_a_session_of_its_own_person() {
    let (server, token) = signed_in().await;
    server.person("bob").await;
    let asked = json!({ "username": "bob" });
    let bobs = server.operate(Method::POST, "/bridge/tokens", asked).await.json();

    let bobs = bobs["session_id"].as_str().unwrap();
    let response = put(&server, &token, "heartbeat", beat(bobs)).await;

    response.refused(ErrorCode::BridgeForbidden, Refusal::BridgeSessionOfAnother);
    server.operate(Method::DELETE, &format!("/sessions/{bobs}"), json!({})).await;
    let response = put(&server, &token, "heartbeat", beat(bobs)).await;
    response.refused(ErrorCode::BridgeForbidden, Refusal::BridgeSessionOfAnother);
    let mut least = beat("s-1");
    least.as_object_mut().unwrap().remove("last_activity_at");
    assert_eq!(put(&server, &token, "heartbeat", least).await.status, 200);
    let mut more = beat("s-1");
    more["next_year"] = json!({ "s": [1] });
    assert_eq!(put(&server, &token, "heartbeat", more).await.status, 200);
    for missing in ["session_id", "bridge_version", "os", "hostname", "forwarded_total"] {
        let mut body = beat("s-1");
        body.as_object_mut().unwrap().remove(missing);
        let response = put(&server, &token, "heartbeat", body).await;
        response.refused(ErrorCode::InvalidRequest, Refusal::BodyMalformed);
    }
    for moment in ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00+1:00"] {
        let mut body = beat("s-1");
        body["last_activity_at"] = json!(moment);
        let response = put(&server, &token, "heartbeat", body).await;
        response.refused(
            ErrorCode::InvalidRequest,
            Refusal::MemberMalformed(
                "last_activity_at",
                "a date-time of RFC 3339 in UTC is expected",
            ),
        );
    }
    for moment in ["2026-01-01T00:00:00.123456Z", "2026-01-01t00:00:00-00:00"] {
        let mut body = beat("s-1");
        body["last_activity_at"] = json!(moment);
        assert_eq!(put(&server, &token, "heartbeat", body).await.status, 200, "{moment}");
    }
    let mut wrong = beat("a b");
    let response = put(&server, &token, "heartbeat", wrong.clone()).await;
    response.refused(ErrorCode::InvalidRequest, Refusal::BridgeSessionMalformed);
    wrong = beat("s-1");
    wrong["hostname"] = json!("x".repeat(257));
    let response = put(&server, &token, "heartbeat", wrong).await;
    response.refused(
        ErrorCode::InvalidRequest,
        Refusal::MemberMalformed("hostname", "it is too long or has control characters"),
    );
}

#[tokio::test]
async fn hosts_are_wanted_or_not_as_far_as_they_are_known() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.bridge.hosts = vec!["my-agent".parse().unwrap()];
        config.bridge.hosts_off = vec!["cowork".parse().unwrap()];
    });
    let server = server.await;
    let _ada = server.first_administrator().await;
    let token = access(&server, "s-1").await["token"].as_str().unwrap().to_owned();
    let switch = async |host: &str, enabled: bool| {
        let body = json!({ "host_id": host, "enabled": enabled });
        put(&server, &token, "profile/enabled_hosts", body).await
    };

    for host in [
        "claude-code",
        "claude-desktop",
        "codex",
        "codex-cli",
        "opencode",
        "opencode-cli",
        "hermes",
        "my-agent",
    ] {
        for enabled in [false, true] {
            let expected = json!({ "host_id": host, "enabled": enabled });
            assert_eq!(switch(host, enabled).await.json(), expected);
        }
    }
    let unknown = switch("emacs", false).await;
    let off = switch("cowork", true).await;

    unknown.refused(ErrorCode::InvalidRequest, Refusal::HostIdUnknown);
    off.refused(ErrorCode::HostSwitchedOff, Refusal::HostSwitchedOff);
    assert_eq!((unknown.status.as_u16(), off.status.as_u16()), (400, 422));
    assert_eq!(switch("cowork", false).await.status, 200);
}

#[tokio::test]
async fn the_last_host_stays_on() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.bridge.hosts_off = vec!["cowork".parse().unwrap()];
    });
    let server = server.await;
    let _ada = server.first_administrator().await;
    let token = access(&server, "s-1").await["token"].as_str().unwrap().to_owned();
    let switch = async |host: &str, enabled: bool| {
        let body = json!({ "host_id": host, "enabled": enabled });
        put(&server, &token, "profile/enabled_hosts", body).await
    };
    let others = HostId::KNOWN.iter().filter(|host| !["cowork", "hermes"].contains(host));
    for host in others {
        assert_eq!(switch(host, false).await.status, 200, "{host}");
    }

    let last = switch("hermes", false).await;

    last.refused(ErrorCode::Conflict, Refusal::HostIsLast);
    // What is off already may be switched off again.
    for host in ["cowork", "codex"] {
        assert_eq!(switch(host, false).await.status, 200, "{host}");
    }
    assert_eq!(switch("codex", true).await.status, 200);
    assert_eq!(switch("hermes", false).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_are_switched_off_at_once_one_stays_on() {
    let (server, token) = signed_in().await;

    let mut all = tokio::task::JoinSet::new();
    for host in HostId::KNOWN {
        let (server, token) = (server.clone(), token.clone());
        all.spawn(async move {
            let body = json!({ "host_id": host, "enabled": false });
            put(&server, &token, "profile/enabled_hosts", body).await.status.as_u16()
        });
    }
    let mut statuses = all.join_all().await;
    statuses.sort_unstable();

    assert_eq!(statuses, [&[200; 7][..], &[409]].concat());
}

#[tokio::test]
async fn what_a_person_prefers_is_shown_to_the_operator_and_to_them() {
    let (server, mut ada) = Server::with_ada().await;
    let token = access(&server, "s-1").await["token"].as_str().unwrap().to_owned();
    put(&server, &token, "heartbeat", beat("s-1")).await;
    assert!(!ada.visit("/account").await.text().contains("Your hosts of agents"));

    let off = json!({ "host_id": "codex", "enabled": false });
    put(&server, &token, "profile/enabled_hosts", off).await;
    let filter = json!({ "host_id": "hermes", "model_protocols": ["claude", "gemini"] });
    put(&server, &token, "profile/host-model-filter", filter).await;

    let listed = server.operate(Method::GET, "/bridge", json!({})).await.json();
    assert_eq!(
        listed["bridges"][0]["hosts"],
        json!([
            { "host_id": "codex", "enabled": false, "model_protocols": null },
            { "host_id": "hermes", "enabled": null, "model_protocols": ["claude", "gemini"] },
        ])
    );
    let page = ada.visit("/account").await;
    assert!(page.text().contains("<bdi>codex</bdi></strong>\n<span class=\"tag\">Off</span>"));
    assert!(
        page.text().contains("<p>Models by <bdi>claude, gemini</bdi> alone</p>"),
        "{}",
        page.text()
    );
    let mut bob = server.person("bob").await;
    assert!(!bob.visit("/account").await.text().contains("Your hosts of agents"));
}

#[tokio::test]
async fn models_are_held_to_protocols_that_are_known() {
    let (server, token) = signed_in().await;
    let filter = async |body: Value| put(&server, &token, "profile/host-model-filter", body).await;

    let all = json!(["anthropic", "claude", "openai", "gemini", "backend"]);
    for protocols in [all, json!([]), json!(null)] {
        let body = json!({ "host_id": "claude-code", "model_protocols": protocols });
        assert_eq!(filter(body.clone()).await.json(), body);
    }
    let unknown = json!({ "host_id": "claude-code", "model_protocols": ["smtp"] });
    filter(unknown).await.refused(ErrorCode::InvalidRequest, Refusal::ModelProtocolUnknown);
    let nobody = json!({ "host_id": "emacs", "model_protocols": null });
    filter(nobody).await.refused(ErrorCode::InvalidRequest, Refusal::HostIdUnknown);
    let missing = json!({ "host_id": "claude-code" });
    filter(missing).await.refused(ErrorCode::InvalidRequest, Refusal::BodyMalformed);
}

#[tokio::test]
async fn a_bridge_asks_what_there_is_before_it_signs_in() {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.bridge.modes = vec![gatelodge::model::bridge::Mode::Session];
    });
    let (limited, server) = (server.await, Server::new().await);

    let modes = server.get("/v1/auth/bridge/capabilities").await.json();
    let health = server.get("/health").await;
    let key = server.get("/v1/bridge/pubkey").await.json();

    assert_eq!(modes, json!({ "modes": ["pat", "session", "session-pat", "oauth-client"] }));
    assert_eq!((health.status.as_u16(), health.json()), (200, json!({ "status": "ok" })));
    assert_eq!(key["pubkey"].as_str().unwrap().len(), 44);
    assert_eq!(server.get("/v1/bridge/pubkey").await.json(), key);
    let modes = limited.get("/v1/auth/bridge/capabilities").await.json();
    assert_eq!(modes, json!({ "modes": ["session"] }));
    let off = super::post(&limited, "/v1/auth/bridge/session-pat", &json!({ "code": "x" })).await;
    off.refused(ErrorCode::NotFound, Refusal::BridgeModeOff);
}

#[tokio::test]
async fn a_bridge_whose_session_ended_is_active_no_more_and_speaks_for_nobody() {
    let (server, token) = signed_in().await;
    let other = access(&server, "s-2").await["token"].as_str().unwrap().to_owned();
    put(&server, &token, "heartbeat", beat("s-1")).await;

    server.operate(Method::DELETE, "/sessions/s-1", json!({})).await;

    let listed = async || {
        let listed = server.operate(Method::GET, "/bridge", json!({})).await.json();
        let of = |bridge: &Value| (bridge["session_id"].clone(), bridge["active"].clone());
        listed["bridges"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [(json!("s-1"), json!(false))]);
    let response = put(&server, &token, "heartbeat", beat("s-1")).await;
    response.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
    assert_eq!(put(&server, &other, "heartbeat", beat("unknown")).await.status, 200);
    assert!(listed().await.contains(&(json!("s-2"), json!(true))), "{:?}", listed().await);
}

/// A bridge names the session with which it began, and its session is another one after a weekend.
#[tokio::test]
async fn a_bridge_that_names_a_session_of_last_week_is_listed_under_that_of_its_token() {
    let (server, _) = signed_in().await;
    server.advance(Duration::from_hours(60));
    let later = access(&server, "s-2").await["token"].as_str().unwrap().to_owned();

    let response = put(&server, &later, "heartbeat", beat("s-1")).await;

    assert_eq!(response.status, 200);
    let listed = server.operate(Method::GET, "/bridge", json!({})).await.json();
    let listed = &listed["bridges"][0];
    assert_eq!((&listed["session_id"], &listed["active"]), (&json!("s-2"), &json!(true)));
    assert_eq!(listed["last_seen"], "2026-01-03T12:00:00Z");
}

#[tokio::test]
async fn a_heartbeat_is_a_sign_of_life_of_its_session() {
    let (server, token) = signed_in().await;
    server.advance(Duration::from_mins(30));

    put(&server, &token, "heartbeat", beat("s-1")).await;

    let listed = server.operate(Method::GET, "/sessions?user=ada", json!({})).await.json();
    let own = listed["sessions"].as_array().unwrap().iter().find(|own| own["id"] == "s-1");
    assert_eq!(own.unwrap()["seen"], "2026-01-01T00:30:00Z");
    assert_eq!(own.unwrap()["expires"], "2026-01-02T00:30:00Z");
}
