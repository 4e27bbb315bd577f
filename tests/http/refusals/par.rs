//! What is refused of requests that are pushed.

use std::time::Duration;

use crate::support::{RelyingParty, Response, Server};

pub(super) async fn a_request_of_another_client() -> Response {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    RelyingParty::spa(&server).await;
    let pushed = shop.push(&[]).await;
    server.get(&pushed.replace("client_id=shop", "client_id=reader")).await
}

pub(super) async fn a_request_after_its_time() -> Response {
    let server = Server::new().await;
    let pushed = RelyingParty::web(&server).await.push(&[]).await;
    server.advance(Duration::from_mins(1));
    server.get(&pushed).await
}

pub(super) async fn a_request_for_the_second_time() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let pushed = RelyingParty::web(&server).await.push(&[]).await;
    let page = ada.visit(&pushed).await;
    ada.decide(&page, "allow").await;
    ada.visit(&pushed).await
}

pub(super) async fn a_request_that_nobody_pushed() -> Response {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    server.get(&shop.pushed("urn:ietf:params:oauth:request_uri:gl_pr_x")).await
}

pub(super) async fn a_plain_request_of_a_client_that_pushes() -> Response {
    let server = Server::new().await;
    let shop = RelyingParty::web(&server).await;
    let must = server
        .change_client("shop", |c| c.metadata_mut().require_pushed_authorization_requests = true);
    must.await;
    server.get(&shop.request(&[])).await
}

pub(super) async fn a_reference_to_a_reference() -> Response {
    let server = Server::new().await;
    RelyingParty::web(&server).await.push_raw(&[("request_uri", "urn:x")]).await
}
