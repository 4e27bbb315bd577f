//! The list of people, and the form of a person.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::json;

use super::{actor, link_on, refused_above, server, stored, type_into, with_role};
use crate::support::{Browser, Server};

const ADD: &str = "/gate/admin/people/add";

async fn add(server: &Server, username: &str, display_name: &str) {
    let person = json!({ "username": username, "display_name": display_name });
    let added = server.operate(Method::POST, "/users", person).await;
    assert_eq!(added.status, 201, "{}", added.text());
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_their_name() {
    let (server, mut ada) = server().await;
    add(&server, "grace", "Grace Hopper").await;
    add(&server, "alan", "Alan Turing").await;

    let all = ada.visit("/gate/admin/people").await;
    let found = ada.visit("/gate/admin/people?q=gra").await;
    let none = ada.visit("/gate/admin/people?q=zoe").await;

    assert!(all.text().contains("Grace Hopper") && all.text().contains("Alan Turing"));
    assert!(found.text().contains("Grace Hopper") && !found.text().contains("Alan Turing"));
    assert!(found.text().contains("name=\"q\" type=\"text\""), "{}", found.text());
    assert!(found.text().contains("value=\"gra\""), "{}", found.text());
    assert!(none.text().contains("None was found."), "{}", none.text());
}

#[tokio::test]
async fn more_people_than_a_page_has_are_on_the_next() {
    let (server, mut ada) = server().await;
    for at in 10..70 {
        add(&server, &format!("p{at}"), &format!("Person {at}")).await;
    }
    let people = |text: &str| text.matches("Person ").count();

    let first = ada.visit("/gate/admin/people?q=p").await;
    let (_, rest) = first
        .text()
        .split_once("class=\"button plain\" href=\"/gate/admin/people?q=p")
        .expect("there is a link to the next page");
    let next = format!("/gate/admin/people?q=p{}", rest.split('"').next().unwrap());
    let second = ada.visit(&next.replace("&#38;", "&")).await;

    assert_eq!((people(first.text()), people(second.text())), (50, 10));
    assert!(!second.text().contains("cursor="), "{}", second.text());
}

#[tokio::test]
async fn somebody_who_is_added_gets_a_link_that_is_displayed_once() {
    let (server, mut ada) = server().await;
    let form = ada.visit(ADD).await;
    assert!(form.text().contains("value=\"user\" checked"), "{}", form.text());

    let added = ada
        .submit(
            ADD,
            &[
                ("username", "grace"),
                ("display_name", "Grace Hopper"),
                ("email", "grace@example.com"),
                ("role", "user"),
                ("role", "people"),
                ("groups", "staff, crew  night"),
            ],
        )
        .await;

    assert_eq!(added.status, 200, "{}", added.text());
    assert!(added.text().contains("<svg ") && added.text().contains("role=\"img\""));
    let grace = stored(&server, "/users/grace").await;
    assert_eq!(grace["display_name"], "Grace Hopper");
    assert_eq!(grace["email"], "grace@example.com");
    assert_eq!(grace["roles"], json!(["user", "people"]));
    assert_eq!(grace["groups"], json!(["staff", "crew", "night"]));
    assert_eq!(actor(&server, "user.added", "grace").await, "ada");
    let id = grace["id"].as_str().unwrap();
    let page = ada.visit(&format!("/gate/admin/people/{id}")).await;
    assert!(page.text().contains("Grace Hopper") && !page.text().contains("gl_st_"));
    Browser::new(&server).enrol(&link_on(&added), None).await;
    assert_eq!(stored(&server, "/users/grace").await["passkeys"], 1);
}

#[tokio::test]
async fn what_is_wrong_stands_above_what_was_typed() {
    let (server, mut ada) = server().await;
    add(&server, "grace", "Grace").await;
    ada.visit(ADD).await;

    let fields = [("username", "Grace"), ("display_name", "Another"), ("groups", "crew")];
    let taken = ada.submit(ADD, &fields).await;
    let none = ada.submit(ADD, &[("username", "a b"), ("display_name", "")]).await;

    refused_above(&taken, Refusal::UserExists);
    for typed in ["value=\"Grace\"", "value=\"Another\"", "value=\"crew\""] {
        assert!(taken.text().contains(typed), "{typed}: {}", taken.text());
    }
    assert!(!taken.text().contains("value=\"user\" checked"), "{}", taken.text());
    refused_above(&none, Refusal::UsernameMalformed);
    assert!(none.text().contains("value=\"a b\""), "{}", none.text());
    let people = stored(&server, "/users").await;
    assert_eq!(people["users"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_form_of_a_person_changes_what_was_changed_in_it() {
    let (server, mut ada) = server().await;
    add(&server, "grace", "Grace").await;
    let id = stored(&server, "/users/grace").await["id"].as_str().unwrap().to_owned();
    let path = format!("/gate/admin/people/{id}/edit");
    let form = ada.visit(&path).await;
    assert!(form.text().contains("value=\"Grace\""), "{}", form.text());

    let fields = [("display_name", "Grace Hopper"), ("role", "reader"), ("groups", "crew")];
    let saved = ada.submit(&path, &fields).await;

    assert_eq!(saved.location(), format!("/gate/admin/people/{id}"));
    let grace = stored(&server, "/users/grace").await;
    assert_eq!(grace["display_name"], "Grace Hopper");
    assert_eq!((&grace["roles"], &grace["groups"]), (&json!(["reader"]), &json!(["crew"])));
    assert_eq!(grace["email"], json!(null));
    assert_eq!(actor(&server, "user.changed", "grace").await, "ada");
}

/// To name an address is to vouch for it.
#[tokio::test]
async fn an_address_that_a_person_typed_is_vouched_for_only_where_somebody_ticks_that() {
    let (server, mut ada) = server().await;
    let mut grace = server.person("grace").await;
    grace.visit("/account").await;
    let profile = [("display_name", "grace"), ("email", "grace@example.com")];
    let typed = grace.submit("/gate/account/profile", &profile).await;
    assert_eq!(typed.location(), "/gate/account", "{}", typed.text());
    let path = "/gate/admin/people/grace/edit";
    let form = ada.visit(path).await;
    assert!(!form.text().contains("value=\"yes\" checked"), "{}", form.text());
    let typed = ("email", "grace@example.com");

    ada.submit(path, &[("display_name", "Grace"), typed, ("role", "user")]).await;
    let untouched = stored(&server, "/users/grace").await;
    ada.submit(path, &[("display_name", "Grace"), typed, ("role", "user"), ("vouched", "yes")])
        .await;
    let vouched = stored(&server, "/users/grace").await;
    ada.submit(path, &[("display_name", "Grace"), typed, ("role", "user")]).await;
    let withdrawn = stored(&server, "/users/grace").await;
    ada.submit(path, &[("display_name", "Grace"), ("role", "user")]).await;
    let without = stored(&server, "/users/grace").await;

    for (view, verified) in [(&untouched, false), (&vouched, true), (&withdrawn, false)] {
        assert_eq!(view["email"], "grace@example.com");
        assert_eq!(view["email_verified"], verified);
    }
    assert_eq!((&untouched["display_name"], &without["email"]), (&json!("Grace"), &json!(null)));
}

#[tokio::test]
async fn a_limited_administrator_gives_no_more_than_they_have() {
    let (server, _ada) = server().await;
    let mut bob = with_role(&server, "people").await;
    let form = bob.visit(ADD).await;
    for (role, offered) in [("admin", false), ("clients", false), ("people", true)] {
        let offers = form.text().contains(&format!("id=\"role-{role}\""));
        assert_eq!(offers, offered, "{role}: {}", form.text());
    }

    let exceeding = [("username", "eve"), ("display_name", ""), ("role", "admin")];
    let refused = bob.submit(ADD, &exceeding).await;
    let own = [("username", "eve"), ("display_name", ""), ("role", "people")];
    let added = bob.submit(ADD, &own).await;

    refused.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
    assert_eq!(added.status, 200, "{}", added.text());
    assert_eq!(stored(&server, "/users/eve").await["roles"], json!(["people"]));
    assert_eq!(actor(&server, "user.added", "eve").await, "bob");
}

#[tokio::test]
async fn somebody_who_may_only_read_is_offered_no_change() {
    let (server, _ada) = server().await;
    let mut bob = with_role(&server, "reader").await;

    let list = bob.visit("/gate/admin/people").await;
    let person = bob.visit("/gate/admin/people/ada").await;
    let form = bob.visit(ADD).await;

    assert!(list.text().contains("ada") && !list.text().contains(ADD), "{}", list.text());
    for act in ["/edit", "/recover", "/disable", "/remove", "/end", "/revoke"] {
        assert!(!person.text().contains(&format!("{act}\"")), "{act}: {}", person.text());
    }
    form.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
}

#[tokio::test]
async fn a_form_over_which_the_sign_in_grew_old_comes_back_with_every_field() {
    let (server, mut ada) = server().await;
    ada.visit(ADD).await;
    server.advance(Duration::from_secs(5 * 60 + 1));

    let fields = [
        ("username", "grace"),
        ("display_name", "Grace & Co"),
        ("email", "g@example.com"),
        ("role", "people"),
        ("role", "reader"),
        ("groups", "crew"),
    ];
    let late = ada.submit(ADD, &fields).await;
    ada.sign_in().await;
    let filled = ada.visit(late.location()).await;

    for typed in ["grace", "Grace &#38; Co", "g@example.com", "crew"] {
        assert!(
            filled.text().contains(&format!("value=\"{typed}\"")),
            "{typed}: {}",
            filled.text()
        );
    }
    for (role, on) in [("people", true), ("reader", true), ("user", false)] {
        let checked = filled.text().contains(&format!("value=\"{role}\" checked"));
        assert_eq!(checked, on, "{role}");
    }
    let people = stored(&server, "/users").await;
    assert_eq!(people["users"].as_array().unwrap().len(), 1);
}

/// Somebody who saves an older form would otherwise give back the role that was just taken.
#[tokio::test]
async fn an_older_form_takes_back_nothing_that_somebody_else_changed() {
    let (server, mut ada) = server().await;
    server.person("grace").await;
    let change = json!({ "roles": ["user", "admin"], "groups": ["staff"] });
    server.operate(Method::PATCH, "/users/grace", change).await;
    let form = ada.visit("/gate/admin/people/grace/edit").await;
    let meanwhile = json!({ "roles": ["user"], "groups": ["staff", "night"] });
    server.operate(Method::PATCH, "/users/grace", meanwhile).await;

    let typed = [("display_name", "Grace Hopper"), ("groups", "crew")];
    let saved = type_into(&mut ada, &form, &typed).await;

    assert_eq!(saved.status, 303, "{}", saved.text());
    let grace = stored(&server, "/users/grace").await;
    assert_eq!(grace["display_name"], "Grace Hopper");
    assert_eq!(grace["roles"], json!(["user"]));
    assert_eq!(grace["groups"], json!(["night", "crew"]));
}
