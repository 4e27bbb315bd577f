//! Cross-origin requests: any origin and no credentials, where programs in browsers need it.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The routes that programs in browsers use. No cookie means anything there.
fn is_open(path: &str) -> bool {
    path.starts_with("/.well-known/")
        || path.starts_with("/oauth/register/")
        || matches!(
            path,
            "/oauth/device_authorization"
                | "/oauth/par"
                | "/oauth/register"
                | "/oauth/revoke"
                | "/oauth/token"
                | "/oauth/userinfo"
        )
}

/// Answers a preflight, and lets any origin read what an open route answers, errors included.
pub(super) async fn allow(request: Request, next: Next) -> Response {
    if !is_open(request.uri().path()) {
        return next.run(request).await;
    }
    let preflight = request.method() == Method::OPTIONS;
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("www-authenticate, gatelodge-event");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    if preflight {
        let methods = HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let allowed = HeaderValue::from_static("authorization, content-type, mcp-protocol-version");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    response
}
