//! Events: what is written of acts and refused requests, and how it is found.

mod explained;
mod webhook;

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::event::Kind;
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Response, Server, register};

/// The events that a query finds, the newest first.
async fn events(server: &Server, query: &str) -> Vec<Value> {
    let listed = server.operate(Method::GET, &format!("/events?{query}"), json!({})).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    listed.json()["events"].as_array().unwrap().clone()
}

/// The kinds of the events that a query finds, sorted: the clock stands still.
async fn kinds(server: &Server, query: &str) -> Vec<String> {
    let events = events(server, query).await;
    let mut kinds: Vec<String> =
        events.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    kinds
}

async fn explained(server: &Server, response: &Response) -> Value {
    let path = format!("/events/{}", response.header("gatelodge-event"));
    let explained = server.operate(Method::GET, &path, json!({})).await;
    assert_eq!(explained.status, 200, "{}", explained.text());
    explained.json()
}

#[tokio::test]
async fn what_a_person_does_is_written_with_where_they_did_it() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.tokens(&mut ada).await;
    ada.submit("/gate/account/profile", &[("display_name", "ada"), ("email", "ada@example.org")])
        .await;
    ada.submit("/gate/account/apps", &[("client_id", &shop.id)]).await;
    ada.sign_out().await;

    let ada_did = kinds(&server, "user=ada").await;

    assert_eq!(
        ada_did,
        [
            "consent.given",
            "email.changed",
            "grant.revoked",
            "passkey.added",
            "session.ended",
            "session.opened",
            "user.added",
        ]
    );
    for event in events(&server, "user=ada").await {
        assert_eq!(event["actor"]["username"], "ada", "{event}");
        assert!(event["address"].is_string(), "{event}");
    }
    let consent = &events(&server, "kind=consent.given").await[0];
    assert_eq!(consent["client_id"], shop.id);
    assert!(consent["facts"]["scope"].as_str().unwrap().contains("openid"), "{consent}");
}

#[tokio::test]
async fn what_an_operator_does_is_written_with_what_changed() {
    let server = Server::new().await;
    let added = json!({ "username": "bob", "groups": ["staff"] });
    server.operate(Method::POST, "/users", added).await;
    server.advance(Duration::from_secs(1));
    let changed = json!({ "add_groups": ["ops"], "display_name": "Bob" });
    server.operate(Method::PATCH, "/users/bob", changed.clone()).await;
    // The same once more changes nothing.
    server.operate(Method::PATCH, "/users/bob", changed).await;
    server.advance(Duration::from_secs(1));
    server.operate(Method::POST, "/recover", json!({ "username": "bob" })).await;
    server.advance(Duration::from_secs(1));
    server.operate(Method::DELETE, "/users/bob", json!({})).await;

    let all = events(&server, "").await;

    let kinds: Vec<&str> = all.iter().rev().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["user.added", "user.changed", "link.issued", "user.removed"]);
    let changed = &all[2];
    assert_eq!(changed["actor"]["kind"], "operator");
    assert_eq!(changed["facts"]["groups_before"], "staff");
    assert_eq!(changed["facts"]["groups"], "staff, ops");
    assert_eq!(changed["facts"]["changed"], "groups, display_name");
    // The person is gone, and their events have the name that they had.
    let removed = &all[0];
    assert_eq!((&removed["name"], &removed["username"]), (&json!("bob"), &Value::Null));
    let id = removed["user_id"].as_str().unwrap();
    assert_eq!(events(&server, &format!("user={id}")).await.len(), 4);
}

/// Every change that an operator makes has an event, and it names no secret.
#[tokio::test]
async fn clients_resources_keys_and_tokens_leave_events_without_secrets() {
    let server = Server::new().await;
    let client = json!({
        "client_id": "shop", "name": "Shop", "redirect_uris": ["https://shop.example/cb"],
        "grant_types": ["authorization_code", "client_credentials"], "scope": "openid",
    });
    let added = server.operate(Method::POST, "/clients", client).await.json();
    let secret = added["client_secret"].as_str().unwrap().to_owned();
    let patch = json!({ "scope": "openid email", "client_secret": "chosen-by-an-operator" });
    server.operate(Method::PATCH, "/clients/shop", patch).await;
    let rotated = server.operate(Method::POST, "/clients/shop/secret", json!({})).await.json();
    let resource = json!({ "resource": "https://api.example", "scope": "orders" });
    server.operate(Method::POST, "/resources", resource).await;
    server.operate(Method::PATCH, "/resources/api.example", json!({ "typ": "jwt" })).await;
    server.operate(Method::DELETE, "/resources/api.example", json!({})).await;
    server.operate(Method::POST, "/keys/rotate", json!({ "now": true })).await;
    let token = json!({ "client_id": "shop", "resources": [], "scope": [] });
    server.operate(Method::POST, "/tokens", token).await;
    server.operate(Method::DELETE, "/clients/shop", json!({})).await;

    let all = events(&server, "limit=100").await;

    let kinds: BTreeSet<&str> = all.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    for kind in [
        "client.added",
        "client.changed",
        "client.removed",
        "client.secret_rotated",
        "key.rotated",
        "resource.added",
        "resource.changed",
        "resource.removed",
    ] {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
    let text = json!(all).to_string();
    for secret in [&secret, "chosen-by-an-operator", rotated["client_secret"].as_str().unwrap()] {
        assert!(!text.contains(secret));
    }
    let changed = events(&server, "kind=client.changed").await;
    assert_eq!(changed[0]["facts"]["scope_before"], "openid");
    assert_eq!(changed[0]["facts"]["changed"], "scope, client_secret");
}

#[tokio::test]
async fn a_replay_names_its_family_and_how_much_it_ended() {
    let (server, mut ada) = Server::with_ada().await;
    let spa = RelyingParty::spa(&server).await;
    let first = spa.tokens(&mut ada).await;
    let second = spa.refresh(first.refresh()).await.tokens();
    spa.refresh(second.refresh()).await.tokens();
    server.advance(Duration::from_secs(120));

    let replayed = spa.refresh(first.refresh()).await;

    replayed.refused(ErrorCode::InvalidGrant, Refusal::RefreshReplayed);
    let replay = &events(&server, "kind=refresh_token.replayed").await[0];
    assert_eq!(replay["facts"]["refresh_tokens_ended"], "3");
    assert_eq!(replay["client_id"], spa.id);
    assert_eq!(replay["username"], "ada");
    assert!(replay["facts"]["grant"].as_str().unwrap().len() > 30, "{replay}");
}

#[tokio::test]
async fn a_refused_request_says_what_was_expected_and_what_came() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    let elsewhere = "https://shop.example/other?state=1";

    let refused = server.get(&shop.request(&[("redirect_uri", elsewhere)])).await;
    let fault = server.get("/oauth/authorize?client_id=a&client_id=b&state=s3cret").await;

    refused.refused(ErrorCode::InvalidRequest, Refusal::RedirectUriUnregistered);
    let event = explained(&server, &refused).await;
    assert_eq!(event["refused"]["refusal"], "RedirectUriUnregistered");
    assert_eq!(event["refused"]["route"], "/oauth/authorize");
    assert_eq!(event["refused"]["status"], 400);
    assert_eq!(event["section"], Refusal::RedirectUriUnregistered.section());
    assert!(event["refused"]["expected"].as_str().unwrap().starts_with("http"), "{event}");
    assert_eq!(event["facts"]["redirect_uri"], elsewhere);
    assert!(event["facts"]["scope"].is_string());
    let event = explained(&server, &fault).await;
    assert_eq!(event["refused"]["reason"], "client_id came more than once");
    assert_eq!(event["no_command"].as_str().map(str::is_empty), Some(false));
    assert!(!events(&server, "").await.iter().any(|event| event.to_string().contains("s3cret")));
}

#[tokio::test]
async fn an_address_with_a_secret_in_its_query_and_a_strangers_address_are_explained_without_either()
 {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;

    let secret = [("redirect_uri", "https://shop.example/cb?code=s3cret")];
    let secret = server.get(&shop.request(&secret)).await;
    let fragment = [("redirect_uri", "https://shop.example/cb#access_token=s3cret")];
    let fragment = server.get(&shop.request(&fragment)).await;
    let wrong = server.get(&shop.request(&[("redirect_uri", "javascript:alert(1)")])).await;
    let robot = RelyingParty::robot(&server).await;
    let administration = [("grant_type", "client_credentials"), ("scope", "admin:people")];
    let asked = robot.ask(&administration).await;

    for refused in [secret, fragment] {
        assert!(!explained(&server, &refused).await.to_string().contains("s3cret"));
    }
    // It is an operator's refusal, too, but this was none.
    let wrong = explained(&server, &wrong).await["no_command"].to_string();
    assert!(wrong.contains("the client has to send something else"), "{wrong}");
    let asked = explained(&server, &asked).await;
    assert!(!asked["command"].to_string().contains("admin"), "{asked}");
}

/// The page, the JSON, the header and the log have one id.
#[tokio::test]
async fn one_id_leads_from_everywhere_to_the_event() {
    let server = Server::new().await;
    let mut browser = Browser::new(&server);

    let page = browser.visit("/oauth/authorize?client_id=nobody").await;
    let json = server.get("/oauth/userinfo").await;

    assert!(page.text().contains(page.header("gatelodge-event")));
    assert_eq!(explained(&server, &page).await["refused"]["refusal"], "ClientUnknownAtAuthorize");
    assert_eq!(json.json()["event_id"], json.header("gatelodge-event"));
    assert_eq!(explained(&server, &json).await["refused"]["refusal"], "BearerTokenMissing");
}

#[tokio::test]
async fn a_listing_is_filtered_and_paged_from_the_newest() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    for n in 0..12 {
        server.advance(Duration::from_secs(1));
        server.operate(Method::POST, "/users", json!({ "username": format!("u{n}") })).await;
        server.get(&shop.request(&[("scope", "nothing")])).await;
    }
    let middle = events(&server, "kind=user.added").await[5]["at"].as_str().unwrap().to_owned();

    let first = server.operate(Method::GET, "/events?kind=user.added&limit=5", json!({})).await;
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let second = format!("/events?kind=user.added&limit=5&cursor={next}");
    let second = server.operate(Method::GET, &second, json!({})).await.json();

    let names = |page: &Value| -> Vec<String> {
        let events = page["events"].as_array().unwrap().iter();
        events.map(|event| event["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first.json()), ["u11", "u10", "u9", "u8", "u7"]);
    assert_eq!(names(&second), ["u6", "u5", "u4", "u3", "u2"]);
    let since = events(&server, &format!("kind=user.added&since={middle}")).await;
    let until = events(&server, &format!("kind=user.added&until={middle}")).await;
    assert_eq!((since.len(), until.len()), (6, 6));
    let of_shop = events(&server, &format!("client={}&kind=request.refused", shop.id)).await;
    assert_eq!(of_shop.len(), 12);
    let refusal = of_shop[0]["refused"]["refusal"].as_str().unwrap();
    assert_eq!(events(&server, &format!("refusal={refusal}")).await.len(), 12);
    assert_eq!(events(&server, "refusal=CodeReplayed").await.len(), 0);
}

#[tokio::test]
async fn an_event_is_removed_after_its_time() {
    let server = Server::with(gatelodge::oauth::issuer::Issuer::localhost(7455), |config| {
        config.events.keep = Duration::from_hours(2);
    });
    let server = server.await;
    server.operate(Method::POST, "/users", json!({ "username": "bob" })).await;
    server.advance(Duration::from_hours(1));
    server.operate(Method::POST, "/users", json!({ "username": "eve" })).await;
    assert_eq!(events(&server, "").await.len(), 2);

    server.advance(Duration::from_mins(61));
    server.app.write(gatelodge::flow::installation::sweep::run).await.ok().unwrap();

    let left = events(&server, "").await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["name"], "eve");
}

/// A flood of bad requests is bounded in the store, and pushes out no event of a person, an operator
/// or another network.
#[tokio::test]
async fn a_flood_of_bad_requests_takes_from_itself() {
    let server = Server::with(gatelodge::oauth::issuer::Issuer::localhost(7455), |config| {
        config.events.refusals = 100;
    });
    let server = server.await;
    let _ada = server.first_administrator().await;
    server.operate(Method::POST, "/users", json!({ "username": "bob" })).await;

    for _ in 0..30 {
        for _ in 0..40 {
            server.get("/nothing").await;
        }
        events(&server, "limit=1").await;
    }

    let refused = events(&server, "kind=request.refused&limit=1000").await;
    assert!(refused.len() <= 100, "{}", refused.len());
    assert!(refused.len() > 50, "{}", refused.len());
    for (kind, number) in [("user.added", 2), ("passkey.added", 1), ("session.opened", 1)] {
        assert_eq!(events(&server, &format!("kind={kind}")).await.len(), number, "{kind}");
    }
}

/// What one person does again and again pushes out the oldest of their own.
#[tokio::test]
async fn a_person_who_acts_all_day_pushes_out_their_own() {
    let (server, mut ada) = Server::with_ada().await;
    server.operate(Method::POST, "/users", json!({ "username": "bob" })).await;

    for n in 0..1_010 {
        // A session has so many requests in a minute.
        server.advance(Duration::from_millis(200));
        let address = format!("a{n}@example.org");
        ada.submit("/gate/account/profile", &[("display_name", "ada"), ("email", &address)]).await;
    }

    let mut of_ada = 0;
    let mut cursor = String::new();
    loop {
        let path = format!("/events?user=ada&limit=1000{cursor}");
        let page = server.operate(Method::GET, &path, json!({})).await.json();
        of_ada += page["events"].as_array().unwrap().len();
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(of_ada, 1_000);
    assert_eq!(events(&server, "kind=user.added&user=bob").await.len(), 1);
}

#[tokio::test]
async fn a_client_that_registers_itself_is_an_event_of_its_network() {
    let server = Server::new().await;
    let metadata = json!({ "client_name": "Eve", "redirect_uris": ["http://127.0.0.1/cb"] });
    let registered = register(&server, metadata).await.json();

    let event = &events(&server, "kind=client.registered").await[0];

    assert_eq!(event["actor"]["kind"], "client");
    assert_eq!(event["client_id"], registered["client_id"]);
    assert!(event["address"].is_string());
}

/// The table of kinds has none that nothing writes.
#[test]
fn every_kind_is_written_somewhere() {
    let sources = walk(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    for kind in Kind::ALL {
        let written = format!("Kind::{kind:?}");
        assert!(sources.contains(&written), "{written}");
    }
}

fn walk(path: &std::path::Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&walk(&path));
        } else {
            text.push_str(&std::fs::read_to_string(path).unwrap_or_default());
        }
    }
    text
}
