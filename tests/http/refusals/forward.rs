//! What is refused on the way to an application behind a proxy.

use axum::body::Body;
use axum::extract::Request;
use gatelodge::http::Peer;

use crate::forward_auth::{NOTES, Visit, WIKI, installed};
use crate::support::{Response, Server};

pub(super) async fn a_code_in_another_browser() -> Response {
    let (server, mut ada) = installed().await;
    let brought = Visit::default().code(&mut ada, WIKI, "/_gatelodge/start").await;
    let (_, callback) = brought.location().split_once(WIKI).unwrap();
    Visit::default().open(&server, WIKI, callback).await
}

pub(super) async fn no_code() -> Response {
    let (server, _ada) = installed().await;
    Visit::default().open(&server, WIKI, "/_gatelodge/callback?state=x").await
}

pub(super) async fn a_question_of_a_stranger() -> Response {
    let (server, _ada) = installed().await;
    let mut request = Request::get("/auth/verify").body(Body::empty()).unwrap();
    request.extensions_mut().insert(Peer("192.0.2.9".parse().unwrap()));
    server.send(request).await
}

pub(super) async fn a_person_without_the_role() -> Response {
    let (_server, mut ada) = installed().await;
    Visit::default().code(&mut ada, NOTES, "/_gatelodge/start").await
}

pub(super) async fn nobody_signed_in_there() -> Response {
    let (server, _ada) = installed().await;
    let url = format!("http://{WIKI}/");
    Visit::default().verify(&server, &[("x-original-url", &url)]).await
}

pub(super) async fn an_unknown_application() -> Response {
    let (server, _ada) = installed().await;
    Visit::default().verify(&server, &[("x-forwarded-host", "evil.example")]).await
}

pub(super) async fn a_host_of_the_proxys_own() -> Response {
    let issuer = "https://id.example".parse().unwrap();
    let server = Server::with(issuer, |config| {
        config.behind_proxy.push("10.0.0.1".parse().unwrap());
    });
    let mut request = Request::get("/account").header("host", "127.0.0.1:7455");
    request.extensions_mut().unwrap().insert(Peer("10.0.0.1".parse().unwrap()));
    server.await.send(request.body(Body::empty()).unwrap()).await
}

pub(super) async fn a_sign_out_from_another_site() -> Response {
    let (server, _ada) = installed().await;
    let request = Request::get("/_gatelodge/sign-out")
        .header("host", WIKI)
        .header("sec-fetch-site", "cross-site");
    server.send(request.body(Body::empty()).unwrap()).await
}
