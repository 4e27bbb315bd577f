//! What the operator gives the pages: a name, a colour, a logo; and a logo for a client.

mod logos;
mod trust;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::http::Method;
use gatelodge::config::{Flags, Layers, Look, Sheet};
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::model::look::picture::Picture;
use gatelodge::oauth::issuer::Issuer;
use serde_json::json;

use crate::support::{Browser, Response, Server};

const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";

fn look() -> Look {
    Look {
        name: Some("House <of> Ada".to_owned()),
        picture: Picture::of(SVG.into()).map(Arc::new),
        sheet: Some(Arc::new(Sheet::of("#8a1c4a".parse().unwrap()))),
        ..Look::default()
    }
}

async fn dressed(look: Look) -> Server {
    Server::with(Issuer::localhost(7455), |config| config.look = look).await
}

/// The value of an attribute, at its first place that begins so.
fn named<'a>(page: &'a Response, attribute: &str, end: &str) -> &'a str {
    let before = format!("{attribute}=\"");
    let values = page.text().split(&before).skip(1);
    let mut values = values.filter_map(|rest| rest.split('"').next());
    values.find(|value| value.ends_with(end)).unwrap_or_else(|| panic!("{end}: {}", page.text()))
}

/// The page as it is without anything of the operator, up to its card.
#[tokio::test]
async fn without_a_look_a_page_stays_as_it_is() {
    let server = Server::new().await;
    let folder = server.asset("").await;

    let page = Browser::new(&server).visit("/gate/login").await;

    let folder = folder.trim_end_matches('/');
    let style = format!(
        "<link rel=\"stylesheet\" href=\"{folder}/style.css\">\n\
         <link rel=\"stylesheet\" href=\"{folder}/parts.css\">\n\n\n"
    );
    for part in [
        "<title>Sign in · localhost:7455</title>\n",
        &style,
        "<header>\n<svg class=\"lodge\" viewBox=\"0 0 480 60\" role=\"img\" \
         aria-label=\"Gatelodge\" preserveAspectRatio=\"xMidYMax slice\">\n",
        "</svg>\n</header>\n<main class=\"card\">\n",
        "<footer>\n<p>Gatelodge at <strong><bdi>localhost:7455</bdi></strong></p>\n</footer>\n",
    ] {
        assert!(page.text().contains(part), "{part}: {}", page.text());
    }
    assert!(!page.text().contains("<img"), "{}", page.text());
}

#[tokio::test]
async fn a_page_has_the_name_the_colour_and_the_logo_of_the_operator() {
    let server = dressed(look()).await;

    for path in ["/gate/login", "/nowhere"] {
        let page = Browser::new(&server).visit(path).await;
        let text = page.text();

        assert!(text.contains(" · House &#60;of&#62; Ada</title>"), "{text}");
        assert!(
            text.contains("<p class=\"place\"><bdi>House &#60;of&#62; Ada</bdi></p>"),
            "{text}"
        );
        assert!(text.contains("<bdi>House &#60;of&#62; Ada</bdi> at <strong>"), "{text}");
        assert!(text.contains("width=\"240\" height=\"56\" alt=\"\">"), "{text}");
        assert!(!text.contains("Gatelodge at") && !text.contains("class=\"lodge\""), "{text}");
        let accent = server.get(named(&page, "href", "/accent.css")).await;
        assert!(accent.text().starts_with(":root { --accent: #8a1c4a; "), "{}", accent.text());
        assert_eq!(accent.header("content-type"), "text/css; charset=utf-8");
        assert_eq!(accent.header("cache-control"), "public, max-age=31536000, immutable");
    }
}

/// Whatever is in a logo runs nowhere, also where somebody opens it by itself.
#[tokio::test]
async fn a_logo_is_inert_and_may_be_kept_for_good() {
    let server = dressed(look()).await;
    let page = Browser::new(&server).visit("/gate/login").await;

    let logo = server.get(named(&page, "src", "/logo")).await;

    assert_eq!(logo.text(), SVG);
    assert_eq!(logo.header("content-type"), "image/svg+xml");
    assert_eq!(
        logo.header("content-security-policy"),
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    );
    assert_eq!(logo.header("x-content-type-options"), "nosniff");
    assert_eq!(logo.header("cache-control"), "public, max-age=31536000, immutable");
}

#[tokio::test]
async fn another_version_of_a_logo_or_an_accent_has_another_address() {
    let server = dressed(look()).await;
    let other = Look { picture: Picture::of(b"\xff\xd8\xff".to_vec()).map(Arc::new), ..look() };
    let page = Browser::new(&dressed(other).await).visit("/gate/login").await;

    let path = named(&page, "src", "/logo").to_owned();

    server.get(&path).await.refused(ErrorCode::NotFound, Refusal::PageNotFound);
    for name in ["logo", "accent.css"] {
        let path = format!("/assets/0000000000000000/{name}");
        server.get(&path).await.refused(ErrorCode::NotFound, Refusal::PageNotFound);
        let bare = server.asset(name).await;
        server.get(&bare).await.refused(ErrorCode::NotFound, Refusal::PageNotFound);
    }
}

#[tokio::test]
async fn a_name_stands_above_the_lodge_and_a_logo_alone_is_read_out() {
    let name =
        Browser::new(&dressed(Look { picture: None, ..look() }).await).visit("/gate/login").await;
    let logo =
        Browser::new(&dressed(Look { name: None, ..look() }).await).visit("/gate/login").await;

    let drawn = "Ada</bdi></p>\n<svg class=\"lodge\" viewBox=\"0 0 480 60\" aria-hidden=\"true\"";
    assert!(name.text().contains(drawn), "{}", name.text());
    assert!(logo.text().contains("height=\"56\" alt=\"Gatelodge\">"), "{}", logo.text());
    assert!(logo.text().contains("<title>Sign in · localhost:7455</title>"), "{}", logo.text());
}

/// A reload takes another look, and another content of the same file.
#[tokio::test]
async fn a_reload_takes_another_look() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let write = |path: &Path, text: &str| fs::write(path, text).unwrap();
    write(&at("gatelodge.toml"), "");
    let flags =
        Flags { config: Some(at("gatelodge.toml")), data: Some(at("data")), ..Flags::default() };
    let server = Server::with_layers(Layers::new(flags, [].into())).await;
    let before = Browser::new(&server).visit("/gate/login").await;

    write(&at("logo"), SVG);
    write(&at("gatelodge.toml"), "[look]\nname = \"Ada's\"\nlogo = \"logo\"\n");
    assert_eq!(server.operate(Method::POST, "/config/reload", json!({})).await.status, 200);
    let after = Browser::new(&server).visit("/gate/login").await;
    write(&at("logo"), &SVG.replace("alert(1)", "alert(2)"));
    assert_eq!(server.operate(Method::POST, "/config/reload", json!({})).await.status, 200);
    let again = Browser::new(&server).visit("/gate/login").await;

    assert!(!before.text().contains("<img"), "{}", before.text());
    assert!(after.text().contains("Ada&#39;s"), "{}", after.text());
    assert_eq!(
        server.get(named(&again, "src", "/logo")).await.text().matches("alert(2)").count(),
        1
    );
    server
        .get(named(&after, "src", "/logo"))
        .await
        .refused(ErrorCode::NotFound, Refusal::PageNotFound);
}
