//! Passkeys over TLS of the program's own, at `https://localhost`.

use chromiumoxide::cdp::browser_protocol::security::SetIgnoreCertificateErrorsParams;

use crate::program::Home;
use crate::sign_in::sign_out;
use crate::window::Window;

#[tokio::test]
async fn a_passkey_is_made_and_used_over_tls() {
    let home = Home::new();
    let local = ["serve", "--tls", "local", "--listen", "127.0.0.1:0", "--print-setup"];
    let server = home.start(&local);
    let window = Window::new().await;
    // This browser has a list of authorities of its own, and the CA is as old as this story.
    window.page.execute(SetIgnoreCertificateErrorsParams::new(true)).await.unwrap();

    window.open(server.ready["setup_url"].as_str().unwrap()).await;
    window.reads("Make yourself at home").await;
    window.fill("username", "ada").await;
    window.fill("display_name", "Ada Lovelace").await;
    window.press("Create a passkey").await;
    window.is_at("/gate/account").await;
    let cookies = window.page.get_cookies().await.unwrap();
    sign_out(&window).await;
    window.open(format!("{}/login", server.issuer())).await;

    window.is_at("/gate/account").await;
    window.reads("Ada Lovelace").await;
    assert!(server.issuer().starts_with("https://localhost:"));
    assert!(cookies.iter().all(|cookie| cookie.secure && cookie.http_only), "{cookies:?}");
    assert_eq!(window.passkeys.held().await[0].rp_id.as_deref(), Some("localhost"));
}
