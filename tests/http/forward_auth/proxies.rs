//! The habits of proxies: what they send instead of the browser's `Host`, and what they take away.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::http::Peer;
use gatelodge::oauth::params::form_encode;

use super::{NOTES, Visit, WIKI, after_host, forwarded, installed};
use crate::support::{Response, Server};

const APP: &str = "app.example";

/// `https://id.example` behind the network 172.18.0.0/16, with an application.
async fn behind_a_network() -> Server {
    let server = Server::with("https://id.example".parse().unwrap(), |config| {
        config.apps.insert(APP.parse().unwrap(), Vec::new());
        config.behind_proxy.push("172.18.0.0/16".parse().unwrap());
    });
    server.await
}

/// A request of `peer` with `headers`.
async fn of(server: &Server, peer: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = Request::get(path).header(header::ACCEPT, "text/html");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let peer: IpAddr = peer.parse().unwrap();
    request.extensions_mut().unwrap().insert(Peer(peer));
    server.send(request.body(Body::empty()).unwrap()).await
}

/// Caddy from 2.11 on sends the name of the upstream as `Host` if it speaks TLS with it.
#[tokio::test]
async fn a_proxy_may_name_the_application_beside_a_host_of_its_own() {
    let server = behind_a_network().await;
    let start = "/_gatelodge/start?rd=/x";
    let application = ("x-forwarded-host", APP);
    let found = "https://id.example/gate/apps/start?app=app.example&";

    for host in ["id.example", "localhost:7455", "gatelodge:7455", "172.18.0.2:7455"] {
        let response = of(&server, "172.18.3.4", start, &[("host", host), application]).await;
        assert!(response.location().starts_with(found), "{host}");
        assert!(response.header("set-cookie").starts_with("__Host-gatelodge_start="), "{host}");
        // The header would hold for the application's host.
        assert_eq!(response.header("strict-transport-security"), "", "{host}");

        let headers = [("host", host), application];
        let verify = of(&server, "172.18.3.4", "/auth/verify", &headers).await;
        assert_eq!(verify.location(), "https://app.example/_gatelodge/start?rd=%2F");
    }
    let local = of(&server, "127.0.0.1", start, &[("host", "id.example"), application]).await;
    assert!(local.location().starts_with(found));
}

#[tokio::test]
async fn nobody_but_a_known_proxy_names_the_application() {
    let server = behind_a_network().await;
    let start = "/_gatelodge/start";
    let application = ("x-forwarded-host", APP);

    let stranger = of(&server, "192.0.2.9", start, &[("host", "id.example"), application]).await;
    stranger.refused(ErrorCode::AccessDenied, Refusal::AppUnknown);
    let unknown = of(&server, "192.0.2.9", start, &[("host", "gatelodge:7455"), application]).await;
    unknown.refused(ErrorCode::MisdirectedRequest, Refusal::HostUnknown);
    // A name that anybody on this machine may have made up.
    let rebound = of(&server, "127.0.0.1", start, &[("host", "evil.example"), application]).await;
    rebound.refused(ErrorCode::MisdirectedRequest, Refusal::HostUnknown);
    let twice = [("host", "id.example"), application, application];
    let twice = of(&server, "172.18.3.4", start, &twice).await;
    twice.refused(ErrorCode::AccessDenied, Refusal::AppUnknown);
    let other = [("host", "id.example"), ("x-forwarded-host", "other.example")];
    let other = of(&server, "172.18.3.4", start, &other).await;
    other.refused(ErrorCode::AccessDenied, Refusal::AppUnknown);
}

#[tokio::test]
async fn two_names_of_applications_are_one() {
    let (server, _ada) = installed().await;
    let start = "/_gatelodge/start";

    let (alike, apart) = (("x-forwarded-host", WIKI), ("x-forwarded-host", NOTES));
    let alike = of(&server, "127.0.0.1", start, &[("host", WIKI), alike]).await;
    let apart = of(&server, "127.0.0.1", start, &[("host", WIKI), apart]).await;

    assert_eq!(alike.status, 303);
    apart.refused(ErrorCode::AccessDenied, Refusal::AppUnknown);
}

#[tokio::test]
async fn a_prefix_that_the_proxy_took_away_is_there_after_the_sign_in() {
    let (server, _ada) = installed().await;
    let visit = Visit::default();
    let start = |headers: &[(&'static str, &'static str)]| {
        let headers = [&forwarded(WIKI)[..], headers].concat();
        let (visit, server) = (visit.clone(), server.clone());
        async move { visit.verify(&server, &headers).await.location().to_owned() }
    };

    let one = start(&[("x-forwarded-prefix", "/docs/")]).await;
    let two = start(&[("x-forwarded-prefix", "/docs"), ("x-forwarded-prefix", "/v2")]).await;
    let foreign = start(&[("x-forwarded-prefix", "//evil.example")]).await;

    let path = |rd: &str| format!("http://{WIKI}/_gatelodge/start?{}", form_encode([("rd", rd)]));
    assert_eq!(one, path("/docs/page?a=b"));
    assert_eq!(two, path("/docs/v2/page?a=b"));
    assert_eq!(foreign, path("/"));
}

#[tokio::test]
async fn a_network_of_proxies_is_known_by_each_of_its_addresses() {
    let server = behind_a_network().await;
    let application = ("x-forwarded-host", APP);

    for (peer, known) in [("172.18.0.1", true), ("::ffff:172.18.9.9", true), ("172.19.0.1", false)]
    {
        let response = of(&server, peer, "/auth/verify", &[application]).await;
        assert_eq!(response.status.as_u16(), if known { 302 } else { 403 }, "{peer}");
    }
}

/// A redirect to the issuer would come back with the same `Host`, for ever.
#[tokio::test]
async fn a_proxy_that_hides_the_host_is_told_so() {
    let server = behind_a_network().await;
    let (proxy, browser) = ("172.18.3.4", ("x-forwarded-host", "id.example"));
    let assert_refused = |response: &Response| {
        response.refused(ErrorCode::MisdirectedRequest, Refusal::HostOfProxy);
        assert!(response.text().contains("pass on the Host header"), "{}", response.text());
    };

    for path in ["/", "/account", "/gate/account", "/oauth/authorize?client_id=x"] {
        assert_refused(&of(&server, proxy, path, &[("host", "localhost:7455"), browser]).await);
        assert_refused(&of(&server, proxy, path, &[("host", "gatelodge:7455"), browser]).await);
        assert_refused(&of(&server, proxy, path, &[("host", "127.0.0.1:7455")]).await);
        let relayed = [("host", "127.0.0.1:7455"), ("x-forwarded-for", "192.0.2.9")];
        assert_refused(&of(&server, "127.0.0.1", path, &relayed).await);
    }
    // A program reads JSON.
    let mut request = Request::get("/oauth/userinfo").header("host", "gatelodge:7455");
    request = request.header("x-forwarded-host", "id.example");
    request.extensions_mut().unwrap().insert(Peer(proxy.parse().unwrap()));
    let program = server.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(program.json()["error"], "misdirected_request");
    // A browser at another name of this server goes to the issuer.
    let direct = of(&server, "127.0.0.1", "/account", &[("host", "127.0.0.1:7455")]).await;
    assert_eq!(direct.location(), "https://id.example/account");
    let elsewhere = [("host", "localhost:7455"), ("x-forwarded-host", "old.example")];
    let elsewhere = of(&server, proxy, "/account", &elsewhere).await;
    assert_eq!(elsewhere.location(), "https://id.example/account");
    // A stranger's header says nothing.
    let stranger = [("host", "localhost:7455"), browser];
    let stranger = of(&server, "192.0.2.9", "/account", &stranger).await;
    assert_eq!(stranger.location(), "https://id.example/account");
}

#[tokio::test]
async fn a_deep_link_of_8_kib_survives_the_sign_in() {
    let (server, mut ada) = installed().await;
    let mut visit = Visit::default();
    // Most of it is percent-encoded, as the name of a page in another script.
    let deep = format!("/wiki/{}", "%D0%B6".repeat(1364));
    assert!((8 * 1024 - 10..=8 * 1024).contains(&deep.len()), "{}", deep.len());
    let headers =
        [("x-forwarded-method", "GET"), ("x-forwarded-host", WIKI), ("x-forwarded-uri", &deep)];

    let outside = visit.verify(&server, &headers).await;
    let start = after_host(outside.location(), WIKI).to_owned();
    let brought = visit.code(&mut ada, WIKI, &start).await;
    let callback = after_host(brought.location(), WIKI).to_owned();
    let entered = visit.open(&server, WIKI, &callback).await;

    assert_eq!(entered.location(), format!("http://{WIKI}{deep}"));
}
