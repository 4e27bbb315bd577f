//! What is refused of certificates, when they are registered and when they prove somebody.

use axum::http::Method;
use gatelodge::tls::KeyWithRequest;
use serde_json::json;

use crate::bridge::post;
use crate::devices::{DAY, certificate_until, enroll, person, with_directory};
use crate::support::{Device, Response, Server};

const UNREGISTERED: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A certificate that was registered for ada until 2030, and its fingerprint.
async fn enrolled() -> (Server, String) {
    let (server, _) = Server::with_ada().await;
    let enrolled = enroll(&server, &certificate_until(2030)).await;
    let fingerprint = enrolled.json()["fingerprint"].as_str().unwrap().to_owned();
    (server, fingerprint)
}

pub(super) async fn a_certificate_for_the_second_time() -> Response {
    let (server, _) = Server::with_ada().await;
    let pem = certificate_until(2030);
    enroll(&server, &pem).await;
    enroll(&server, &pem).await
}

pub(super) async fn a_certificate_that_is_none() -> Response {
    let (server, _) = Server::with_ada().await;
    enroll(&server, "nonsense").await
}

pub(super) async fn a_name_of_somebody_else() -> Response {
    let (server, _directory) = with_directory().await;
    let made = KeyWithRequest::generate().unwrap();
    let asked = json!({ "names": ["bank.example"], "request": made.request });
    server.operate(Method::POST, "/tls/certificates", asked).await
}

pub(super) async fn a_certificate_that_is_not_there() -> Response {
    let path = format!("/bridge/certificates/{UNREGISTERED}");
    Server::new().await.operate(Method::DELETE, &path, json!({})).await
}

pub(super) async fn a_certificate_whose_time_is_over() -> Response {
    let (server, _) = Server::with_ada().await;
    enroll(&server, &certificate_until(2025)).await
}

pub(super) async fn a_request_that_is_none() -> Response {
    let (server, _directory) = with_directory().await;
    let asked = json!({ "username": "ada", "request": "nonsense" });
    server.operate(Method::POST, "/bridge/certificates", asked).await
}

pub(super) async fn a_device_after_its_time() -> Response {
    let (server, fingerprint) = enrolled().await;
    server.advance(DAY * 366 * 4);
    person(&server, &fingerprint).await
}

pub(super) async fn a_device_that_was_revoked() -> Response {
    let (server, fingerprint) = enrolled().await;
    let path = format!("/bridge/certificates/{fingerprint}");
    server.operate(Method::DELETE, &path, json!({})).await;
    person(&server, &fingerprint).await
}

pub(super) async fn a_device_nobody_registered() -> Response {
    person(&Server::new().await, UNREGISTERED).await
}

pub(super) async fn a_device_that_names_another() -> Response {
    let named = json!({ "device_cert_fingerprint": UNREGISTERED });
    Device::new().await.post(&Server::new().await, "/v1/auth/bridge/mtls", &named).await
}

pub(super) async fn a_connection_without_a_certificate() -> Response {
    let named = json!({ "device_cert_fingerprint": UNREGISTERED });
    post(&Server::new().await, "/v1/auth/bridge/mtls", &named).await
}
