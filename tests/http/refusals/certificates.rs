//! What is refused of certificates, when they are registered and when they prove somebody.

use axum::http::Method;
use gatelodge::tls::KeyWithRequest;
use serde_json::json;

use crate::bridge::post;
use crate::devices::{DAY, certificate_until, enroll, person, with_directory};
use crate::support::{Answer, Device, Server};

const NOBODYS: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A certificate that was registered for ada until 2030, and its fingerprint.
async fn enrolled() -> (Server, String) {
    let (server, _) = Server::with_ada().await;
    let enrolled = enroll(&server, &certificate_until(2030)).await;
    let fingerprint = enrolled.json()["fingerprint"].as_str().unwrap().to_owned();
    (server, fingerprint)
}

pub(super) async fn a_certificate_for_the_second_time() -> Answer {
    let (server, _) = Server::with_ada().await;
    let pem = certificate_until(2030);
    enroll(&server, &pem).await;
    enroll(&server, &pem).await
}

pub(super) async fn a_certificate_that_is_none() -> Answer {
    let (server, _) = Server::with_ada().await;
    enroll(&server, "nonsense").await
}

pub(super) async fn a_name_of_somebody_else() -> Answer {
    let (server, _directory) = with_directory().await;
    let made = KeyWithRequest::generate().unwrap();
    let asked = json!({ "names": ["bank.example"], "request": made.request });
    server.operate(Method::POST, "/tls/certificates", asked).await
}

pub(super) async fn a_certificate_that_is_not_there() -> Answer {
    let path = format!("/bridge/certificates/{NOBODYS}");
    Server::new().await.operate(Method::DELETE, &path, json!({})).await
}

pub(super) async fn a_certificate_whose_time_is_over() -> Answer {
    let (server, _) = Server::with_ada().await;
    enroll(&server, &certificate_until(2025)).await
}

pub(super) async fn a_request_that_is_none() -> Answer {
    let (server, _directory) = with_directory().await;
    let asked = json!({ "username": "ada", "request": "nonsense" });
    server.operate(Method::POST, "/bridge/certificates", asked).await
}

pub(super) async fn a_device_after_its_time() -> Answer {
    let (server, fingerprint) = enrolled().await;
    server.advance(DAY * 366 * 4);
    person(&server, &fingerprint).await
}

pub(super) async fn a_device_that_was_revoked() -> Answer {
    let (server, fingerprint) = enrolled().await;
    let path = format!("/bridge/certificates/{fingerprint}");
    server.operate(Method::DELETE, &path, json!({})).await;
    person(&server, &fingerprint).await
}

pub(super) async fn a_device_nobody_registered() -> Answer {
    person(&Server::new().await, NOBODYS).await
}

pub(super) async fn a_device_that_names_another() -> Answer {
    let named = json!({ "device_cert_fingerprint": NOBODYS });
    Device::new().await.post(&Server::new().await, "/v1/auth/bridge/mtls", &named).await
}

pub(super) async fn a_connection_without_a_certificate() -> Answer {
    let named = json!({ "device_cert_fingerprint": NOBODYS });
    post(&Server::new().await, "/v1/auth/bridge/mtls", &named).await
}
