//! The webhook: which events are sent to it, how they are signed, and what is done where it takes none.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatelodge::config::{Config, Flags, Layers};
use gatelodge::event::{EventId, Kind, KindPattern};
use gatelodge::flow::events::delivery::MAX_WAITING;
use gatelodge::flow::events::{Act, record};
use gatelodge::oauth::issuer::Issuer;
use gatelodge::store::View as _;
use gatelodge::store::schema::EventDelivery;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use super::events;
use crate::support::{Disk, Log, Receiver, Server};

const SECRET: &str = "a-secret-of-the-webhook";

/// A configuration that sends these kinds to an address.
fn sending(url: String, kinds: &[&str]) -> impl FnOnce(&mut Config) {
    let kinds: Vec<KindPattern> = kinds.iter().map(|kind| kind.parse().unwrap()).collect();
    move |config| {
        config.events.webhook = Some(url);
        config.events.webhook_kinds = kinds;
        config.events.webhook_secret = Some(Zeroizing::new(SECRET.to_owned()));
    }
}

async fn telling(receiver: &Receiver, kinds: &[&str]) -> Server {
    Server::with(Issuer::localhost(7455), sending(receiver.url(), kinds)).await
}

async fn on_disk(receiver: &Receiver) -> (Server, std::sync::Arc<Disk>) {
    Server::with_disk(sending(receiver.url(), &["*"])).await
}

async fn add(server: &Server, username: &str) {
    let added = server.operate(Method::POST, "/users", json!({ "username": username })).await;
    assert_eq!(added.status, 201, "{}", added.text());
}

async fn deliver(server: &Server) -> usize {
    server.app.deliver_events().await.unwrap()
}

fn waiting(server: &Server) -> usize {
    server.app.read().unwrap().list::<EventDelivery>(99_999).unwrap().len()
}

/// The head and the body of a request.
fn parts(request: &str) -> (BTreeMap<&str, &str>, &str) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (head.lines().filter_map(|line| line.split_once(": ")).collect(), body)
}

/// Verifies a message as a receiver does, and returns the event.
#[track_caller]
fn verified(request: &str, key: &[u8]) -> Value {
    let (headers, body) = parts(request);
    let signed = format!("{}.{}.{body}", headers["webhook-id"], headers["webhook-timestamp"]);
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(signed);
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(headers["webhook-signature"], format!("v1,{signature}"));
    serde_json::from_str(body).unwrap()
}

fn kinds(receiver: &Receiver) -> Vec<String> {
    let kind = |request: &String| {
        let event: Value = serde_json::from_str(parts(request).1).unwrap();
        event["kind"].as_str().unwrap().to_owned()
    };
    let mut kinds: Vec<String> = receiver.requests().iter().map(kind).collect();
    kinds.sort();
    kinds
}

#[tokio::test]
async fn an_event_is_sent_as_the_api_has_it_and_signed() {
    let receiver = Receiver::responding(&[204]).await;
    let server = telling(&receiver, &["user.added"]).await;
    add(&server, "bob").await;
    server.advance(Duration::from_secs(7));

    let sent = [deliver(&server).await, deliver(&server).await];

    assert_eq!((sent, waiting(&server)), ([1, 0], 0));
    let request = &receiver.requests()[0];
    let event = verified(request, SECRET.as_bytes());
    assert_eq!(event, events(&server, "kind=user.added").await[0]);
    assert_eq!((&event["name"], &event["actor"]["kind"]), (&json!("bob"), &json!("operator")));
    let (headers, _) = parts(request);
    assert_eq!(headers["webhook-id"], event["id"]);
    let now = server.app.clock().now().seconds().to_string();
    assert_eq!(headers["webhook-timestamp"], now);
    assert_eq!(headers["content-type"], "application/json");
    assert!(request.starts_with("POST /logout HTTP/1.1\r\n"), "{request}");
}

#[tokio::test]
async fn a_secret_after_its_prefix_is_base64() {
    let receiver = Receiver::responding(&[200]).await;
    let server = Server::with(Issuer::localhost(7455), |config| {
        sending(receiver.url(), &["*"])(config);
        let secret = format!("whsec_{}", STANDARD.encode([7; 24]));
        config.events.webhook_secret = Some(Zeroizing::new(secret));
    });
    let server = server.await;
    add(&server, "bob").await;

    deliver(&server).await;

    verified(&receiver.requests()[0], &[7; 24]);
}

/// What is done and what is refused, by what was asked for.
#[tokio::test]
async fn only_the_named_kinds_are_sent() {
    for (named, expected) in [
        (&["user.*"][..], &["user.added", "user.removed"][..]),
        (&["user.removed"], &["user.removed"]),
        (&["*"], &["link.issued", "user.added", "user.removed"]),
        (&["request.refused", "link.*"], &["link.issued", "request.refused"]),
        (&["session.*"], &[]),
    ] {
        let receiver = Receiver::responding(&[200]).await;
        let server = telling(&receiver, named).await;
        add(&server, "bob").await;
        server.operate(Method::POST, "/recover", json!({ "username": "bob" })).await;
        server.operate(Method::DELETE, "/users/bob", json!({})).await;
        server.get("/oauth/userinfo").await;
        server.app.write_events().await.unwrap();

        while deliver(&server).await > 0 {}

        assert_eq!(kinds(&receiver), expected, "{named:?}");
    }
}

#[tokio::test]
async fn a_round_sends_eight() {
    let receiver = Receiver::responding(&[200]).await;
    let server = telling(&receiver, &["*"]).await;
    for n in 0..9 {
        add(&server, &format!("u{n}")).await;
    }

    let rounds = [deliver(&server).await, deliver(&server).await, deliver(&server).await];

    assert_eq!(rounds, [8, 1, 0]);
}

/// Every status but success and 410 may be a webhook that is about to be mended.
#[tokio::test]
async fn what_is_not_taken_is_sent_again_after_growing_pauses() {
    let receiver = Receiver::responding(&[503, 404, 302, 401, 500, 429, 400, 200]).await;
    let server = telling(&receiver, &["*"]).await;
    add(&server, "bob").await;
    let mut attempts = vec![deliver(&server).await];

    for pause in [5, 30, 120, 600, 3_600, 6 * 3_600, 24 * 3_600] {
        server.advance(Duration::from_secs(pause) - Duration::from_millis(1));
        attempts.push(deliver(&server).await);
        server.advance(Duration::from_millis(1));
        attempts.push(deliver(&server).await);
    }

    assert_eq!(attempts, [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    assert_eq!((waiting(&server), receiver.requests().len()), (0, 8));
    let requests = receiver.requests();
    let ids: Vec<&str> = requests.iter().map(|request| parts(request).0["webhook-id"]).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    for request in &requests {
        verified(request, SECRET.as_bytes());
    }
}

#[tokio::test]
async fn what_is_never_taken_is_given_up_and_the_log_says_so() {
    let log = Log::keep();
    let receiver = Receiver::responding(&[503]).await;
    let server = telling(&receiver, &["*"]).await;
    add(&server, "bob").await;

    for _ in 0..20 {
        deliver(&server).await;
        server.advance(Duration::from_hours(24));
    }

    assert_eq!((waiting(&server), receiver.requests().len()), (0, 8));
    let given_up = log.with("the webhook was not told of an event");
    let id = events(&server, "").await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(given_up.len(), 1);
    assert!(given_up[0].contains(&id) && given_up[0].contains("503"), "{given_up:?}");
    assert!(!log.with("the webhook did not take an event").is_empty());
    let metrics = server.get("/metrics").await.text().to_owned();
    for line in [
        "gatelodge_webhook_events_total{outcome=\"given_up\"} 1\n",
        "gatelodge_webhook_events_total{outcome=\"delivered\"} 0\n",
        "gatelodge_webhook_failures_total 8\n",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

/// A flood of failures is a line a minute.
#[tokio::test]
async fn failures_are_told_once_a_minute() {
    let log = Log::keep();
    let receiver = Receiver::responding(&[503]).await;
    let server = telling(&receiver, &["*"]).await;
    for n in 0..6 {
        add(&server, &format!("u{n}")).await;
    }

    deliver(&server).await;
    let first = log.with("did not take an event").len();
    server.advance(Duration::from_secs(61));
    deliver(&server).await;

    assert_eq!((first, log.with("did not take an event").len()), (1, 2));
}

/// RFC 9110 §15.5.11
#[tokio::test]
async fn what_the_webhook_says_is_gone_is_not_sent_again() {
    let receiver = Receiver::responding(&[410, 200]).await;
    let server = telling(&receiver, &["*"]).await;
    add(&server, "bob").await;
    deliver(&server).await;
    let left = waiting(&server);

    add(&server, "eve").await;
    deliver(&server).await;

    assert_eq!((left, waiting(&server), receiver.requests().len()), (0, 0, 2));
}

#[tokio::test]
async fn what_waits_survives_a_restart() {
    let receiver = Receiver::responding(&[503, 200]).await;
    let (server, disk) = on_disk(&receiver).await;
    add(&server, "bob").await;
    deliver(&server).await;
    server.advance(Duration::from_secs(4));

    let restarted = server.restored_from(&disk.copy(), 9);
    let early = deliver(&restarted).await;
    restarted.advance(Duration::from_secs(1));
    let sent = deliver(&restarted).await;

    assert_eq!((early, sent, waiting(&restarted)), (0, 1, 0));
    assert_eq!(kinds(&receiver), ["user.added", "user.added"]);
}

#[tokio::test]
async fn nothing_is_sent_while_nothing_can_be_written() {
    let receiver = Receiver::responding(&[200]).await;
    let (server, disk) = on_disk(&receiver).await;
    add(&server, "bob").await;
    disk.fail(true);
    server.app.probe().await.unwrap();

    let while_it_fails = deliver(&server).await;
    disk.fail(false);
    server.app.probe().await.unwrap();

    assert_eq!((while_it_fails, receiver.requests().len()), (0, 0));
    assert_eq!(deliver(&server).await, 1);
}

#[tokio::test]
async fn a_webhook_that_nobody_answers_is_tried_again_and_doctor_says_so() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/");
    let server = Server::with(Issuer::localhost(7455), sending(url.clone(), &["*"])).await;
    add(&server, "bob").await;

    deliver(&server).await;
    server.advance(Duration::from_mins(11));

    assert_eq!(waiting(&server), 1);
    let examined = server.operate(Method::GET, "/doctor", json!({})).await.json();
    let checks = examined["checks"].as_array().unwrap();
    let found = checks.iter().find(|own| own["check"] == "webhook").unwrap();
    assert_eq!(found["state"], "warning", "{found}");
    for part in [&url, "no address of the host accepts", "wait for it: 1, the oldest for 11 min"] {
        assert!(found["found"].as_str().unwrap().contains(part), "{part}: {found}");
    }
    let metrics = server.get("/metrics").await;
    assert!(metrics.text().contains("gatelodge_webhook_waiting 1\n"), "{}", metrics.text());
}

#[tokio::test]
async fn doctor_connects_to_the_webhook_and_tells_it_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = Server::with(Issuer::localhost(7455), sending(url, &["*"])).await;

    let examined = server.operate(Method::GET, "/doctor", json!({})).await.json();

    let checks = examined["checks"].as_array().unwrap();
    let found = checks.iter().find(|own| own["check"] == "webhook").unwrap();
    assert_eq!(found["state"], "ok", "{found}");
    let mut received = Vec::new();
    listener.accept().await.unwrap().0.read_to_end(&mut received).await.unwrap();
    assert!(received.is_empty(), "{received:?}");
    let without = Server::new().await.operate(Method::GET, "/doctor", json!({})).await;
    assert!(!without.text().contains("webhook"), "{}", without.text());
}

/// Offline, only this machine is told; what is for another one waits and loses no attempt.
#[tokio::test]
async fn an_offline_installation_tells_this_machine_alone() {
    let receiver = Receiver::responding(&[200]).await;
    for (url, sent, left) in [(receiver.url(), 1, 0), ("https://hook.example/".to_owned(), 0, 1)] {
        let server = Server::with(Issuer::localhost(7455), |config| {
            config.offline = true;
            sending(url, &["*"])(config);
        });
        let server = server.await;
        add(&server, "bob").await;

        assert_eq!((deliver(&server).await, waiting(&server)), (sent, left));
        let rows = server.app.read().unwrap().list::<EventDelivery>(9).unwrap();
        assert!(rows.iter().all(|(_, row)| row.attempts == 0), "{rows:?}");
    }
}

#[tokio::test]
async fn an_event_that_was_removed_meanwhile_is_dropped() {
    let receiver = Receiver::responding(&[200]).await;
    let server = Server::with(Issuer::localhost(7455), |config| {
        sending(receiver.url(), &["*"])(config);
        config.events.keep = Duration::from_hours(1);
    });
    let server = server.await;
    add(&server, "bob").await;
    server.advance(Duration::from_mins(61));
    server.app.write(gatelodge::flow::installation::sweep::run).await.unwrap();

    let round = deliver(&server).await;

    assert_eq!((round, waiting(&server), receiver.requests().len()), (1, 0, 0));
}

/// Beyond that, an event is stored and the log says that it is not sent.
#[tokio::test]
async fn what_waits_is_bounded() {
    let log = Log::keep();
    let receiver = Receiver::responding(&[503]).await;
    let server = telling(&receiver, &["*"]).await;
    let filled = server.app.write(|tx, cx| {
        let due = cx.now + Duration::from_hours(1);
        let mut ids = (1..MAX_WAITING).map(EventId::from_bits);
        Ok(ids.try_for_each(|id| tx.put(&id, EventDelivery { attempts: 1, due }))?)
    });
    filled.await.unwrap();

    server.app.write(|tx, cx| record(tx, cx, Act::new(Kind::KeyRotated))).await.unwrap();
    add(&server, "bob").await;
    for _ in 0..3 {
        deliver(&server).await;
    }

    assert_eq!(waiting(&server), usize::try_from(MAX_WAITING).unwrap());
    assert_eq!(kinds(&receiver), ["key.rotated"]);
    assert_eq!(events(&server, "kind=user.added").await.len(), 1);
    assert_eq!(log.with("new events are not sent to it").len(), 1);
}

#[tokio::test]
async fn a_reload_changes_the_secret_the_kinds_and_the_address() {
    let receiver = Receiver::responding(&[503, 200]).await;
    let directory = tempfile::tempdir().unwrap();
    let (file, secret) = (directory.path().join("gatelodge.toml"), directory.path().join("s"));
    let configured = |kinds: &str, written: &str| {
        write_secret(&secret, written);
        let text = format!(
            "[events]\nwebhook = '{}'\nwebhook_kinds = [{kinds}]\nwebhook_secret_file = 's'\n",
            receiver.url()
        );
        std::fs::write(&file, text).unwrap();
    };
    configured("'user.*'", "the-first-secret-of-all");
    let data = Some(directory.path().join("data"));
    let flags = Flags { config: Some(file.clone()), data, ..Flags::default() };
    let server = Server::with_layers(Layers::new(flags, BTreeMap::new())).await;
    let reload = async || {
        let reloaded = server.operate(Method::POST, "/config/reload", json!({})).await;
        assert_eq!(reloaded.status, 200, "{}", reloaded.text());
    };
    add(&server, "bob").await;
    deliver(&server).await;

    configured("'user.*'", "the-second-secret-of-all");
    reload().await;
    server.advance(Duration::from_secs(5));
    deliver(&server).await;

    let requests = receiver.requests();
    verified(&requests[0], b"the-first-secret-of-all");
    verified(&requests[1], b"the-second-secret-of-all");

    // What nobody asks for any more is not sent, though it waits.
    add(&server, "eve").await;
    configured("'session.*'", "the-second-secret-of-all");
    reload().await;
    let dropped = deliver(&server).await;
    assert_eq!((dropped, waiting(&server), receiver.requests().len()), (1, 0, 2));

    // Without a webhook, nothing waits for one.
    configured("'user.*'", "the-second-secret-of-all");
    reload().await;
    add(&server, "zoe").await;
    std::fs::write(&file, "").unwrap();
    reload().await;
    let forgotten = deliver(&server).await;
    assert_eq!((forgotten, waiting(&server), receiver.requests().len()), (1, 0, 2));
}

/// Writes a file that its owner alone reads.
fn write_secret(path: &std::path::Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;

    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Anybody causes refused requests, so they wait for no long time before an event of another kind.
#[tokio::test]
async fn a_flood_of_refused_requests_holds_up_no_other_event() {
    let receiver = Receiver::responding(&[204]).await;
    let server = telling(&receiver, &["user.*", "request.refused"]).await;
    for _ in 0..300 {
        server.get("/nothing").await;
    }
    // They are written by whoever lists events.
    events(&server, "limit=1").await;

    add(&server, "ada").await;

    assert_eq!(waiting(&server), 101);
    let queued = server.app.read().unwrap().list::<EventDelivery>(200).unwrap();
    let added = events(&server, "kind=user.added").await[0]["id"].as_str().unwrap().to_owned();
    assert!(queued.iter().any(|(id, _)| id.to_string() == added));
}
