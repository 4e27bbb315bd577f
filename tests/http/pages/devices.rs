//! What a session tells of its device, to its person and to the operator.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use crate::bridge;
use crate::forward_auth::{self, Visit, WIKI};
use crate::support::{Browser, RelyingParty, Server};

const FIREFOX: &[(&str, &str)] = &[
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"),
    ("accept-language", "de-CH,de;q=0.9"),
];

/// What a newer browser on another machine tells of itself.
const EDGE: &[(&str, &str)] = &[
    ("user-agent", "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0"),
    ("accept-language", "*"),
];

/// An installation whose administrator signed in with Firefox.
async fn with_ada() -> (Server, Browser) {
    let (server, mut ada) = Server::with_ada().await;
    ada.headers = FIREFOX.to_vec();
    ada.sign_in().await;
    (server, ada)
}

/// The sessions that the operator sees, without their ids.
async fn sessions(server: &Server) -> Vec<Value> {
    let told = server.operate(Method::GET, "/sessions", json!({})).await.json();
    told["sessions"].as_array().unwrap().clone()
}

#[track_caller]
fn assert_tells(session: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&session[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_sign_in_tells_of_its_browser() {
    let (server, _ada) = with_ada().await;

    let told = sessions(&server).await;

    assert_tells(
        &told[0],
        &json!({
            "source": "web",
            "address": "127.0.0.1",
            "agent": FIREFOX[0].1,
            "program": "Firefox",
            "system": "Linux",
            "bot": false,
            "locale": "de-CH",
            "created": "2026-01-01T00:00:00Z",
            "seen": "2026-01-01T00:00:00Z",
        }),
    );
}

#[tokio::test]
async fn a_browser_that_tells_nothing_of_itself_is_shown_as_that() {
    let (server, _ada) = Server::with_ada().await;

    let told = sessions(&server).await;

    let nothing =
        json!({ "agent": null, "program": null, "system": null, "bot": false, "locale": null });
    assert_tells(&told[0], &nothing);
}

#[tokio::test]
async fn a_robot_is_shown_as_one_and_its_words_as_so_many() {
    let (server, mut ada) = Server::with_ada().await;
    let long: &'static str = format!("HeadlessChrome/1 {}", "x".repeat(900)).leak();
    ada.headers = vec![("user-agent", long)];

    ada.sign_in().await;

    let told = sessions(&server).await;
    assert_eq!(told[0]["bot"], true);
    assert_eq!(told[0]["agent"].as_str().unwrap().len(), 200);
}

/// The row is written every ten minutes at most, and what it tells with it.
#[tokio::test]
async fn what_is_told_is_as_old_as_the_session_was_seen() {
    let (server, mut ada) = with_ada().await;
    ada.headers = EDGE.to_vec();

    server.advance(Duration::from_secs(599));
    ada.visit("/account").await;
    let before = sessions(&server).await;
    server.advance(Duration::from_secs(1));
    ada.visit("/account").await;
    let after = sessions(&server).await;

    assert_tells(&before[0], &json!({ "program": "Firefox", "seen": "2026-01-01T00:00:00Z" }));
    let told = json!({
        "program": "Edge",
        "system": "Windows",
        "locale": null,
        "created": "2026-01-01T00:00:00Z",
        "seen": "2026-01-01T00:10:00Z",
    });
    assert_tells(&after[0], &told);
}

#[tokio::test]
async fn whatever_uses_a_session_tells_of_its_browser() {
    let (server, mut ada) = with_ada().await;
    let shop = RelyingParty::web(&server).await;

    ada.headers = EDGE.to_vec();
    shop.tokens(&mut ada).await;
    let consented = sessions(&server).await;
    ada.headers = FIREFOX.to_vec();
    let device = RelyingParty::tv(&server).await.device().await;
    let code = device["user_code"].as_str().unwrap();
    let page = ada.visit(&format!("/device?user_code={code}")).await;
    ada.decide_on_device(&page, "allow").await;
    let let_in = sessions(&server).await;
    ada.headers = EDGE.to_vec();
    let page = ada.visit("/bridge/device-link").await;
    ada.decide(&page, "allow").await;
    let linked = sessions(&server).await;

    let programs = [consented, let_in, linked].map(|told| told[0]["program"].clone());
    assert_eq!(programs, ["Edge", "Firefox", "Edge"]);
}

#[tokio::test]
async fn the_proxy_of_an_application_tells_nothing_of_the_browser_behind_it() {
    let (server, mut ada) = forward_auth::installed().await;
    ada.headers = FIREFOX.to_vec();
    ada.sign_in().await;
    let mut visit = Visit::default();
    visit.enter(&mut ada, WIKI).await;

    server.advance(Duration::from_secs(601));
    let answer = visit.nginx(&server, WIKI).await;

    assert_eq!(answer.status, 200);
    let seen = json!({ "program": "Firefox", "locale": "de-CH", "seen": "2026-01-01T00:10:01Z" });
    assert_tells(&sessions(&server).await[0], &seen);
}

#[tokio::test]
async fn a_bridge_tells_what_a_browser_tells() {
    let (server, _ada) = with_ada().await;
    let body = json!({ "code": bridge::code(&server).await });
    let headers = [("user-agent", "curl/8.5.0"), ("accept-language", "fr"), ("x-session-id", "s1")];

    let path = "/v1/auth/bridge/session";
    let opened = bridge::send(&server, Method::POST, path, &headers, &body).await;

    assert_eq!(opened.status, 200);
    let told = sessions(&server).await;
    let expected = json!({
        "id": "s1",
        "source": "bridge",
        "address": "127.0.0.1",
        "agent": "curl/8.5.0",
        "program": "curl",
        "system": null,
        "bot": false,
        "locale": "fr",
        "created": "2026-01-01T00:00:00Z",
        "seen": "2026-01-01T00:00:00Z",
    });
    assert_tells(&told[1], &expected);
    let names = |session: &Value| -> Vec<String> {
        let facts =
            ["address", "agent", "bot", "created", "locale", "program", "seen", "source", "system"];
        let members = session.as_object().unwrap().keys();
        members.filter(|name| facts.contains(&name.as_str())).cloned().collect()
    };
    assert_eq!(names(&told[0]), names(&told[1]));
}
