//! Userinfo: how its token may be sent, and what the response has.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::keys::JwtKind;
use serde_json::json;

use crate::support::{RelyingParty, Server, decoded};

const FORM: &str = "application/x-www-form-urlencoded";

/// RFC 6750 §2, OpenID Connect Core §5.3.1
#[tokio::test]
async fn a_token_comes_in_the_header_or_in_a_form() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let form = Body::from(format!("access_token={}", tokens.access));
    let bearer = |scheme: &str| format!("{scheme} {}", tokens.access);

    let requests = [
        Request::get("/oauth/userinfo").header(header::AUTHORIZATION, bearer("Bearer")),
        Request::get("/oauth/userinfo").header(header::AUTHORIZATION, bearer("bearer")),
        Request::post("/oauth/userinfo").header(header::AUTHORIZATION, bearer("Bearer")),
    ];
    let mut requests: Vec<_> =
        requests.into_iter().map(|request| request.body(Body::empty()).unwrap()).collect();
    let posted = Request::post("/oauth/userinfo").header(header::CONTENT_TYPE, FORM);
    requests.push(posted.body(form).unwrap());

    for request in requests {
        let response = server.send(request).await;

        assert_eq!(response.json(), json!({ "sub": decoded(tokens.id()).1["sub"] }));
        assert_eq!(response.header("cache-control"), "no-store");
    }
}

/// RFC 9700 §4.3.2: queries are logged and remembered.
#[tokio::test]
async fn a_token_in_the_query_counts_for_nothing() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;

    let response = server.get(&format!("/oauth/userinfo?access_token={}", tokens.access)).await;

    response.refused(ErrorCode::InvalidToken, Refusal::BearerTokenMissing);
}

/// RFC 6750 §3.1: "the resource server SHOULD NOT include an error code or other error information"
/// where no token came, and has codes for three statuses alone.
#[tokio::test]
async fn a_challenge_speaks_of_a_token_where_one_came() {
    let server = Server::new().await;
    let posted = |kind: &str, body: String| {
        let request = Request::post("/oauth/userinfo").header(header::CONTENT_TYPE, kind);
        server.send(request.body(Body::from(body)).unwrap())
    };
    let basic = Request::get("/oauth/userinfo").header(header::AUTHORIZATION, "Basic YTpi");
    let basic = server.send(basic.body(Body::empty()).unwrap()).await;
    let json = posted("application/json", "{}".to_owned()).await;
    let large = posted(FORM, format!("a={}", "x".repeat(33 * 1024))).await;
    let repeated = posted(FORM, "access_token=a&access_token=b".to_owned()).await;

    basic.refused(ErrorCode::InvalidToken, Refusal::BearerTokenMissing);
    json.refused(ErrorCode::InvalidRequest, Refusal::BodyTypeUnsupported);
    for response in [basic, json] {
        let challenge = response.header("www-authenticate");
        assert!(challenge.starts_with("Bearer ") && !challenge.contains("error"), "{challenge}");
    }
    large.refused(ErrorCode::PayloadTooLarge, Refusal::BodyTooLarge);
    assert_eq!(large.header("www-authenticate"), "");
    assert!(repeated.header("www-authenticate").contains("error=\"invalid_request\""));
}

#[tokio::test]
async fn two_headers_are_refused_whatever_they_say() {
    let server = Server::new().await;

    for second in ["Bearer abc", "Basic YTpi"] {
        let request = Request::get("/oauth/userinfo")
            .header(header::AUTHORIZATION, "Bearer abc")
            .header(header::AUTHORIZATION, second);
        let response = server.send(request.body(Body::empty()).unwrap()).await;

        response.refused(ErrorCode::InvalidRequest, Refusal::BearerTokenRepeated);
    }
}

#[tokio::test]
async fn userinfo_tells_a_person_as_they_are_today() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens_of(&mut ada, "openid profile").await;

    server.change_person("ada", |ada| ada.display_name = "Countess".parse().unwrap()).await;

    let userinfo = shop.userinfo(&tokens.access).await.json();
    assert_eq!(userinfo["name"], "Countess");
    assert_eq!(decoded(tokens.id()).1["name"], "ada");
}

/// RFC 6750 §3.1
#[tokio::test]
async fn a_token_that_does_not_reach_that_far_is_told_so() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens_of(&mut ada, "profile").await;

    let response = shop.userinfo(&tokens.access).await;

    response.refused(ErrorCode::InsufficientScope, Refusal::BearerTokenWithoutOpenid);
    let challenge = response.header("www-authenticate");
    assert!(challenge.contains("error=\"insufficient_scope\""));
    assert!(challenge.ends_with(", scope=\"openid\""));
}

#[tokio::test]
async fn a_token_of_the_client_itself_speaks_for_nobody() {
    let server = Server::new().await;
    let robot = server.client(json!({ "name": "Robot", "scope": "openid" })).await;
    let tokens = robot.ask(&[("grant_type", "client_credentials")]).await.tokens();

    let response = robot.userinfo(&tokens.access).await;

    response.refused(ErrorCode::InsufficientScope, Refusal::BearerTokenWithoutOpenid);
    assert!(tokens.id.is_none());
}

/// OpenID Connect Core §5.3.2
#[tokio::test]
async fn a_client_that_registered_it_gets_a_signed_answer() {
    let (server, mut ada) = Server::with_ada().await;

    for alg in ["ES256", "EdDSA", "RS256"] {
        let registration = json!({
            "name": "Shop", "client_id": alg, "redirect_uris": ["https://shop.example/cb"],
            "userinfo_signed_response_alg": alg,
        });
        let shop = server.client(registration).await;
        let tokens = shop.tokens_of(&mut ada, "openid profile").await;

        let response = shop.userinfo(&tokens.access).await;

        assert_eq!(response.header("content-type"), "application/jwt");
        let (header, claims) = decoded(response.text());
        assert_eq!(header["alg"], alg);
        assert_eq!(server.verified(response.text(), JwtKind::Id), claims);
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(server.issuer()), &json!(alg)));
        assert_eq!(
            (&claims["sub"], &claims["name"]),
            (&decoded(tokens.id()).1["sub"], &json!("ada"))
        );
        // It is neither an ID token nor an access token.
        let hint = ada.visit(&shop.request(&[("id_token_hint", response.text())])).await;
        hint.refused(ErrorCode::InvalidRequest, Refusal::IdTokenHintMalformed);
        assert_eq!(shop.userinfo(response.text()).await.status, 401);
    }
}

#[tokio::test]
async fn a_head_is_answered_without_a_body_and_a_preflight_without_a_token() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let head = |method: &str, bearer: &str| {
        let request = Request::builder().method(method).uri("/oauth/userinfo");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        request.header(header::ORIGIN, "https://app.example").body(Body::empty()).unwrap()
    };

    let response = server.send(head("HEAD", &tokens.access)).await;
    let refused = server.send(head("HEAD", "abc")).await;
    let preflight = server.send(head("OPTIONS", "")).await;
    let deleted = server.send(head("DELETE", &tokens.access)).await;

    assert_eq!(
        (response.status.as_u16(), response.header("content-type")),
        (200, "application/json")
    );
    assert!(response.body.is_empty());
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").starts_with("Bearer "));
    assert_eq!(
        (preflight.status.as_u16(), preflight.header("access-control-allow-origin")),
        (204, "*")
    );
    assert_eq!(deleted.status, 405);
}
