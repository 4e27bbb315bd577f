//! The account page as a person uses it: the profile, the apps, and what ends.

use std::fs;

use crate::application::Application;
use crate::keyboard::tab_to;
use crate::pages::look;
use crate::program::Home;
use crate::setup::ada;
use crate::sign_in::sign_out;
use crate::window::{Key, Window};

/// Ada's second browser, signed in by a passkey of its own.
async fn elsewhere(home: &Home) -> Window {
    let window = Window::new().await;
    window.open(crate::setup::link(home, "user recover ada --further")).await;
    window.reads("Add a passkey for Ada Lovelace").await;
    window.press("Create a passkey").await;
    window.is_at("/gate/account").await;
    window
}

fn tokens(home: &Home) -> Vec<String> {
    let listed = home.json("bridge pats")["personal_tokens"].clone();
    let names = listed.as_array().unwrap().iter().map(|token| token["name"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

/// A press of the button beside the machine's name, and nothing else.
#[tokio::test]
async fn the_bridge_of_a_stolen_laptop_ends_in_one_press() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    home.json("bridge issue-pat ada --name desk");
    home.json("bridge issue-pat ada --name laptop");
    window.open(format!("{}/account", server.issuer())).await;
    window.reads("Comes in by a personal token until").await;
    let other = "[...document.querySelectorAll('.rows .name')].find(row => \
                 row.innerText.includes('laptop')).querySelector('button')";

    window.ask::<()>(&format!("{other}.click()")).await;

    window.until("!document.body.innerText.includes('laptop')", &"the laptop is gone").await;
    window.is_at("/gate/account").await;
    assert_eq!(tokens(&home), ["desk"]);
}

#[tokio::test]
async fn a_theft_ends_sessions_and_devices_by_one_tick() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let stolen = elsewhere(&home).await;
    home.json("bridge issue-pat ada --name laptop");
    window.open(format!("{}/account", server.issuer())).await;

    window.press("Sign out everywhere else").await;
    window.reads("One other session ends").await;
    look(&window, "other-sessions").await;
    window.ask::<()>("document.getElementById('devices').click()").await;
    window.press("Sign out everywhere else").await;

    window.is_at("/gate/account").await;
    window.until("!document.body.innerText.includes('laptop')", &"the laptop is gone").await;
    assert!(tokens(&home).is_empty());
    stolen.open(format!("{}/account", server.issuer())).await;
    stolen.is_at("/gate/login").await;
}

#[tokio::test]
async fn the_profile_needs_no_mouse() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;

    let at_profile = "document.activeElement.pathname === '/gate/account/profile'";
    for _ in 0..40 {
        window.key(Key::Tab).await;
        if window.ask::<bool>(at_profile).await == Some(true) {
            break;
        }
    }
    window.key(Key::Enter).await;
    window.is_at("/gate/account/profile").await;
    look(&window, "profile").await;
    window.fill("display_name", "Augusta King").await;
    window.key(Key::Tab).await;
    window.types("augusta@id.example").await;
    tab_to(&window, "Save").await;
    window.key(Key::Enter).await;

    window.is_at("/gate/account").await;
    window.reads("Augusta King").await;
    window.reads("augusta@id.example").await;
    assert_eq!(home.json("user show ada")["display_name"], "Augusta King");
}

/// Everything that an account can have, looked at.
#[tokio::test]
async fn a_full_account_is_looked_at() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let _elsewhere = elsewhere(&home).await;
    let shop = Application::registered(&home, &[]).await;
    let file = home.path("apps.toml");
    let mut apps = String::new();
    for (id, name) in [
        ("books", "Bookshelf"),
        ("photos", "Photographs of the whole family"),
        ("wiki", "Wiki"),
        ("git", "Forge"),
    ] {
        apps += &format!(
            "[clients.{id}]\nname = '{name}'\n\
             redirect_uris = ['https://{id}.example/cb']\nclient_uri = 'https://{id}.example/'\n"
        );
    }
    fs::write(&file, apps).unwrap();
    let applied = home.command(&["apply", "-f", file.to_str().unwrap()]).output().unwrap();
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    window.open(shop.request("openid profile email offline_access")).await;
    window.reads("Allow The Shop?").await;
    window.press("Allow").await;
    shop.turns_away("/callback").await;
    home.json("bridge issue-pat ada --name laptop");
    home.json("bridge issue-token ada --source pipeline");

    window.open(format!("{}/account", server.issuer())).await;
    window.reads("Open an app").await;
    window.reads("Photographs of the whole family").await;
    look(&window, "account-full").await;
    let opened: Vec<String> =
        window.ask("[...document.querySelectorAll('.launcher a')].map(a => a.href)").await.unwrap();

    assert_eq!(
        opened,
        ["books", "git", "photos", "wiki"].map(|id| format!("https://{id}.example/"))
    );
}

/// Initiating User Registration via OpenID Connect 1.0: the page for a new account comes first.
#[tokio::test]
async fn a_request_for_a_new_account_leads_with_it() {
    let home = Home::new();
    fs::create_dir_all(home.path(".config/gatelodge")).unwrap();
    fs::write(home.path(".config/gatelodge/gatelodge.toml"), "[policy]\nsign_up = 'open'\n")
        .unwrap();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    sign_out(&window).await;
    window.passkeys.touch(false).await;
    let other = Window::new().await;

    other.open(format!("{}&prompt=create", shop.request("openid"))).await;
    other.reads("Or sign in, if you have an account here.").await;
    look(&other, "login-create").await;
    other.press("Make an account").await;
    other.fill("username", "grace").await;
    other.press("Create a passkey").await;

    other.reads("Allow The Shop?").await;
    assert_eq!(home.json("user show grace")["roles"][0], "user");
}
