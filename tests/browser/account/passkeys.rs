//! Passkeys on the account page.

use std::time::Duration;

use crate::authenticator::Authenticator;
use crate::pages::look;
use crate::program::Home;
use crate::setup::{ada, link};
use crate::sign_in::{by_button, sign_out};
use crate::window::Window;

fn passkeys(home: &Home) -> usize {
    home.json("passkey list")["passkeys"].as_array().unwrap().len()
}

/// Ada's second device, on which she has a passkey, too.
async fn second_device(home: &Home) -> Window {
    let window = Window::new().await;
    window.open(link(home, "user recover ada --further")).await;
    window.reads("Add a passkey for Ada Lovelace").await;
    window.press("Create a passkey").await;
    window.is_at("/gate/account").await;
    window
}

/// The account page, the passkey, the button: three presses at most, with the one that opens the page
/// of the passkey.
#[tokio::test]
async fn a_stolen_passkey_is_removed_in_two_presses_and_opens_nothing() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let stolen = second_device(&home).await;
    window.open(format!("{}/account", server.issuer())).await;
    window.reads("(2)").await;
    look(&window, "account-two-passkeys").await;
    let second = "[...document.querySelectorAll('.rows .name')].find(row => \
                  row.innerText.includes('(2)')).querySelector('a').id = 'second'";
    window.ask::<String>(second).await;

    window.ask::<()>("document.getElementById('second').click()").await;
    window.reads("It signs nobody in from then on").await;
    look(&window, "passkey").await;
    window.press("Remove the passkey").await;

    window.reads("The passkey was removed.").await;
    assert_eq!(passkeys(&home), 1);
    sign_out(&stolen).await;
    stolen.press("Sign in again").await;
    stolen.reads("This passkey was removed from its account.").await;
    stolen.excuses("401").await;
    let forgotten = async {
        while !stolen.passkeys.held().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let forgotten = tokio::time::timeout(Duration::from_secs(20), forgotten).await;
    assert!(forgotten.is_ok(), "its browser forgets it");
    stolen.leaves("401").await;
    assert_eq!(window.passkeys.held().await.len(), 1, "the other one stays where it is");
}

#[tokio::test]
async fn a_further_passkey_is_added_under_a_name_of_ones_own() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    window.passkeys.touch(false).await;
    let key = Authenticator::security_key(&window.page).await;

    window.press("Add a passkey").await;
    window.reads("A further passkey for Ada Lovelace").await;
    look(&window, "new-passkey").await;
    window.fill("name", "Blue key").await;
    window.press("Create a passkey").await;

    window.is_at("/gate/account").await;
    window.reads("Blue key").await;
    assert_eq!((passkeys(&home), key.held().await.len()), (2, 1));
    window.reads("USB").await;
}

#[tokio::test]
async fn a_passkey_is_renamed_and_the_only_one_is_kept_unless_its_person_insists() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;

    window.press("Change").await;
    window.fill("name", "My laptop").await;
    window.press("Save the name").await;
    window.is_at("/gate/account").await;
    window.reads("My laptop").await;
    window.press("Change").await;
    window.reads("This is your only passkey.").await;
    look(&window, "passkey-only").await;
    window.press("Remove the passkey").await;
    let asked: bool =
        window.ask("!document.getElementById('even_last').checkValidity()").await.unwrap();

    assert!(asked, "the browser asks for the tick");
    assert_eq!(passkeys(&home), 1);
}

/// Another installation on this host has another user handle, or the same one with no mark.
#[tokio::test]
async fn a_passkey_of_another_gatelodge_is_called_that_and_stays_on_its_device() {
    let (elsewhere, here) = (Home::new(), Home::new());
    let (_other, window) = ada(&elsewhere).await;
    let server = here.serve();
    let _nobody = here.json("user recover");
    let first = Window::new().await;
    first.open(link(&here, "user recover")).await;
    first.reads("Make yourself at home").await;
    first.fill("username", "grace").await;
    first.press("Create a passkey").await;
    first.is_at("/gate/account").await;
    window.passkeys.touch(false).await;

    window.open(format!("{}/login", server.issuer())).await;
    by_button(&window).await;

    window.reads("This passkey belongs to another or an older Gatelodge.").await;
    window.excuses("401").await;
    assert_eq!(window.passkeys.held().await.len(), 1);
    window.leaves("401").await;
}
