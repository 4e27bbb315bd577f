//! Setup links: the first administrator's, and those of people who come after.

use crate::pages::look;
use crate::program::{Home, Server};
use crate::window::Window;

/// A server whose administrator, ada, is signed in in a window of hers.
pub(crate) async fn ada(home: &Home) -> (Server, Window) {
    let server = home.serve_with_setup();
    let window = Window::new().await;
    settles(&window, &server).await;
    (server, window)
}

/// Ada becomes the administrator of `server` in this window, by the link that it printed.
pub(crate) async fn settles(window: &Window, server: &Server) {
    window.open(server.ready["setup_url"].as_str().unwrap()).await;
    window.reads("Make yourself at home").await;
    window.fill("username", "ada").await;
    window.fill("display_name", "Ada Lovelace").await;
    window.press("Create a passkey").await;
    window.is_at("/gate/account").await;
}

/// The link that `gatelodge user …` prints.
pub(crate) fn link(home: &Home, arguments: &str) -> String {
    home.json(arguments)["setup_url"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_printed_link_makes_the_first_administrator() {
    let home = Home::new();

    let (_server, window) = ada(&home).await;

    window.reads("Ada Lovelace").await;
    window.reads("Administrator").await;
    window.reads("gatelodge client add").await;
    let users = home.json("user list")["users"].clone();
    assert_eq!(users.as_array().unwrap().len(), 1);
    assert_eq!(users[0]["username"], "ada");
    assert_eq!(users[0]["roles"][0], "admin");
    assert_eq!(users[0]["passkeys"], 1);
    let held = window.passkeys.held().await;
    assert_eq!(held.len(), 1);
    assert!(held[0].is_resident_credential);
    assert_eq!(held[0].rp_id.as_deref(), Some("localhost"));
}

#[tokio::test]
async fn the_token_leaves_the_address_bar_and_the_history() {
    let home = Home::new();
    let server = home.serve_with_setup();
    let window = Window::new().await;

    window.open(server.ready["setup_url"].as_str().unwrap()).await;
    window.reads("Make yourself at home").await;

    let at: String = window.ask("location.href").await.unwrap();
    assert_eq!(at, format!("{}/gate/setup", server.issuer()));
    let html: String = window.ask("document.documentElement.outerHTML").await.unwrap();
    assert!(!html.contains("gl_st_"));
    let history = window.history().await;
    assert!(history.iter().all(|url| !url.contains("gl_st_")), "{history:?}");
}

#[tokio::test]
async fn a_used_link_says_that_it_was_used() {
    let home = Home::new();
    let (server, _first) = ada(&home).await;

    let window = Window::new().await;
    window.open(server.ready["setup_url"].as_str().unwrap()).await;

    window.reads("This setup link was used already.").await;
    window.reads("gatelodge user recover NAME").await;
    window.excuses("410").await;
}

#[tokio::test]
async fn a_link_that_is_none_says_so() {
    let home = Home::new();
    let server = home.serve();
    let window = Window::new().await;

    window.open(format!("{}/setup", server.issuer())).await;
    window.reads("Open the setup link that you were given exactly as it was shown").await;

    // Another link in the same tab changes only the fragment.
    window.ask::<String>("location.hash = 'gl_st_nonsense'").await;
    window.reads("This setup link is not known here.").await;
    window.excuses("404").await;
}

#[tokio::test]
async fn a_username_that_is_none_is_told_beside_its_field() {
    let home = Home::new();
    let server = home.serve_with_setup();
    let window = Window::new().await;
    window.open(server.ready["setup_url"].as_str().unwrap()).await;
    window.reads("Make yourself at home").await;

    window.press("Create a passkey").await;
    window.reads("Choose a username.").await;
    window.fill("username", "ada lovelace").await;
    window.press("Create a passkey").await;
    window.reads("Only letters a to z, small or capital, digits").await;

    assert!(window.passkeys.held().await.is_empty());
}

#[tokio::test]
async fn a_second_person_enrols_in_a_browser_of_their_own() {
    let home = Home::new();
    let (_server, ada) = ada(&home).await;
    let bob = Window::new().await;

    bob.open(link(&home, "user add bob --name Bob")).await;
    bob.reads("Welcome, Bob").await;
    bob.press("Create a passkey").await;

    bob.is_at("/gate/account").await;
    bob.reads("Bob").await;
    let text: String = bob.ask("document.body.innerText").await.unwrap();
    assert!(!text.contains("Administrator"), "{text}");
    ada.page.reload().await.unwrap();
    ada.reads("Ada Lovelace").await;
}

#[tokio::test]
async fn a_second_person_enrols_in_the_browser_of_the_first() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;

    window.open(link(&home, "user add bob --name Bob")).await;
    window.reads("Welcome, Bob").await;
    window.press("Create a passkey").await;

    window.is_at("/gate/account").await;
    window.reads("Bob").await;
    assert_eq!(window.passkeys.held().await.len(), 2);
}

#[tokio::test]
async fn a_recovery_link_makes_a_further_passkey() {
    let home = Home::new();
    let (_server, _old) = ada(&home).await;
    let window = Window::new().await;

    window.open(link(&home, "user recover ada")).await;
    window.reads("A new passkey for Ada Lovelace").await;
    window.press("Create a passkey").await;

    window.is_at("/gate/account").await;
    assert_eq!(home.json("user list")["users"][0]["passkeys"], 2);
}

/// The passkey that a device holds already is among those that are not made again.
#[tokio::test]
async fn a_device_that_holds_a_passkey_makes_no_second_one() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;

    window.open(link(&home, "user recover ada")).await;
    window.reads("A new passkey for Ada Lovelace").await;
    window.press("Create a passkey").await;

    window.reads("This device already holds a passkey for this account.").await;
    assert_eq!(window.passkeys.held().await.len(), 1);
}

#[tokio::test]
async fn an_address_is_named_at_setup_and_changed_on_the_account_page() {
    let home = Home::new();
    let (_server, ada) = ada(&home).await;
    let bob = Window::new().await;
    let email = || home.json("user show bob")["email"].clone();

    bob.open(link(&home, "user add bob --name Bob")).await;
    bob.reads("Welcome, Bob").await;
    bob.fill("email", "bob").await;
    bob.press("Create a passkey").await;
    bob.reads("This is no e-mail address.").await;
    bob.fill("email", "bob@id.example").await;
    bob.press("Create a passkey").await;
    bob.is_at("/gate/account").await;
    let at_setup = email();
    bob.reads("Your profile").await;
    bob.ask::<()>("document.querySelector('a[href$=profile]').click()").await;
    bob.is_at("/gate/account/profile").await;
    bob.fill("email", "b").await;
    bob.press("Save").await;
    bob.reads("This is no e-mail address.").await;
    bob.excuses("400").await;
    look(&bob, "profile-fault").await;
    bob.fill("email", "robert@id.example").await;
    bob.press("Save").await;
    bob.is_at("/gate/account").await;
    bob.reads("robert@id.example").await;
    let on_the_page = email();

    assert_eq!((at_setup, on_the_page), ("bob@id.example".into(), "robert@id.example".into()));
    ada.open(link(&home, "user recover bob")).await;
    ada.reads("A new passkey for Bob").await;
    let asked: bool = ada.ask("!document.getElementById('addressing').hidden").await.unwrap();
    assert!(!asked);
}
