//! The passkeys of a person: their names, what is known of them, and what becomes of those that were
//! removed.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::passkeys::{enrolled, signed_in};
use crate::refusals::passkeys::{added, of_ada, path};
use crate::support::{Browser, RawPasskey, Server};

/// A browser whose person enrolled with `passkey`, a moment ago.
async fn ada_with(passkey: &mut RawPasskey) -> Browser {
    let mut ada = Browser::new(&Server::new().await);
    assert_eq!(enrolled(&mut ada, passkey).await.status, 200);
    ada
}

fn names(passkeys: &[Value]) -> Vec<&str> {
    passkeys.iter().map(|passkey| passkey["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn two_passkeys_of_one_name_are_told_apart_from_the_first_moment() {
    let mut ada = ada_with(&mut RawPasskey::new()).await;

    for id in [1, 2] {
        let mut passkey = RawPasskey::new();
        passkey.id = vec![id; 20];
        assert_eq!(added(&mut ada, &mut passkey).await.status, 200);
    }

    let passkeys = of_ada(&ada.server).await;
    let mut names = names(&passkeys);
    names.sort_unstable();
    assert_eq!(names, ["Passkey", "Passkey (2)", "Passkey (3)"]);
}

#[tokio::test]
async fn a_passkey_says_what_made_it_and_how_it_is_reached() {
    let mut passkey = RawPasskey::new();
    passkey.aaguid = *uuid::uuid!("fdb141b2-5d84-443e-8a35-4698c205a502").as_bytes();
    passkey.backup_eligible = true;
    passkey.transports = json!(["internal", "hybrid", "hybrid", "telepathy", 7]);
    let ada = ada_with(&mut passkey).await;

    let known = &of_ada(&ada.server).await[0];

    assert_eq!(known["aaguid"], "fdb141b2-5d84-443e-8a35-4698c205a502");
    assert_eq!(known["product"], "KeePassXC");
    assert_eq!(known["transports"], json!(["hybrid", "internal"]));
    assert_eq!((&known["syncable"], &known["synced"]), (&json!(true), &json!(false)));
    assert_eq!((&known["used"], &known["username"]), (&Value::Null, &json!("ada")));
}

#[tokio::test]
async fn an_authenticator_that_names_no_model_has_none() {
    let (server, _ada) = Server::with_ada().await;

    let known = &of_ada(&server).await[0];

    assert_eq!((&known["aaguid"], &known["product"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_passkey_is_renamed_and_named_by_its_new_name() {
    let (server, _ada) = Server::with_ada().await;
    let path = path(&server).await;

    let renamed = server.operate(Method::PATCH, &path, json!({ "name": "Ada's laptop" })).await;
    let found = server.operate(Method::GET, "/passkeys/ada's%20LAPTOP", json!({})).await;
    let beginning = &path[.."/passkeys/".len() + 8];
    let by_beginning = server.operate(Method::GET, beginning, json!({})).await;
    let by_old_name = server.operate(Method::GET, "/passkeys/Passkey", json!({})).await;

    assert_eq!(renamed.json()["name"], "Ada's laptop");
    assert_eq!(found.json()["id"], renamed.json()["id"]);
    assert_eq!(by_beginning.json()["id"], renamed.json()["id"]);
    assert_eq!(by_old_name.status, StatusCode::NOT_FOUND);
    assert_eq!(by_old_name.json()["known"], json!(["ada's laptop"]));
    let events = server.operate(Method::GET, "/events?kind=passkey.renamed", json!({})).await;
    let facts = &events.json()["events"][0];
    assert!(facts.to_string().contains("\"name_before\":\"Passkey\""), "{facts}");
}

#[tokio::test]
async fn a_removed_passkey_signs_nobody_in_and_the_browser_may_forget_it() {
    let mut passkey = RawPasskey::new();
    let mut ada = ada_with(&mut passkey).await;
    let server = ada.server.clone();
    let removed = server.operate(Method::DELETE, &path(&server).await, json!({})).await.json();

    let refused = signed_in(&mut ada, &passkey).await;

    assert_eq!((&removed["left"], &removed["name"]), (&json!(0), &json!("Passkey")));
    refused.refused(ErrorCode::PasskeyRemoved, Refusal::CredentialRemoved);
    assert!(of_ada(&server).await.is_empty());
    assert_eq!(ada.visit("/account").await.status, 200, "the session goes on");
}

/// A restored store, or another one on this host, knows nothing of it.
#[tokio::test]
async fn a_passkey_without_a_mark_is_never_said_to_be_removed() {
    let mut passkey = RawPasskey::new();
    let _elsewhere = ada_with(&mut passkey).await;
    let mut here = Browser::at_login(&Server::with_ada().await.0).await;

    let refused = signed_in(&mut here, &passkey).await;

    refused.refused(ErrorCode::PasskeyRefused, Refusal::CredentialNotOurs);
    assert!(refused.text().contains("another or an older Gatelodge"), "{}", refused.text());
}

/// Another installation may have made a credential of that id for somebody of its own.
#[tokio::test]
async fn the_mark_of_a_passkey_counts_for_its_owner_alone() {
    let (mut removed, mut other) = (RawPasskey::new(), RawPasskey::new());
    let mut ada = ada_with(&mut removed).await;
    let server = ada.server.clone();
    server.operate(Method::DELETE, &path(&server).await, json!({})).await;
    let elsewhere = Server::with_ada().await.0;
    let bob = elsewhere.operate(Method::POST, "/users", json!({ "username": "bob" })).await.json();
    let mut browser = Browser::new(&elsewhere);
    let token = browser.open_link(bob["setup_url"].as_str().unwrap()).await;
    let start = json!({ "token": token });
    let started = browser.call("/gate/webauthn/register/start", &start).await.json();
    other.register(elsewhere.issuer(), &started["publicKey"]);
    assert_eq!(removed.id, other.id);

    let refused = signed_in(&mut ada, &other).await;

    refused.refused(ErrorCode::PasskeyRefused, Refusal::CredentialNotOurs);
}

#[tokio::test]
async fn a_credential_that_is_registered_again_has_no_mark() {
    let mut passkey = RawPasskey::new();
    let mut ada = ada_with(&mut passkey).await;
    let server = ada.server.clone();
    server.operate(Method::DELETE, &path(&server).await, json!({})).await;

    assert_eq!(added(&mut ada, &mut passkey).await.status, 200);

    assert_eq!(signed_in(&mut ada, &passkey).await.status, 200);
}

#[tokio::test]
async fn the_passkeys_that_there_are_cannot_be_made_again() {
    let mut passkey = RawPasskey::new();
    let mut ada = ada_with(&mut passkey).await;

    let started = ada.call("/gate/webauthn/add/start", &json!({})).await.json();

    let excluded = &started["publicKey"]["excludeCredentials"];
    assert_eq!(excluded.as_array().unwrap().len(), 1, "{excluded}");
}

#[tokio::test]
async fn a_further_passkey_signs_the_same_person_in() {
    let mut further = RawPasskey::new();
    further.id = vec![1; 20];
    let mut ada = ada_with(&mut RawPasskey::new()).await;

    assert_eq!(added(&mut ada, &mut further).await.status, 200);

    let mut elsewhere = Browser::new(&ada.server);
    assert_eq!(signed_in(&mut elsewhere, &further).await.status, 200);
    assert!(elsewhere.visit("/account").await.text().contains("<bdi>ada</bdi>"));
}

#[tokio::test]
async fn a_ceremony_of_a_further_passkey_belongs_to_its_session_and_serves_once() {
    let mut ada = ada_with(&mut RawPasskey::new()).await;
    let mut bob = ada.server.person("bob").await;
    let origin = ada.server.issuer().to_owned();
    let mut passkey = RawPasskey::new();
    passkey.id = vec![1; 20];
    let started = ada.call("/gate/webauthn/add/start", &json!({})).await.json();
    let credential = passkey.register(&origin, &started["publicKey"]);
    let made = json!({ "ceremony": started["ceremony"], "credential": credential });

    let by_bob = bob.call("/gate/webauthn/add/finish", &made).await;
    let stranger =
        Browser::at_login(&ada.server).await.call("/gate/webauthn/add/finish", &made).await;
    let first = ada.call("/gate/webauthn/add/finish", &made).await;
    let second = ada.call("/gate/webauthn/add/finish", &made).await;

    by_bob.refused(ErrorCode::CeremonyOver, Refusal::CeremonyOfAnotherBrowser);
    stranger.refused(ErrorCode::LoginRequired, Refusal::SignInStale);
    assert_eq!(first.status, 200, "{}", first.text());
    second.refused(ErrorCode::CeremonyOver, Refusal::CeremonyUnknown);
    assert_eq!(of_ada(&ada.server).await.len(), 2);
}

#[tokio::test]
async fn a_further_passkey_is_finished_within_five_minutes_of_the_sign_in() {
    let mut ada = ada_with(&mut RawPasskey::new()).await;
    let origin = ada.server.issuer().to_owned();
    ada.server.advance(Duration::from_secs(4 * 60 + 50));
    let started = ada.call("/gate/webauthn/add/start", &json!({})).await.json();
    let credential = RawPasskey::new().register(&origin, &started["publicKey"]);
    ada.server.advance(Duration::from_secs(11));

    let made = json!({ "ceremony": started["ceremony"], "credential": credential });
    let late = ada.call("/gate/webauthn/add/finish", &made).await;

    late.refused(ErrorCode::LoginRequired, Refusal::SignInStale);
}

#[tokio::test]
async fn the_ceremony_of_a_link_adds_no_passkey_to_an_account() {
    let (server, mut ada) = Server::with_ada().await;
    let link = server.operate(Method::POST, "/recover", json!({ "username": "ada" })).await.json();
    let token = ada.open_link(link["setup_url"].as_str().unwrap()).await;
    let started =
        ada.call("/gate/webauthn/register/start", &json!({ "token": token })).await.json();
    let credential = RawPasskey::new().register(server.issuer(), &started["publicKey"]);

    let made = json!({ "ceremony": started["ceremony"], "credential": credential });
    let added = ada.call("/gate/webauthn/add/finish", &made).await;

    added.refused(ErrorCode::CeremonyOver, Refusal::CeremonyUnknown);
}
