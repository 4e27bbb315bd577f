//! The pages of an operator who gave them a name, a colour and a logo, and a client one of its own.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::application::Application;
use crate::pages::look;
use crate::program::Home;
use crate::setup::ada;
use crate::sign_in::{by_button, sign_out};

/// The logo of the operator: a wordmark that has colours by day and by night.
const LOGO: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 56">
<style>path { fill: #8a1c4a } @media (prefers-color-scheme: dark) { path { fill: #f0a8c6 } }</style>
<path d="M20 46V22L44 6l24 16v24H54V30H34v16zM84 14h12v32H84zM104 14h36v10h-24v22h-12zM150 14h12v32h-12zM172 14h46v32h-46zM184 24v12h22V24z"/>
</svg>"##;

/// A ring of 48 by 48 pixels.
const RING: &str = "iVBORw0KGgoAAAANSUhEUgAAADAAAAAwCAYAAABXAvmHAAAAzklEQVR42u2ZyxHAIAhELcJyLCwlpitzzeSi\
     GVg+K8x4jOxTgwitlZXFsXv0uTNSig4HIxXuBqIt3BQELR4KYSUeAmEtXhXCS7wKhLd4EQTCoSkE2gF0fqtz\
     CvNjGSnUfXnEalWfXrelKcCOoD6u+R5aEPBV+Ar/AyL2L51gJX4FYQIgWX2tXYB8vCteYxcKoAAiAqT5idOH\
     0dAXWfpU4phkLnQ6nf5BQ/GkTP+opyirpC9sUZQWKYq7FOV1igYHRYuJoslH02alaXSXnW4POuaEtXxMwS0A\
     AAAASUVORK5CYII=";

#[tokio::test]
async fn the_pages_of_a_house_have_its_name_its_colour_and_its_logo() {
    let home = Home::new();
    let place = home.path(".config/gatelodge");
    fs::create_dir_all(&place).unwrap();
    let look_of = "[look]\nname = \"House of Ada\"\naccent = \"#ff66a3\"\nlogo = \"logo.svg\"\n";
    fs::write(place.join("gatelodge.toml"), look_of).unwrap();
    fs::write(place.join("logo.svg"), LOGO).unwrap();
    let ring = home.path("ring.png");
    fs::write(&ring, STANDARD.decode(RING).unwrap()).unwrap();
    let (server, window) = ada(&home).await;
    let logo = ["--logo", ring.to_str().unwrap(), "--home", "https://shop.example/"];
    let shop = Application::registered(&home, &logo).await;

    window.open(format!("{}/account", server.issuer())).await;
    window.reads("Your passkeys").await;
    look(&window, "account-dressed").await;
    window.open(format!("{}/gate/admin/clients", server.issuer())).await;
    window.reads("The Shop").await;
    look(&window, "admin-clients-dressed").await;
    window.open(format!("{}/gate/admin/clients/shop", server.issuer())).await;
    window.reads("--logo FILE").await;
    look(&window, "admin-client-dressed").await;
    window.open(format!("{}/account", server.issuer())).await;
    window.reads("Your passkeys").await;
    sign_out(&window).await;
    // Nobody touches the passkey that the field offers by itself.
    window.passkeys.touch(false).await;
    window.open(shop.request("openid profile")).await;
    window.reads("to continue to The Shop").await;
    let drawn = "[...document.images].length === 2 && \
                 [...document.images].every(it => it.complete && it.naturalWidth > 0)";
    window.until(drawn, &"both logos").await;
    window.until("document.title.endsWith(' · House of Ada')", &"name in the title").await;
    let filled = "getComputedStyle(document.querySelector('#login > button')).backgroundColor";
    let ground: String = window.ask(filled).await.unwrap();
    assert_ne!(ground, "rgb(29, 92, 69)", "the button has the colour of the house");
    look(&window, "login-dressed").await;
    by_button(&window).await;
    window.reads("Allow The Shop?").await;
    look(&window, "consent-dressed").await;
    window.open(format!("{}/gate/nothing", server.issuer())).await;
    window.reads("There is nothing here").await;
    look(&window, "error-dressed").await;
    window.excuses("404").await;
}
