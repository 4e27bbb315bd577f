//! What is stored before a person is proven: whom a full pool takes from, and whom it leaves alone.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::config::Config;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::http::Peer;
use gatelodge::model::network::Network;
use gatelodge::oauth::client::SigningAlg;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::store::schema::{
    AnonymousSession, Client, Device, Interaction, Pushed, TABLES, Taken, UsedAssertion,
    UsedCeremony,
};
use gatelodge::store::{Pool, Row, Share, View, Weight};
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Response, Server, Signer, Site, assert_to, register};

/// An installation whose pools take 32 rows.
async fn small() -> Server {
    Server::with(Issuer::localhost(7455), |config| config.policy.interactions = 32).await
}

async fn with(change: impl FnOnce(&mut Config)) -> Server {
    Server::with(Issuer::localhost(7455), change).await
}

/// Visits `path` from `address`, and nothing else. The browser and the page that it was sent to.
async fn start(server: &Server, address: &str, path: &str) -> (Browser, String) {
    server.advance(Duration::from_millis(1));
    let mut browser = Browser::new(server).at(address);
    let response = browser.send(Request::get(path).body(Body::empty()).unwrap()).await;
    let page = response.location().to_owned();
    assert!(page.starts_with("/gate/interaction/"), "{page}");
    (browser, page)
}

async fn flood(server: &Server, address: &str, path: &str, times: usize) {
    for _ in 0..times {
        start(server, address, path).await;
    }
}

async fn is_there((browser, page): &mut (Browser, String)) -> bool {
    let response = browser.send(Request::get(&**page).body(Body::empty()).unwrap()).await;
    if response.status == 200 {
        return true;
    }
    response.refused(ErrorCode::InteractionOver, Refusal::InteractionUnknown);
    false
}

fn weight(server: &Server, share: &Share) -> Weight {
    server.app.read().unwrap().weight(share).unwrap()
}

fn stored<R: Row>(server: &Server) -> usize {
    server.app.read().unwrap().count::<R>(usize::MAX).unwrap()
}

#[tokio::test]
async fn a_flood_takes_from_itself_and_never_from_the_newcomer() {
    let server = small().await;
    let request = RelyingParty::web(&server).await.request(&[]);
    let mut neighbours = Vec::new();
    for address in ["192.0.2.2", "198.51.100.7", "2001:db8:0:1::1"] {
        neighbours.push(start(&server, address, &request).await);
    }
    let mut first = start(&server, "192.0.2.1", &request).await;

    flood(&server, "192.0.2.1", &request, 100).await;
    flood(&server, "127.0.0.1", &request, 100).await;
    let mut newcomer = start(&server, "203.0.113.9", &request).await;

    assert!(stored::<Interaction>(&server) <= 32);
    assert!(!is_there(&mut first).await);
    assert!(is_there(&mut newcomer).await);
    for neighbour in &mut neighbours {
        assert!(is_there(neighbour).await);
    }
}

#[tokio::test]
async fn a_network_holds_its_part_whatever_addresses_it_uses() {
    let server = small().await;
    let request = RelyingParty::web(&server).await.request(&[]);
    let held = |address: &str| {
        let network = Network::of(address.parse().unwrap());
        let rows = network
            .and_wider()
            .map(|network| weight(&server, &Share::Network(Pool::Interactions, network)).rows);
        rows.collect::<Vec<_>>()
    };

    flood(&server, "192.0.2.1", &request, 50).await;
    for host in 1..50 {
        start(&server, &format!("198.51.100.{host}"), &request).await;
    }
    for customer in 0..50 {
        let address = format!("2001:db8:{:x}:{:x}::1", 1 + customer / 25, 256 * (customer % 25));
        start(&server, &address, &request).await;
    }
    for network in 0..50 {
        start(&server, &format!("2001:db9:1:{network:x}::1"), &request).await;
    }
    flood(&server, "2001:db9:1::1", &request, 50).await;

    let [address, wide] = held("192.0.2.1")[..] else { panic!("an address and its /24") };
    assert!(address <= 8 && wide <= 16, "{address} {wide}");
    let [_, wide] = held("198.51.100.1")[..] else { panic!("an address and its /24") };
    assert!(wide <= 16, "{wide}");
    let [_, _, wide] = held("2001:db8:1::1")[..] else { panic!("a /64, a /56 and a /48") };
    assert!(wide <= 16, "{wide}");
    let [narrow, middle, wide] = held("2001:db9:1::1")[..] else { panic!("three networks") };
    assert!(narrow <= 4 && middle <= 8 && wide <= 16, "{narrow} {middle} {wide}");
}

#[tokio::test]
async fn rows_that_no_page_has_opened_go_first() {
    let server = small().await;
    let request = RelyingParty::web(&server).await.request(&[]);
    let mut opened = start(&server, "192.0.2.1", &request).await;
    let mut unopened = start(&server, "192.0.2.1", &request).await;
    assert!(is_there(&mut opened).await);

    flood(&server, "192.0.2.1", &request, 50).await;

    assert!(is_there(&mut opened).await);
    assert!(!is_there(&mut unopened).await);
}

/// RFC 9110 §9.3.2
#[tokio::test]
async fn to_ask_for_the_head_of_a_page_does_not_open_it() {
    let server = small().await;
    let mut ada = server.first_administrator().await;
    for path in ["/bridge/device-link", "/oauth/logout"] {
        let started = ada.send(Request::get(path).body(Body::empty()).unwrap()).await;
        let page = started.location().to_owned();

        ada.send(Request::head(&page).body(Body::empty()).unwrap()).await;
        assert_eq!(weight(&server, &Share::Pool(Pool::Interactions)).rows, 1, "{path}");
        ada.send(Request::get(&page).body(Body::empty()).unwrap()).await;
        assert_eq!(weight(&server, &Share::Pool(Pool::Interactions)).rows, 0, "{path}");
    }
}

#[tokio::test]
async fn a_page_that_is_opened_in_a_session_is_out_of_the_reach_of_strangers() {
    let server = small().await;
    let mut ada = server.first_administrator().await;
    let request = RelyingParty::web(&server).await.request(&[("prompt", "consent")]);
    let page = ada.visit(&request).await;
    assert!(page.text().contains("Allow"));
    assert_eq!(weight(&server, &Share::Pool(Pool::Interactions)), Weight::default());

    // Each of them is opened, without a session.
    for _ in 0..50 {
        assert!(is_there(&mut start(&server, "127.0.0.1", &request).await).await);
    }

    let allowed = ada.decide(&page, "allow").await;
    assert!(allowed.text().contains("https://shop.example/cb?code="));
}

#[tokio::test]
async fn a_person_holds_64_interactions_and_the_oldest_go() {
    let server = small().await;
    let mut ada = server.first_administrator().await;
    let request = RelyingParty::web(&server).await.request(&[("prompt", "consent")]);
    let first = ada.visit(&request).await;
    server.advance(Duration::from_secs(1));
    let second = ada.visit(&request).await;
    server.advance(Duration::from_secs(1));
    for _ in 0..63 {
        ada.visit(&request).await;
    }

    assert_eq!(stored::<Interaction>(&server), 64);
    let late = ada.decide(&first, "allow").await;
    late.refused(ErrorCode::InteractionOver, Refusal::InteractionUnknown);
    assert!(ada.decide(&second, "allow").await.text().contains("?code="));
}

#[tokio::test]
async fn large_requests_count_by_their_bytes() {
    let server = small().await;
    let shop = RelyingParty::web(&server).await;
    let large = shop.request(&[("state", &"x".repeat(8000)), ("nonce", &"x".repeat(8000))]);

    for host in 1..100 {
        start(&server, &format!("198.51.{host}.1"), &large).await;
    }

    let Weight { rows, bytes } = weight(&server, &Share::Pool(Pool::Interactions));
    assert!((2..=4).contains(&rows), "{rows}");
    assert!(bytes <= 64 * 1024, "{bytes}");
}

#[tokio::test]
async fn a_ceremony_is_stored_once_it_succeeded() {
    let server = small().await;
    let mut ada = server.first_administrator().await;
    ada.sign_out().await;
    ada.visit("/login").await;
    server.advance(Duration::from_mins(10));
    let app = &server.app;
    app.write(|tx, cx| gatelodge::flow::installation::sweep::run(tx, cx).map(drop)).await.unwrap();
    let rows = || {
        let view = app.read().unwrap();
        let count = |tag: &gatelodge::store::Tag| {
            view.raw_count(&[tag.byte], &[tag.byte + 1], usize::MAX).unwrap()
        };
        TABLES.iter().map(count).sum::<usize>()
    };
    let before = rows();

    for _ in 0..100 {
        let start = "/gate/webauthn/authenticate/start";
        assert_eq!(ada.call(start, &json!({})).await.status, 200);
    }

    assert_eq!(rows(), before);
    let signed = ada.signed_challenge().await;
    assert_eq!(ada.finish_sign_in(&signed).await.status, 200);
    assert_eq!(stored::<UsedCeremony>(&server), 1);
    ada.finish_sign_in(&signed).await.refused(ErrorCode::CeremonyOver, Refusal::CeremonyUnknown);
}

#[tokio::test]
async fn a_ceremony_that_was_changed_is_none() {
    let (_server, mut ada) = Server::with_ada().await;
    let mut signed = ada.signed_challenge().await;
    let sealed = signed["ceremony"].as_str().unwrap().to_owned();
    for changed in [String::new(), sealed[1..].to_owned(), sealed.replace('A', "B")] {
        signed["ceremony"] = changed.into();

        let response = ada.finish_sign_in(&signed).await;

        response.refused(ErrorCode::CeremonyOver, Refusal::CeremonyUnknown);
    }
}

fn described(n: usize) -> Value {
    json!({
        "client_name": format!("Client {n}"),
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": [format!("https://c{n}.example/cb")],
        "token_endpoint_auth_method": "none",
    })
}

#[tokio::test]
async fn registrations_that_nobody_uses_end_before_the_used_ones() {
    let server = with(|config| {
        config.registration.unused = 16;
        config.registration.per_minute = 1000;
    });
    let server = server.await;
    let mut ada = server.first_administrator().await;
    let used = register(&server, described(0)).await.json();
    let used = RelyingParty::new(&server, &used);
    let tokens = used.tokens(&mut ada).await;
    let unused = register(&server, described(1)).await.json();

    for n in 2..40 {
        server.advance(Duration::from_secs(1));
        assert_eq!(register(&server, described(n)).await.status, 201);
    }

    assert!(weight(&server, &Share::Pool(Pool::Clients)).rows <= 16);
    used.refresh(tokens.refresh()).await.tokens();
    let id = unused["client_id"].as_str().unwrap().parse().unwrap();
    assert_eq!(server.app.read().unwrap().find::<Client>(&id).unwrap(), None);
}

#[tokio::test]
async fn an_update_of_a_registration_counts_by_its_bytes() {
    let server = with(|config| {
        config.registration.unused = 16;
        config.registration.per_minute = 1000;
    });
    let server = server.await;

    for n in 0..16 {
        let registered = register(&server, described(n)).await.json();
        let mut stated = described(n);
        stated["client_id"] = registered["client_id"].clone();
        let uris = (0..15).map(|uri| format!("https://c{n}.example/{uri}/{}", "x".repeat(1000)));
        stated["redirect_uris"] = uris.collect::<Vec<_>>().into();
        let token = registered["registration_access_token"].as_str().unwrap();
        let request = Request::put(registered["registration_client_uri"].as_str().unwrap())
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json");
        let response = server.send(request.body(Body::from(stated.to_string())).unwrap()).await;
        assert_eq!(response.status, 200, "{}", response.text());
    }

    let Weight { rows, bytes } = weight(&server, &Share::Pool(Pool::Clients));
    assert!(bytes <= 16 * 8 * 1024 && rows < 16, "{rows} {bytes}");
}

/// How a browser reports a request of a page's script, of an image, and of a frame.
const SCRIPT: [(&str, &str); 2] = [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")];
const FRAME: [(&str, &str); 2] = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
const NODE: [(&str, &str); 1] = [("sec-fetch-mode", "cors")];

async fn reported(server: &Server, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = headers
        .iter()
        .fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn what_is_no_navigation_stores_nothing() {
    let server = Server::new().await;
    let request = RelyingParty::web(&server).await.request(&[]);

    for path in [&*request, "/oauth/logout", "/bridge/device-link"] {
        let response = reported(&server, path, &SCRIPT).await;
        response.refused(ErrorCode::InvalidRequest, Refusal::NavigationRequired);
    }
    assert_eq!(stored::<Interaction>(&server), 0);

    for path in [&*request, "/oauth/logout", "/bridge/device-link"] {
        assert_eq!(reported(&server, path, &FRAME).await.status, 303);
        assert_eq!(reported(&server, path, &NODE).await.status, 303);
    }
    assert_eq!(stored::<Interaction>(&server), 6);
}

#[tokio::test]
async fn a_logout_with_a_valid_hint_goes_after_those_without() {
    let (server, mut ada) = Server::with_ada().await;
    let tokens = RelyingParty::web(&server).await.tokens(&mut ada).await;
    ada.sign_out().await; // or the hint would end the session and store nothing
    let hinted = format!("/oauth/logout?id_token_hint={}", tokens.id());
    let mut own = start(&server, "192.0.2.1", &hinted).await;

    flood(&server, "192.0.2.1", "/oauth/logout", 3000).await;

    // It is over: whoever comes without a session is signed out.
    let (browser, page) = &mut own;
    let response = browser.send(Request::get(&**page).body(Body::empty()).unwrap()).await;
    assert_eq!(response.location(), "/gate/logged-out");
    assert!(weight(&server, &Share::Pool(Pool::Interactions)).rows <= 2500);
}

#[tokio::test]
async fn rows_of_a_high_rank_push_out_none_of_a_lower_one() {
    let server = small().await;
    let mut ada = server.first_administrator().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    ada.sign_out().await;
    let hinted = format!("/oauth/logout?id_token_hint={}", tokens.id());

    flood(&server, "192.0.2.1", &hinted, 100).await;
    let mut own = start(&server, "192.0.2.1", &shop.request(&[])).await;
    flood(&server, "192.0.2.1", &hinted, 100).await;
    assert!(is_there(&mut own).await);

    let mut own = start(&server, "192.0.2.2", &shop.request(&[])).await;
    for _ in 0..100 {
        assert!(is_there(&mut start(&server, "192.0.2.2", &shop.request(&[])).await).await);
    }
    assert!(is_there(&mut own).await);
}

#[tokio::test]
async fn pushed_requests_and_devices_have_pools_of_their_own() {
    let server = small().await;
    let reader = RelyingParty::spa(&server).await;
    let telly = RelyingParty::tv(&server).await;

    let first = reader.push(&[]).await;
    let mut ada = server.first_administrator().await;
    let device = telly.device().await;
    assert!(ada.open_device(&device).await.text().contains("Telly"));
    for _ in 0..50 {
        server.advance(Duration::from_millis(1));
        reader.push(&[]).await;
        telly.device().await;
    }

    assert!(stored::<Pushed>(&server) <= 32);
    let gone = server.get(&first).await;
    gone.refused(ErrorCode::InvalidRequestUri, Refusal::PushedRequestUnknown);
    // The one that a person has seen stays theirs.
    assert!(weight(&server, &Share::Pool(Pool::Devices)).rows <= 32);
    assert!(stored::<Device>(&server) <= 33);
    assert!(ada.open_device(&device).await.text().contains("Telly"));
}

#[tokio::test]
async fn a_client_that_an_operator_registered_is_pushed_out_last() {
    let server = small().await;
    let shop = RelyingParty::web(&server).await;
    let reader = RelyingParty::spa(&server).await;
    let vouched = shop.push(&[]).await;

    for _ in 0..50 {
        reader.push(&[]).await;
    }

    assert_eq!(server.get(&vouched).await.status, 303);
}

async fn open_anonymous(server: &Server, address: &str) -> Value {
    let request = Request::post("/oauth/session").header("content-type", "application/json");
    let mut request =
        request.body(Body::from(json!({ "client_id": "reader" }).to_string())).unwrap();
    request.extensions_mut().insert(Peer(address.parse().unwrap()));
    let response = server.send(request).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

#[tokio::test]
async fn anonymous_sessions_that_ended_go_first() {
    let server = with(|config| config.policy.anonymous_sessions = 16).await;
    let reader = json!({ "name": "Reader", "client_id": "reader", "client_type": "public",
        "redirect_uris": ["https://reader.example/cb"], "anonymous": true });
    server.client(reader).await;
    let id = |session: &Value| session["session_id"].as_str().unwrap().to_owned();
    let lives = id(&open_anonymous(&server, "127.0.0.1").await);
    let mut ended = Vec::new();
    for _ in 0..8 {
        server.advance(Duration::from_secs(1));
        ended.push(id(&open_anonymous(&server, "127.0.0.1").await));
    }
    for id in &ended {
        server.operate(Method::DELETE, &format!("/sessions/{id}"), json!({})).await;
    }

    for _ in 0..15 {
        open_anonymous(&server, "127.0.0.1").await;
    }

    let view = server.app.read().unwrap();
    assert!(view.count::<AnonymousSession>(99).unwrap() <= 16);
    assert!(view.find::<AnonymousSession>(&lives.parse().unwrap()).unwrap().is_some());
    for id in &ended {
        assert_eq!(view.find::<AnonymousSession>(&id.parse().unwrap()).unwrap(), None);
    }
}

#[tokio::test]
async fn what_a_full_pool_took_is_counted() {
    let server = small().await;
    let request = RelyingParty::web(&server).await.request(&[]);

    flood(&server, "127.0.0.1", &request, 32).await;
    let taken = || server.app.read().unwrap().find::<Taken>(&Pool::Interactions).unwrap();
    assert_eq!(taken(), None);
    let full = server.app.clock().now();
    flood(&server, "127.0.0.1", &request, 32).await;

    let taken = taken().unwrap();
    assert!(taken.last > full);
    assert_eq!(taken.rows + u64::try_from(stored::<Interaction>(&server)).unwrap(), 64);
}

/// The id of a document can come back, and with it an assertion that was used.
#[tokio::test]
async fn used_assertions_outlast_their_client_within_bounds_of_their_own() {
    let site = Site::new().await;
    let server = with(|config| {
        config.fetch.private = vec![site.listed()];
        config.registration.unused = 2;
    });
    let (server, signer) = (server.await, Signer::new(SigningAlg::Es256));
    let stated = |n: usize| {
        json!({
            "client_id": site.url(&format!("/{n}")), "redirect_uris": [site.url("/cb")],
            "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [signer.jwk()] },
        })
    };
    let mut used = Vec::new();
    for n in 0..6 {
        server.advance(Duration::from_secs(1));
        site.serve(&stated(n), "");
        for _ in 0..12 {
            used.push(signer.assertion(&server, &site.url(&format!("/{n}")), &json!({})));
            assert_to(&server, used.last().unwrap()).await;
        }
    }

    assert!(stored::<Client>(&server) <= 2);
    let weighed = weight(&server, &Share::Pool(Pool::UsedAssertions)).rows;
    assert_eq!((stored::<UsedAssertion>(&server), weighed), (32, 32));
    site.serve(&stated(4), "");
    let again = assert_to(&server, &used[4 * 12 + 11]).await;
    again.refused(ErrorCode::InvalidClient, Refusal::ClientAssertionReplayed);
}
