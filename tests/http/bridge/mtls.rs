//! `/v1/auth/bridge/mtls`: access by the certificate that a connection proved.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::issuer::Issuer;
use serde_json::json;

use super::{post, whoami};
use crate::devices::enroll;
use crate::support::{Device, Server};

const MTLS: &str = "/v1/auth/bridge/mtls";

#[tokio::test]
async fn a_device_that_proved_its_certificate_acts_for_its_person() {
    let (server, _ada) = Server::with_ada().await;
    let device = Device::new().await;
    enroll(&server, &device.pem).await;
    let named = json!({ "device_cert_fingerprint": device.fingerprint().to_string() });

    let access = device.post(&server, MTLS, &named).await;

    assert_eq!((access.status.as_u16(), &access.json()["ttl"]), (200, &json!(3600)));
    let token = access.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(whoami(&server, &token).await.json()["display_name"], "ada");
    let path = format!("/bridge/certificates/{}", device.fingerprint());
    server.operate(Method::DELETE, &path, json!({})).await;
    let revoked = device.post(&server, MTLS, &named).await;
    revoked.refused(ErrorCode::InvalidClient, Refusal::DeviceCertificateRevoked);
}

#[tokio::test]
async fn a_fingerprint_alone_opens_nothing() {
    let (server, _ada) = Server::with_ada().await;
    let (device, other) = (Device::new().await, Device::new().await);
    enroll(&server, &device.pem).await;
    let named = json!({ "device_cert_fingerprint": device.fingerprint().to_string() });

    let plain = post(&server, MTLS, &named).await;
    let borrowed = other.post(&server, MTLS, &named).await;
    let own = json!({ "device_cert_fingerprint": other.fingerprint().to_string() });
    let unknown = other.post(&server, MTLS, &own).await;
    let upper = device.fingerprint().to_string().to_uppercase();
    let upper = device.post(&server, MTLS, &json!({ "device_cert_fingerprint": upper })).await;
    let missing = device.post(&server, MTLS, &json!({})).await;

    plain.refused(ErrorCode::InvalidClient, Refusal::DeviceCertificateMissing);
    borrowed.refused(ErrorCode::InvalidClient, Refusal::DeviceCertificateDiffers);
    unknown.refused(ErrorCode::InvalidClient, Refusal::DeviceCertificateUnknown);
    upper.refused(ErrorCode::InvalidClient, Refusal::DeviceCertificateDiffers);
    missing.refused(ErrorCode::InvalidRequest, Refusal::BodyMalformed);
}

#[tokio::test]
async fn a_person_who_is_switched_off_takes_their_devices_along() {
    let (server, _ada) = Server::with_ada().await;
    server.person("bob").await;
    server.operate(Method::PATCH, "/users/bob", json!({ "roles": ["admin"] })).await;
    let device = Device::new().await;
    enroll(&server, &device.pem).await;
    let named = json!({ "device_cert_fingerprint": device.fingerprint().to_string() });

    server.operate(Method::PATCH, "/users/ada", json!({ "disabled": true })).await;

    let off = device.post(&server, MTLS, &named).await;
    off.refused(ErrorCode::AccessDenied, Refusal::PersonDisabled);
    server.operate(Method::PATCH, "/users/ada", json!({ "disabled": false })).await;
    let again = device.post(&server, MTLS, &named).await;
    again.refused(ErrorCode::InvalidClient, Refusal::DeviceCertificateRevoked);
}

#[tokio::test]
async fn the_way_is_listed_where_devices_can_prove_their_certificates() {
    let issuer: Issuer = "https://localhost:7455".parse().unwrap();
    let server = Server::with(issuer, |config| {
        config.tls.listen_for_devices = vec!["127.0.0.1:7456".parse().unwrap()];
    });

    let capabilities = server.await.get("/v1/auth/bridge/capabilities").await.json();

    let modes = json!(["pat", "session", "session-pat", "mtls", "oauth-client"]);
    assert_eq!(capabilities["modes"], modes);
}
