//! Recovery codes: made on the account page, and what each of them opens.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use crate::refusals::codes::{described, made, used};
use crate::refusals::passkeys::of_ada;
use crate::support::{Browser, Server};

#[tokio::test]
async fn ten_codes_are_made_and_shown_once() {
    let (_server, mut ada) = Server::with_ada().await;
    let before = ada.visit("/gate/account/recovery-codes").await;

    let codes = made(&mut ada).await;
    let later = ada.visit("/gate/account/recovery-codes").await;
    let account = ada.visit("/account").await;

    assert_eq!(codes.len(), 10);
    assert!(codes.iter().all(|code| code.len() == 39), "{codes:?}");
    assert!(before.text().contains("You have no codes."));
    assert!(later.text().contains("You have 10 codes left."), "{}", later.text());
    assert!(codes.iter().all(|code| !later.text().contains(&**code)));
    assert!(account.text().contains("10 recovery codes left"));
}

#[tokio::test]
async fn a_code_opens_the_enrolment_of_a_passkey_and_no_session() {
    let (server, mut ada) = Server::with_ada().await;
    let codes = made(&mut ada).await;
    let mut elsewhere = Browser::new(&server);

    let typed = codes[0].to_uppercase().replace('-', " ");
    let found = described(&mut elsewhere, &typed).await.json();
    let signed_in = !elsewhere.visit("/account").await.asks_to_sign_in();
    let passkeys = of_ada(&server).await.len();
    let done = used(&mut elsewhere, &typed).await;

    assert_eq!((&found["purpose"], &found["username"]), (&json!("code"), &json!("ada")));
    assert_eq!((signed_in, passkeys), (false, 1));
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(of_ada(&server).await.len(), 2);
    assert!(!elsewhere.visit("/account").await.asks_to_sign_in());
    assert!(!ada.visit("/account").await.asks_to_sign_in(), "nothing else ends");
    assert!(ada.visit("/account").await.text().contains("9 recovery codes left"));
}

#[tokio::test]
async fn a_recovery_ends_the_other_passkeys_and_sessions_where_its_person_wants_that() {
    let (server, mut ada) = Server::with_ada().await;
    let codes = made(&mut ada).await;
    let mut elsewhere = Browser::new(&server);
    elsewhere.visit("/setup").await;
    let mut finish: Value = elsewhere.made_passkey(&codes[0], None).await;
    finish["end_others"] = json!(true);

    let done = elsewhere.finish_setup(&finish).await;

    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(of_ada(&server).await.len(), 1);
    assert!(ada.visit("/account").await.asks_to_sign_in());
    assert!(!elsewhere.visit("/account").await.asks_to_sign_in());
    let signed = ada.signed_challenge().await;
    let refused = ada.finish_sign_in(&signed).await;
    refused.refused(ErrorCode::PasskeyRemoved, Refusal::CredentialRemoved);
}

/// The first link of a person is no recovery.
#[tokio::test]
async fn nothing_ends_by_a_link_that_is_no_recovery() {
    let (server, mut ada) = Server::with_ada().await;
    let asked = json!({ "username": "ada", "further": true });
    let link = server.operate(Method::POST, "/recover", asked).await.json();
    let mut elsewhere = Browser::new(&server);
    let token = elsewhere.open_link(link["setup_url"].as_str().unwrap()).await;
    let mut finish: Value = elsewhere.made_passkey(&token, None).await;
    finish["end_others"] = json!(true);

    let done = elsewhere.finish_setup(&finish).await;

    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(of_ada(&server).await.len(), 2);
    assert!(!ada.visit("/account").await.asks_to_sign_in());
}

#[tokio::test]
async fn new_codes_replace_the_old_ones() {
    let (server, mut ada) = Server::with_ada().await;
    let old = made(&mut ada).await;

    let new = made(&mut ada).await;

    let mut elsewhere = Browser::new(&server);
    let refused = described(&mut elsewhere, &old[0]).await;
    refused.refused(ErrorCode::SetupLinkUnknown, Refusal::RecoveryCodeUnknown);
    assert_eq!(described(&mut elsewhere, &new[9]).await.status, 200);
}

#[tokio::test]
async fn a_code_is_used_once_however_many_try_at_once() {
    let (server, mut ada) = Server::with_ada().await;
    let codes = made(&mut ada).await;
    let (mut one, mut two) = (Browser::new(&server), Browser::new(&server));
    one.visit("/setup").await;
    two.visit("/setup").await;
    let first = one.made_passkey(&codes[0], None).await;
    let second = two.made_passkey(&codes[0], None).await;

    let (won, lost) = tokio::join!(one.finish_setup(&first), two.finish_setup(&second));

    assert_eq!(won.status, 200, "{}", won.text());
    lost.refused(ErrorCode::SetupLinkUsed, Refusal::RecoveryCodeUsed);
    assert_eq!(of_ada(&server).await.len(), 2);
}

#[tokio::test]
async fn an_operator_who_ends_the_passkeys_ends_the_codes_too() {
    let (server, mut ada) = Server::with_ada().await;
    let codes = made(&mut ada).await;

    let asked = json!({ "username": "ada", "end_passkeys": true });
    server.operate(Method::POST, "/recover", asked).await;

    let refused = described(&mut Browser::new(&server), &codes[0]).await;
    refused.refused(ErrorCode::SetupLinkUnknown, Refusal::RecoveryCodeUnknown);
}

/// A thief may have made the codes that are there, or asked for a link.
#[tokio::test]
async fn whoever_recovers_from_a_theft_ends_the_other_codes_and_links_too() {
    let (server, mut ada) = Server::with_ada().await;
    let codes = made(&mut ada).await;
    let asked = json!({ "username": "ada", "further": true });
    let link = server.operate(Method::POST, "/recover", asked).await.json();
    let mut elsewhere = Browser::new(&server);
    elsewhere.visit("/setup").await;
    let mut finish: Value = elsewhere.made_passkey(&codes[0], None).await;
    finish["end_others"] = json!(true);
    assert_eq!(elsewhere.finish_setup(&finish).await.status, 200);

    let mut thief = Browser::new(&server);
    let by_code = described(&mut thief, &codes[1]).await;
    let token = thief.open_link(link["setup_url"].as_str().unwrap()).await;
    let by_link = described(&mut thief, &token).await;

    by_code.refused(ErrorCode::SetupLinkUnknown, Refusal::RecoveryCodeUnknown);
    assert_eq!(by_link.refusal(), Some(Refusal::SetupTokenRevoked));
}

#[tokio::test]
async fn a_stolen_passkey_takes_the_codes_with_it() {
    let (server, mut ada) = Server::with_ada().await;
    let codes = made(&mut ada).await;
    let path = format!("/gate/account{}", crate::refusals::passkeys::path(&server).await);
    ada.visit(&path).await;

    let fields = [("even_last", "yes"), ("others_out", "yes")];
    let removed = ada.submit(&format!("{path}/remove"), &fields).await;

    assert_eq!(removed.location(), "/gate/account");
    let refused = described(&mut Browser::new(&server), &codes[0]).await;
    refused.refused(ErrorCode::SetupLinkUnknown, Refusal::RecoveryCodeUnknown);
}

/// An owner chooses the name of a passkey, and nobody the beginning of an id.
#[tokio::test]
async fn the_beginning_of_an_id_is_never_the_name_that_somebody_gave_another_passkey() {
    let (server, _ada) = Server::with_ada().await;
    let ada_s = crate::refusals::passkeys::path(&server).await;
    let beginning = &ada_s["/passkeys/".len()..][..8];
    let _mallory = server.person("mallory").await;
    let listed = server.operate(Method::GET, "/passkeys?user=mallory", json!({})).await.json();
    let own = format!("/passkeys/{}", listed["passkeys"][0]["id"].as_str().unwrap());
    server.operate(Method::PATCH, &own, json!({ "name": beginning })).await;

    let found = server.operate(Method::GET, &format!("/passkeys/{beginning}"), json!({})).await;

    assert_eq!(found.json()["username"], "ada");
}
