//! Every route by every method: what each response carries, whatever it says.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::extract::Request;
use axum::http::Method;
use gatelodge::error::{ErrorCode, Refusal};

use crate::support::{Response, Server};

/// Who may read the response of a route.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// Scripts of any origin.
    Any,
    /// Only the origin of this server.
    Own,
}
use To::{Any, Own};

/// Every route, what it allows, who may read it, and whether a successful response may be cached.
pub(crate) const ROUTES: &[(&str, &str, To, bool)] = &[
    ("/.well-known/openid-configuration", "GET,HEAD", Any, true),
    ("/.well-known/oauth-authorization-server", "GET,HEAD", Any, true),
    ("/.well-known/jwks.json", "GET,HEAD", Any, true),
    ("/.well-known/oauth-protected-resource", "GET,HEAD", Any, true),
    ("/.well-known/oauth-protected-resource/{*rest}", "GET,HEAD", Any, true),
    ("/oauth/device_authorization", "POST", Any, false),
    ("/oauth/introspect", "POST", Own, false),
    ("/oauth/par", "POST", Any, false),
    ("/oauth/revoke", "POST", Any, false),
    ("/oauth/register", "POST", Any, false),
    ("/oauth/register/{client_id}", "GET,HEAD,PUT,DELETE", Any, false),
    ("/oauth/session", "POST", Own, false),
    ("/oauth/token", "POST", Any, false),
    ("/oauth/userinfo", "GET,HEAD,POST", Any, false),
    ("/oauth/authorize", "GET,HEAD,POST", Own, false),
    ("/oauth/logout", "GET,HEAD,POST", Own, false),
    ("/gate/interaction/{id}", "GET,HEAD,POST", Own, false),
    ("/gate/device", "GET,HEAD,POST", Own, false),
    ("/gate/device/done", "GET,HEAD", Own, false),
    ("/gate/apps/start", "GET,HEAD", Own, false),
    ("/gate/setup", "GET,HEAD,POST", Own, false),
    ("/gate/login", "GET,HEAD", Own, false),
    ("/gate/account", "GET,HEAD", Own, false),
    ("/gate/account/apps", "POST", Own, false),
    ("/gate/account/devices", "POST", Own, false),
    ("/gate/account/profile", "GET,HEAD,POST", Own, false),
    ("/gate/account/sessions", "POST", Own, false),
    ("/gate/account/passkeys/new", "GET,HEAD", Own, false),
    ("/gate/account/passkeys/{id}", "GET,HEAD,POST", Own, false),
    ("/gate/account/passkeys/{id}/remove", "POST", Own, false),
    ("/gate/account/recovery-codes", "GET,HEAD,POST", Own, false),
    ("/gate/admin", "GET,HEAD", Own, false),
    ("/gate/admin/events", "GET,HEAD", Own, false),
    ("/gate/admin/events/{id}", "GET,HEAD", Own, false),
    ("/gate/admin/events/{id}/repair", "GET,HEAD,POST", Own, false),
    ("/gate/admin/bridges", "GET,HEAD", Own, false),
    ("/gate/admin/bridges/{id}/end", "GET,HEAD,POST", Own, false),
    ("/gate/admin/grants", "GET,HEAD", Own, false),
    ("/gate/admin/grants/{id}/end", "GET,HEAD,POST", Own, false),
    ("/gate/admin/invitations", "GET,HEAD", Own, false),
    ("/gate/admin/invitations/add", "GET,HEAD,POST", Own, false),
    ("/gate/admin/invitations/revoke", "GET,HEAD,POST", Own, false),
    ("/gate/admin/invitations/{id}/revoke", "GET,HEAD,POST", Own, false),
    ("/gate/admin/links", "GET,HEAD", Own, false),
    ("/gate/admin/links/revoke", "GET,HEAD,POST", Own, false),
    ("/gate/admin/links/{id}/revoke", "GET,HEAD,POST", Own, false),
    ("/gate/admin/people", "GET,HEAD", Own, false),
    ("/gate/admin/people/add", "GET,HEAD,POST", Own, false),
    ("/gate/admin/people/{id}", "GET,HEAD", Own, false),
    ("/gate/admin/people/{id}/certificates/{it}/revoke", "GET,HEAD,POST", Own, false),
    ("/gate/admin/people/{id}/disable", "GET,HEAD,POST", Own, false),
    ("/gate/admin/people/{id}/edit", "GET,HEAD,POST", Own, false),
    ("/gate/admin/people/{id}/enable", "GET,HEAD,POST", Own, false),
    ("/gate/admin/people/{id}/passkeys/{it}", "GET,HEAD,POST", Own, false),
    ("/gate/admin/people/{id}/passkeys/{it}/remove", "GET,HEAD,POST", Own, false),
    ("/gate/admin/people/{id}/recover", "GET,HEAD,POST", Own, false),
    ("/gate/admin/people/{id}/remove", "GET,HEAD,POST", Own, false),
    ("/gate/admin/people/{id}/tokens/{it}/revoke", "GET,HEAD,POST", Own, false),
    ("/gate/admin/sessions", "GET,HEAD", Own, false),
    ("/gate/admin/sessions/{id}/end", "GET,HEAD,POST", Own, false),
    ("/gate/admin/clients", "GET,HEAD", Own, false),
    ("/gate/admin/clients/add", "GET,HEAD,POST", Own, false),
    ("/gate/admin/clients/{id}", "GET,HEAD", Own, false),
    ("/gate/admin/clients/{id}/disable", "GET,HEAD,POST", Own, false),
    ("/gate/admin/clients/{id}/edit", "GET,HEAD,POST", Own, false),
    ("/gate/admin/clients/{id}/enable", "GET,HEAD,POST", Own, false),
    ("/gate/admin/clients/{id}/remove", "GET,HEAD,POST", Own, false),
    ("/gate/admin/clients/{id}/remove-logo", "GET,HEAD,POST", Own, false),
    ("/gate/admin/clients/{id}/rotate-secret", "GET,HEAD,POST", Own, false),
    ("/gate/admin/keys", "GET,HEAD", Own, false),
    ("/gate/admin/keys/rotate", "GET,HEAD,POST", Own, false),
    ("/gate/admin/resources", "GET,HEAD", Own, false),
    ("/gate/admin/resources/add", "GET,HEAD,POST", Own, false),
    ("/gate/admin/resources/{resource}", "GET,HEAD", Own, false),
    ("/gate/admin/resources/{resource}/edit", "GET,HEAD,POST", Own, false),
    ("/gate/admin/resources/{resource}/remove", "GET,HEAD,POST", Own, false),
    ("/gate/admin/settings", "GET,HEAD", Own, false),
    ("/gate/admin/settings/reload", "GET,HEAD,POST", Own, false),
    ("/gate/account/sessions/others", "GET,HEAD,POST", Own, false),
    ("/gate/logout", "POST", Own, false),
    ("/gate/logged-out", "GET,HEAD", Own, false),
    ("/gate/webauthn/add/start", "POST", Own, false),
    ("/gate/webauthn/add/finish", "POST", Own, false),
    ("/gate/webauthn/register/start", "POST", Own, false),
    ("/gate/webauthn/register/finish", "POST", Own, false),
    ("/gate/webauthn/authenticate/start", "POST", Own, false),
    ("/gate/webauthn/authenticate/finish", "POST", Own, false),
    ("/", "GET,HEAD", Own, false),
    ("/setup", "GET,HEAD", Own, false),
    ("/trust", "GET,HEAD", Own, false),
    ("/trust/gatelodge-ca.crt", "GET,HEAD", Own, false),
    ("/login", "GET,HEAD", Own, false),
    ("/account", "GET,HEAD", Own, false),
    ("/device", "GET,HEAD", Own, false),
    ("/device/qr/{user_code}", "GET,HEAD", Own, false),
    ("/.well-known/change-password", "GET,HEAD", Own, false),
    ("/.well-known/passkey-endpoints", "GET,HEAD", Own, true),
    ("/.well-known/webauthn", "GET,HEAD", Own, true),
    ("/auth/verify", "GET,HEAD", Own, false),
    ("/_gatelodge/start", "GET,HEAD", Own, false),
    ("/_gatelodge/callback", "GET,HEAD", Own, false),
    ("/_gatelodge/sign-out", "GET,HEAD,POST", Own, false),
    ("/bridge/device-link", "GET,HEAD", Own, false),
    ("/health", "GET,HEAD", Own, false),
    ("/gate/link/{id}", "GET,HEAD,POST", Own, false),
    ("/v1/auth/bridge/capabilities", "GET,HEAD", Own, false),
    ("/v1/auth/bridge/mtls", "POST", Own, false),
    ("/v1/auth/bridge/oauth-client", "POST", Own, false),
    ("/v1/auth/bridge/pat", "POST", Own, false),
    ("/v1/auth/bridge/session", "POST", Own, false),
    ("/v1/auth/bridge/session-pat", "POST", Own, false),
    ("/v1/bridge/heartbeat", "POST", Own, false),
    ("/v1/bridge/profile/enabled_hosts", "POST", Own, false),
    ("/v1/bridge/profile/host-model-filter", "POST", Own, false),
    ("/v1/bridge/pubkey", "GET,HEAD", Own, false),
    ("/v1/bridge/whoami", "GET,HEAD", Own, false),
    ("/_gatelodge/assets/{version}/{name}", "GET,HEAD", Own, true),
    ("/assets/{version}/{name}", "GET,HEAD", Own, true),
    ("/gate/logo/{client}/{version}", "GET,HEAD", Own, true),
    ("/healthz", "GET,HEAD", Own, false),
    ("/readyz", "GET,HEAD", Own, false),
    ("/metrics", "GET,HEAD", Own, false),
];

const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS];

/// A path of `route`.
fn path(route: &str) -> String {
    let named = |segment: &str| if segment.starts_with('{') { "x" } else { segment }.to_owned();
    route.split('/').map(named).collect::<Vec<_>>().join("/")
}

async fn ask(server: &Server, method: &Method, host: &str, path: &str) -> Response {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", host)
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization");
    server.send(request.body(Body::empty()).unwrap()).await
}

/// What every response carries, by who may read it.
fn assert_complete(response: &Response, to: To, request: &str) {
    assert_eq!(response.header("x-content-type-options"), "nosniff", "{request}");
    let (origin, exposed) = match to {
        Any => ("*", "www-authenticate, retry-after, gatelodge-event"),
        Own => ("", ""),
    };
    assert_eq!(response.header("access-control-allow-origin"), origin, "{request}");
    assert_eq!(response.header("access-control-expose-headers"), exposed, "{request}");
    assert_eq!(response.header("access-control-allow-credentials"), "", "{request}");
    let not_stored = response.header("cache-control") == "no-store";
    assert_eq!(response.header("pragma") == "no-cache", not_stored, "{request}");
}

/// RFC 6749 §5.2 for programs, a page for people, and an event by which either can be explained.
fn assert_explained(response: &Response, request: &str) {
    assert_eq!(response.header("gatelodge-event").len(), 16, "{request}");
    if response.header("content-type") == "application/json" {
        let body = response.json();
        assert!(body["error"].is_string() && body["error_description"].is_string(), "{request}");
    } else {
        assert!(response.header("content-type").starts_with("text/html"), "{request}");
    }
}

#[test]
fn every_route_is_in_the_table() {
    let pages = [
        include_str!("../../src/http/mod.rs"),
        include_str!("../../src/http/bridge/mod.rs"),
        include_str!("../../src/http/admin_pages/mod.rs"),
        include_str!("../../src/http/admin_pages/people/mod.rs"),
    ];
    let written = pages.iter().flat_map(|page| page.split(".route(").skip(1));
    let written: BTreeSet<_> = written.filter_map(|rest| rest.split('"').nth(1)).collect();

    assert_eq!(written, ROUTES.iter().map(|(route, ..)| *route).collect());
}

#[tokio::test]
async fn every_answer_is_complete_whatever_it_says() {
    let server = Server::new().await;

    for (route, allow, to, cacheable) in ROUTES {
        for method in &METHODS {
            let request = format!("{method} {route}");
            let response = ask(&server, method, "localhost:7455", &path(route)).await;

            let failed = response.status.as_u16() >= 400;
            let to_all = *to == Any || failed && route.starts_with("/.well-known/");
            assert_complete(&response, if to_all { Any } else { Own }, &request);
            let good = response.status.is_success() && *method != Method::OPTIONS;
            let cache = if good && *cacheable { "public" } else { "no-store" };
            assert!(response.header("cache-control").starts_with(cache), "{request}");
            if response.status.as_u16() >= 400 && *method != Method::HEAD {
                assert_explained(&response, &request);
            }
            let methods = response.header("access-control-allow-methods");
            if *method == Method::OPTIONS {
                // RFC 9110 §9.3.7
                assert_eq!(
                    (response.status.as_u16(), response.header("allow")),
                    (204, *allow),
                    "{request}"
                );
                assert_eq!(methods, if *to == Any { allow } else { "" }, "{request}");
                continue;
            }
            assert_eq!(methods, "", "{request}");
            // RFC 9110 §15.5.6
            let supported = allow.split(',').any(|allowed| allowed == method.as_str());
            let refused = response.status.as_u16() == 405;
            assert_eq!(
                (refused, response.header("allow") == *allow),
                (!supported, !supported),
                "{request}"
            );
        }
    }
}

/// The check of `Host` comes before the rules of a route, so no other origin may read its refusal,
/// but below `/.well-known/`, where programs of any origin look for what is there.
#[tokio::test]
async fn an_answer_under_another_name_is_as_complete() {
    let server = Server::new().await;

    let probes = ["/healthz", "/readyz"];
    for (route, ..) in ROUTES.iter().filter(|(route, ..)| !probes.contains(route)) {
        for method in &METHODS {
            let response = ask(&server, method, "evil.example", &path(route)).await;

            let to = if route.starts_with("/.well-known/") { Any } else { Own };
            assert_complete(&response, to, route);
            assert_eq!(response.header("cache-control"), "no-store", "{route}");
            assert_eq!(response.status, 421, "{route}");
            if *method == Method::GET {
                response.refused(ErrorCode::MisdirectedRequest, Refusal::HostUnknown);
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_to_other_origins_below_well_known_alone() {
    let server = Server::new().await;

    for (path, to) in [
        ("/.well-known/nowhere", Any),
        ("/oauth/nowhere", Own),
        ("/oauth/token/x", Own),
        ("/nowhere", Own),
    ] {
        for method in &METHODS {
            assert_complete(&ask(&server, method, "localhost:7455", path).await, to, path);
        }
    }
}

/// WebAuthn Level 3 §5.11
#[tokio::test]
async fn passkeys_may_be_used_at_the_issuer_alone() {
    let server = Server::new().await;

    let response = server.get("/.well-known/webauthn").await;

    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.json(), serde_json::json!({ "origins": [server.issuer()] }));
}
