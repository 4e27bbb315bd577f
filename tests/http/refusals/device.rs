//! What a device is refused.

use std::time::Duration;

use crate::support::{RelyingParty, Response, Server};

pub(super) async fn a_code_of_another_client() -> Response {
    let server = Server::new().await;
    let device = RelyingParty::tv(&server).await.device().await;
    let registration = serde_json::json!({
        "name": "Radio",
        "client_type": "public",
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"],
    });
    server.client(registration).await.poll(&device).await
}

pub(super) async fn a_person_who_denies() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let telly = RelyingParty::tv(&server).await;
    let device = telly.device().await;
    let page = ada.open_device(&device).await;
    ada.decide_on_device(&page, "deny").await;
    telly.poll(&device).await
}

pub(super) async fn a_code_after_its_time() -> Response {
    let server = Server::new().await;
    let telly = RelyingParty::tv(&server).await;
    let device = telly.device().await;
    server.advance(Duration::from_mins(15));
    telly.poll(&device).await
}

pub(super) async fn no_code() -> Response {
    let server = Server::new().await;
    let telly = RelyingParty::tv(&server).await;
    telly.ask(&[("grant_type", "urn:ietf:params:oauth:grant-type:device_code")]).await
}

pub(super) async fn nobody_who_decided() -> Response {
    let server = Server::new().await;
    let telly = RelyingParty::tv(&server).await;
    telly.poll(&telly.device().await).await
}

pub(super) async fn a_device_in_a_hurry() -> Response {
    let server = Server::new().await;
    let telly = RelyingParty::tv(&server).await;
    let device = telly.device().await;
    telly.poll(&device).await;
    server.advance(Duration::from_secs(3));
    telly.poll(&device).await
}

pub(super) async fn a_code_for_the_second_time() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let telly = RelyingParty::tv(&server).await;
    let device = telly.device().await;
    let page = ada.open_device(&device).await;
    ada.decide_on_device(&page, "allow").await;
    telly.poll(&device).await.tokens();
    telly.poll(&device).await
}

pub(super) async fn a_code_whose_session_has_ended() -> Response {
    let (server, mut ada) = Server::with_ada().await;
    let telly = RelyingParty::tv(&server).await;
    let device = telly.device().await;
    let page = ada.open_device(&device).await;
    ada.decide_on_device(&page, "allow").await;
    ada.sign_out().await;
    telly.poll(&device).await
}
