//! Clients, resources and settings at the pages of the administration.

use crate::pages::look;
use crate::program::Home;
use crate::setup::ada;
use crate::window::{Key, Window};

/// A window of ada's at the overview.
async fn at_overview(home: &Home) -> (crate::program::Server, Window) {
    let (server, window) = ada(home).await;
    window.open(format!("{}/gate/admin", server.issuer())).await;
    window.is_at("/gate/admin").await;
    window.reads("Health").await;
    (server, window)
}

/// Every client that there is.
fn clients(home: &Home) -> Vec<serde_json::Value> {
    home.json("client list")["clients"].as_array().unwrap().clone()
}

/// From the overview: Clients, Add, the application, Add.
#[tokio::test]
async fn an_application_of_the_catalogue_is_added_with_four_presses_and_comes_with_what_to_paste() {
    let home = Home::new();
    let (_server, window) = at_overview(&home).await;

    window.press("Clients").await;
    window.reads("No app is here yet.").await;
    window.press("Add a client").await;
    window.reads("Choose the app").await;
    look(&window, "admin-client-add").await;
    window.press("Gitea").await;
    window.reads("What it gets").await;
    look(&window, "admin-client-application").await;
    window.fill("url", "https://git.example").await;
    window.press("Add").await;

    window.reads("Gitea was added").await;
    window.reads("gitea admin auth add-oauth").await;
    look(&window, "admin-client-made").await;
    let made = clients(&home);
    let uri = "https://git.example/user/oauth2/gatelodge/callback";
    assert_eq!(made[0]["redirect_uris"], serde_json::json!([uri]));
}

/// The keyboard sends the form, and what was wrong is there with what was typed.
#[tokio::test]
async fn a_client_by_hand_is_put_right_changed_and_removed() {
    let home = Home::new();
    let (_server, window) = at_overview(&home).await;
    window.press("Clients").await;
    window.press("Add a client").await;
    window.press("By hand").await;
    window.reads("A client by hand").await;
    look(&window, "admin-client-new").await;

    window.fill("name", "The Shop").await;
    window.fill("redirect_uris", "http://shop.example/cb").await;
    window.fill("name", "The Shop").await;
    window.key(Key::Enter).await;
    window.until("!!document.querySelector('.notice.bad')", &"sentence").await;
    window.excuses("400").await;
    look(&window, "admin-client-refused").await;
    let typed: String = window.ask("document.getElementById('redirect_uris').value").await.unwrap();
    assert_eq!(typed, "http://shop.example/cb");
    window.fill("redirect_uris", "https://shop.example/cb").await;
    window.press("Add").await;
    window.reads("The Shop was added").await;
    window.reads("OIDC_CLIENT_SECRET=").await;
    look(&window, "admin-client-environment").await;

    window.press("Go to the client").await;
    window.reads("Registered here.").await;
    look(&window, "admin-client").await;
    window.press("Change").await;
    window.reads("Change The Shop").await;
    look(&window, "admin-client-edit").await;
    window.ask::<()>("document.querySelector('details').open = true").await;
    window.fill("groups", "staff").await;
    window.press("Save").await;
    window.reads("For people of").await;
    assert_eq!(clients(&home)[0]["groups"], serde_json::json!(["staff"]));

    window.press("Disable").await;
    window.reads("Disable The Shop?").await;
    window.press("Disable").await;
    window.reads("The app is disabled.").await;
    window.press("Clients").await;
    window.reads("disabled").await;
    look(&window, "admin-clients").await;
    window.press("The Shop").await;
    window.press("Remove").await;
    window.reads("This cannot be undone.").await;
    look(&window, "admin-confirm-client").await;
    window.press("Remove").await;
    window.reads("No app is here yet.").await;
    assert_eq!(clients(&home).len(), 0);
}

#[tokio::test]
async fn a_resource_is_added_and_settings_are_read_again() {
    let home = Home::new();
    let (_server, window) = at_overview(&home).await;

    window.press("Resources").await;
    window.reads("No resource is here yet.").await;
    window.press("Add a resource").await;
    window.reads("Who may ask for its scopes").await;
    look(&window, "admin-resource-form").await;
    window.fill("resource", "http://localhost:3000/mcp").await;
    window.fill("scope", "mcp:tools").await;
    window.press("Add").await;
    window.reads("WWW-Authenticate: Bearer").await;
    look(&window, "admin-resource").await;
    window.press("Resources").await;
    window.reads("localhost:3000/mcp").await;
    look(&window, "admin-resources").await;
    let added = home.json("resource list")["resources"].clone();
    assert_eq!(added[0]["scope"], "mcp:tools");

    window.press("Settings").await;
    window.reads("lifetimes.access_token").await;
    look(&window, "admin-settings").await;
    window.fill("q", "documents").await;
    window.key(Key::Enter).await;
    window.reads("documents.policy").await;
    window.until("!document.body.innerText.includes('lifetimes.access_token')", &"fewer").await;
    window.press("Read the configuration again").await;
    window.reads("Read the configuration again?").await;
    window.press("Read the configuration again").await;
    window.is_at("/gate/admin/settings").await;
}
