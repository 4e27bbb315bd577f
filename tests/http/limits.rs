//! How large a request may be, and how it has to be written.

use axum::body::Body;
use axum::extract::Request;
use gatelodge::error::{ErrorCode, Refusal};

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
async fn a_header_section_has_at_most_32_kib_and_so_has_a_query() {
    let server = Server::new().await;
    let query = "&p=y".to_owned() + &"y".repeat(8000) + &("&q=y".to_owned() + &"y".repeat(8000));
    let longer = query.repeat(3);

    let response = server.get(&format!("/oauth/authorize?{longer}")).await;

    response.refused(ErrorCode::RequestHeaderFieldsTooLarge, Refusal::HeaderSectionTooLarge);
    let padded = |length: usize| {
        let request = Request::get("/gate/login").header("accept", "text/html");
        let request = request.header("x-padding", "a".repeat(length)).body(Body::empty());
        server.send(request.unwrap())
    };
    assert_eq!(padded(31 * 1024).await.status, 200);
    let page = padded(33 * 1024).await;
    page.refused(ErrorCode::RequestHeaderFieldsTooLarge, Refusal::HeaderSectionTooLarge);
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
    longer.refused(ErrorCode::InvalidRequest, Refusal::ParameterTooLong("parameter"));
    token.refused(ErrorCode::InvalidGrant, Refusal::RefreshUnknown);
    longer_token.refused(ErrorCode::InvalidRequest, Refusal::ParameterTooLong("parameter"));
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
    twice.refused(ErrorCode::InvalidRequest, Refusal::ParameterRepeated("parameter"));
    differently.refused(ErrorCode::InvalidRequest, Refusal::ParameterRepeated("parameter"));
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
