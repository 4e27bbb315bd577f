//! What was done is said once, by the page that follows.

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::json;

use super::{server, stored};
use crate::support::{Browser, RelyingParty, Server};

const SAVED: &str = "Your changes are saved.";

async fn save_profile(ada: &mut Browser) {
    ada.visit("/gate/account/profile").await;
    let saved = ada.submit("/gate/account/profile", &[("display_name", "Ada B.")]).await;
    assert_eq!(saved.location(), "/gate/account", "{}", saved.text());
}

#[tokio::test]
async fn a_page_says_what_was_done_and_a_reload_does_not() {
    let (_server, mut ada) = Server::with_ada().await;
    let before = ada.visit("/gate/account").await;

    save_profile(&mut ada).await;
    let after = ada.visit("/gate/account").await;
    let again = ada.visit("/gate/account").await;

    assert!(!before.text().contains(SAVED), "{}", before.text());
    let notice = format!("<p class=\"notice good\" role=\"status\">{SAVED}</p>");
    assert!(after.text().contains(&notice), "{}", after.text());
    assert!(!again.text().contains(SAVED), "{}", again.text());
}

#[tokio::test]
async fn the_page_without_data_leaves_it_to_the_page_that_follows() {
    let (_server, mut ada) = Server::with_ada().await;
    save_profile(&mut ada).await;

    let request = Request::get("/gate/account").header(header::HOST, "localhost:7455");
    let unproven = ada.send_unproven(request.body(Body::empty()).unwrap()).await;
    let after = ada.visit("/gate/account").await;

    assert!(!unproven.text().contains(SAVED), "{}", unproven.text());
    assert!(after.text().contains(SAVED), "{}", after.text());
}

#[tokio::test]
async fn a_cookie_chooses_between_sentences_of_ours_and_brings_none() {
    let (_server, mut ada) = Server::with_ada().await;
    let says = |page: &str| page.contains("class=\"notice good\"");

    for (value, said) in [("saved", true), ("Saved", false), ("%3Cb%3E", false), ("", false)] {
        let cookie = format!("gl7455_done={value}");
        ada.headers = vec![("cookie", Box::leak(cookie.into_boxed_str()))];
        let page = ada.visit("/gate/account").await;
        assert_eq!(says(page.text()), said, "{value}: {}", page.text());
    }
}

#[tokio::test]
async fn what_a_person_does_to_their_account_is_said() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.tokens(&mut ada).await;
    let mut other = Browser::new(&server);
    other.authenticator = ada.authenticator.clone();
    other.visit("/login").await;
    other.sign_in().await;
    let passkeys = stored(&server, "/passkeys").await;
    let passkey = passkeys["passkeys"][0]["id"].as_str().unwrap().to_owned();
    ada.visit("/gate/account").await;

    let mut said = Vec::new();
    for (path, fields) in [
        ("/gate/account/apps".to_owned(), vec![("client_id", "shop")]),
        ("/gate/account/sessions/others".to_owned(), vec![]),
        (format!("/gate/account/passkeys/{passkey}"), vec![("name", "Key")]),
    ] {
        let done = ada.submit(&path, &fields).await;
        assert_eq!(done.location(), "/gate/account", "{path}: {}", done.text());
        let page = ada.visit("/gate/account").await;
        let (_, rest) = page.text().split_once("class=\"notice good\" role=\"status\">").unwrap();
        said.push(rest.split("</p>").next().unwrap().to_owned());
    }

    assert_eq!(
        said,
        [
            "The app is disconnected. Its access has ended.",
            "You are signed out everywhere else.",
            "The passkey has its new name.",
        ],
    );
}

#[tokio::test]
async fn what_an_administrator_does_is_said() {
    let (server, mut ada) = server().await;
    server.person("bob").await;
    server.person("eve").await;
    RelyingParty::web(&server).await;

    for (path, sentence) in [
        ("/gate/admin/people/bob/disable", "They are disabled, and signed out everywhere."),
        ("/gate/admin/people/bob/enable", "They are enabled, and can sign in."),
        ("/gate/admin/people/eve/remove", "The person is removed"),
        ("/gate/admin/clients/shop/disable", "The app is disabled."),
        ("/gate/admin/clients/shop/enable", "The app is enabled."),
        ("/gate/admin/clients/shop/remove", "The app is removed, with its tokens."),
        ("/gate/admin/links/revoke", "Every open link is revoked."),
    ] {
        ada.visit(path).await;
        let done = ada.submit(path, &[]).await;
        assert_eq!(done.status, 303, "{path}: {}", done.text());
        let page = ada.visit(done.location()).await;
        let again = ada.visit(done.location()).await;
        assert!(page.text().contains(sentence), "{path}: {}", page.text());
        assert!(!again.text().contains(sentence), "{path}: {}", again.text());
    }
    let bob = server.operate(Method::GET, "/users/bob", json!({})).await.json();
    assert_eq!(bob["disabled"], false);
}
