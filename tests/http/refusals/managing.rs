//! What the pages of the administration refuse.

use axum::http::Method;
use serde_json::json;

use crate::support::{Browser, RelyingParty, Response, Server};

/// A request to an address that is not registered, the page of its repair, and the administrator there.
pub(crate) async fn at_repair() -> (Server, Browser, String) {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    let request = shop.request(&[("redirect_uri", "https://shop.example/other")]);
    let refused = server.get(&request).await;
    let path = format!("/gate/admin/events/{}/repair", refused.header("gatelodge-event"));
    assert_eq!(ada.visit(&path).await.status, 200);
    (server, ada, path)
}

pub(super) async fn another_repair_than_was_shown() -> Response {
    let (_server, mut ada, path) = at_repair().await;
    ada.submit(&path, &[("operation", "DELETE /api/v1/clients/shop {}"), ("trust", "yes")]).await
}

pub(super) async fn a_repair_of_what_no_setting_lets_pass() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let refused = server.operate(Method::GET, "/users/nobody", json!({})).await;
    assert_eq!(refused.status, 404);
    let refused = server.get("/gate/nothing").await;
    ada.visit(&format!("/gate/admin/events/{}/repair", refused.header("gatelodge-event"))).await
}

pub(super) async fn an_address_that_nobody_vouched_for() -> Response {
    let (_server, mut ada, path) = at_repair().await;
    let page = ada.visit(&path).await;
    ada.submit(&path, &[("operation", &page.hidden("operation").unwrap())]).await
}
