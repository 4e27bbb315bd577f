//! The ways back in.

use crate::pages::look;
use crate::program::Home;
use crate::setup::ada;
use crate::window::Window;

#[tokio::test]
async fn a_recovery_code_brings_somebody_back_who_has_lost_every_passkey() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    window.press("Make recovery codes").await;
    window.reads("You have no codes.").await;
    look(&window, "recovery-codes-none").await;
    window.press("Make ten codes").await;
    window.reads("These codes are shown once.").await;
    look(&window, "recovery-codes").await;
    let code: String =
        window.ask("document.querySelector('#codes code').textContent").await.unwrap();

    let other = Window::new().await;
    other.passkeys.touch(false).await;
    other.open(format!("{}/login", server.issuer())).await;
    other.press("Lost your passkey?").await;
    look(&other, "login-lost").await;
    other.press("use one of them.").await;
    other.reads("Back into your account").await;
    look(&other, "setup-recovery").await;
    other.fill("code", &code.to_uppercase()).await;
    other.press("Go on with the code").await;
    other.reads("A new passkey for Ada Lovelace").await;
    look(&other, "setup-code").await;
    other.passkeys.touch(true).await;
    other.press("Create a passkey").await;

    other.is_at("/gate/account").await;
    other.reads("You have 9 recovery codes left.").await;
    other.reads("(2)").await;
}

#[tokio::test]
async fn a_slip_in_a_code_says_so_and_leaves_the_field() {
    let home = Home::new();
    let (server, _ada) = ada(&home).await;
    let window = Window::new().await;
    window.open(format!("{}/setup", server.issuer())).await;
    window.reads("Back into your account").await;

    window.fill("code", "1234").await;
    window.press("Go on with the code").await;

    window.reads("This recovery code is not known here.").await;
    let value: String = window.ask("document.getElementById('code').value").await.unwrap();
    assert_eq!(value, "1234");
    window.excuses("404").await;
}

#[tokio::test]
async fn a_reload_does_not_lose_a_link() {
    let home = Home::new();
    let server = home.serve_with_setup();
    let window = Window::new().await;
    window.open(server.ready["setup_url"].as_str().unwrap()).await;
    window.reads("Make yourself at home").await;

    window.page.reload().await.unwrap();

    window.reads("Make yourself at home").await;
    window.fill("username", "ada").await;
    window.press("Create a passkey").await;
    window.is_at("/gate/account").await;
}

#[tokio::test]
async fn whoever_comes_by_an_invitation_chooses_their_name() {
    let home = Home::new();
    let (_server, _ada) = ada(&home).await;
    let window = Window::new().await;

    let invited = home.json("invite add --uses 2 --until 7d --group staff");
    window.open(invited["invitation_url"].as_str().unwrap()).await;
    window.reads("You are invited").await;
    look(&window, "setup-invitation").await;
    window.fill("username", "ada").await;
    window.press("Create a passkey").await;
    window.reads("Somebody has this username already.").await;
    window.excuses("409").await;
    window.fill("username", "grace").await;
    window.press("Create a passkey").await;

    window.is_at("/gate/account").await;
    window.reads("grace").await;
    assert_eq!(home.json("user show grace")["groups"][0], "staff");
}
