//! What a page says by itself: of a list with nothing in it, of a role, of what happened.

use axum::http::Method;
use serde_json::json;

use super::{page_of, server};
use crate::support::{Browser, Server};

/// What a page says in place of rows.
#[track_caller]
fn said(page: &str) -> &str {
    let (_, rest) = page.split_once("<p class=\"quiet\">").expect("something is said");
    rest.split("</p>").next().unwrap()
}

#[tokio::test]
async fn a_list_with_nothing_in_it_says_how_that_changes() {
    let (_server, mut ada) = server().await;

    for noun in ["clients", "invitations", "resources"] {
        let page = ada.visit(&format!("/gate/admin/{noun}")).await;
        let link = format!("<a href=\"/gate/admin/{noun}/add\">");
        assert!(said(page.text()).contains(&link), "{noun}: {}", page.text());
        let searched = ada.visit(&format!("/gate/admin/{noun}?q=nothing")).await;
        assert!(noun == "invitations" || said(searched.text()) == "None was found.", "{noun}");
    }
    for (noun, begins) in [("bridges", "A bridge is linked by"), ("grants", "It begins when")] {
        let page = ada.visit(&format!("/gate/admin/{noun}")).await;
        assert!(said(page.text()).contains(begins), "{noun}: {}", page.text());
    }
}

async fn with_bob() -> (Server, Browser, String) {
    let (server, ada) = server().await;
    let bob = json!({ "username": "bob", "roles": ["people", "user"] });
    server.operate(Method::POST, "/users", bob).await;
    let path = page_of(&server, "bob").await;
    (server, ada, path)
}

#[tokio::test]
async fn a_role_stands_with_what_whoever_has_it_may_do() {
    let (_server, mut ada, bob) = with_bob().await;

    let page = ada.visit(&bob).await;
    let form = ada.visit(&format!("{bob}/edit")).await;
    let invitation = ada.visit("/gate/admin/invitations/add").await;

    for page in [page, form, invitation] {
        for means in ["Administers people.", "Signs in to apps, and may give them: "] {
            assert!(page.text().contains(means), "{means}: {}", page.text());
        }
        assert!(!page.text().contains("admin:people"), "{}", page.text());
    }
}

#[tokio::test]
async fn what_happened_is_said_in_the_language_of_the_page() {
    let (server, mut ada, _) = with_bob().await;
    server.get("/no/such/page").await;

    let page = ada.visit("/gate/admin/events?ui_locales=de").await;

    for said in
        ["<bdi>Eine Person wurde hinzugefügt</bdi>", "<bdi>Diese Seite gibt es nicht.</bdi>"]
    {
        assert!(page.text().contains(said), "{said}: {}", page.text());
    }
}
