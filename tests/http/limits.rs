//! How large a request may be, and how it has to be written.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::http::Peer;
use gatelodge::oauth::issuer::Issuer;

use crate::support::{Browser, RelyingParty, Response, Server};

async fn post(server: &Server, media: &str, body: String) -> Response {
    let request = Request::post("/oauth/token").header("content-type", media);
    server.send(request.body(Body::from(body)).unwrap()).await
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn a_form_has_at_most_32_kib() {
    let server = Server::new().await;
    let padded = |length: usize| {
        let values = ["a", "b", "c", "d"].map(|name| format!("&{name}={}", "x".repeat(8000)));
        let form = format!("grant_type=client_credentials&client_id=nobody{}&e=", values.concat());
        format!("{form}{}", "x".repeat(length - form.len()))
    };

    let largest = post(&server, FORM, padded(32 * 1024)).await;
    let larger = post(&server, FORM, padded(32 * 1024 + 1)).await;

    largest.refused(ErrorCode::InvalidClient, Refusal::ClientUnknown);
    larger.refused(ErrorCode::PayloadTooLarge, Refusal::BodyTooLarge);
}

#[tokio::test]
async fn a_query_has_at_most_32_kib() {
    let server = Server::new().await;
    let query = "&p=y".to_owned() + &"y".repeat(8000) + &("&q=y".to_owned() + &"y".repeat(8000));
    let longer = query.repeat(3);

    let response = server.get(&format!("/oauth/authorize?{longer}")).await;

    response.refused(ErrorCode::PayloadTooLarge, Refusal::BodyTooLarge);
}

#[tokio::test]
async fn a_value_has_at_most_8_kib_and_a_token_16() {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    let robot = RelyingParty::robot(&server).await;
    let long = |length: usize| "x".repeat(length);

    let state = server.get(&shop.request(&[("state", &long(8192))])).await;
    let longer = server.get(&shop.request(&[("state", &long(8193))])).await;
    let token = shop.refresh(&long(16_384)).await;
    let longer_token = shop.refresh(&long(16_385)).await;

    assert_eq!(state.status, 303);
    longer.refused(ErrorCode::InvalidRequest, Refusal::ParameterTooLong);
    token.refused(ErrorCode::InvalidGrant, Refusal::RefreshUnknown);
    longer_token.refused(ErrorCode::InvalidRequest, Refusal::ParameterTooLong);
    robot.ask(&[("grant_type", "client_credentials"), ("unknown", &long(8192))]).await.tokens();
}

#[tokio::test]
async fn an_answer_to_a_ceremony_has_at_most_64_kib() {
    let server = Server::new().await;
    let mut browser = Browser::at_login(&server).await;
    let padded = |length: usize| serde_json::json!({ "padding": "x".repeat(length) });
    let start = "/gate/webauthn/authenticate/start";

    let large = browser.call(start, &padded(60 * 1024)).await;
    let larger = browser.call(start, &padded(64 * 1024)).await;

    assert_eq!(large.status, 200);
    larger.refused(ErrorCode::PayloadTooLarge, Refusal::BodyTooLarge);
}

#[tokio::test]
async fn a_form_says_that_it_is_one() {
    let server = Server::new().await;
    let body = "grant_type=client_credentials&client_id=nobody";

    for media in [
        FORM,
        "application/x-www-form-urlencoded; charset=UTF-8",
        "APPLICATION/X-WWW-FORM-URLENCODED",
    ] {
        let response = post(&server, media, body.to_owned()).await;
        response.refused(ErrorCode::InvalidClient, Refusal::ClientUnknown);
    }
    for media in ["", "text/plain", "multipart/form-data", "application/json"] {
        let response = post(&server, media, body.to_owned()).await;
        response.refused(ErrorCode::InvalidRequest, Refusal::BodyTypeUnsupported);
    }
}

/// RFC 6749 §3.1: unknown parameters are ignored, empty ones are as good as left out, and none of
/// ours comes twice.
#[tokio::test]
async fn parameters_come_once_unknown_ones_are_ignored() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    let grant = ("grant_type", "client_credentials");

    let unknown = robot.ask(&[grant, ("a", "1"), ("a", "2"), ("scope", "")]).await;
    let twice = robot.ask(&[grant, grant]).await;
    let differently = robot.ask(&[grant, ("scope", "email"), ("scope", "")]).await;

    unknown.tokens();
    twice.refused(ErrorCode::InvalidRequest, Refusal::ParameterRepeated);
    differently.refused(ErrorCode::InvalidRequest, Refusal::ParameterRepeated);
}

#[tokio::test]
async fn a_resource_may_come_more_than_once_and_is_this_server() {
    let server = Server::new().await;
    let robot = RelyingParty::robot(&server).await;
    let grant = ("grant_type", "client_credentials");
    let (own, slash) = (server.issuer().to_owned(), format!("{}/", server.issuer()));

    let both = robot.ask(&[grant, ("resource", &own), ("resource", &slash)]).await;
    let other = robot.ask(&[grant, ("resource", &own), ("resource", "https://mcp.example")]).await;

    let claims = crate::support::decoded(&both.tokens().access).1;
    assert_eq!(claims["aud"], server.issuer());
    other.refused(ErrorCode::InvalidTarget, Refusal::ResourceUnknown);
}

#[tokio::test]
async fn a_ceremony_with_broken_json_is_refused_not_failed() {
    let server = Server::new().await;
    let mut browser = Browser::at_login(&server).await;

    for body in ["null", "[]", "{\"ceremony\":1,\"credential\":{}}", "{\"ceremony\":\"x\"}"] {
        let body = serde_json::from_str(body).unwrap();
        let response = browser.call("/gate/webauthn/authenticate/finish", &body).await;

        response.refused(ErrorCode::InvalidRequest, Refusal::BodyMalformed);
    }
}

/// A GET as it comes from an address.
async fn get_from(server: &Server, address: &str, path: &str) -> Response {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer(address.parse().unwrap()));
    server.send(request).await
}

#[tokio::test]
async fn one_network_does_not_take_the_room_of_all() {
    let server = Server::with(Issuer::localhost(7455), |config| config.policy.interactions = 1200);
    let server = server.await;
    let request = RelyingParty::web(&server).await.request(&[]);
    // Half of 1200, over the 30 minutes that a request lasts.
    for _ in 0..20 {
        assert!(get_from(&server, "192.0.2.1", &request).await.redirect_url().is_none());
    }

    let more = get_from(&server, "192.0.2.1", &request).await;
    let logout = get_from(&server, "192.0.2.1", "/oauth/logout").await;
    let link = get_from(&server, "192.0.2.1", "/bridge/device-link").await;
    let elsewhere = get_from(&server, "192.0.2.2", &request).await;
    server.advance(Duration::from_mins(1));
    let later = get_from(&server, "192.0.2.1", &request).await;

    more.refused(ErrorCode::TemporarilyUnavailable, Refusal::InteractionsTooMany);
    logout.refused(ErrorCode::TemporarilyUnavailable, Refusal::InteractionsTooMany);
    link.refused(ErrorCode::TemporarilyUnavailable, Refusal::InteractionsTooMany);
    assert!(elsewhere.location().starts_with("/gate/interaction/"));
    assert!(later.location().starts_with("/gate/interaction/"));
}

#[tokio::test]
async fn whoever_was_signed_in_signs_out_although_there_is_no_room() {
    let server = Server::with(Issuer::localhost(7455), |config| config.policy.interactions = 16);
    let server = server.await;
    let mut ada = server.first_administrator().await;
    let mut bob = server.person("bob").await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    for _ in 0..16 {
        server.get(&shop.request(&[])).await;
    }

    let logout = format!("/oauth/logout?id_token_hint={}", tokens.id());
    let response = ada.visit(&logout).await;
    bob.sign_out().await;

    assert!(response.text().contains("You are signed out"));
    let without_session = server.get("/oauth/logout").await;
    without_session.refused(ErrorCode::TemporarilyUnavailable, Refusal::InteractionsTooMany);
}
