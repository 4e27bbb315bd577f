//! People and clients that are called like a page, or like a step of a path.

use axum::http::Method;
use gatelodge::error::Refusal;
use serde_json::{Value, json};
use url::Url;

use super::{page_of_id, server, stored, type_into};
use crate::support::{Response, Server, unescape};

/// Where a browser goes from a page by the link that ends or is labelled so: it takes `.` and `..`,
/// written in any way, out of a path.
fn followed(page: &Response, is_it: impl Fn(&str, &str) -> bool) -> String {
    let links = page.text().split("<a ").skip(1).filter_map(|tag| {
        let (head, text) = tag.split_once('>')?;
        let (_, href) = head.split_once("href=\"")?;
        Some((unescape(href.split('"').next()?), text.split("</a>").next()?.to_owned()))
    });
    let mut links = links.filter(|(href, text)| is_it(href, text));
    let (href, _) = links.next().unwrap_or_else(|| panic!("no such link: {}", page.text()));
    let base = Url::parse("http://localhost:7455/gate/admin/people").unwrap();
    base.join(&href).unwrap().path().to_owned()
}

fn labelled(page: &Response, label: &str) -> String {
    let label = format!("<bdi>{label}</bdi>");
    followed(page, |_, text| text.contains(&label))
}

fn ending(page: &Response, end: &str) -> String {
    followed(page, |href, _| href.ends_with(end))
}

async fn listed(server: &Server, noun: &str, member: &str) -> Vec<Value> {
    let all = stored(server, &format!("/{noun}")).await;
    all[noun].as_array().unwrap().iter().map(|own| own[member].clone()).collect()
}

#[tokio::test]
async fn a_person_of_any_name_is_opened_changed_and_removed() {
    for name in ["add", ".", ".."] {
        let (server, mut ada) = server().await;
        let added = json!({ "username": name, "display_name": "Odd" });
        let added = server.operate(Method::POST, "/users", added).await.json();

        let people = ada.visit("/gate/admin/people").await;
        let links = ada.visit("/gate/admin/links").await;
        let own = labelled(&people, "Odd");
        let page = ada.visit(&own).await;
        let form = ada.visit(&ending(&page, "/edit")).await;
        let changed = type_into(&mut ada, &form, &[("display_name", "Even")]).await;
        let names = listed(&server, "users", "display_name").await;
        let remove = ending(&ada.visit(&own).await, "/remove");
        ada.visit(&remove).await;
        let removed = ada.submit(&remove, &[]).await;

        assert_eq!(own, page_of_id(&added["id"]), "{name}");
        assert_eq!(labelled(&links, name), own, "{name}");
        assert!(page.text().contains("<h1><bdi>Odd</bdi></h1>"), "{name}: {}", page.text());
        assert_eq!(changed.location(), own, "{name}");
        assert!(names.contains(&json!("Even")), "{name}: {names:?}");
        assert_eq!(removed.status, 303, "{name}: {}", removed.text());
        assert_eq!(listed(&server, "users", "username").await, ["ada"], "{name}");
    }
}

#[tokio::test]
async fn what_a_person_of_any_name_has_leads_to_them() {
    let (server, mut ada) = server().await;
    let mut odd = server.person("..").await;
    let shop = crate::support::RelyingParty::web(&server).await;
    shop.tokens_of(&mut odd, "openid").await;
    let id = listed(&server, "grants", "user_id").await.remove(0);

    for list in ["sessions", "grants", "links"] {
        let page = ada.visit(&format!("/gate/admin/{list}")).await;

        assert_eq!(labelled(&page, ".."), page_of_id(&id), "{list}");
    }
}

#[tokio::test]
async fn a_person_of_any_name_is_enabled_by_the_repair_of_what_they_were_refused() {
    let (server, mut ada) = server().await;
    let mut odd = server.person("..").await;
    let id = listed(&server, "users", "id").await;
    let names = listed(&server, "users", "username").await;
    let (id, _) = id.iter().zip(&names).find(|(_, name)| **name == "..").unwrap();
    let path = format!("/users/{}", id.as_str().unwrap());
    server.operate(Method::PATCH, &path, json!({ "disabled": true })).await;
    let signed = odd.signed_challenge().await;
    let refused = odd.finish_sign_in(&signed).await;
    assert_eq!(refused.refusal(), Some(Refusal::PersonDisabled));
    let event = format!("/events/{}", refused.header("gatelodge-event"));

    let explained = stored(&server, &event).await;
    let page = ada.visit(&format!("/gate/admin{event}/repair")).await;
    let operation = page.hidden("operation").unwrap();
    ada.submit(&page.action(), &[("operation", &operation)]).await;

    assert_eq!(explained["repair"]["path"], format!("/api/v1{path}"));
    assert_eq!(stored(&server, &path).await["disabled"], false);
}

#[tokio::test]
async fn a_client_of_any_id_is_opened_changed_and_removed() {
    for id in ["add", ".", "..", "~add", "%2e%2e", "a/b?c#d"] {
        let (server, mut ada) = server().await;
        let added = json!({
            "name": "Odd", "client_id": id, "redirect_uris": ["https://odd.example/cb"],
        });
        let added = server.operate(Method::POST, "/clients", added).await;
        assert_eq!(added.status, 201, "{id}: {}", added.text());

        let own = labelled(&ada.visit("/gate/admin/clients").await, "Odd");
        let page = ada.visit(&own).await;
        let form = ada.visit(&ending(&page, "/edit")).await;
        let changed = type_into(&mut ada, &form, &[("name", "Even")]).await;
        let names = listed(&server, "clients", "name").await;
        let after = ada.visit(changed.location()).await;
        let (off, rotated) = (ending(&after, "/disable"), ending(&after, "/rotate-secret"));
        ada.visit(&off).await;
        ada.submit(&off, &[]).await;
        let enabled = listed(&server, "clients", "enabled").await;
        let rotated = ada.submit(&rotated, &[]).await;
        let remove = ending(&after, "/remove");
        let removed = ada.submit(&remove, &[]).await;

        let html = unescape(page.text());
        assert!(html.contains(&format!("<code>{id}</code>")), "{id}: {html}");
        assert_eq!(names, ["Even"], "{id}");
        assert_eq!(enabled, [false], "{id}");
        assert_eq!(rotated.status, 200, "{id}: {}", rotated.text());
        assert_eq!(removed.location(), "/gate/admin/clients", "{id}");
        assert_eq!(listed(&server, "clients", "client_id").await, Vec::<Value>::new(), "{id}");
    }
}

/// Somebody pastes the command into a shell.
#[tokio::test]
async fn a_command_on_the_page_of_a_client_has_its_id_as_one_word() {
    for (id, word) in [
        ("shop", "shop"),
        ("my telly's", "'my telly'\\''s'"),
        ("x$(id)", "'x$(id)'"),
        ("-telly", "-- -telly"),
    ] {
        let (server, mut ada) = server().await;
        let added = json!({ "name": "Odd", "client_id": id });
        let added = server.operate(Method::POST, "/clients", added).await;
        assert_eq!(added.status, 201, "{id}: {}", added.text());

        let own = labelled(&ada.visit("/gate/admin/clients").await, "Odd");
        let page = unescape(&ada.visit(&own).await.unmarked());

        let command = format!("gatelodge client set --logo FILE {word}");
        assert!(page.contains(&command), "{command}: {page}");
    }
}
