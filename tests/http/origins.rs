//! Which endpoints scripts of other origins may use, and which methods are supported at all.

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};
use gatelodge::store::View as _;
use gatelodge::store::schema::Interaction;

use crate::support::{RelyingParty, Response, Server};

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

async fn ask(server: &Server, method: &Method, path: &str) -> Response {
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
        let response = ask(&server, &method, path).await;

        assert_eq!(preflight.status, 204, "{path}");
        assert!(preflight.header("access-control-allow-headers").contains("authorization"));
        for response in [preflight, response] {
            assert_eq!(response.header("access-control-allow-origin"), "*", "{path}");
            assert_eq!(response.header("access-control-allow-credentials"), "", "{path}");
        }
    }
}

#[tokio::test]
async fn a_script_may_send_any_header() {
    let server = Server::new().await;
    let preflight = async |path: &str, headers: &str| {
        let request = Request::options(path)
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", headers);
        server.send(request.body(Body::empty()).unwrap()).await
    };

    for path in [
        "/oauth/token",
        "/oauth/par",
        "/oauth/register",
        "/oauth/register/x",
        "/oauth/revoke",
        "/oauth/device_authorization",
        "/oauth/userinfo",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/mcp",
    ] {
        for header in ["traceparent", "baggage", "dpop", "x-requested-with", "authorization"] {
            let response = preflight(path, &format!("content-type,{header}")).await;
            let allowed = response.header("access-control-allow-headers");

            assert_eq!(response.status, 204, "{path}");
            assert!(allowed.split([',', ' ']).any(|name| name == header), "{path}: {allowed}");
            assert!(allowed.contains("authorization"), "{path}: {allowed}");
            assert_eq!(response.header("access-control-allow-credentials"), "", "{path}");
        }
    }
    let introspection = preflight("/oauth/introspect", "traceparent").await;
    assert_eq!(introspection.header("access-control-allow-headers"), "");
}

/// MCP clients try several addresses, and go by what is not there.
#[tokio::test]
async fn scripts_read_what_is_not_there_below_well_known() {
    let server = Server::new().await;

    for path in [
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration/mcp",
        "/.well-known/oauth-protected-resource/nowhere",
        "/.well-known/nothing",
    ] {
        let response = ask(&server, &Method::GET, path).await;

        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response.header("access-control-allow-origin"), "*", "{path}");
    }
    let wrong = ask(&server, &Method::POST, "/.well-known/webauthn").await;
    assert_eq!((wrong.status.as_u16(), wrong.header("access-control-allow-origin")), (405, "*"));
    let host = Request::get("/.well-known/openid-configuration").header("host", "evil.example");
    let foreign = server.send(host.body(Body::empty()).unwrap()).await;
    foreign.refused(ErrorCode::MisdirectedRequest, Refusal::HostUnknown);
    assert_eq!(foreign.header("access-control-allow-origin"), "*");
    let page = ask(&server, &Method::GET, "/nowhere").await;
    assert_eq!(page.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn scripts_of_other_origins_get_nothing_from_pages() {
    let server = Server::new().await;

    for path in CLOSED {
        for method in [Method::OPTIONS, Method::GET, Method::POST] {
            let response = ask(&server, &method, path).await;

            assert!(
                !response.headers.contains_key("access-control-allow-origin"),
                "{method} {path}"
            );
        }
    }
}

/// RFC 9110 §15.5.6: a 405 names the supported methods.
#[tokio::test]
async fn a_method_that_is_not_answered_is_told_which_are() {
    let server = Server::new().await;

    for (path, method) in [
        ("/oauth/token", Method::GET),
        ("/oauth/authorize", Method::DELETE),
        ("/.well-known/jwks.json", Method::PUT),
        ("/gate/account", Method::POST),
    ] {
        let response = ask(&server, &method, path).await;

        response.refused(ErrorCode::MethodNotAllowed, Refusal::MethodNotAllowed);
        assert_ne!(response.header("allow"), "", "{method} {path}");
    }
}

/// RFC 9110 §9.3.7
#[tokio::test]
async fn options_tells_what_an_address_answers_to() {
    let server = Server::new().await;

    for (path, allowed) in [
        ("/oauth/authorize", "GET,HEAD,POST"),
        ("/gate/account", "GET,HEAD"),
        ("/gate/logout", "POST"),
        ("/healthz", "GET,HEAD"),
    ] {
        let response = ask(&server, &Method::OPTIONS, path).await;

        assert_eq!((response.status.as_u16(), response.header("allow")), (204, allowed), "{path}");
    }
}

/// RFC 9110 §9.2.1: HEAD is safe: it has no side effects.
#[tokio::test]
async fn head_brings_nothing_about() {
    let (server, mut ada) = Server::with_ada().await;
    let shop = RelyingParty::web(&server).await;
    shop.authorize(&mut ada, &[]).await;
    let waiting = || server.app.read().unwrap().count::<Interaction>(10).unwrap();
    let head = |path: &str| Request::head(path).body(Body::empty()).unwrap();

    let authorization = server.send(head(&shop.request(&[]))).await;
    let logout = server.send(head("/oauth/logout")).await;
    let wrong = server.send(head(&shop.request(&[("response_type", "token")]))).await;

    assert_eq!((authorization.status.as_u16(), logout.status.as_u16(), waiting()), (303, 303, 0));
    assert!(authorization.body.is_empty() && !authorization.headers.contains_key("set-cookie"));
    assert_eq!(wrong.brought()["error"], "unsupported_response_type");

    let started = server.get(&shop.request(&[])).await;
    let page = ada.send(head(started.location())).await;
    assert!(page.body.is_empty());
    assert_eq!(waiting(), 1);
}

#[tokio::test]
async fn an_address_that_is_not_there_is_not_found_by_any_method() {
    let server = Server::new().await;

    for method in [Method::GET, Method::POST, Method::DELETE] {
        for path in ["/nowhere", "/gate/nowhere", "/oauth/token/", "/assets/login.js"] {
            let response = ask(&server, &method, path).await;

            response.refused(ErrorCode::NotFound, Refusal::PageNotFound);
        }
    }
}

/// `administration` says what a token opens.
#[tokio::test]
async fn the_public_door_leads_to_no_administration_without_a_token() {
    let server = Server::new().await;

    for path in ["/api/v1/clients", "/api/v1/users", "/api/v1/recover", "/api/v1/tokens"] {
        let response = ask(&server, &Method::POST, path).await;

        response.refused(ErrorCode::InvalidToken, Refusal::BearerTokenMissing);
    }
}
