//! The certificates of devices, and the local CA that issues them.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::Refusal;
use gatelodge::flow::bridge::certificate;
use gatelodge::flow::installation::sweep;
use gatelodge::model::fingerprint::Fingerprint;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::store::View;
use gatelodge::store::schema::DeviceCertificate;
use gatelodge::tls::{Certificate, KeyWithRequest};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Response, Server};

const PATH: &str = "/bridge/certificates";
pub(crate) const DAY: Duration = Duration::from_hours(24);

/// A certificate of a device's own making, in PEM.
pub(crate) fn certificate_until(year: i32) -> String {
    let mut params = rcgen::CertificateParams::default();
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
}

/// An installation that has a directory for its CA, in which ada lives.
pub(crate) async fn with_directory() -> (Server, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_owned();
    let server = Server::with(Issuer::localhost(7455), |config| config.places.data = data).await;
    server.first_administrator().await;
    (server, directory)
}

/// Registers a certificate for ada.
pub(crate) async fn enroll(server: &Server, certificate: &str) -> Response {
    let asked = json!({ "username": "ada", "name": "laptop", "certificate": certificate });
    server.operate(Method::POST, PATH, asked).await
}

/// Asks whom a certificate proves.
pub(crate) async fn person(server: &Server, fingerprint: &str) -> Response {
    let path = format!("{PATH}/{fingerprint}/person");
    server.operate(Method::GET, &path, json!({})).await
}

async fn list(server: &Server, query: &str) -> Value {
    let path = format!("{PATH}{query}");
    server.operate(Method::GET, &path, json!({})).await.json()["certificates"].take()
}

fn named(response: &Response) -> String {
    response.json()["fingerprint"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_registered_certificate_stands_for_its_person() {
    let (server, _) = Server::with_ada().await;
    server.person("bob").await;
    let pem = certificate_until(2030);

    let enrolled = enroll(&server, &pem).await;

    let fingerprint = Certificate::from_pem(&pem).unwrap().fingerprint.to_string();
    let view = json!({
        "fingerprint": fingerprint,
        "username": "ada",
        "name": "laptop",
        "created": "2026-01-01T00:00:00Z",
        "expires": "2030-01-01T00:00:00Z",
        "revoked": null,
        "used": null,
    });
    assert_eq!(enrolled.status, 201);
    assert_eq!(enrolled.json(), view);
    assert_eq!(list(&server, "").await, json!([view]));
    assert_eq!(list(&server, "?user=ada").await, json!([view]));
    assert_eq!(list(&server, "?user=bob").await, json!([]));
    assert_eq!(person(&server, &fingerprint).await.json()["username"], "ada");
}

#[tokio::test]
async fn the_last_use_is_written_down() {
    let (server, _) = Server::with_ada().await;
    let fingerprint = named(&enroll(&server, &certificate_until(2030)).await);
    server.advance(DAY);
    let key: Fingerprint = fingerprint.parse().unwrap();

    let proven = server.app.write(move |tx, cx| certificate::redeem(tx, cx, &key)).await;

    assert!(proven.ok().unwrap().device().is_some());
    assert_eq!(list(&server, "").await[0]["used"], "2026-01-02T00:00:00Z");
}

#[tokio::test]
async fn a_revoked_certificate_proves_nobody_and_does_not_come_back() {
    let (server, _) = Server::with_ada().await;
    let pem = certificate_until(2030);
    let fingerprint = named(&enroll(&server, &pem).await);
    let path = format!("{PATH}/{fingerprint}");

    let revoked = server.operate(Method::DELETE, &path, json!({})).await;
    server.advance(DAY);
    let again = server.operate(Method::DELETE, &path, json!({})).await;

    assert_eq!(revoked.json()["revoked"], "2026-01-01T00:00:00Z");
    assert_eq!(again.json()["revoked"], "2026-01-01T00:00:00Z");
    let reason = person(&server, &fingerprint).await.json()["error_description"].take();
    assert_eq!(reason, Refusal::DeviceCertificateRevoked.fixed_reason());
    let reason = enroll(&server, &pem).await.json()["error_description"].take();
    assert_eq!(reason, Refusal::CertificateExists.fixed_reason());
}

#[tokio::test]
async fn a_person_who_is_switched_off_or_gone_is_proven_by_no_certificate() {
    let (server, _) = Server::with_ada().await;
    server.person("bob").await;
    let asked = json!({ "username": "bob", "certificate": certificate_until(2030) });
    let enrolled = server.operate(Method::POST, PATH, asked).await;
    let fingerprint = named(&enrolled);
    assert_eq!(enrolled.json()["name"], "device certificate");

    server.operate(Method::PATCH, "/users/bob", json!({ "disabled": true })).await;
    let off = person(&server, &fingerprint).await.json()["error_description"].take();
    server.operate(Method::DELETE, "/users/bob", json!({})).await;
    let gone = person(&server, &fingerprint).await.json()["error_description"].take();

    assert_eq!(off, Refusal::PersonDisabled.fixed_reason());
    assert_eq!(gone, Refusal::DeviceCertificateUnknown.fixed_reason());
    assert_eq!(list(&server, "").await, json!([]));
}

#[tokio::test]
async fn an_expired_certificate_is_remembered_for_a_while_and_then_forgotten() {
    let (server, directory) = with_directory().await;
    let made = KeyWithRequest::generate().unwrap();
    let asked = json!({ "username": "ada", "request": made.request });
    let fingerprint = named(&server.operate(Method::POST, PATH, asked).await);
    let key: Fingerprint = fingerprint.parse().unwrap();
    let swept = async || {
        server.app.write(sweep::run).await.ok().unwrap();
        server.app.read().unwrap().find::<DeviceCertificate>(&key).unwrap().is_none()
    };

    server.advance(DAY * 365);
    assert_eq!(person(&server, &fingerprint).await.status, 200);
    server.advance(DAY);
    let reason = person(&server, &fingerprint).await.json()["error_description"].take();
    assert_eq!(reason, Refusal::DeviceCertificateExpired.fixed_reason());
    assert!(!swept().await);
    server.advance(DAY * 30);
    assert!(swept().await);
    drop(directory);
}

/// The key stays where it was made; the CA sees a request.
#[tokio::test]
async fn the_local_ca_issues_what_a_device_asks_for() {
    let (server, _directory) = with_directory().await;
    let made = KeyWithRequest::generate().unwrap();

    let asked = json!({ "username": "ada", "name": "laptop", "request": made.request });
    let enrolled = server.operate(Method::POST, PATH, asked).await;

    let issued = enrolled.json()["certificate"].as_str().unwrap().to_owned();
    let read = Certificate::from_pem(&issued).unwrap();
    assert_eq!(read.fingerprint.to_string(), named(&enrolled));
    assert_eq!(enrolled.json()["expires"], "2027-01-01T00:00:00Z");
    assert!(!enrolled.text().contains("PRIVATE"));
    let expected = "certificate: either it or request is expected";
    for both in [
        json!({ "username": "ada", "request": made.request, "certificate": issued }),
        json!({ "username": "ada" }),
    ] {
        let error = server.operate(Method::POST, PATH, both).await.json();
        assert_eq!(error["error_description"], expected);
    }
}

#[tokio::test]
async fn the_local_ca_is_made_at_first_need_and_issues_for_services_beside_this_one() {
    let (server, directory) = with_directory().await;
    let made = KeyWithRequest::generate().unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);

    let ca = server.operate(Method::GET, "/tls/ca", json!({})).await.json();
    let asked = |days: u32, names: &[&str]| json!({ "days": days, "names": names, "request": made.request });
    let issued = server.operate(Method::POST, "/tls/certificates", asked(30, &["nas.lan", "::1"]));
    let issued = issued.await;

    assert_eq!(ca["not_after"], "2035-12-30T00:00:00Z");
    assert_eq!(ca["path"], directory.path().join("gatelodge-ca.pem").display().to_string());
    assert_eq!(server.operate(Method::GET, "/tls/ca", json!({})).await.json(), ca);
    assert_eq!(issued.status, 201);
    assert_eq!(issued.json()["not_after"], "2026-01-31T00:00:00Z");
    for (wrong, expected) in [
        (asked(0, &["nas.lan"]), "days: 1 to 825 are expected"),
        (asked(826, &["nas.lan"]), "days: 1 to 825 are expected"),
        (asked(30, &[]), "names: 1 to 100 are expected"),
    ] {
        let error = server.operate(Method::POST, "/tls/certificates", wrong).await.json();
        assert_eq!(error["error_description"], expected);
    }
}
