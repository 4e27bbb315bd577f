//! What the pages and their scripts refuse.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use serde_json::json;

use super::links::invited;
use crate::pages::passkeys::{ada_with, enrolled, signed_in};
use crate::support::{Browser, RawPasskey, RelyingParty, Response, Server};

const START: &str = "/gate/webauthn/authenticate/start";

pub(super) async fn a_body_that_is_no_json() -> Response {
    let mut browser = Browser::at_login(&Server::new().await).await;
    browser.call(START, &json!("[")).await
}

pub(super) async fn a_ceremony_after_its_time() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let signed = ada.signed_challenge().await;
    server.advance(Duration::from_mins(5));
    ada.finish_sign_in(&signed).await
}

pub(super) async fn a_ceremony_of_another_browser() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let signed = ada.signed_challenge().await;
    Browser::at_login(&server).await.finish_sign_in(&signed).await
}

pub(super) async fn a_ceremony_for_the_second_time() -> Response {
    let (server, ada) = Server::with_ada().await;
    let mut browser = Browser::new(&server);
    browser.authenticator = ada.authenticator;
    let signed = browser.signed_challenge().await;
    assert_eq!(browser.finish_sign_in(&signed).await.status, 200);
    browser.finish_sign_in(&signed).await
}

pub(super) async fn a_passkey_that_nobody_registered() -> Response {
    let (_server, mut eve) = Server::with_ada().await;
    let (server, _ada) = Server::with_ada().await;
    let mut here = Browser::at_login(&server).await;
    std::mem::swap(&mut here.authenticator, &mut eve.authenticator);
    let signed = here.signed_challenge().await;
    here.finish_sign_in(&signed).await
}

pub(super) async fn a_passkey_whose_counter_goes_back() -> Response {
    let mut passkey = RawPasskey::new();
    passkey.counter = 2;
    let mut ada = ada_with(&mut passkey).await;
    passkey.counter = 1;
    signed_in(&mut ada, &passkey).await
}

pub(super) async fn a_passkey_in_a_frame_of_another_page() -> Response {
    let mut passkey = RawPasskey::new();
    let mut ada = ada_with(&mut passkey).await;
    passkey.cross_origin = Some(true);
    signed_in(&mut ada, &passkey).await
}

pub(super) async fn a_passkey_with_a_long_id() -> Response {
    let mut passkey = RawPasskey::new();
    passkey.id = vec![7; 1024];
    enrolled(&mut Browser::new(&Server::new().await), &mut passkey).await
}

pub(super) async fn a_passkey_that_does_not_verify_its_person() -> Response {
    let mut passkey = RawPasskey::new();
    let mut ada = ada_with(&mut passkey).await;
    passkey.verifies = false;
    signed_in(&mut ada, &passkey).await
}

pub(super) async fn the_user_handle_of_somebody_else() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let mut bob = server.person("bob").await;
    let mut signed = ada.signed_challenge().await;
    let other = bob.signed_challenge().await;
    let handle = other["credential"]["response"]["userHandle"].clone();
    signed["credential"]["response"]["userHandle"] = handle;
    ada.finish_sign_in(&signed).await
}

pub(super) async fn a_signature_for_another_challenge() -> Response {
    let (_server, mut ada) = Server::with_ada().await;
    let stale = ada.signed_challenge().await;
    let mut signed = ada.signed_challenge().await;
    signed["credential"] = stale["credential"].clone();
    ada.finish_sign_in(&signed).await
}

/// Without attestation nothing binds a new credential to its challenge but the client data, so
/// that a program can offer one passkey for two people.
pub(super) async fn a_passkey_for_two_people() -> Response {
    let server = Server::new().await;
    let (mut ada, token) = invited(&server, "ada").await;
    let first = ada.made_passkey(&token, None).await;
    assert_eq!(ada.finish_setup(&first).await.status, 200);
    let (mut bob, token) = invited(&server, "bob").await;
    let mut second = bob.made_passkey(&token, None).await;
    let client_data = second["credential"]["response"]["clientDataJSON"].clone();
    second["credential"] = first["credential"].clone();
    second["credential"]["response"]["clientDataJSON"] = client_data;
    bob.finish_setup(&second).await
}

pub(super) async fn a_form_from_another_site() -> Response {
    let request = Request::post("/gate/logout").header("sec-fetch-site", "cross-site");
    Server::new().await.send(request.body(Body::empty()).unwrap()).await
}

pub(super) async fn a_stale_anti_forgery_token() -> Response {
    let (_server, mut ada) = Server::with_ada().await;
    ada.csrf = "stale".to_owned();
    ada.submit("/gate/logout", &[]).await
}

pub(super) async fn a_header_section_that_is_too_large() -> Response {
    let request = Request::get("/login").header(header::COOKIE, "a".repeat(33 * 1024));
    Server::new().await.send(request.body(Body::empty()).unwrap()).await
}

pub(super) async fn a_host_that_is_none() -> Response {
    let request = Request::get("/login").header(header::HOST, "localhost:port");
    Server::new().await.send(request.body(Body::empty()).unwrap()).await
}

pub(super) async fn a_host_that_is_not_ours() -> Response {
    let request = Request::get("/login").header(header::HOST, "rebound.example:7455");
    Server::new().await.send(request.body(Body::empty()).unwrap()).await
}

/// Ada on the shop's consent page.
async fn consent() -> (Server, Browser, RelyingParty, Response) {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let page = ada.visit(&shop.request(&[])).await;
    assert!(page.asks_for_consent());
    (server, ada, shop, page)
}

pub(super) async fn neither_yes_nor_no() -> Response {
    let (_server, mut ada, _shop, page) = consent().await;
    ada.decide(&page, "perhaps").await
}

pub(super) async fn an_interaction_after_its_time() -> Response {
    let (server, ada, _shop, page) = consent().await;
    let mut late = Browser::new(&server);
    late.csrf.clone_from(&ada.csrf);
    // A browser whose clock is late still sends the cookie.
    late.keep_from(&ada);
    server.advance(Duration::from_mins(30));
    late.decide(&page, "allow").await
}

pub(super) async fn an_interaction_of_another_browser() -> Response {
    let (server, _ada, _shop, page) = consent().await;
    let mut eve = server.person("eve").await;
    eve.visit("/account").await;
    eve.decide(&page, "allow").await
}

pub(super) async fn an_interaction_that_was_answered() -> Response {
    let (server, mut ada, _shop, page) = consent().await;
    ada.decide(&page, "allow").await;
    // Her own browser remembers that she answered.
    Browser::at_login(&server).await.visit(&page.action()).await
}

pub(super) async fn a_method_that_is_not_answered() -> Response {
    let request = Request::delete("/oauth/token").body(Body::empty()).unwrap();
    Server::new().await.send(request).await
}

pub(super) async fn a_page_that_is_not_there() -> Response {
    Server::new().await.get("/nowhere").await
}

pub(super) async fn the_ca_of_a_server_without_one() -> Response {
    Server::new().await.get("/trust").await
}

pub(super) async fn a_person_who_is_switched_off() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    server.change_person("ada", |person| person.disabled = true).await;
    let signed = ada.signed_challenge().await;
    ada.finish_sign_in(&signed).await
}

pub(super) async fn a_way_home_that_is_not_registered() -> Response {
    let server = Server::new().await;
    RelyingParty::web(&server).await;
    let uri = "https%3A%2F%2Fevil.example%2Fbye";
    server.get(&format!("/oauth/logout?client_id=shop&post_logout_redirect_uri={uri}")).await
}

pub(super) async fn a_way_home_of_nobody() -> Response {
    let server = Server::new().await;
    server.get("/oauth/logout?post_logout_redirect_uri=https%3A%2F%2Fshop.example%2Fbye").await
}

pub(super) async fn a_way_home_of_an_unknown_client() -> Response {
    let server = Server::new().await;
    let uri = "https%3A%2F%2Fshop.example%2Fbye";
    server.get(&format!("/oauth/logout?client_id=shop&post_logout_redirect_uri={uri}")).await
}

pub(super) async fn a_sign_out_after_its_time() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let page = ada.visit("/oauth/logout").await;
    let mut late = Browser::new(&server);
    late.csrf.clone_from(&ada.csrf);
    late.keep_from(&ada);
    server.advance(Duration::from_mins(30));
    late.decide(&page, "allow").await
}

pub(super) async fn a_sign_out_of_another_browser() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let elsewhere = server.get("/oauth/logout").await;
    ada.visit(elsewhere.location()).await
}

pub(super) async fn the_administration_without_a_role() -> Response {
    let (server, _ada) = Server::with_ada().await;
    server.person("bob").await.visit("/gate/admin").await
}
