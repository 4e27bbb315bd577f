//! The pages of resources, and of the scopes and roles as they are configured.

use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use serde_json::{Value, json};

use super::{server, type_into, with_role};
use crate::support::Server;

const PATH: &str = "/gate/admin/resources/https%3A%2F%2Fapi%2Eexample%2Fmcp";

async fn resource(server: &Server) -> Value {
    server
        .operate(Method::GET, "/resources/https%3A%2F%2Fapi.example%2Fmcp", json!({}))
        .await
        .json()
}

async fn registered(server: &Server) -> Value {
    let registration = json!({
        "resource": "https://api.example/mcp", "resource_name": "Orders", "scope": "orders:read",
    });
    let response = server.operate(Method::POST, "/resources", registration).await;
    assert_eq!(response.status, 201, "{}", response.text());
    resource(server).await
}

#[tokio::test]
async fn a_resource_is_added_with_what_its_server_serves_and_its_secret_once() {
    let (server, mut ada) = server().await;
    let asked = ada.visit("/gate/admin/resources/add").await;

    let typed = [
        ("resource", "https://api.example/mcp"),
        ("resource_name", "Orders"),
        ("scope", "orders:read\r\norders:write orders:all"),
        ("introspect", "yes"),
    ];
    let added = type_into(&mut ada, &asked, &typed).await;
    let later = ada.visit(PATH).await;

    assert_eq!(added.status, 200, "{}", added.text());
    let stored = resource(&server).await;
    assert_eq!(stored["resource_name"], "Orders");
    assert_eq!(stored["scope"], "orders:all orders:read orders:write");
    assert_eq!((&stored["open"], &stored["typ"]), (&json!(false), &json!("at+jwt")));
    let id = stored["client_id"].as_str().unwrap();
    let (_, secret) = added.text().split_once("<dt>Client secret</dt>").unwrap();
    let secret = secret.split_once("<code>").unwrap().1.split_once("</code>").unwrap().0;
    assert!(!later.text().contains(secret), "{}", later.text());
    for page in [&added, &later] {
        let address = "https://api.example/.well-known/oauth-protected-resource/mcp";
        let header = format!("WWW-Authenticate: Bearer resource_metadata=&#34;{address}&#34;");
        for own in [address, &header, "&#34;authorization_servers&#34;", id] {
            assert!(page.text().contains(own), "{own}: {}", page.text());
        }
    }
    let events = server.operate(Method::GET, "/events?kind=resource.added", json!({})).await.json();
    assert_eq!(events["events"][0]["actor"]["username"], "ada");
}

#[tokio::test]
async fn a_resource_that_is_refused_comes_back_as_it_was_typed() {
    let (server, mut ada) = server().await;
    let asked = ada.visit("/gate/admin/resources/add").await;

    let typed = [("resource", "api.example"), ("scope", "a"), ("open", "true"), ("typ", "jwt")];
    let refused = type_into(&mut ada, &asked, &typed).await;

    assert_eq!(refused.refusal(), Some(Refusal::ResourceMalformed));
    let fields = super::fields(&refused);
    let typed = typed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert!(typed.iter().all(|own| fields.contains(own)), "{fields:?}");
    let stored = server.operate(Method::GET, "/resources", json!({})).await.json();
    assert_eq!(stored["resources"], json!([]));
}

#[tokio::test]
async fn only_what_is_changed_of_a_resource_changes() {
    let (server, mut ada) = server().await;
    let before = registered(&server).await;
    let form = ada.visit(&format!("{PATH}/edit")).await;
    let other = json!({ "resource_name": "Renamed" });
    server.operate(Method::PATCH, "/resources/Orders", other).await;

    let typed = [("scope", "orders:read\r\norders:write"), ("typ", "jwt")];
    let changed = type_into(&mut ada, &form, &typed).await;

    assert_eq!(changed.location(), PATH);
    let after = resource(&server).await;
    assert_eq!(after["resource_name"], "Renamed");
    assert_eq!(
        (&after["scope"], &after["typ"]),
        (&json!("orders:read orders:write"), &json!("jwt"))
    );
    assert_eq!((&after["open"], &after["client_id"]), (&before["open"], &before["client_id"]));
}

#[tokio::test]
async fn a_resource_is_removed_after_a_question() {
    let (server, mut ada) = server().await;
    registered(&server).await;

    let asked = ada.visit(&format!("{PATH}/remove")).await;
    let removed = ada.submit(&format!("{PATH}/remove"), &[]).await;

    assert!(asked.text().contains("Remove Orders?"), "{}", asked.text());
    assert_eq!(removed.location(), "/gate/admin/resources");
    let stored = server.operate(Method::GET, "/resources", json!({})).await.json();
    assert_eq!(stored["resources"], json!([]));
}

#[tokio::test]
async fn the_list_says_what_the_scopes_and_roles_are_and_where_that_stands() {
    let (server, mut ada) = server().await;
    registered(&server).await;
    let scopes = json!({ "scopes": { "orders:read": { "description": "See your orders" } } });
    let applied = server.operate(Method::POST, "/apply", json!({ "document": scopes })).await;
    assert!(applied.status.is_success(), "{}", applied.text());

    let all = ada.visit("/gate/admin/resources").await;
    let found = ada.visit("/gate/admin/resources?q=ord").await;
    let none = ada.visit("/gate/admin/resources?q=x").await;

    for own in
        ["See your orders", "from <bdi>gatelodge apply</bdi>", "offline_access", "reader", PATH]
    {
        assert!(all.text().contains(own), "{own}: {}", all.text());
    }
    assert!(found.text().contains(PATH) && !none.text().contains(PATH));
}

#[tokio::test]
async fn limited_administrators_change_no_resource_that_they_may_not() {
    let (server, _ada) = server().await;
    let before = registered(&server).await;
    let mut bob = with_role(&server, "reader").await;

    let list = bob.visit("/gate/admin/resources").await;
    let page = bob.visit(PATH).await;
    for path in
        ["/gate/admin/resources/add".to_owned(), format!("{PATH}/edit"), format!("{PATH}/remove")]
    {
        let fields = [("resource", "https://a.example"), ("resource_name", "A"), ("typed", "yes")];
        let refused = bob.submit(&path, &fields).await;
        refused.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
    }

    assert!(!list.text().contains("/gate/admin/resources/add"), "{}", list.text());
    assert!(!page.text().contains("/edit\""), "{}", page.text());
    assert_eq!(resource(&server).await, before);
}

#[tokio::test]
async fn an_administrator_of_clients_sees_resources_and_no_configuration() {
    let (server, _ada) = server().await;
    registered(&server).await;
    let mut bob = with_role(&server, "clients").await;

    let list = bob.visit("/gate/admin/resources").await;
    let settings = bob.visit("/gate/admin/settings").await;

    assert!(list.text().contains(PATH), "{}", list.text());
    assert!(!list.text().contains("id=\"roles\""), "{}", list.text());
    assert!(!list.text().contains("/gate/admin/settings"), "{}", list.text());
    settings.refused(ErrorCode::AccessDenied, Refusal::AdministrationClosed);
}
