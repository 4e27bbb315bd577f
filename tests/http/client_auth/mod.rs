//! How clients prove who they are.

mod assertions;
mod chosen;
mod jwks_uri;
mod older_assertions;

use std::time::Duration;

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::params::form_encode;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{RelyingParty, Response, Server, basic, token};

const CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");

async fn robot(server: &Server, more: Value) -> RelyingParty {
    let mut registration = json!({ "name": "Robot" });
    registration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.client(registration).await
}

#[tokio::test]
async fn a_secret_travels_in_the_header_or_in_the_body_as_was_registered() {
    let server = Server::new().await;

    for method in ["client_secret_basic", "client_secret_post"] {
        let robot = robot(&server, json!({ "token_endpoint_auth_method": method })).await;

        robot.ask(&[CREDENTIALS]).await.tokens();
    }
}

#[tokio::test]
async fn the_body_is_refused_for_the_header_and_the_header_for_the_body() {
    let server = Server::new().await;
    let basic_only = json!({ "token_endpoint_auth_method": "client_secret_basic" });
    let in_header = robot(&server, basic_only).await;
    let post = json!({ "token_endpoint_auth_method": "client_secret_post" });
    let in_body = robot(&server, post).await;
    let secret = |client: &RelyingParty| client.secret.clone().unwrap();

    let (id, own) = (in_header.id.as_str(), secret(&in_header));
    let fields = [CREDENTIALS, ("client_id", id), ("client_secret", &own)];
    let wrongly_in_body = token(&server, None, &fields).await;
    let authorization = basic(&in_body.id, &secret(&in_body));
    let wrongly_in_header = token(&server, Some(&authorization), &[CREDENTIALS]).await;

    wrongly_in_body.refused(ErrorCode::InvalidClient, Refusal::AuthMethodNotRegistered);
    wrongly_in_header.refused(ErrorCode::InvalidClient, Refusal::AuthMethodNotRegistered);
}

/// RFC 6749 §2.3.1 and appendix B: both halves are form-encoded before they are joined.
#[tokio::test]
async fn a_client_id_may_hold_reserved_characters() {
    let server = Server::new().await;

    for (id, method) in [
        ("my app: #1 + 100% \"ok\" & so=on?", "client_secret_basic"),
        ("another: app/+ \\ {%41}", "client_secret_post"),
    ] {
        let more = json!({ "client_id": id, "token_endpoint_auth_method": method });
        let robot = robot(&server, more).await;

        let tokens = robot.ask(&[CREDENTIALS]).await.tokens();

        assert_eq!(crate::support::decoded(&tokens.access).1["client_id"], id);
    }
}

#[tokio::test]
async fn a_client_with_reserved_characters_signs_people_in() {
    let (server, mut ada) = Server::with_ada().await;
    let registration = json!({
        "name": "Odd", "client_id": "a b+c&d=e%20", "redirect_uris": ["https://odd.example/cb"],
    });
    let odd = server.client(registration).await;

    let tokens = odd.tokens(&mut ada).await;

    odd.refresh(tokens.refresh()).await.tokens();
}

/// RFC 6749 §2.3: a client has one way to prove itself in a request.
#[tokio::test]
async fn a_header_and_a_body_that_name_two_clients_are_refused() {
    let server = Server::new().await;
    let robot = robot(&server, json!({})).await;
    let authorization = basic(&robot.id, robot.secret.as_ref().unwrap());

    let same = token(&server, Some(&authorization), &[CREDENTIALS, ("client_id", &robot.id)]).await;
    let other = token(&server, Some(&authorization), &[CREDENTIALS, ("client_id", "other")]).await;

    same.tokens();
    other.refused(ErrorCode::InvalidRequest, Refusal::ClientAuthTwice);
}

/// RFC 9110 §5.3: a header that is no list comes once.
#[tokio::test]
async fn two_headers_are_refused_whatever_they_say() {
    let server = Server::new().await;
    let robot = robot(&server, json!({})).await;
    let right = basic(&robot.id, robot.secret.as_ref().unwrap());

    for second in [right.as_str(), "Bearer abc", "Basic !!!"] {
        let request = axum::extract::Request::post("/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", &right)
            .header("authorization", second)
            .body("grant_type=client_credentials".into());
        let response = server.send(request.unwrap()).await;

        response.refused(ErrorCode::InvalidRequest, Refusal::ClientAuthTwice);
    }
}

/// RFC 6749 §2.3.1: what is no UTF-8 pair of a name and a secret is no credential.
#[tokio::test]
async fn credentials_that_cannot_be_read_are_refused_with_a_challenge() {
    let server = Server::new().await;

    for credentials in [&b"robot"[..], b"\xff\xfe:secret", b"robot:%ff", b"", b"ro\0bot:secret"] {
        let authorization = format!("Basic {}", STANDARD.encode(credentials));
        let response = token(&server, Some(&authorization), &[CREDENTIALS]).await;

        response.refused(ErrorCode::InvalidClient, Refusal::AuthorizationHeaderMalformed);
        assert!(response.header("www-authenticate").starts_with("Basic "));
    }
}

/// RFC 6749 §5.2: the challenge is sent where the header was tried.
#[tokio::test]
async fn an_unknown_client_and_a_wrong_secret_look_the_same() {
    let server = Server::new().await;
    let robot = robot(&server, json!({})).await;

    let unknown = token(&server, Some(&basic("nobody", "wrong")), &[CREDENTIALS]).await;
    let wrong = token(&server, Some(&basic(&robot.id, "wrong")), &[CREDENTIALS]).await;
    let in_body = [CREDENTIALS, ("client_id", "nobody"), ("client_secret", "wrong")];
    let without_header = token(&server, None, &in_body).await;

    unknown.refused(ErrorCode::InvalidClient, Refusal::ClientUnknown);
    wrong.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    assert_eq!(unknown.without_event(), wrong.without_event());
    for response in [&unknown, &wrong] {
        let challenge = "Basic realm=\"gatelodge\", charset=\"UTF-8\"";
        assert_eq!(response.header("www-authenticate"), challenge);
    }
    assert_eq!(without_header.status, 401);
    assert_eq!(without_header.header("www-authenticate"), "");
}

#[tokio::test]
async fn a_public_client_needs_no_proof_and_may_not_bring_one() {
    let (server, mut ada) = Server::with_ada().await;
    let reader = RelyingParty::spa(&server).await;
    let code = reader.code(&mut ada).await;
    let mut form = reader.redemption(&code);
    form.extend([("client_id", "reader"), ("client_secret", "guess")]);

    let with_secret = token(&server, None, &form).await;
    let without = reader.redeem(&code).await;

    with_secret.refused(ErrorCode::InvalidClient, Refusal::AuthMethodNotRegistered);
    without.tokens();
}

/// The token response to a robot if `meanwhile` happens while its secret is hashed. No token is
/// made before there are keys.
/// RFC 6749 §2.3.1: an empty secret is none. Many libraries send the header for every client.
#[tokio::test]
async fn a_header_with_an_empty_secret_is_that_of_a_public_client() {
    let (server, mut ada) = Server::with_ada().await;
    let reader = RelyingParty::spa(&server).await;
    let shop = RelyingParty::web(&server).await;
    let code = reader.code(&mut ada).await;
    let fields = reader.redemption(&code);

    let public = token(&server, Some(&basic(&reader.id, "")), &fields).await;
    let confidential = token(&server, Some(&basic(&shop.id, "")), &[CREDENTIALS]).await;
    let doubled = [CREDENTIALS, ("client_secret", "x")];
    let doubled = token(&server, Some(&basic(&reader.id, "")), &doubled).await;

    public.tokens();
    confidential.refused(ErrorCode::InvalidClient, Refusal::ClientAuthMissing);
    assert!(confidential.header("www-authenticate").starts_with("Basic "));
    doubled.refused(ErrorCode::InvalidRequest, Refusal::ClientAuthTwice);
}

async fn response_after(meanwhile: impl AsyncFn(&Server)) -> Response {
    let server = Server::without_keys().await;
    let registration = json!({ "name": "Robot", "client_id": "robot", "client_secret": "one" });
    server.operate(Method::POST, "/clients", registration).await;
    let authorization = basic("robot", "one");
    let mut asked = Box::pin(token(&server, Some(&authorization), &[CREDENTIALS]));
    assert!(timeout(Duration::ZERO, &mut asked).await.is_err());
    server.advance(Duration::from_secs(1));
    meanwhile(&server).await;
    server.app.make_missing_keys().await.unwrap();
    asked.await
}

#[tokio::test]
async fn a_proof_does_not_hold_for_a_later_client_of_the_same_name() {
    let response = response_after(async |server| {
        server.operate(Method::DELETE, "/clients/robot", json!({})).await.json();
        let other = json!({ "name": "Other", "client_id": "robot", "client_secret": "two" });
        assert_eq!(server.operate(Method::POST, "/clients", other).await.status, 201);
    });

    response.await.refused(ErrorCode::InvalidClient, Refusal::ClientChanged);
}

#[tokio::test]
async fn a_proof_holds_while_what_it_was_made_by_does() {
    let change = async |change: Value| {
        response_after(async |server| {
            let changed = server.operate(Method::PATCH, "/clients/robot", change.clone()).await;
            assert_eq!(changed.status, 200, "{}", changed.text());
        })
        .await
    };

    change(json!({ "name": "Another" })).await.tokens();
    for other in [json!({ "client_secret": "two" }), json!({ "enabled": false })] {
        let response = change(other).await;
        response.refused(ErrorCode::InvalidClient, Refusal::ClientChanged);
    }
}

/// RFC 6749 §2.3.1: the parameters "MUST NOT be included in the request URI".
#[tokio::test]
async fn credentials_in_the_query_count_for_nothing() {
    let server = Server::new().await;
    let robot = robot(&server, json!({ "token_endpoint_auth_method": "client_secret_post" })).await;
    let secret = robot.secret.clone().unwrap();
    let query = form_encode([("client_id", robot.id.as_str()), ("client_secret", &secret)]);
    let request = axum::extract::Request::post(format!("/oauth/token?{query}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials".into());

    let response = server.send(request.unwrap()).await;

    response.refused(ErrorCode::InvalidRequest, Refusal::ClientIdMissing);
}

/// A registration that named no method (RFC 7591 §2) leaves the choice between the two.
#[tokio::test]
async fn where_no_method_was_named_the_header_and_the_body_both_serve() {
    let server = Server::new().await;
    let robot = robot(&server, json!({})).await;
    let secret = robot.secret.clone().unwrap();

    let in_body = [CREDENTIALS, ("client_id", &robot.id), ("client_secret", &secret)];
    let in_body = token(&server, None, &in_body).await;

    in_body.tokens();
    robot.ask(&[CREDENTIALS]).await.tokens();
    let without = token(&server, None, &[CREDENTIALS, ("client_id", &robot.id)]).await;
    without.refused(ErrorCode::InvalidClient, Refusal::ClientAuthMissing);
}
