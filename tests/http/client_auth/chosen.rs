//! Secrets that an operator chose.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::http::Peer;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::{Response, Server, basic, token};

const CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");

/// Every printable character of ASCII.
fn all_characters() -> String {
    (' '..='~').collect()
}

async fn robot(server: &Server, secret: &str, more: Value) {
    let mut registration =
        json!({ "name": "Robot", "client_id": "robot", "client_secret": secret });
    registration.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let response = server.operate(Method::POST, "/clients", registration).await;
    assert_eq!(response.status, 201, "{}", response.text());
    assert!(response.json().get("client_secret").is_none());
}

async fn by_header(server: &Server, secret: &str) -> Response {
    token(server, Some(&basic("robot", secret)), &[CREDENTIALS]).await
}

async fn by_body(server: &Server, secret: &str) -> Response {
    let fields = [CREDENTIALS, ("client_id", "robot"), ("client_secret", secret)];
    token(server, None, &fields).await
}

#[tokio::test]
async fn a_chosen_secret_of_every_character_works_in_the_header_and_in_the_body() {
    let secret = all_characters();
    let server = Server::new().await;
    robot(&server, &secret, json!({})).await;

    by_header(&server, &secret).await.tokens();
    let post = json!({ "token_endpoint_auth_method": "client_secret_post" });
    server.operate(Method::PATCH, "/clients/robot", post).await.json();
    by_body(&server, &secret).await.tokens();

    let wrong = by_body(&server, &secret[1..]).await;
    wrong.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
}

/// It is not mistaken for a secret of the server's making.
#[tokio::test]
async fn a_chosen_secret_may_look_like_one_that_this_server_makes() {
    let secret = format!("gl_cs_{}", "A".repeat(43));
    let server = Server::new().await;
    robot(&server, &secret, json!({})).await;

    by_header(&server, &secret).await.tokens();
}

#[tokio::test]
async fn a_secret_that_was_right_is_forgotten_when_another_takes_its_place() {
    let server = Server::new().await;
    robot(&server, "correct horse", json!({})).await;
    by_header(&server, "correct horse").await.tokens();
    by_header(&server, "correct horse").await.tokens();

    let other = json!({ "client_secret": "battery staple" });
    let client = server.operate(Method::PATCH, "/clients/robot", other).await.json();

    assert!(client.get("client_secret").is_none());
    let old = by_header(&server, "correct horse").await;
    old.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    by_header(&server, "battery staple").await.tokens();
    let client = server.operate(Method::POST, "/clients/robot/secret", json!({})).await.json();
    let old = by_header(&server, "battery staple").await;
    old.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    by_header(&server, client["client_secret"].as_str().unwrap()).await.tokens();
}

#[tokio::test]
async fn a_secret_that_was_right_does_not_open_another_client_of_the_same_name() {
    let server = Server::new().await;
    robot(&server, "correct horse", json!({})).await;
    by_header(&server, "correct horse").await.tokens();
    server.operate(Method::DELETE, "/clients/robot", json!({})).await.json();

    robot(&server, "battery staple", json!({})).await;

    let old = by_header(&server, "correct horse").await;
    old.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    by_header(&server, "battery staple").await.tokens();
}

#[tokio::test]
async fn a_remembered_secret_does_not_prove_a_client_that_is_switched_off() {
    let server = Server::new().await;
    robot(&server, "correct horse", json!({})).await;
    by_header(&server, "correct horse").await.tokens();

    server.change_client("robot", |client| client.enabled = false).await;

    let response = by_header(&server, "correct horse").await;
    response.refused(ErrorCode::InvalidClient, Refusal::ClientDisabled);
}

#[tokio::test]
async fn a_secret_that_is_empty_too_long_or_not_printable_cannot_be_chosen() {
    let server = Server::new().await;

    for secret in ["", "a\nb", "caf\u{e9}", &"x".repeat(1025)] {
        let registration = json!({ "name": "Robot", "client_secret": secret });
        let response = server.operate(Method::POST, "/clients", registration).await;
        response.refused(ErrorCode::InvalidRequest, Refusal::ClientSecretUnfit);
    }
    let public = json!({
        "name": "App", "client_type": "public", "redirect_uris": ["https://app.example/cb"],
        "client_secret": "s",
    });
    let response = server.operate(Method::POST, "/clients", public).await;
    response.refused(ErrorCode::InvalidRequest, Refusal::ClientSecretUnfit);
}

/// Sends a wrong secret from an address.
async fn guess(server: &Server, client: &str, from: &str) -> Response {
    let mut request = axum::extract::Request::post("/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", basic(client, "wrong"))
        .body("grant_type=client_credentials".into())
        .unwrap();
    request.extensions_mut().insert(Peer(from.parse().unwrap()));
    server.send(request).await
}

/// Sends the right secret from an address.
async fn prove(server: &Server, from: &str) -> Response {
    let mut request = axum::extract::Request::post("/oauth/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("authorization", basic("robot", "correct horse"))
        .body("grant_type=client_credentials".into())
        .unwrap();
    request.extensions_mut().insert(Peer(from.parse().unwrap()));
    server.send(request).await
}

/// A stranger who guesses slows down his own network, and nobody else.
#[tokio::test]
async fn guessing_is_slowed_down_for_whoever_guesses() {
    let server = Server::new().await;
    robot(&server, "correct horse", json!({})).await;

    for _ in 0..60 {
        let response = guess(&server, "robot", "192.0.2.1").await;
        response.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    }
    let too_many = guess(&server, "robot", "192.0.2.1").await;
    let right = prove(&server, "192.0.2.1").await;
    prove(&server, "192.0.2.2").await.tokens();
    server.advance(Duration::from_secs(1));
    let later = guess(&server, "robot", "192.0.2.1").await;
    let again = guess(&server, "robot", "192.0.2.1").await;

    too_many.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    assert_eq!(too_many.header("retry-after"), "1");
    // Within the pause the right secret is no better than a guess.
    right.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    later.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    assert_eq!(again.header("retry-after"), "2");
}

#[tokio::test]
async fn a_secret_that_a_network_proved_before_passes_at_once() {
    let server = Server::new().await;
    robot(&server, "correct horse", json!({})).await;
    prove(&server, "192.0.2.1").await.tokens();

    for _ in 0..60 {
        guess(&server, "robot", "192.0.2.1").await;
    }

    prove(&server, "192.0.2.1").await.tokens();
    let wrong = guess(&server, "robot", "192.0.2.1").await;
    wrong.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
}

/// On loopback everybody has one network.
#[tokio::test]
async fn guesses_on_loopback_shut_nobody_out() {
    let server = Server::new().await;
    robot(&server, "correct horse", json!({})).await;

    for _ in 0..70 {
        let response = guess(&server, "robot", "127.0.0.1").await;
        response.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    }

    prove(&server, "127.0.0.1").await.tokens();
}

/// Each of two at a time sees those before it, so that one more may slip through at the limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_guesses_at_once_no_more_are_judged_than_one_after_the_other() {
    let server = Server::new().await;
    robot(&server, "correct horse", json!({})).await;

    let mut guesses = JoinSet::new();
    for _ in 0..100 {
        let server = server.clone();
        guesses.spawn(async move { guess(&server, "robot", "192.0.2.1").await });
    }
    let (judged, refused): (Vec<_>, Vec<_>) =
        guesses.join_all().await.into_iter().partition(|response| response.status == 401);

    assert!((60..=61).contains(&judged.len()), "{}", judged.len());
    for response in judged {
        response.refused(ErrorCode::InvalidClient, Refusal::ClientSecretWrong);
    }
    for response in refused {
        response.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guess_counts_although_nobody_waits_for_its_answer() {
    let server = Server::new().await;
    robot(&server, "correct horse", json!({})).await;

    for _ in 0..61 {
        let hung_up = timeout(Duration::ZERO, guess(&server, "robot", "192.0.2.1")).await;
        assert!(hung_up.is_err());
    }

    // Those that nobody waits for may still be in line. Were they not counted, sixty more would be
    // heard.
    let mut heard = 0;
    let refused = loop {
        let response = guess(&server, "robot", "192.0.2.1").await;
        if response.status != 401 {
            break response;
        }
        heard += 1;
        assert!(heard < 60);
    };
    refused.refused(ErrorCode::TooManyRequests, Refusal::AttemptsTooMany);
}

#[tokio::test]
async fn a_secret_that_nobody_could_guess_is_not_counted() {
    let server = Server::new().await;
    server.client(json!({ "name": "Robot", "client_id": "robot" })).await;

    for _ in 0..70 {
        for client in ["robot", "nobody"] {
            let response = guess(&server, client, "192.0.2.1").await;
            assert_eq!(response.status, 401);
        }
    }
}
