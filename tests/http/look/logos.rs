//! The logo that an operator uploads for a client.

use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use crate::support::{Browser, RelyingParty, Response, Server, register};

/// The beginnings of the kinds that a client may have, and their media types.
const KINDS: [(&[u8], &str, &str); 3] = [
    (b"\x89PNG\r\n\x1a\n", "PNG", "image/png"),
    (b"\xff\xd8\xff\xe0", "JPEG", "image/jpeg"),
    (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "WebP", "image/webp"),
];

/// An image of that many bytes, in base64.
fn image(beginning: &[u8], bytes: usize) -> String {
    let mut content = beginning.to_vec();
    content.resize(bytes, 7);
    STANDARD.encode(content)
}

fn png() -> String {
    image(KINDS[0].0, 100)
}

async fn set(server: &Server, client: &str, logo: &Value) -> Response {
    server.operate(Method::PATCH, &format!("/clients/{client}"), json!({ "logo": logo })).await
}

/// The address of the first image of a page.
fn image_of(page: &Response) -> Option<String> {
    let (_, rest) = page.text().split_once("<img class=\"mark\" src=\"")?;
    Some(rest.split_once('"').unwrap().0.to_owned())
}

#[tokio::test]
async fn a_logo_is_served_under_an_address_of_its_content_until_it_is_removed() {
    let (server, mut ada) = Server::with_ada().await;
    RelyingParty::web(&server).await;
    for (beginning, kind, media_type) in KINDS {
        let changed = set(&server, "shop", &json!(image(beginning, 100))).await.json();

        let logo = &changed["logo"];
        assert_eq!((&logo["kind"], &logo["bytes"]), (&json!(kind), &json!(100)), "{changed}");
        let client = server.operate(Method::GET, "/clients/shop", json!({})).await.json();
        assert_eq!(client["logo"], *logo);
        let path = format!("/gate/logo/shop/{}", logo["version"].as_str().unwrap());
        let served = server.get(&path).await;
        assert_eq!(served.header("content-type"), media_type);
        assert_eq!(served.header("x-content-type-options"), "nosniff");
        assert_eq!(served.header("cache-control"), "public, max-age=31536000, immutable");
        let policy = served.header("content-security-policy");
        assert_eq!(policy, "default-src 'none'; style-src 'unsafe-inline'; sandbox");
        assert_eq!(image_of(&ada.visit("/gate/admin/clients/shop").await).unwrap(), path);
    }
    let path = image_of(&ada.visit("/gate/admin/clients/shop").await).unwrap();

    let bare = set(&server, "shop", &Value::Null).await.json();

    assert_eq!(bare.get("logo"), None);
    for path in [&*path, "/gate/logo/shop/0", "/gate/logo/nobody/0", "/gate/logo/%20/0"] {
        server.get(path).await.refused(ErrorCode::NotFound, Refusal::PageNotFound);
    }
    assert_eq!(image_of(&ada.visit("/gate/admin/clients/shop").await), None);
}

#[tokio::test]
async fn only_a_small_image_of_a_known_kind_is_a_logo() {
    let server = Server::new().await;
    RelyingParty::web(&server).await;
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";

    for wrong in [
        json!("not base64"),
        json!(""),
        json!(STANDARD.encode("text")),
        json!(STANDARD.encode(svg)),
        json!(image(KINDS[0].0, 16 * 1024 + 1)),
        json!(7),
        json!({ "content": png() }),
    ] {
        let refused = set(&server, "shop", &wrong).await;
        assert_eq!(refused.status, 400, "{wrong}: {}", refused.text());
        assert!(refused.text().contains("a PNG, WebP or JPEG image"), "{}", refused.text());
    }
    let largest = set(&server, "shop", &json!(image(KINDS[0].0, 16 * 1024))).await;
    assert_eq!(largest.status, 200, "{}", largest.text());
}

/// Whoever registered itself would pass for an app of the house.
#[tokio::test]
async fn a_client_that_registered_itself_has_no_logo_whatever_it_says() {
    let (server, mut ada) = Server::with_ada().await;
    let registered = register(
        &server,
        json!({
            "client_name": "Own", "logo_uri": "https://own.example/logo.png",
            "redirect_uris": ["http://127.0.0.1/cb"], "token_endpoint_auth_method": "none",
        }),
    );
    let client = RelyingParty::new(&server, &registered.await.json());

    let refused = set(&server, &client.id, &json!(png())).await;
    let none = set(&server, &client.id, &Value::Null).await;
    let consent = ada.visit(&client.request(&[])).await;

    refused.refused(ErrorCode::InvalidRequest, Refusal::ClientDescribesItself);
    none.refused(ErrorCode::InvalidRequest, Refusal::ClientDescribesItself);
    assert!(consent.asks_for_consent(), "{}", consent.text());
    assert!(!consent.text().contains("<img"), "{}", consent.text());
    assert!(!consent.text().contains("own.example"), "{}", consent.text());
}

#[tokio::test]
async fn a_logo_stands_wherever_the_mark_of_its_client_does() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let tv = RelyingParty::tv(&server).await;
    server
        .operate(Method::PATCH, "/clients/shop", json!({ "client_uri": "https://s.example/" }))
        .await;
    set(&server, "shop", &json!(png())).await;
    set(&server, "telly", &json!(png())).await;
    let version = set(&server, "shop", &json!(png())).await.json()["logo"]["version"].clone();
    let logo_of = |client: &str| format!("/gate/logo/{client}/{}", version.as_str().unwrap());
    let mut nobody = Browser::new(&server);

    let sign_in = nobody.visit(&shop.request(&[])).await;
    let consent = ada.visit(&shop.request(&[])).await;
    ada.decide(&consent, "allow").await;
    let outcome = ada.visit(&consent.action()).await;
    shop.tokens(&mut ada).await;
    let account = ada.visit("/gate/account").await;
    let device = tv.device().await;
    let confirm = ada.open_device(&device).await;
    let done = ada.decide_on_device(&confirm, "allow").await;
    let clients = ada.visit("/gate/admin/clients").await;

    for (page, client) in [
        (&sign_in, "shop"),
        (&consent, "shop"),
        (&confirm, "telly"),
        (&done, "telly"),
        (&clients, "shop"),
    ] {
        assert!(page.text().contains(&logo_of(client)), "{client}: {}", page.text());
    }
    // Among the apps to open, and among those that are connected.
    assert_eq!(account.text().matches(&logo_of("shop")).count(), 2, "{}", account.text());
    assert_eq!(image_of(&outcome).unwrap(), logo_of("shop"), "{}", outcome.text());
}

#[tokio::test]
async fn a_new_client_brings_its_logo_and_takes_it_along() {
    let server = Server::new().await;
    let shop = json!({ "client_id": "c", "name": "C", "logo": png() });

    let added = server.operate(Method::POST, "/clients", shop).await.json();
    server.operate(Method::DELETE, "/clients/c", json!({})).await;
    let again = json!({ "client_id": "c", "name": "C" });
    let again = server.operate(Method::POST, "/clients", again).await.json();

    let version = added["logo"]["version"].as_str().unwrap();
    assert_eq!(again.get("logo"), None);
    let gone = server.get(&format!("/gate/logo/c/{version}")).await;
    gone.refused(ErrorCode::NotFound, Refusal::PageNotFound);
}

#[tokio::test]
async fn an_administrator_removes_a_logo_and_the_event_says_so() {
    let (server, mut ada) = Server::with_ada().await;
    RelyingParty::web(&server).await;
    set(&server, "shop", &json!(png())).await;
    set(&server, "shop", &json!(png())).await;

    let page = ada.visit("/gate/admin/clients/shop").await;
    let asked = ada.visit("/gate/admin/clients/shop/remove-logo").await;
    let removed = ada.submit("/gate/admin/clients/shop/remove-logo", &[]).await;
    let after = ada.visit(removed.location()).await;

    assert!(
        page.text().contains("PNG, <bdi>100</bdi> bytes") || page.text().contains("100 bytes"),
        "{}",
        page.text()
    );
    assert!(asked.text().contains("Its first letter"), "{}", asked.text());
    assert_eq!(image_of(&after), None);
    assert!(after.text().contains("gatelodge client set"), "{}", after.text());
    let events = server.operate(Method::GET, "/events?kind=client.changed", json!({})).await.json();
    let changed: Vec<_> = events["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["facts"]["changed"].clone())
        .collect();
    assert_eq!(changed, ["logo", "logo"], "the same logo once more is no change: {events:#}");
}
