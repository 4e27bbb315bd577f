//! What a session tells of its device, to its person and to the operator.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use crate::bridge;
use crate::devices::certificate_until;
use crate::forward_auth::{self, Visit, WIKI};
use crate::support::{Browser, RelyingParty, Response, Server};

const FIREFOX: &[(&str, &str)] = &[
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"),
    ("accept-language", "en-CH,en;q=0.9"),
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
    let listed = server.operate(Method::GET, "/sessions", json!({})).await.json();
    listed["sessions"].as_array().unwrap().clone()
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

    let listed = sessions(&server).await;

    assert_tells(
        &listed[0],
        &json!({
            "source": "web",
            "address": "127.0.0.1",
            "user_agent": FIREFOX[0].1,
            "program": "Firefox",
            "system": "Linux",
            "bot": false,
            "locale": "en-CH",
            "created": "2026-01-01T00:00:00Z",
            "seen": "2026-01-01T00:00:00Z",
        }),
    );
}

#[tokio::test]
async fn a_browser_that_tells_nothing_of_itself_is_shown_as_that() {
    let (server, mut ada) = Server::with_ada().await;

    let listed = sessions(&server).await;

    let nothing = json!({ "user_agent": null, "program": null, "system": null, "bot": false, "locale": null });
    assert_tells(&listed[0], &nothing);
    assert!(ada.visit("/account").await.text().contains("<bdi>an unknown program</bdi>"));
}

#[tokio::test]
async fn a_robot_is_shown_as_one_and_its_words_as_so_many() {
    let (server, mut ada) = Server::with_ada().await;
    let long: &'static str = format!("HeadlessChrome/1 {}", "x".repeat(900)).leak();
    ada.headers = vec![("user-agent", long)];

    ada.sign_in().await;

    let listed = sessions(&server).await;
    assert_eq!(listed[0]["bot"], true);
    assert_eq!(listed[0]["user_agent"].as_str().unwrap().len(), 200);
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
    let expected = json!({
        "program": "Edge",
        "system": "Windows",
        "locale": null,
        "created": "2026-01-01T00:00:00Z",
        "seen": "2026-01-01T00:10:00Z",
    });
    assert_tells(&after[0], &expected);
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
    let page = ada.open_device(&device).await;
    ada.decide_on_device(&page, "allow").await;
    let let_in = sessions(&server).await;
    ada.headers = EDGE.to_vec();
    let page = ada.visit("/bridge/device-link").await;
    ada.decide(&page, "allow").await;
    let linked = sessions(&server).await;

    let programs = [consented, let_in, linked].map(|listed| listed[0]["program"].clone());
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
    let response = visit.nginx(&server, WIKI).await;

    assert_eq!(response.status, 200);
    let seen = json!({ "program": "Firefox", "locale": "en-CH", "seen": "2026-01-01T00:10:01Z" });
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
    let listed = sessions(&server).await;
    let expected = json!({
        "id": "s1",
        "source": "bridge",
        "address": "127.0.0.1",
        "user_agent": "curl/8.5.0",
        "program": "curl",
        "system": null,
        "bot": false,
        "locale": "fr",
        "created": "2026-01-01T00:00:00Z",
        "seen": "2026-01-01T00:00:00Z",
    });
    assert_tells(&listed[1], &expected);
    let names = |session: &Value| -> Vec<String> {
        let facts = [
            "address",
            "bot",
            "created",
            "locale",
            "program",
            "seen",
            "source",
            "system",
            "user_agent",
        ];
        let members = session.as_object().unwrap().keys();
        members.filter(|name| facts.contains(&name.as_str())).cloned().collect()
    };
    assert_eq!(names(&listed[0]), names(&listed[1]));
}

#[tokio::test]
async fn the_account_page_tells_which_browser_is_where() {
    let (server, mut ada) = with_ada().await;
    let mut elsewhere = Browser::new(&server);
    elsewhere.authenticator = ada.authenticator.clone();
    elsewhere.headers = EDGE.to_vec();
    elsewhere.sign_in().await;

    let page = ada.visit("/account").await;

    let own =
        "<strong><bdi>Firefox on Linux</bdi></strong>\n<span class=\"tag\">This browser</span>";
    assert!(page.text().contains(own), "{}", page.text());
    assert!(
        page.text()
            .contains("aria-label=\"Sign out Edge on Windows, signed in on 2026-01-01 00:00 UTC\"")
    );
    assert_eq!(page.text().matches("from <bdi>this machine</bdi>").count(), 2);
}

/// Ada with a bridge and a personal access token, and the token.
async fn with_bridge() -> (Server, Browser, String, String) {
    let (server, ada) = with_ada().await;
    let access = bridge::access(&server, "s1").await;
    let pat = bridge::pat(&server).await;
    (server, ada, access["token"].as_str().unwrap().to_owned(), pat)
}

async fn by_pat(server: &Server, pat: &str) -> Response {
    let bearer = format!("Bearer {pat}");
    let headers = [("authorization", bearer.as_str())];
    bridge::send(server, Method::POST, "/v1/auth/bridge/pat", &headers, &json!({})).await
}

/// The id of the device whose name the account page shows.
fn device_called(page: &Response, name: &str) -> String {
    let text = page.text();
    let named = format!("<strong><bdi>{name}</bdi></strong>");
    let (_, item) = text.split_once(&named).unwrap_or_else(|| panic!("no {name}: {text}"));
    let (_, value) = item.split_once("name=\"device\" value=\"").unwrap();
    value.split_once('"').unwrap().0.to_owned()
}

const UNNAMED: &str = "an unknown program";

#[tokio::test]
async fn a_person_ends_a_device_of_theirs_with_all_of_it_and_nobody_elses() {
    let (server, mut ada, token, pat) = with_bridge().await;
    let mut bob = server.person("bob").await;
    let page = ada.visit("/account").await;
    assert!(!page.text().contains(&pat), "the secret is shown");
    let (bridge, laptop) = (device_called(&page, UNNAMED), device_called(&page, "laptop"));
    bob.visit("/account").await;

    for id in [bridge.as_str(), &laptop, "000000000000", ""] {
        let refused = bob.submit("/gate/account/devices", &[("device", id)]).await;
        refused.refused(ErrorCode::NotFound, Refusal::LinkedDeviceNotFound);
    }
    assert_eq!(bridge::whoami(&server, &token).await.status, 200);
    assert_eq!(by_pat(&server, &pat).await.status, 200);
    let open = ada.visit("/account").await;
    let ended = ada.submit("/gate/account/devices", &[("device", &bridge)]).await;
    let left = ada.visit("/account").await;
    let last = ada.submit("/gate/account/devices", &[("device", &laptop)]).await;
    let again = ada.submit("/gate/account/devices", &[("device", &laptop)]).await;

    assert!(page.text().contains("Comes in by its open session alone · one open session"));
    assert!(page.text().contains("Comes in by a personal token until"), "{}", page.text());
    assert_eq!(open.text().matches("one open session").count(), 2, "{}", open.text());
    assert_eq!((ended.location(), last.location()), ("/gate/account", "/gate/account"));
    let over = bridge::whoami(&server, &token).await;
    over.refused(ErrorCode::InvalidToken, Refusal::BearerTokenOfEndedGrant);
    assert!(left.text().contains("laptop") && !left.text().contains("by its open session"));
    by_pat(&server, &pat).await.refused(ErrorCode::InvalidToken, Refusal::PersonalTokenRevoked);
    again.refused(ErrorCode::NotFound, Refusal::LinkedDeviceNotFound);
    assert!(!ada.visit("/account").await.text().contains("Your bridges and devices"));
    let events = server.operate(Method::GET, "/events?limit=100", json!({})).await.json();
    let ended = |kind: &str, fact: &str, id: &str| {
        events["events"].as_array().unwrap().iter().any(|event| {
            event["kind"] == kind
                && event["facts"][fact] == id
                && event["actor"]["username"] == "ada"
        })
    };
    assert!(ended("bridge.ended", "session", "s1"), "{events}");
    assert!(ended("token.personal_revoked", "token", &laptop), "{events}");
}

#[tokio::test]
async fn a_bridge_is_shown_by_the_name_of_its_machine_once_it_told_it() {
    let (server, mut ada, token, _) = with_bridge().await;
    assert!(ada.visit("/account").await.text().contains("<bdi>an unknown program</bdi>"));
    let beat = json!({
        "session_id": "s1", "bridge_version": "1", "os": "linux", "hostname": "desk",
        "forwarded_total": 0, "tokens_in_total": 0, "tokens_out_total": 0,
    });

    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let path = "/v1/bridge/heartbeat";
    assert_eq!(bridge::send(&server, Method::POST, path, &headers, &beat).await.status, 200);

    assert!(ada.visit("/account").await.text().contains("<strong><bdi>desk</bdi></strong>"));
}

#[tokio::test]
async fn a_device_with_a_certificate_is_among_them_and_ends_for_good() {
    let (server, mut ada) = with_ada().await;
    let asked = json!({
        "username": "ada", "name": "phone", "certificate": certificate_until(2030),
    });
    let path = "/bridge/certificates";
    let enrolled = server.operate(Method::POST, path, asked).await.json();
    let page = ada.visit("/account").await;

    let phone = device_called(&page, "phone");
    let ended = ada.submit("/gate/account/devices", &[("device", &phone)]).await;

    assert!(page.text().contains("Comes in by a certificate until"), "{}", page.text());
    assert_eq!(ended.location(), "/gate/account");
    let own = format!("{path}/{}", enrolled["fingerprint"].as_str().unwrap());
    let certificate = server.operate(Method::GET, &own, json!({})).await.json();
    assert!(certificate["revoked"].is_string(), "{certificate}");
    assert!(!ada.visit("/account").await.text().contains("<bdi>phone</bdi>"));
}

#[tokio::test]
async fn what_ends_a_bridge_or_a_token_comes_from_a_page_of_ours_and_from_a_person() {
    let (server, mut ada, token, pat) = with_bridge().await;
    let page = ada.visit("/account").await;
    let (bridge, laptop) = (device_called(&page, UNNAMED), device_called(&page, "laptop"));
    let mut stranger = Browser::at_login(&server).await;

    let path = "/gate/account/devices";
    for field in [("device", bridge.as_str()), ("device", &laptop)] {
        let anonymous = stranger.submit(path, &[field]).await;
        assert_eq!(anonymous.location(), "/gate/login");
        let csrf = std::mem::replace(&mut ada.csrf, stranger.csrf.clone());
        let forged = ada.submit(path, &[field]).await;
        forged.refused(ErrorCode::Forbidden, Refusal::CsrfTokenWrong);
        ada.csrf = csrf;
        ada.headers.push(("sec-fetch-site", "cross-site"));
        let foreign = ada.submit(path, &[field]).await;
        foreign.refused(ErrorCode::Forbidden, Refusal::CrossSite);
        ada.headers.pop();
    }

    assert_eq!(bridge::whoami(&server, &token).await.status, 200);
    assert_eq!(by_pat(&server, &pat).await.status, 200);
}

#[tokio::test]
async fn a_date_is_one_word_that_no_narrow_page_breaks() {
    let (_server, mut ada) = Server::with_ada().await;

    let page = ada.visit("/account").await;

    assert!(page.text().contains("<p>Made <span class=\"day\">2026-01-01 00:00 UTC</span>"));
}

#[tokio::test]
async fn a_place_is_this_machine_a_private_network_or_the_address() {
    let (_server, mut ada) = Server::with_ada().await;
    let mut seen = vec![ada.visit("/account").await.text().to_owned()];
    for address in ["192.168.1.7", "203.0.113.9"] {
        let mut other = Browser::new(&ada.server).at(address);
        other.authenticator = ada.authenticator.clone();
        other.sign_in().await;
        seen.push(other.visit("/account").await.text().to_owned());
    }

    for (page, place) in seen.iter().zip([
        "from <bdi>this machine</bdi>",
        "from <bdi>192.168.1.7, in a private network</bdi>",
        "from <bdi>203.0.113.9</bdi>",
    ]) {
        assert!(page.contains(place), "{place}: {page}");
    }
}
