//! How long a client stays that nobody registered by hand.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, header};
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::flow::installation::sweep;
use gatelodge::http::Peer;
use gatelodge::oauth::id::GrantId;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::oauth::params::form_encode;
use gatelodge::store::View as _;
use gatelodge::store::schema::Grant;
use serde_json::{Value, json};

use super::registration::{manage, native};
use crate::refusals::documents::document;
use crate::support::{RelyingParty, Server, Site, register};

const DAY: Duration = Duration::from_hours(24);

async fn sweep(server: &Server) {
    server.app.write(|tx, cx| sweep::run(tx, cx).map(drop)).await.unwrap();
}

/// How many clients there are.
async fn clients(server: &Server) -> usize {
    let listed = server.operate(Method::GET, "/clients", json!({})).await.json();
    listed["clients"].as_array().unwrap().len()
}

async fn is_there(server: &Server, registered: &Value) -> bool {
    manage(server, Method::GET, registered, None).await.status == 200
}

/// A registration from another address than the rest.
async fn register_from(server: &Server, address: &str, metadata: &Value) {
    let request = Request::post("/oauth/register").header(header::CONTENT_TYPE, "application/json");
    let mut request = request.body(Body::from(metadata.to_string())).unwrap();
    request.extensions_mut().insert(Peer(address.parse().unwrap()));
    assert_eq!(server.send(request).await.status, 201);
}

#[tokio::test]
async fn each_use_gives_a_client_another_thirty_days() {
    let (server, mut ada) = Server::with_ada().await;
    let stated = json!({ "redirect_uris": ["https://app.example/cb"] });
    let registered = register(&server, stated).await.json();
    let client = RelyingParty::new(&server, &registered);

    server.advance(DAY * 29);
    client.tokens(&mut ada).await;
    server.advance(DAY * 2);
    sweep(&server).await;
    let used = is_there(&server, &registered).await;
    server.advance(DAY * 29);
    sweep(&server).await;

    assert!(used && !is_there(&server, &registered).await);
}

/// RFC 9126 and RFC 8628: what a client asks for out of the browser is a use as well.
#[tokio::test]
async fn a_request_that_is_pushed_and_a_device_that_asks_are_uses() {
    let server = Server::new().await;
    let device = "urn:ietf:params:oauth:grant-type:device_code";
    let mut stated = native();
    stated["grant_types"] = json!(["authorization_code", device]);
    let pushes = register(&server, stated.clone()).await.json();
    let shows = register(&server, stated).await.json();

    server.advance(DAY * 29);
    RelyingParty::new(&server, &pushes).push(&[]).await;
    RelyingParty::new(&server, &shows).device().await;
    server.advance(DAY * 2);
    sweep(&server).await;

    assert!(is_there(&server, &pushes).await && is_there(&server, &shows).await);
}

#[tokio::test]
async fn whoever_states_the_same_from_another_network_removes_nothing() {
    let server = Server::new().await;

    register_from(&server, "192.0.2.1", &native()).await;
    server.advance(DAY);
    register_from(&server, "192.0.2.2", &native()).await;
    let strangers = clients(&server).await;
    register_from(&server, "192.0.2.1", &native()).await;

    assert_eq!((strangers, clients(&server).await), (2, 2));
}

/// What only one of them has, be it a secret or an address, is not left behind.
#[tokio::test]
async fn only_programs_of_a_persons_machine_are_taken_for_left_behind() {
    let server = Server::new().await;
    let web = json!({ "redirect_uris": ["https://app.example/cb"] });
    let mut public = web.clone();
    public["token_endpoint_auth_method"] = "none".into();
    let mut secret = native();
    secret["token_endpoint_auth_method"] = "client_secret_basic".into();

    for stated in [web, public, secret] {
        let first = register(&server, stated.clone()).await.json();
        server.advance(DAY);
        register(&server, stated.clone()).await;

        assert!(is_there(&server, &first).await, "{stated}");
    }
}

#[tokio::test]
async fn a_client_with_a_sign_in_under_way_or_a_live_grant_is_not_taken_for_left_behind() {
    let (server, mut ada) = Server::with_ada().await;
    let signing_in = RelyingParty::new(&server, &register(&server, native()).await.json());
    let signed_in = RelyingParty::new(&server, &register(&server, native()).await.json());
    let tokens = signed_in.tokens(&mut ada).await;

    server.advance(DAY);
    let code = signing_in.code(&mut ada).await;
    register(&server, native()).await;

    assert!(signing_in.redeem(&code).await.tokens().refresh.is_some());
    signed_in.refresh(tokens.refresh()).await.tokens();
}

/// Not all of them are looked through.
#[tokio::test]
async fn a_client_of_very_many_grants_is_taken_to_hold_one_that_lives() {
    let (server, mut ada) = Server::with_ada().await;
    let registered = register(&server, native()).await.json();
    let client = RelyingParty::new(&server, &registered);
    let tokens = client.tokens(&mut ada).await;
    client.revoke(tokens.refresh()).await;
    for _ in 0..499 {
        let copied = server.app.write(|tx, cx| {
            let (_, ended) = tx.list::<Grant>(1)?.remove(0);
            Ok(tx.put(&GrantId::from_seed(&cx.seed), ended)?)
        });
        copied.await.unwrap();
    }

    server.advance(DAY * 31);
    sweep(&server).await;

    assert!(is_there(&server, &registered).await);
}

#[tokio::test]
async fn a_client_that_was_switched_off_does_not_come_back_by_its_document() {
    let site = Site::new().await;
    let server = Server::with(Issuer::localhost(7455), |config| {
        config.fetch.private = vec![site.listed()];
    })
    .await;
    let mut ada = server.first_administrator().await;
    site.serve(&document(&site), "");
    let client = RelyingParty::new(&server, &document(&site));
    client.code(&mut ada).await;
    let id = form_encode([(client.id.as_str(), "")]);
    let path = format!("/clients/{}", id.trim_end_matches('='));
    let off = server.operate(Method::PATCH, &path, json!({ "enabled": false })).await;

    server.advance(DAY * 31);
    sweep(&server).await;
    let back = ada.visit(&client.request(&[])).await;

    assert_eq!(off.json()["enabled"], false);
    back.refused(ErrorCode::InvalidRequest, Refusal::ClientDisabledAtAuthorize);
}
