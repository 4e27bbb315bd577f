//! The page on which a person lets a device in: what it shows, and what counts as a guess
//! (RFC 8628 §5).

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use gatelodge::config::Config;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::http::Peer;
use gatelodge::oauth::issuer::Issuer;
use serde_json::json;

use super::device::waiting;
use crate::refusals::documents::document;
use crate::support::{RelyingParty, Server, Site, register};

/// The person compares the address, so a device cannot choose it.
#[tokio::test]
async fn the_page_shows_the_address_that_the_last_trusted_proxy_saw() {
    let named = |config: &mut Config| {
        config.behind_proxy = ["10.0.0.1", "10.0.0.2"].map(|own| own.parse().unwrap()).to_vec();
    };
    let server = Server::with(Issuer::localhost(7455), named).await;
    let mut ada = server.first_administrator().await;
    RelyingParty::tv(&server).await;
    for (peer, forwarded, address) in [
        ("192.0.2.9", "198.51.100.1", "192.0.2.9"),
        ("10.0.0.1", "203.0.113.7, 198.51.100.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1:4711, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"),
    ] {
        let mut request = Request::post("/oauth/device_authorization")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-forwarded-for", forwarded)
            .body(Body::from("client_id=telly&scope=openid"))
            .unwrap();
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        let device = server.send(request).await.json();

        let page = ada.open_device(&device).await;

        let private = if address == "10.0.0.1" { ", in a private network" } else { "" };
        let expected = format!("<strong>{address}{private}</strong>");
        assert!(page.text().contains(&expected), "{peer} {forwarded}");
        assert!(!page.text().contains("203.0.113.7"));
    }
}

/// What no operator vouches for, the page says so of.
#[tokio::test]
async fn the_page_says_who_gave_the_app_its_name() {
    let site = Site::new().await;
    let reach = |config: &mut Config| config.fetch.private = vec![site.listed()];
    let server = Server::with(Issuer::localhost(7455), reach).await;
    let mut ada = server.first_administrator().await;
    let grants = json!(["urn:ietf:params:oauth:grant-type:device_code"]);
    let metadata = json!({
        "client_name": "Telly",
        "token_endpoint_auth_method": "none",
        "grant_types": grants,
        "response_types": [],
    });
    let registered = register(&server, metadata).await.json();
    let mut document = document(&site);
    document["grant_types"] = grants;
    site.serve(&document, "");
    let mut pages = Vec::new();
    for client in [
        RelyingParty::tv(&server).await,
        RelyingParty::new(&server, &registered),
        RelyingParty::new(&server, &document),
    ] {
        pages.push(ada.open_device(&client.device().await).await);
    }

    let nobody = "Nobody vouches for this name.";
    let program = "A program on this machine gave the app its name.";
    let named_by = format!("<bdi>{}</bdi>", site.listed());
    let said =
        pages.iter().map(|page| [nobody, program, &named_by].map(|s| page.text().contains(s)));
    let said: Vec<_> = said.collect();
    assert_eq!(said, [[false, false, false], [true, false, false], [false, true, true]]);
}

#[tokio::test]
async fn what_a_device_says_of_itself_is_shown_as_text_and_bounded() {
    let (server, mut ada) = Server::with_ada().await;
    RelyingParty::tv(&server).await;
    let request = Request::post("/oauth/device_authorization")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("user-agent", format!("<b>{}", "x".repeat(4000)));
    let body = Body::from("client_id=telly&scope=openid");
    let device = server.send(request.body(body).unwrap()).await.json();

    let page = ada.open_device(&device).await;

    assert!(page.text().contains(&format!("&#60;b&#62;{}<", "x".repeat(197))));
}

#[tokio::test]
async fn whoever_has_nothing_to_grant_may_still_say_no() {
    let (server, mut ada, telly, device) = waiting().await;
    server.change_person("ada", |ada| ada.roles.clear()).await;

    let page = ada.open_device(&device).await;
    let insisted = ada.decide_on_device(&page, "allow").await;
    telly.poll(&device).await.refused(ErrorCode::AuthorizationPending, Refusal::DeviceCodePending);
    server.advance(Duration::from_secs(5));
    ada.decide_on_device(&page, "deny").await;

    for page in [page, insisted] {
        assert!(page.text().contains("Nothing of what it asks for is yours to allow."));
        assert!(!page.text().contains("value=\"allow\""));
    }
    let response = telly.poll(&device).await;
    response.refused(ErrorCode::AuthorizationDenied, Refusal::DeviceCodeDenied);
}

/// RFC 8628 §5.1
#[tokio::test]
async fn guesses_are_slowed_down() {
    let (server, mut ada, _telly, device) = waiting().await;
    for _ in 0..10 {
        let page = ada.submit("/gate/device", &[("user_code", "BBBB-BBBB")]).await;
        assert!(page.text().contains("No device waits for this code."));
    }

    let slowed = ada.open_device(&device).await;
    server.advance(Duration::from_secs(1));
    let later = ada.open_device(&device).await;

    slowed.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    assert_eq!(slowed.header("retry-after"), "1");
    assert!(later.text().contains("Telly"));
}

/// Another site can lead a browser to any code. The page of a link says nothing about the code.
#[tokio::test]
async fn whoever_only_looks_guesses_nothing_and_learns_nothing() {
    let (_server, mut ada, _telly, device) = waiting().await;
    for request in [Request::head, Request::get] {
        for _ in 0..20 {
            let request = request("/gate/device?user_code=BBBB-BBBB").body(Body::empty());
            assert_eq!(ada.send(request.unwrap()).await.status, 200);
        }
    }
    let code = device["user_code"].as_str().unwrap();
    let wrong = ada.visit("/gate/device?user_code=BBBB-BBBB").await;
    let right = ada.visit(&format!("/gate/device?user_code={code}")).await;
    assert_eq!(wrong.text().replace("BBBB-BBBB", code), right.text());

    let page = ada.open_device(&device).await;

    assert!(page.text().contains("Telly"));
}

/// What has not the form of a code guesses nothing.
#[tokio::test]
async fn a_slip_of_the_finger_is_no_guess() {
    let (_server, mut ada, _telly, device) = waiting().await;
    for _ in 0..20 {
        ada.submit("/gate/device", &[("user_code", "hello")]).await;
    }

    let page = ada.open_device(&device).await;

    assert!(page.text().contains("Telly"));
}

/// RFC 8628 §6.1: what people paste with a code, and what their keyboards make of it.
#[tokio::test]
async fn a_code_is_taken_with_what_stands_around_it() {
    let (_server, mut ada, _telly, device) = waiting().await;
    let code = device["user_code"].as_str().unwrap();
    let (first, second) = code.split_once('-').unwrap();
    let wide: String = code
        .chars()
        .map(|letter| char::from_u32(u32::from(letter) - 0x21 + 0xff01).unwrap())
        .collect();

    for typed in [
        format!("\u{201c}{first}\u{2011}{second}\u{201d}"),
        format!("\u{feff}{first}\u{a0}{second}\u{200b}"),
        format!("'{first} \u{2014} {second}'"),
        wide,
    ] {
        let page = ada.submit("/gate/device", &[("user_code", &typed)]).await;
        assert!(page.text().contains("Telly"), "{typed}");
    }
}
