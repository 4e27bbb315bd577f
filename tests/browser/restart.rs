//! A server that is killed in the middle of a sign-in, and comes back.

use chromiumoxide::cdp::browser_protocol::fetch::{
    ContinueRequestParams, DisableParams, EnableParams, EventRequestPaused, RequestPattern,
};
use futures_util::StreamExt as _;

use crate::application::Application;
use crate::program::{Home, Server};
use crate::setup::ada;
use crate::sign_in::{by_button, sign_out};
use crate::window::Window;

#[tokio::test]
async fn a_code_is_redeemed_by_the_server_that_comes_after() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    window.open(shop.request("openid")).await;
    window.press("Allow").await;
    let code = shop.visited("/callback").await["code"].clone();

    server.kill();
    let _server = home.serve();

    let (status, tokens) = shop.redeem(&code).await;
    assert_eq!(status, 200, "{tokens}");
    let (status, refused) = shop.redeem(&code).await;
    assert_eq!((status, &refused["error"]), (400, &"invalid_grant".into()));
}

/// Kills the server and starts it again after a ceremony started in `window` and before its
/// response arrives at `path`.
async fn replaced(home: &Home, server: Server, window: &Window, path: &str, press: &str) -> Server {
    let pattern = RequestPattern::builder().url_pattern(format!("*{path}")).build();
    window.page.execute(EnableParams::builder().pattern(pattern).build()).await.unwrap();
    let mut held = window.page.event_listener::<EventRequestPaused>().await.unwrap();
    window.press(press).await;
    let request = held.next().await.unwrap();

    server.kill();
    let server = home.serve();
    let on = ContinueRequestParams::new(request.request_id.clone());
    window.page.execute(on).await.unwrap();
    // The page proves its session again, to the process that is there now.
    window.page.execute(DisableParams::default()).await.unwrap();
    window.excuses("401").await;
    server
}

#[tokio::test]
async fn an_enrolment_is_finished_with_the_server_that_comes_after() {
    let home = Home::new();
    let server = home.serve_with_setup();
    let window = Window::new().await;
    window.open(server.ready["setup_url"].as_str().unwrap()).await;
    window.reads("Make yourself at home").await;
    window.fill("username", "ada").await;

    let finish = "/gate/webauthn/register/finish";
    let _server = replaced(&home, server, &window, finish, "Create a passkey").await;

    window.is_at("/gate/account").await;
    window.reads("Administrator").await;
}

#[tokio::test]
async fn a_sign_in_is_finished_with_the_server_that_comes_after() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    sign_out(&window).await;
    window.passkeys.touch(false).await;
    window.press("Sign in again").await;
    window.reads("Sign in with a passkey").await;
    window.passkeys.touch(true).await;

    let finish = "/gate/webauthn/authenticate/finish";
    let _server = replaced(&home, server, &window, finish, "Sign in with a passkey").await;

    window.is_at("/gate/account").await;
}

#[tokio::test]
async fn a_session_and_a_request_under_way_outlive_the_server() {
    let home = Home::new();
    let (server, window) = ada(&home).await;
    let shop = Application::registered(&home, &[]).await;
    sign_out(&window).await;
    window.passkeys.touch(false).await;
    window.open(shop.request("openid")).await;
    by_button(&window).await;
    window.reads("Allow The Shop?").await;

    server.kill();
    let _server = home.serve();
    window.press("Allow").await;
    window.excuses("401").await;

    let (status, tokens) = shop.redeem(&shop.visited("/callback").await["code"]).await;
    assert_eq!(status, 200, "{tokens}");
}
