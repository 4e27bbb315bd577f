//! People, as an administrator manages them at the pages.

use crate::pages::look;
use crate::program::{Home, Server};
use crate::setup::ada;
use crate::window::{Key, Window};

/// Where the administration is open.
async fn administration(home: &Home) -> (Server, Window) {
    let (server, window) = ada(home).await;
    window.open(format!("{}/gate/admin", server.issuer())).await;
    window.reads("Health").await;
    (server, window)
}

/// The link that the page displays.
async fn link(window: &Window) -> String {
    window.ask("document.getElementById('copied').textContent").await.unwrap()
}

#[tokio::test]
async fn a_person_is_recovered_in_four_presses() {
    let home = Home::new();
    let (_server, window) = administration(&home).await;
    home.json("user add grace --name Grace");

    window.press("People").await;
    window.press("Grace").await;
    window.press("Help them back in").await;
    window.press("Make the link").await;

    window.reads("A link for Grace").await;
    window.reads("Copy the link").await;
    look(&window, "admin-setup-link").await;
    let drawn: f64 = window
        .ask("document.querySelector('.drawing svg').getBoundingClientRect().width")
        .await
        .unwrap();
    assert!(drawn >= 150.0, "a camera reads a code of {drawn} pixels with trouble");
    let grace = Window::new().await;
    grace.open(link(&window).await).await;
    grace.reads("A new passkey for Grace").await;
    grace.press("Create a passkey").await;
    grace.is_at("/gate/account").await;
}

#[tokio::test]
async fn a_person_is_added_by_the_keyboard_alone() {
    let home = Home::new();
    let (server, window) = administration(&home).await;
    window.open(format!("{}/gate/admin/people/add", server.issuer())).await;
    window.reads("With it they make their passkey.").await;
    look(&window, "admin-person-form").await;

    window.fill("username", "ada").await;
    window.key(Key::Enter).await;
    window.reads("exists already").await;
    window.excuses("409").await;
    look(&window, "admin-person-form-fault").await;
    window.fill("username", "grace").await;
    window.key(Key::Tab).await;
    window.types("Grace Hopper").await;
    window.key(Key::Enter).await;

    window.reads("Grace Hopper was added").await;
    let grace = home.json("user show grace");
    assert_eq!(grace["display_name"], "Grace Hopper");
    let own = Window::new().await;
    own.open(link(&window).await).await;
    own.reads("Welcome, Grace Hopper").await;
    own.press("Create a passkey").await;
    own.is_at("/gate/account").await;
}

#[tokio::test]
async fn the_pages_of_people_are_looked_at() {
    let home = Home::new();
    let (server, window) = administration(&home).await;
    look(&window, "admin-overview").await;
    for (name, title) in [("grace", "Grace"), ("alan", "Alan"), ("kurt", "Kurt")] {
        home.json(&format!("user add {name} --name {title} --email {name}@id.example"));
    }
    home.json("user disable grace");
    home.json("bridge issue-token ada");
    home.json("bridge issue-pat ada --name Laptop");
    home.json("invite add --uses 5");
    let passkeys = home.json("passkey list --user ada");
    let passkey =
        format!("people/ada/passkeys/{}", passkeys["passkeys"][0]["id"].as_str().unwrap());
    let at = |path: &str| format!("{}/gate/admin/{path}", server.issuer());

    for (path, reads, name) in [
        ("people", "Grace", "admin-people"),
        ("people/ada", "Account", "admin-person"),
        ("people/ada/edit", "Change", "admin-person-form-edit"),
        ("people/alan/recover", "Help Alan back in?", "admin-confirm-recover"),
        ("people/alan/remove", "Remove Alan?", "admin-confirm-remove"),
        ("links", "the command line", "admin-links"),
        ("invitations", "0 of 5 have come", "admin-invitations"),
        ("invitations/add", "Open for how many days?", "admin-invitation-form"),
        ("sessions", "bridge", "admin-sessions"),
        ("grants", "No app has access.", "admin-grants"),
        ("bridges", "No bridge was heard of", "admin-bridges"),
        ("keys", "Signing keys", "admin-keys"),
        ("events", "Search", "admin-events"),
        (&passkey, "Save the name", "admin-person-passkey"),
    ] {
        window.open(at(path)).await;
        window.reads(reads).await;
        look(&window, name).await;
    }
}

#[tokio::test]
async fn a_session_is_ended_from_the_page_of_its_person() {
    let home = Home::new();
    let (server, window) = administration(&home).await;
    home.json("user add grace --name Grace");
    home.json("bridge issue-token grace");
    window.open(format!("{}/gate/admin/people?q=grace", server.issuer())).await;

    window.press("Grace").await;
    window.press("End").await;
    window.press("End").await;

    let grace = home.json("user show grace");
    window.is_at(&format!("/gate/admin/people/{}", grace["id"].as_str().unwrap())).await;
    window.reads("They are signed in nowhere.").await;
    let sessions = home.json("session list --user grace");
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 0);
}
