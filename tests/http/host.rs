//! Names under which the server responds.

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::oauth::issuer::Issuer;

use crate::support::{RelyingParty, Response, Server};

async fn ask(server: &Server, method: Method, host: &str, path: &str) -> Response {
    let request = Request::builder().method(method).uri(path).header("host", host);
    server.send(request.body(Body::empty()).unwrap()).await
}

/// DNS rebinding: RFC 9110 §15.5.20
#[tokio::test]
async fn a_name_that_is_not_ours_is_misdirected() {
    let server = Server::new().await;

    for host in [
        "evil.example",
        "evil.example:7455",
        "localhost.evil.example:7455",
        "127.0.0.1.evil.example",
        "127.0.0.2:7455",
    ] {
        for path in ["/", "/oauth/token", "/.well-known/openid-configuration", "/assets/style.css"]
        {
            let response = ask(&server, Method::GET, host, path).await;

            response.refused(ErrorCode::MisdirectedRequest, Refusal::HostUnknown);
        }
    }
}

/// RFC 9112 §3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1
/// request message that lacks a Host header field and to any request message that contains more
/// than one Host header field line or a Host header field with an invalid field value."
#[tokio::test]
async fn a_request_names_one_host() {
    let server = Server::new().await;

    for hosts in [
        &[""][..],
        &["localhost:7455", "localhost:7455"],
        &["ada@localhost:7455"],
        &["ada@localhost:80"],
        &["localhost:port"],
        &["local host"],
        &["localhost/"],
    ] {
        for path in ["/", "/nowhere", "/.well-known/jwks.json"] {
            let request = hosts.iter().fold(Request::get(path), |r, host| r.header("host", *host));

            let response = server.send(request.body(Body::empty()).unwrap()).await;

            response.refused(ErrorCode::InvalidRequest, Refusal::HostMalformed);
            assert_eq!(response.status, 400);
        }
    }
}

#[tokio::test]
async fn a_default_port_is_none() {
    let issuer: Issuer = "https://id.example".parse().unwrap();
    let server = Server::with(issuer, |config| {
        config.hosts = vec!["id.lan:443".to_owned()];
        config.listen = vec!["192.0.2.1:443".parse().unwrap()];
        config.tls.listen_for_devices = vec!["[2001:db8::1]:443".parse().unwrap()];
    })
    .await;

    for host in ["192.0.2.1", "id.lan", "[2001:db8::1]"] {
        for host in [host.to_owned(), format!("{host}:443")] {
            let keys = ask(&server, Method::GET, &host, "/.well-known/jwks.json").await;
            assert_eq!(keys.status, 200, "{host}");
        }
    }
    let with_port = ask(&server, Method::GET, "ID.example:443", "/gate/login").await;
    let with_another = ask(&server, Method::GET, "id.example:80", "/gate/login").await;

    assert_eq!(with_port.status, 200);
    with_another.refused(ErrorCode::MisdirectedRequest, Refusal::HostUnknown);
}

#[tokio::test]
async fn a_probe_may_send_any_host() {
    let server = Server::new().await;
    server.app.make_missing_keys().await.unwrap();

    for path in ["/healthz", "/readyz"] {
        for host in ["10.0.0.7:7455", "evil.example", ""] {
            assert_eq!(ask(&server, Method::GET, host, path).await.status, 200, "{path} {host}");
        }
    }
}

/// A program on another port of this host sets cookies that the browser sends here, too.
#[tokio::test]
async fn the_cookies_of_other_programs_are_passed_over() {
    let (server, ada) = Server::with_ada().await;
    let own = ada.cookies_for("/gate/account");

    for foreign in [&b"user=Zo\xc3\xab"[..], b"user=Zo\xeb", b"\xff", b"=", b"user"] {
        let cookies = [foreign, b"; ", own.as_bytes()].concat();
        let request = Request::get("/gate/account").header("cookie", cookies);
        let account = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(account.status, 200, "{foreign:?}");
    }
}

#[tokio::test]
async fn pages_move_from_an_address_to_the_issuers_name() {
    let server = Server::new().await;

    for host in ["127.0.0.1:7455", "[::1]:7455", "localhost:8080"] {
        for path in [
            "/",
            "/login",
            "/gate/account",
            "/oauth/authorize?client_id=a%20b",
            "/bridge/device-link",
        ] {
            let response = ask(&server, Method::GET, host, path).await;

            assert_eq!(response.status, 303);
            assert_eq!(response.location(), format!("http://localhost:7455{path}"));
        }
    }
    let posted = ask(&server, Method::POST, "127.0.0.1:7455", "/oauth/authorize").await;
    assert_eq!(
        (posted.status.as_u16(), posted.location()),
        (307, "http://localhost:7455/oauth/authorize")
    );
}

#[tokio::test]
async fn programs_are_answered_at_an_address_too() {
    let server = Server::new().await;
    RelyingParty::robot(&server).await;

    for path in ["/.well-known/openid-configuration", "/.well-known/jwks.json", "/healthz"] {
        assert_eq!(ask(&server, Method::GET, "127.0.0.1:7455", path).await.status, 200, "{path}");
    }
    let token = ask(&server, Method::POST, "127.0.0.1:7455", "/oauth/token").await;
    token.refused(ErrorCode::InvalidRequest, Refusal::BodyTypeUnsupported);
}

#[tokio::test]
async fn further_names_are_those_of_the_configuration() {
    let server = Server::with("https://id.example".parse().unwrap(), |config| {
        config.hosts = vec!["id.lan".to_owned()];
    });
    let server = server.await;

    assert_eq!(ask(&server, Method::GET, "id.lan", "/.well-known/jwks.json").await.status, 200);
    assert_eq!(ask(&server, Method::GET, "ID.example", "/.well-known/jwks.json").await.status, 200);
    assert_eq!(ask(&server, Method::GET, "id.lan", "/").await.location(), "https://id.example/");
    assert_eq!(ask(&server, Method::GET, "id.wan", "/.well-known/jwks.json").await.status, 421);
}

/// Node, Python and curl take `localhost` for either family, and with any case.
#[tokio::test]
async fn the_issuers_name_counts_in_any_case() {
    let server = Server::with(Issuer::localhost(7455), |_| {}).await;

    let response = ask(&server, Method::GET, "LOCALHOST:7455", "/login").await;

    assert_eq!(response.location(), "/gate/login");
}

/// RFC 6797 §8.1: a browser would apply it to every port of that host.
#[tokio::test]
async fn only_the_issuers_own_host_is_bound_to_tls() {
    let server = Server::with("https://id.example".parse().unwrap(), |_| {}).await;

    for (host, header) in
        [("id.example", "max-age=31536000"), ("localhost:7455", ""), ("127.0.0.1:7455", "")]
    {
        for path in ["/healthz", "/gate/login"] {
            let response = ask(&server, Method::GET, host, path).await;
            assert_eq!(response.header("strict-transport-security"), header, "{host}{path}");
        }
    }
    let localhost = Server::with("https://localhost:7455".parse().unwrap(), |_| {}).await;
    let response = ask(&localhost, Method::GET, "localhost:7455", "/healthz").await;
    assert_eq!(response.header("strict-transport-security"), "");
}

#[tokio::test]
async fn a_listener_for_devices_answers_under_the_issuers_host() {
    let server = Server::with("https://id.example".parse().unwrap(), |config| {
        config.tls.listen_for_devices = vec!["192.0.2.1:8443".parse().unwrap()];
    });
    let server = server.await;

    for host in ["id.example:8443", "192.0.2.1:8443"] {
        let api = ask(&server, Method::GET, host, "/.well-known/jwks.json").await;
        let page = ask(&server, Method::GET, host, "/gate/login").await;

        assert_eq!(api.status, 200, "{host}");
        assert_eq!(page.header("location"), "https://id.example/gate/login");
    }
    let other = ask(&server, Method::GET, "id.example:8444", "/.well-known/jwks.json").await;
    other.refused(ErrorCode::MisdirectedRequest, Refusal::HostUnknown);
}
