//! A session that is a key in the browser's storage: what people do with pages, and what a program
//! on another port gets.

mod elsewhere;
mod frame;
mod thief;

use thief::Caught;

use crate::application::Application;
use crate::pages::look;
use crate::program::Home;
use crate::setup::ada;
use crate::sign_in::{by_button, sign_out};

#[tokio::test]
async fn a_page_that_is_loaded_again_is_the_same_page() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    window.reads("Ada Lovelace").await;

    window.page.reload().await.unwrap();
    window.reads("Ada Lovelace").await;
    let title: String = window.ask("document.title").await.unwrap();
    assert!(title.starts_with("Your account"), "{title}");

    // After a form, too: nothing is sent a second time.
    window.open(format!("{}/device", server.issuer())).await;
    window.reads("Eight letters").await;
    window.fill("user_code", "BBBB-BBBB").await;
    window.press("Continue").await;
    window
        .until("document.getElementById('user_code')?.ariaInvalid === 'true'", &"a wrong code")
        .await;
    window.page.reload().await.unwrap();
    window.until("document.getElementById('user_code')?.ariaInvalid === null", &"a new page").await;
    let focus: String = window.ask("document.activeElement.id").await.unwrap();
    assert_eq!(focus, "user_code");
}

#[tokio::test]
async fn the_way_back_after_a_sign_out_displays_nobody() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    window.reads("Ada Lovelace").await;
    window.passkeys.touch(false).await;
    sign_out(&window).await;

    // Where the page leaves at once, nobody would hear what became of the call.
    window.page.evaluate("setTimeout(() => history.back())").await.unwrap();

    window.is_at("/gate/login").await;
    window.reads("Sign in with a passkey").await;
    let text: String = window.ask("document.body.innerText").await.unwrap();
    assert!(!text.contains("Ada"), "{text}");
}

#[tokio::test]
async fn two_tabs_share_the_session_and_its_end() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    let tab = window.tab().await;
    tab.open(format!("{}/account", server.issuer())).await;
    tab.reads("Ada Lovelace").await;

    // A sign-in in one makes a new key, which is that of the other too.
    window.passkeys.touch(false).await;
    window.open(format!("{}&prompt=login", shop.request("openid"))).await;
    by_button(&window).await;
    window.reads("Allow The Shop?").await;
    tab.page.reload().await.unwrap();
    tab.reads("Ada Lovelace").await;

    sign_out(&tab).await;
    window.passkeys.touch(false).await;
    window.page.reload().await.unwrap();
    window.reads("Sign in with a passkey").await;
}

#[tokio::test]
async fn the_key_does_not_leave_the_browser() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    window.reads("Ada Lovelace").await;

    let exported: String = window
        .ask(
            "(async () => { const database = await new Promise((resolve) => { \
             const request = indexedDB.open('gatelodge', 1); \
             request.onsuccess = () => resolve(request.result); }); \
             const pair = await new Promise((resolve) => { \
             const request = database.transaction('session').objectStore('session').get('key'); \
             request.onsuccess = () => resolve(request.result); }); \
             return crypto.subtle.exportKey('jwk', pair.privateKey).then(() => 'exported', (error) => error.name); })()",
        )
        .await
        .unwrap();

    assert_eq!(exported, "InvalidAccessError");
}

/// A challenge is good for a minute, and a page lies open for longer: it asks for another one.
#[tokio::test]
async fn a_page_that_lay_open_for_an_hour_still_sends_its_forms() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    window.reads("Ada Lovelace").await;
    let later =
        "(() => { const now = Date.now; Date.now = () => now() + 3_600_000; return true; })()";
    assert_eq!(window.ask(later).await, Some(true));

    // No refusal is logged on the way, or the window would complain.
    sign_out(&window).await;
}

/// A moment that nobody notices is not spoken of. A longer one is, quietly.
#[tokio::test]
async fn the_page_before_the_proof_is_looked_at() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    window.reads("Ada Lovelace").await;
    let account = format!("{}/gate/account", server.issuer());

    let held = Caught::at(&window, "/gate/account", async || window.set_off(account)).await;
    window.reads("One moment…").await;
    look(&window, "prove").await;
    held.released(&window).await;

    window.reads("Ada Lovelace").await;
}
