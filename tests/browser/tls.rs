//! Passkeys over TLS of the program's own, at `https://localhost`.

use std::fs;
use std::path::Path;
use std::process::Command;

use chromiumoxide::cdp::browser_protocol::security::SetIgnoreCertificateErrorsParams;

use crate::pages::look;
use crate::program::Home;
use crate::setup::settles;
use crate::sign_in::sign_out;
use crate::window::Window;

const LOCAL: [&str; 6] = ["serve", "--tls", "local", "--listen", "127.0.0.1:0", "--print-setup"];

#[tokio::test]
async fn a_passkey_is_made_and_used_over_tls() {
    let home = Home::new();
    let server = home.start(&LOCAL);
    let window = Window::new().await;
    // This browser has a list of authorities of its own, and the CA is as old as this story.
    window.page.execute(SetIgnoreCertificateErrorsParams::new(true)).await.unwrap();

    settles(&window, &server).await;
    let cookies = window.page.get_cookies().await.unwrap();
    sign_out(&window).await;
    window.open(format!("{}/login", server.issuer())).await;

    window.is_at("/gate/account").await;
    window.reads("Ada Lovelace").await;
    assert!(server.issuer().starts_with("https://localhost:"));
    assert!(cookies.iter().all(|cookie| cookie.secure && cookie.http_only), "{cookies:?}");
    assert_eq!(window.passkeys.held().await[0].rp_id.as_deref(), Some("localhost"));
}

/// Runs `command` as a person whose home directory this is.
fn run(home: &Path, command: &str) {
    let shell =
        Command::new("sh").args(["-c", command]).current_dir(home).env("HOME", home).output();
    let shell = shell.unwrap();
    assert!(shell.status.success(), "{command}: {}", String::from_utf8_lossy(&shell.stderr));
}

#[tokio::test]
async fn a_browser_that_trusts_the_ca_as_the_page_says_makes_a_passkey() {
    let home = Home::new();
    let server = home.start(&LOCAL);
    let person = tempfile::tempdir().unwrap();
    let before = Window::new().await;
    before.page.execute(SetIgnoreCertificateErrorsParams::new(true)).await.unwrap();
    before.open(format!("{}/trust", server.issuer())).await;
    before.reads("Trust this server").await;
    look(&before, "trust").await;

    if Command::new("certutil").arg("-H").output().is_err() {
        eprintln!("certutil is not here: that a browser trusts the CA is not tried");
        return;
    }
    let command = "[...document.querySelectorAll('pre')].map(it => it.textContent.trim())\
                   .find(it => it.startsWith('certutil -d'))";
    let command: String = before.ask(command).await.unwrap();
    let file = "fetch('/trust/gatelodge-ca.crt').then(it => it.text())";
    let file: String = before.ask(file).await.unwrap();
    fs::write(person.path().join("gatelodge-ca.crt"), file).unwrap();
    // A browser makes its list at its first start.
    run(person.path(), "mkdir -p .pki/nssdb && certutil -d sql:.pki/nssdb -N --empty-password");
    run(person.path(), &command);
    let window = Window::at_home(person.path()).await;

    settles(&window, &server).await;
    window.reads("Ada Lovelace").await;
}
