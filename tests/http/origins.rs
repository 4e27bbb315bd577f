//! Which endpoints scripts of other origins may use, and which methods are answered at all.

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};

use crate::support::{Answer, Server};

const OPEN: [(&str, Method); 6] = [
    ("/.well-known/openid-configuration", Method::GET),
    ("/.well-known/oauth-authorization-server", Method::GET),
    ("/.well-known/oauth-protected-resource", Method::GET),
    ("/.well-known/jwks.json", Method::GET),
    ("/oauth/token", Method::POST),
    ("/oauth/userinfo", Method::GET),
];

const CLOSED: [&str; 8] = [
    "/",
    "/login",
    "/gate/login",
    "/gate/account",
    "/oauth/authorize",
    "/oauth/logout",
    "/assets/style.css",
    "/healthz",
];

async fn ask(server: &Server, method: &Method, path: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization");
    server.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn scripts_of_any_origin_may_use_what_takes_no_cookie() {
    let server = Server::new().await;

    for (path, method) in OPEN {
        let preflight = ask(&server, &Method::OPTIONS, path).await;
        let answer = ask(&server, &method, path).await;

        assert_eq!(preflight.status, 204, "{path}");
        assert!(preflight.header("access-control-allow-headers").contains("authorization"));
        for answer in [preflight, answer] {
            assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
            assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
        }
    }
}

#[tokio::test]
async fn scripts_of_other_origins_get_nothing_from_pages() {
    let server = Server::new().await;

    for path in CLOSED {
        for method in [Method::OPTIONS, Method::GET, Method::POST] {
            let answer = ask(&server, &method, path).await;

            assert!(!answer.headers.contains_key("access-control-allow-origin"), "{method} {path}");
        }
    }
}

/// RFC 9110 §15.5.6: a 405 names what is answered.
#[tokio::test]
async fn a_method_that_is_not_answered_is_told_which_are() {
    let server = Server::new().await;

    for (path, method) in [
        ("/oauth/token", Method::GET),
        ("/oauth/authorize", Method::DELETE),
        ("/.well-known/jwks.json", Method::PUT),
        ("/gate/account", Method::POST),
    ] {
        let answer = ask(&server, &method, path).await;

        answer.refused(ErrorCode::MethodNotAllowed, Refusal::MethodNotAllowed);
        assert_ne!(answer.header("allow"), "", "{method} {path}");
    }
}

#[tokio::test]
async fn an_address_that_is_not_there_is_not_found_by_any_method() {
    let server = Server::new().await;

    for method in [Method::GET, Method::POST, Method::DELETE] {
        for path in ["/nowhere", "/gate/nowhere", "/oauth/token/", "/assets/../Cargo.toml"] {
            let answer = ask(&server, &method, path).await;

            answer.refused(ErrorCode::NotFound, Refusal::PageNotFound);
        }
    }
}

/// The administration API has a door of its own.
#[tokio::test]
async fn the_public_door_leads_to_no_administration() {
    let server = Server::new().await;

    for path in ["/api/v1/clients", "/api/v1/users", "/api/v1/recover", "/api/v1/issuer"] {
        let answer = ask(&server, &Method::POST, path).await;

        answer.refused(ErrorCode::NotFound, Refusal::PageNotFound);
    }
}
