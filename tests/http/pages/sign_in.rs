//! The sign-in page: what leads, and the ways of whoever has no passkey at hand.

use crate::support::{Browser, RelyingParty, Response, Server};

/// The place of `text` on the page.
#[track_caller]
fn at(page: &Response, text: &str) -> usize {
    page.text().find(text).unwrap_or_else(|| panic!("no {text}: {}", page.text()))
}

#[tokio::test]
async fn the_button_leads_and_the_field_stands_behind_another_account() {
    let (server, _ada) = Server::with_ada().await;

    let page = Browser::new(&server).visit("/login").await;

    let order = [
        "Sign in with a passkey",
        "Use another device",
        "<details>\n<summary>Another account</summary>",
        "autocomplete=\"username webauthn\"",
        "Lost your passkey?",
    ]
    .map(|text| at(&page, text));
    assert!(order.is_sorted(), "{order:?}");
}

/// OpenID Connect Core §3.1.2.1: `login_hint` is a "hint to the Authorization Server about the login
/// identifier the End-User might use to log in".
#[tokio::test]
async fn a_hint_is_seen() {
    let (server, _ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;

    let page = Browser::new(&server).visit(&shop.request(&[("login_hint", "grace")])).await;

    at(&page, "<details open>\n<summary>Another account</summary>");
    at(&page, "value=\"grace\"");
}

/// An account that is named to strangers is one to guess at.
#[tokio::test]
async fn whoever_has_lost_a_passkey_is_told_every_way_and_no_name() {
    let (server, _ada) = Server::with_ada().await;

    let page = Browser::new(&server).visit("/login").await;

    at(&page, "<a href=\"/gate/setup\">use one of them.</a>");
    at(&page, "choose <strong>Use another device</strong> above");
    at(&page, "ask whoever runs this server");
    assert!(!page.text().contains("Lovelace"));
}

/// Two apps may have one name, and their ids differ.
#[tokio::test]
async fn the_mark_of_an_app_is_the_same_wherever_it_asks() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let mark = |page: &Response| {
        let (_, rest) = page.text().split_once("<svg class=\"mark\"").unwrap();
        rest.split_once("</svg>").unwrap().0.to_owned()
    };

    let consent = ada.visit(&shop.request(&[])).await;
    let sign_in = Browser::new(&server).visit(&shop.request(&[])).await;

    assert_eq!(mark(&consent), mark(&sign_in));
    assert!(mark(&consent).contains(">S</text>"), "{}", mark(&consent));
}
