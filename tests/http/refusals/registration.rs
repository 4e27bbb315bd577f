//! What registration refuses.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use gatelodge::oauth::client::RegistrationPolicy;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::support::{Response, Server, register};

/// A registration of a web client, with `name` set to `value`.
async fn with(name: &str, value: Value) -> Response {
    let mut metadata = json!({ "redirect_uris": ["https://app.example/cb"] });
    metadata[name] = value;
    register(&Server::new().await, metadata).await
}

pub(super) async fn keys_in_two_ways() -> Response {
    let key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": key });
    let mut metadata = json!({ "redirect_uris": ["https://app.example/cb"] });
    metadata["jwks"] = json!({ "keys": [key] });
    metadata["jwks_uri"] = "https://app.example/jwks".into();
    register(&Server::new().await, metadata).await
}

pub(super) async fn a_list_instead_of_an_object() -> Response {
    register(&Server::new().await, json!([])).await
}

pub(super) async fn the_implicit_grant_alone() -> Response {
    with("grant_types", json!(["implicit"])).await
}

pub(super) async fn a_dangerous_redirect_uri() -> Response {
    with("redirect_uris", json!(["https://app.example/cb", "javascript:alert(1)"])).await
}

pub(super) async fn pairwise_subjects_for_two_hosts() -> Response {
    let metadata = json!({
        "redirect_uris": ["https://a.example/cb", "https://b.example/cb"],
        "subject_type": "pairwise",
    });
    register(&Server::new().await, metadata).await
}

pub(super) async fn a_closed_endpoint() -> Response {
    let issuer: Issuer = "https://id.example".parse().unwrap();
    register(&Server::with(issuer, |_| {}).await, json!({})).await
}

pub(super) async fn a_wrong_initial_access_token() -> Response {
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.registration.policy = Some(RegistrationPolicy::Token);
        config.registration.token = Some(Zeroizing::new("let-me-in".to_owned()));
    })
    .await;
    let request = Request::post("/oauth/register").header(header::AUTHORIZATION, "Bearer guessed");
    server.send(request.body(Body::empty()).unwrap()).await
}

/// A request about the registration of a client, with the token that `token` makes of its own.
async fn managed(method: &str, token: fn(&str) -> String, body: Value) -> Response {
    let server = Server::new().await;
    let metadata = json!({ "redirect_uris": ["https://app.example/cb"] });
    let client = register(&server, metadata).await.json();
    let path = format!("/oauth/register/{}", client["client_id"].as_str().unwrap());
    let own = client["registration_access_token"].as_str().unwrap();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {}", token(own)))
        .header(header::CONTENT_TYPE, "application/json");
    server.send(request.body(Body::from(body.to_string())).unwrap()).await
}

pub(super) async fn a_wrong_registration_access_token() -> Response {
    managed("GET", |_| "gl_ra_x".to_owned(), json!({})).await
}

pub(super) async fn an_update_of_another_client() -> Response {
    let update = json!({ "client_id": "other", "redirect_uris": ["https://app.example/cb"] });
    managed("PUT", str::to_owned, update).await
}

pub(super) async fn a_software_statement_that_is_none() -> Response {
    with("software_statement", json!({ "software_id": "x" })).await
}

pub(super) async fn a_software_statement_of_a_stranger() -> Response {
    with("software_statement", json!("e30.e30.AAAA")).await
}
