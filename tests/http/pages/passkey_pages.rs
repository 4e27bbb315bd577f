//! The pages by which a person changes their passkeys.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use gatelodge::error::Refusal;
use serde_json::{Value, json};

use super::passkeys::enrolled;
use crate::refusals::passkeys::{added, of_ada};
use crate::support::{Browser, RawPasskey, Response, Server};

/// Ada, who has signed in a moment ago, and the paths of the pages of her passkeys.
async fn ada_with(passkeys: u8) -> (Browser, Vec<String>) {
    let mut ada = Browser::new(&Server::new().await);
    assert_eq!(enrolled(&mut ada, &mut RawPasskey::new()).await.status, 200);
    for number in 1..passkeys {
        let mut passkey = RawPasskey::new();
        passkey.id = vec![number; 20];
        assert_eq!(added(&mut ada, &mut passkey).await.status, 200);
    }
    ada.visit("/account").await;
    let paths = of_ada(&ada.server).await;
    let path =
        |passkey: &Value| format!("/gate/account/passkeys/{}", passkey["id"].as_str().unwrap());
    let paths = paths.iter().map(path).collect();
    (ada, paths)
}

/// Lets the sign-in grow old.
fn grow_old(ada: &Browser) {
    ada.server.advance(Duration::from_secs(5 * 60 + 1));
}

#[track_caller]
fn asks_once_more(page: &Response, next: &str) {
    assert_eq!(page.status, 200);
    assert!(page.text().contains("<h1>Is it you?</h1>"), "{}", page.text());
    assert!(page.text().contains(&format!("data-next=\"{next}\"")), "{}", page.text());
}

async fn names(ada: &Browser) -> Vec<String> {
    let passkeys = of_ada(&ada.server).await;
    let mut names: Vec<String> =
        passkeys.iter().map(|passkey| passkey["name"].as_str().unwrap().to_owned()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn the_account_page_leads_to_each_passkey_with_the_time_of_day() {
    let (mut ada, paths) = ada_with(2).await;

    let page = ada.visit("/account").await.text().to_owned();

    for path in paths {
        assert!(page.contains(&format!("href=\"{path}\"")), "{page}");
    }
    assert!(page.contains("2026-01-01 00:00 UTC") && page.contains("Passkey (2)"), "{page}");
    assert!(page.contains("href=\"/gate/account/passkeys/new\""));
}

#[tokio::test]
async fn a_passkey_is_renamed_on_its_page() {
    let (mut ada, paths) = ada_with(1).await;
    ada.visit(&paths[0]).await;

    let renamed = ada.submit(&paths[0], &[("name", "  Blue key ")]).await;

    assert_eq!(renamed.location(), "/gate/account");
    assert_eq!(names(&ada).await, ["Blue key"]);
}

#[tokio::test]
async fn a_name_that_does_not_do_stands_beside_its_field_with_the_reason() {
    let (mut ada, paths) = ada_with(2).await;
    ada.visit(&paths[0]).await;
    let other = if names(&ada).await[0] == "Passkey" { "Passkey (2)" } else { "Passkey" };
    let own = of_ada(&ada.server).await[0]["name"].as_str().unwrap().to_owned();
    let other = if own == other { "Passkey" } else { other };

    let taken = ada.submit(&paths[0], &[("name", other)]).await;
    let empty = ada.submit(&paths[0], &[("name", " ")]).await;

    assert_eq!(taken.status, StatusCode::CONFLICT);
    assert!(taken.text().contains("You have another passkey of that name"), "{}", taken.text());
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
    assert!(empty.text().contains("A name is 1 to 128 characters"), "{}", empty.text());
    assert_eq!(names(&ada).await, ["Passkey", "Passkey (2)"]);
}

#[tokio::test]
async fn a_passkey_is_removed_on_its_page_and_the_browser_learns_which_are_left() {
    let (mut ada, paths) = ada_with(2).await;
    ada.visit(&paths[0]).await;

    let removed = ada.submit(&format!("{}/remove", paths[0]), &[]).await;
    let account = ada.visit(removed.location()).await.text().to_owned();
    let later = ada.visit("/account").await.text().to_owned();

    assert_eq!(removed.location(), "/gate/account");
    assert_eq!(of_ada(&ada.server).await.len(), 1);
    let left = account.split("data-credentials=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(left.matches("&#34;").count(), 2, "the one that is left: {left}");
    assert!(account.contains("removed.js") && account.contains("data-rp-id=\"localhost\""));
    assert!(account.contains("The passkey was removed."), "{account}");
    assert!(!later.contains("The passkey was removed."), "it is said once");
    assert!(!later.contains("removed.js") && !later.contains("data-credentials"));
}

#[tokio::test]
async fn the_only_passkey_goes_if_its_person_says_that_they_want_none() {
    let (mut ada, paths) = ada_with(1).await;
    let page = ada.visit(&paths[0]).await.text().to_owned();
    let path = format!("{}/remove", paths[0]);

    let refused = ada.submit(&path, &[]).await;
    let stays = of_ada(&ada.server).await.len();
    let removed = ada.submit(&path, &[("even_last", "yes")]).await;

    assert!(
        page.contains("This is your only passkey.") && page.contains("you have no recovery codes")
    );
    assert_eq!((refused.status, stays), (StatusCode::CONFLICT, 1));
    assert!(refused.text().contains("Add another one first, or tick"), "{}", refused.text());
    assert_eq!(removed.location(), "/gate/account");
    assert!(of_ada(&ada.server).await.is_empty());
}

#[tokio::test]
async fn with_a_stolen_passkey_every_other_session_goes() {
    let (mut ada, paths) = ada_with(2).await;
    let mut elsewhere = Browser::new(&ada.server);
    let mut further = RawPasskey::new();
    further.id = vec![9; 20];
    assert_eq!(added(&mut ada, &mut further).await.status, 200);
    assert_eq!(super::passkeys::signed_in(&mut elsewhere, &further).await.status, 200);
    ada.visit(&paths[0]).await;

    ada.submit(&format!("{}/remove", paths[0]), &[("others_out", "yes")]).await;

    assert!(elsewhere.visit("/account").await.asks_to_sign_in());
    assert!(!ada.visit("/account").await.asks_to_sign_in());
}

#[tokio::test]
async fn each_page_asks_for_another_sign_in_after_five_minutes_and_leads_back() {
    let (mut ada, paths) = ada_with(1).await;
    grow_old(&ada);

    for page in [&*paths[0], "/gate/account/passkeys/new", "/gate/account/recovery-codes"] {
        asks_once_more(&ada.visit(page).await, page);
    }
    let stranger = Browser::new(&ada.server).visit(&paths[0]).await;
    assert!(stranger.asks_to_sign_in() && !stranger.text().contains("Is it you?"));
}

/// The page was opened in time, and left alone.
#[tokio::test]
async fn a_form_that_comes_late_changes_nothing_and_leads_to_the_page_that_asks() {
    let (mut ada, paths) = ada_with(2).await;
    ada.visit(&paths[0]).await;
    grow_old(&ada);

    let renamed = ada.submit(&paths[0], &[("name", "Blue key")]).await;
    let removed = ada.submit(&format!("{}/remove", paths[0]), &[]).await;
    let codes = ada.submit("/gate/account/recovery-codes", &[]).await;

    assert_eq!((renamed.location(), removed.location()), (&*paths[0], &*paths[0]));
    assert_eq!(codes.location(), "/gate/account/recovery-codes");
    assert_eq!(names(&ada).await, ["Passkey", "Passkey (2)"]);
}

#[tokio::test]
async fn nobody_sees_or_changes_the_passkey_of_another() {
    let (ada, paths) = ada_with(2).await;
    let mut bob = ada.server.person("bob").await;
    bob.visit("/account").await;

    let seen = bob.visit(&paths[0]).await;
    let renamed = bob.submit(&paths[0], &[("name", "Bob's")]).await;
    let removed = bob.submit(&format!("{}/remove", paths[0]), &[]).await;
    let nonsense = bob.visit("/gate/account/passkeys/nonsense").await;

    for response in [seen, renamed, removed, nonsense] {
        assert_eq!(response.status, StatusCode::NOT_FOUND, "{}", response.text());
        assert_eq!(response.refusal(), Some(Refusal::PasskeyNotFound));
    }
    assert_eq!(names(&ada).await, ["Passkey", "Passkey (2)"]);
}

#[tokio::test]
async fn an_operator_sees_what_a_person_did() {
    let (mut ada, paths) = ada_with(2).await;
    ada.visit(&paths[0]).await;
    ada.submit(&paths[0], &[("name", "Blue key")]).await;
    ada.submit(&format!("{}/remove", paths[0]), &[]).await;

    let events = ada.server.operate(Method::GET, "/events?user=ada", json!({})).await.json();

    let events = events["events"].as_array().unwrap();
    for kind in ["passkey.removed", "passkey.renamed"] {
        let event = events.iter().find(|event| event["kind"] == kind).unwrap();
        assert_eq!(
            (&event["actor"]["kind"], &event["name"]),
            (&json!("person"), &json!("Blue key"))
        );
    }
}
