//! What a person reads where something cannot go on.

use crate::application::Application;
use crate::program::Home;
use crate::setup::ada;
use crate::window::Window;

#[tokio::test]
async fn an_unknown_application_is_an_error_page_with_an_event() {
    let home = Home::new();
    let server = home.serve();
    let window = Window::new().await;

    let stranger = format!("{}/oauth/authorize?client_id=stranger", server.issuer());
    window.open(stranger).await;

    window.reads("This request cannot go on").await;
    window.reads("No client with this client_id is registered here").await;
    window.excuses("400").await;
    let event: String = window.ask("document.getElementById('event').innerText").await.unwrap();
    home.log_with(&format!("\"event.id\":\"{event}\""));
}

#[tokio::test]
async fn a_page_that_is_not_there_says_so() {
    let home = Home::new();
    let server = home.serve();
    let window = Window::new().await;

    window.open(format!("{}/gate/nowhere", server.issuer())).await;

    window.reads("There is nothing here").await;
    window.excuses("404").await;
}

#[tokio::test]
async fn an_interaction_that_was_answered_says_so_and_leads_on() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    window.open(shop.request("openid")).await;
    window.reads("Allow The Shop?").await;
    let page: String = window.ask("location.href").await.unwrap();
    window.press("Allow").await;
    shop.visited("/callback").await;
    window.reads("Welcome back.").await;

    window.open(page).await;

    window.reads("You have answered already").await;
    window.press("Go to your account").await;
    window.is_at("/gate/account").await;
}

#[tokio::test]
async fn where_nobody_lives_the_login_says_how_to_begin() {
    let home = Home::new();
    let server = home.serve();
    let window = Window::new().await;

    window.open(server.issuer()).await;

    window.is_at("/gate/login").await;
    window.reads("Nobody lives here yet").await;
    window.reads("gatelodge user recover").await;
}
