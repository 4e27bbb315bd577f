//! What passkeys say of themselves, and what is made of it (WebAuthn §7.1, §7.2).

use std::collections::BTreeMap;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_cbor_2::Value as Cbor;
use serde_json::{Value, json};

use crate::support::{Browser, Log, RawPasskey, Response, Server};

/// Begins to enrol the first administrator, and answers with `passkey`.
pub(crate) async fn enrolled(browser: &mut Browser, passkey: &mut RawPasskey) -> Response {
    let server = browser.server.clone();
    let link = server.operate(Method::POST, "/recover", json!({})).await.json();
    let token = browser.open_link(link["setup_url"].as_str().unwrap()).await;
    let start = json!({ "token": token, "username": "ada" });
    let started = browser.call("/gate/webauthn/register/start", &start).await.json();
    let credential = passkey.register(server.issuer(), &started["publicKey"]);
    let made = json!({
        "ceremony": started["ceremony"], "token": token, "credential": credential,
    });
    browser.finish_setup(&made).await
}

/// Signs in with `passkey`.
pub(crate) async fn signed_in(browser: &mut Browser, passkey: &RawPasskey) -> Response {
    browser.visit("/login").await;
    let started = browser.call("/gate/webauthn/authenticate/start", &json!({})).await.json();
    let origin = browser.server.issuer().to_owned();
    let credential = passkey.authenticate(&origin, &started["publicKey"]);
    let signed = json!({ "ceremony": started["ceremony"], "credential": credential });
    browser.finish_sign_in(&signed).await
}

/// A browser whose person enrolled with `passkey`.
pub(crate) async fn ada_with(passkey: &mut RawPasskey) -> Browser {
    let mut ada = Browser::new(&Server::new().await);
    let response = enrolled(&mut ada, passkey).await;
    assert_eq!(response.status, 200, "{}", response.text());
    ada
}

/// §7.2 step 22
#[tokio::test]
async fn a_counter_that_goes_back_is_refused_and_told() {
    let mut passkey = RawPasskey::new();
    passkey.counter = 5;
    let mut ada = ada_with(&mut passkey).await;
    let log = Log::keep();

    for counter in [5, 4, 0] {
        passkey.counter = counter;
        let response = signed_in(&mut ada, &passkey).await;
        response.refused(ErrorCode::PasskeyRefused, Refusal::CredentialCounterBack);
    }
    passkey.counter = 6;
    assert_eq!(signed_in(&mut ada, &passkey).await.status, 200);

    let lines = log.with("the counter of a passkey went back");
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("WARN") && line.contains("event.id=")));
    assert!(lines.iter().all(|line| line.contains("it was refused")), "{lines:?}");
}

/// Its copies count for themselves.
#[tokio::test]
async fn a_passkey_that_may_be_synchronised_is_accepted_though_its_counter_goes_back() {
    let mut passkey = RawPasskey::new();
    (passkey.counter, passkey.backup_eligible) = (5, true);
    let mut ada = ada_with(&mut passkey).await;
    let log = Log::keep();

    for counter in [3, 3, 0, 0] {
        passkey.counter = counter;
        let response = signed_in(&mut ada, &passkey).await;
        assert_eq!(response.status, 200, "{}", response.text());
    }

    // The last time it was 0 after 0, which is no counter at all.
    let lines = log.with("the counter of a passkey went back");
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines.iter().all(|line| line.contains("it was accepted")), "{lines:?}");
}

#[tokio::test]
async fn a_passkey_that_does_not_count_is_nothing_unusual() {
    let mut passkey = RawPasskey::new();
    let mut ada = ada_with(&mut passkey).await;
    let log = Log::keep();

    for _ in 0..3 {
        assert_eq!(signed_in(&mut ada, &passkey).await.status, 200);
    }

    assert_eq!(log.with("counter of a passkey"), Vec::<String>::new());
}

/// §7.1 step 10, §7.2 step 13
#[tokio::test]
async fn a_frame_in_another_page_neither_enrols_nor_signs_in() {
    let mut passkey = RawPasskey::new();
    let mut ada = ada_with(&mut passkey).await;
    let mut framed = RawPasskey::new();
    framed.cross_origin = Some(true);
    passkey.cross_origin = Some(true);

    let enrolled = enrolled(&mut Browser::new(&Server::new().await), &mut framed).await;
    let signed = signed_in(&mut ada, &passkey).await;
    passkey.cross_origin = None;
    let old_browser = signed_in(&mut ada, &passkey).await;

    enrolled.refused(ErrorCode::PasskeyRefused, Refusal::CredentialCrossOrigin);
    signed.refused(ErrorCode::PasskeyRefused, Refusal::CredentialCrossOrigin);
    assert_eq!(old_browser.status, 200);
}

/// §7.1 step 15, §7.2 step 17
#[tokio::test]
async fn a_passkey_that_does_not_verify_its_person_is_told_apart() {
    let mut passkey = RawPasskey::new();
    let mut ada = ada_with(&mut passkey).await;
    let mut unverified = RawPasskey::new();
    unverified.verifies = false;
    passkey.verifies = false;

    let enrolled = enrolled(&mut Browser::new(&Server::new().await), &mut unverified).await;
    let signed = signed_in(&mut ada, &passkey).await;

    for response in [enrolled, signed] {
        response.refused(ErrorCode::PasskeyRefused, Refusal::UserNotVerified);
        assert!(response.text().contains("Set a PIN"), "{}", response.text());
    }
}

/// This server asks for no attestation, and some authenticators send one nevertheless.
#[tokio::test]
async fn an_attestation_that_nobody_asked_for_is_set_aside() {
    let text = |text: &str| Cbor::Text(text.to_owned());
    let chain = Cbor::Array(vec![Cbor::Bytes(b"no certificate".to_vec())]);
    let statement = |more: Vec<(&str, Cbor)>| {
        let members = more.into_iter().map(|(name, value)| (text(name), value));
        Cbor::Map(members.collect::<BTreeMap<_, _>>())
    };
    let signature = || ("sig", Cbor::Bytes(vec![1, 2, 3]));

    for (format, statement) in [
        (
            "packed",
            statement(vec![("alg", Cbor::Integer(-7)), signature(), ("x5c", chain.clone())]),
        ),
        ("packed", statement(vec![("alg", Cbor::Integer(-7)), signature()])),
        ("tpm", statement(vec![("ver", text("2.0")), signature(), ("x5c", chain.clone())])),
        ("android-safetynet", statement(vec![("ver", text("1")), ("response", chain.clone())])),
        ("android-key", statement(vec![signature(), ("x5c", chain.clone())])),
        ("fido-u2f", statement(vec![signature(), ("x5c", chain.clone())])),
        ("apple", statement(vec![("x5c", chain.clone())])),
        ("of-tomorrow", statement(vec![])),
    ] {
        let log = Log::keep();
        let mut passkey = RawPasskey::new();
        passkey.attestation = (format, statement);

        let mut ada = ada_with(&mut passkey).await;

        assert_eq!(signed_in(&mut ada, &passkey).await.status, 200, "{format}");
        assert_eq!(log.with("ERROR"), Vec::<String>::new(), "{format}");
    }
}

#[tokio::test]
async fn extension_results_may_be_null() {
    let mut passkey = RawPasskey::new();
    passkey.extension_results = Value::Null;

    let mut ada = ada_with(&mut passkey).await;

    assert_eq!(signed_in(&mut ada, &passkey).await.status, 200);
}

/// §7.1 step 25
#[tokio::test]
async fn the_id_of_a_passkey_has_1_to_1023_bytes() {
    for length in [1, 16, 64, 255, 256, 1023] {
        let mut passkey = RawPasskey::new();
        passkey.id = vec![9; length];
        let mut ada = ada_with(&mut passkey).await;
        assert_eq!(signed_in(&mut ada, &passkey).await.status, 200, "{length}");
    }
    for length in [0, 1024, 2000] {
        let mut passkey = RawPasskey::new();
        passkey.id = vec![9; length];
        let response = enrolled(&mut Browser::new(&Server::new().await), &mut passkey).await;
        response.refused(ErrorCode::PasskeyRefused, Refusal::CredentialIdUnfit);
    }
}
