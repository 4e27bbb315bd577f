//! The account page: the profile, the apps that a person may open, their use, and what is next.

use std::time::Duration;

use axum::http::Method;
use gatelodge::error::Refusal;
use gatelodge::oauth::client::RegistrationPolicy;
use gatelodge::oauth::issuer::Issuer;
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Server, register};

const PROFILE: &str = "/gate/account/profile";

async fn user(server: &Server, username: &str) -> Value {
    server.operate(Method::GET, &format!("/users/{username}"), json!({})).await.json()
}

async fn text(browser: &mut Browser) -> String {
    browser.visit("/account").await.text().to_owned()
}

#[tokio::test]
async fn a_person_names_themselves_anew_and_apps_learn_it() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens_of(&mut ada, "openid profile").await;
    ada.visit(PROFILE).await;

    let stored = ada.submit(PROFILE, &[("display_name", " Ada L. "), ("email", "")]).await;
    let page = text(&mut ada).await;

    assert_eq!(stored.location(), "/gate/account");
    assert!(page.contains("<h1><bdi>Ada L.</bdi></h1>"), "{page}");
    let stored = user(&server, "ada").await;
    assert_eq!(stored["display_name"], "Ada L.");
    assert_eq!(stored["username"], "ada");
    assert_eq!(shop.userinfo(&tokens.access).await.json()["name"], "Ada L.");
    let path = "/events?kind=user.changed&limit=1";
    let event = server.operate(Method::GET, path, json!({})).await.json()["events"][0].clone();
    assert_eq!(event["facts"]["changed"], "display_name", "{event}");
    assert_eq!(event["actor"]["username"], "ada", "{event}");
}

/// All of the form is stored, or nothing, and what was typed stays in its field.
#[tokio::test]
async fn a_name_or_an_address_that_does_not_do_is_said_beside_its_field() {
    let (server, mut ada) = Server::with_ada().await;
    let bob = json!({ "username": "bob", "email": "bob@id.example" });
    server.operate(Method::POST, "/users", bob).await;
    ada.visit(PROFILE).await;

    for (name, email, refusal) in [
        ("\u{200b}", "ada@id.example", Refusal::NameMalformed),
        ("Ada L.", "ada", Refusal::EmailMalformed),
        ("Ada L.", "bob@id.example", Refusal::EmailTaken),
    ] {
        let fields = [("display_name", name), ("email", email)];
        let refused = ada.submit(PROFILE, &fields).await;
        assert_eq!(refused.refusal(), Some(refusal));
        assert!(refused.text().contains(&format!("value=\"{email}\"")), "{}", refused.text());
        assert!(refused.text().contains(&format!("value=\"{name}\"")), "{}", refused.text());
        assert_eq!(refused.text().matches("aria-invalid").count(), 1);
    }
    let stored = user(&server, "ada").await;
    assert_eq!(stored["display_name"], "ada");
    assert_eq!(stored["email"], json!(null));
}

#[tokio::test]
async fn the_profile_asks_for_a_sign_in_within_the_last_five_minutes() {
    let (server, mut ada) = Server::with_ada().await;
    ada.visit(PROFILE).await;
    server.advance(Duration::from_secs(301));

    let refused = ada.submit(PROFILE, &[("display_name", "Eve"), ("email", "e@id.example")]).await;
    let asked = ada.visit(PROFILE).await;
    ada.sign_in().await;

    assert_eq!(refused.location(), PROFILE);
    assert!(asked.asks_to_sign_in(), "{}", asked.text());
    assert_eq!(user(&server, "ada").await["display_name"], "ada");
    assert!(ada.visit(PROFILE).await.text().contains("value=\"ada\""));
}

#[tokio::test]
async fn an_app_says_when_it_was_used_last() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tokens = shop.tokens(&mut ada).await;
    let first = text(&mut ada).await;
    server.advance(Duration::from_hours(26));

    shop.refresh(tokens.refresh()).await.tokens();
    let later = text(&mut ada).await;

    let used = |page: &str, at: &str| {
        page.contains(&format!("Last used: <span class=\"day\">{at} UTC</span> · <bdi>"))
    };
    assert!(used(&first, "2026-01-01 00:00"), "{first}");
    assert!(used(&later, "2026-01-02 02:00"), "{later}");
    assert!(later.contains("Since <span class=\"day\">2026-01-01</span>"), "{later}");
}

/// What an operator registered with an address, for people of the person's groups and roles.
#[tokio::test]
async fn a_person_sees_the_apps_that_they_may_open_and_no_others() {
    let server = Server::with("https://id.example".parse::<Issuer>().unwrap(), |config| {
        config.apps.insert("wiki.example".parse().unwrap(), Vec::new());
        config.apps.insert("vault.example".parse().unwrap(), vec!["admin".parse().unwrap()]);
        config.registration.policy = Some(RegistrationPolicy::Open);
    })
    .await;
    let mut ada = server.first_administrator().await;
    let mut bob = server.person("bob").await;
    let callback = json!(["https://app.example/cb"]);
    for (id, more) in [
        ("books", json!({ "client_uri": "https://books.example/" })),
        ("Notes", json!({ "initiate_login_uri": "https://notes.example/start?x=1" })),
        ("staff", json!({ "client_uri": "https://staff.example/", "groups": ["staff"] })),
        ("nowhere", json!({})),
        ("off", json!({ "client_uri": "https://off.example/" })),
        (
            "robot",
            json!({ "client_uri": "https://robot.example/", "redirect_uris": null,
            "grant_types": ["client_credentials"] }),
        ),
    ] {
        let mut client = json!({ "name": id, "client_id": id, "redirect_uris": callback });
        client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        if client["redirect_uris"].is_null() {
            client.as_object_mut().unwrap().remove("redirect_uris");
        }
        server.client(client).await;
    }
    server.operate(Method::PATCH, "/clients/off", json!({ "enabled": false })).await;
    let stranger = json!({ "client_name": "Stranger", "client_uri": "https://evil.example/",
        "redirect_uris": ["https://evil.example/cb"] });
    let stranger = register(&server, stranger).await;
    assert_eq!(stranger.status, 201, "{}", stranger.text());
    server.operate(Method::PATCH, "/users/ada", json!({ "groups": ["staff"] })).await;

    let launcher = async |browser: &mut Browser| {
        let page = text(browser).await;
        let (_, after) = page.split_once("<ul class=\"launcher\">").unwrap();
        let (list, _) = after.split_once("</ul>").unwrap();
        let links = list.split("<a href=\"").skip(1);
        links.map(|link| link.split_once('"').unwrap().0.to_owned()).collect::<Vec<_>>()
    };

    let notes = "https://notes.example/start?x=1&#38;iss=https%3A%2F%2Fid.example";
    let of_bob = ["https://books.example/", notes, "https://wiki.example/"];
    assert_eq!(launcher(&mut bob).await, of_bob);
    let of_ada =
        [of_bob[0], of_bob[1], "https://staff.example/", "https://vault.example/", of_bob[2]];
    assert_eq!(launcher(&mut ada).await, of_ada);
}

#[tokio::test]
async fn what_is_next_leaves_step_by_step_and_is_for_administrators() {
    let (server, mut ada) = Server::with_ada().await;
    let steps = ["gatelodge client add", "gatelodge user add", "no recovery codes"];
    let left = |page: &str| steps.map(|step| page.contains(step));

    let first = text(&mut ada).await;
    RelyingParty::web(&server).await;
    let connected = text(&mut ada).await;
    let mut bob = server.person("bob").await;
    let together = text(&mut ada).await;
    ada.visit("/gate/account/recovery-codes").await;
    assert_eq!(ada.submit("/gate/account/recovery-codes", &[]).await.status, 200);
    let done = text(&mut ada).await;

    assert_eq!(left(&first), [true, true, true]);
    assert_eq!(left(&connected), [false, true, true]);
    assert_eq!(left(&together), [false, false, true]);
    assert!(!done.contains("What next"), "{done}");
    assert!(!text(&mut bob).await.contains("What next"));
}

#[tokio::test]
async fn whoever_administers_something_gets_there_and_nobody_else() {
    let server = Server::with("http://localhost:7455".parse::<Issuer>().unwrap(), |config| {
        config.roles.insert("helpdesk".parse().unwrap(), "openid admin:people".parse().unwrap());
    })
    .await;
    let mut ada = server.first_administrator().await;
    let (mut bob, mut eve) = (server.person("bob").await, server.person("eve").await);
    let roles = json!({ "roles": ["user", "helpdesk"] });
    assert_eq!(server.operate(Method::PATCH, "/users/bob", roles).await.status, 200);

    let link = "href=\"/gate/admin\"";
    assert!(text(&mut ada).await.contains(link));
    assert!(text(&mut bob).await.contains(link));
    assert!(!text(&mut eve).await.contains(link));
}
