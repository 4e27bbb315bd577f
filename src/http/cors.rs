//! Cross-origin requests: any origin and no credentials, where programs in browsers need it.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

/// What programs in browsers may send to a path, as its route answers it. No cookie means anything
/// there; a path of which nothing is said here is for no other origin.
fn methods(path: &str) -> Option<&'static str> {
    match path {
        "/.well-known/jwks.json"
        | "/.well-known/oauth-authorization-server"
        | "/.well-known/oauth-protected-resource"
        | "/.well-known/openid-configuration" => Some("GET,HEAD"),
        "/oauth/device_authorization"
        | "/oauth/par"
        | "/oauth/register"
        | "/oauth/revoke"
        | "/oauth/token" => Some("POST"),
        "/oauth/userinfo" => Some("GET,HEAD,POST"),
        _ if path.starts_with("/.well-known/oauth-protected-resource/") => Some("GET,HEAD"),
        _ if path.starts_with("/oauth/register/") => Some("GET,HEAD,PUT,DELETE"),
        _ => None,
    }
}

/// Lets any origin read what an open route answers, errors included, and tells a preflight what it
/// may send.
pub(super) async fn allow(request: Request, next: Next) -> Response {
    let methods = methods(request.uri().path());
    let preflight = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    let Some(methods) = methods else { return response };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("www-authenticate, retry-after, gatelodge-event");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    if preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        let allowed = HeaderValue::from_static("authorization, content-type, mcp-protocol-version");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    response
}
