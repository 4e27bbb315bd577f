//! The page of the settings in force.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use gatelodge::config::{Flags, Layers};
use gatelodge::error::{ErrorCode, Refusal};
use tempfile::TempDir;

use super::with_role;
use crate::support::{Browser, Server};

const LATER: std::time::Duration = std::time::Duration::from_secs(5 * 60 + 1);

/// A server whose configuration is a file, that file, and its first administrator.
async fn server() -> (Server, PathBuf, Browser, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("gatelodge.toml");
    let token = directory.path().join("token");
    fs::write(&token, "s3cret-of-ours-0123456789-0123456789-0123").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let roles = "[roles]\nreader.scopes = [\"admin:read\"]\n";
    let registration = "[registration]\npolicy = \"token\"\ntoken_file = \"token\"\n";
    fs::write(&file, format!("{registration}{roles}")).unwrap();
    let data = Some(directory.path().join("data"));
    let flags = Flags { config: Some(file.clone()), data, ..Flags::default() };
    let server = Server::with_layers(Layers::new(flags, [].into())).await;
    let ada = server.first_administrator().await;
    (server, file, ada, directory)
}

#[tokio::test]
async fn settings_are_found_with_their_source_and_without_a_secret() {
    let (_server, file, mut ada, _directory) = server().await;

    let all = ada.visit("/gate/admin/settings").await;
    let found = ada.visit("/gate/admin/settings?q=registration").await;
    let none = ada.visit("/gate/admin/settings?q=no-such-key").await;

    let source = file.display().to_string();
    for own in ["registration.policy", "lifetimes.access_token", &source, "the default", "(secret)"]
    {
        assert!(all.text().contains(own), "{own}: {}", all.text());
    }
    assert!(!all.text().contains("s3cret-of-ours"), "{}", all.text());
    assert!(found.text().contains("registration.policy"), "{}", found.text());
    assert!(!found.text().contains("lifetimes.access_token"), "{}", found.text());
    assert!(none.text().contains("Nothing is found for"), "{}", none.text());
}

#[tokio::test]
async fn the_configuration_is_read_again_and_its_faults_are_displayed() {
    let (server, file, mut ada, _directory) = server().await;
    let path = "/gate/admin/settings/reload";
    ada.visit(path).await;

    fs::write(&file, "isuer = \"x\"\n").unwrap();
    let faulty = ada.submit(path, &[]).await;
    let still = ada.visit("/gate/admin/settings").await;
    fs::write(&file, "lifetimes.access_token = \"7m\"\n").unwrap();
    let reloaded = ada.submit(path, &[]).await;
    let page = ada.visit(reloaded.location()).await;

    assert_eq!(faulty.refusal(), Some(Refusal::ConfigurationFaulty));
    for displayed in [&faulty, &still] {
        assert!(displayed.text().contains("<code>isuer</code>"), "{}", displayed.text());
    }
    assert_eq!(reloaded.location(), "/gate/admin/settings");
    assert!(!page.text().contains("isuer"), "{}", page.text());
    assert_eq!(server.app.rules().config.lifetimes.access_token.as_secs(), 7 * 60);
}

#[tokio::test]
async fn an_old_sign_in_reads_no_configuration() {
    let (server, file, mut ada, _directory) = server().await;
    ada.visit("/gate/admin/settings/reload").await;
    fs::write(&file, "lifetimes.access_token = \"7m\"\n").unwrap();
    server.advance(LATER);

    let late = ada.submit("/gate/admin/settings/reload", &[]).await;

    assert_eq!(late.location(), "/gate/admin/settings/reload");
    assert_ne!(server.app.rules().config.lifetimes.access_token.as_secs(), 7 * 60);
}

#[tokio::test]
async fn who_may_only_see_settings_has_no_button_and_reads_nothing_again() {
    let (server, file, _ada, _directory) = server().await;
    let mut bob = with_role(&server, "reader").await;

    let page = bob.visit("/gate/admin/settings").await;
    fs::write(&file, "lifetimes.access_token = \"7m\"\n").unwrap();
    let refused = bob.submit("/gate/admin/settings/reload", &[]).await;

    assert_eq!(page.status, 200);
    assert!(!page.text().contains("/gate/admin/settings/reload"), "{}", page.text());
    refused.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
    assert_ne!(server.app.rules().config.lifetimes.access_token.as_secs(), 7 * 60);
}
