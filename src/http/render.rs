//! The outermost layer: renders what was refused and counts it, sets what every answer carries, logs
//! one line.

use std::sync::Arc;

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::extract::host;
use super::failure::{AboutClient, Cause, ErrorFormat};
use super::pages::templates;
use crate::app::App;
use crate::error::{Error, ErrorCode};
use crate::event::RequestLog;
use crate::flow::client::usage::UsageEvent;

pub(super) async fn render(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = app.clock().now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let assets = templates::assets_at(request.uri().path());
    let by_name = host::is_issuers(&app.rules().issuer, &request);

    let mut response = next.run(request).await;

    let cause = response.extensions().get::<Cause>().cloned();
    let event = cause.as_ref().map(|_| app.event_id());
    if let Some(Error::Refused(refusal)) = cause.as_ref().map(|cause| &*cause.0)
        && let Some(AboutClient(client)) = response.extensions().get()
    {
        app.count(client, UsageEvent::Refused(*refusal));
    }
    if let (Some(Cause(error)), Some(event)) = (&cause, &event) {
        if let Some(format) = response.extensions().get::<ErrorFormat>().copied() {
            let page = |status| templates::error(&app, assets, status, error, event);
            response = formatted(&app, error, format, page, response);
        }
        if let Ok(value) = HeaderValue::from_str(event.as_str()) {
            response.headers_mut().insert("gatelodge-event", value);
        }
    }
    complete(&app, &mut response, by_name);
    RequestLog {
        method: method.as_str(),
        route: route.as_ref().map_or("(none)", MatchedPath::as_str),
        status: response.status().as_u16(),
        took: app.clock().now().since(begun),
        refused: event.as_ref().zip(cause.as_ref().map(|cause| &*cause.0)),
    }
    .log();
    response
}

/// The response that a failure is, with the headers that layers below have set.
fn formatted(
    app: &App,
    error: &Error,
    format: ErrorFormat,
    page: impl FnOnce(StatusCode) -> Response,
    under: Response,
) -> Response {
    let code = match error {
        Error::Internal(_) => ErrorCode::ServerError,
        Error::Refused(refusal) => refusal.code(),
    };
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = json!({ "error": code.as_str(), "error_description": code.description() });
    let mut response = match format {
        ErrorFormat::Page => page(status),
        ErrorFormat::Basic | ErrorFormat::Bearer { .. } | ErrorFormat::Json => {
            (status, Json(body)).into_response()
        }
    };
    let challenge = match format {
        ErrorFormat::Basic if status == StatusCode::UNAUTHORIZED => {
            Some("Basic realm=\"gatelodge\", charset=\"UTF-8\"".to_owned())
        }
        // RFC 6750 §3.1 pairs the errors of a token with these; every other is about something else.
        ErrorFormat::Bearer { tried } if matches!(status.as_u16(), 400 | 401 | 403) => {
            Some(bearer(app, code, tried))
        }
        ErrorFormat::Basic | ErrorFormat::Bearer { .. } | ErrorFormat::Json | ErrorFormat::Page => {
            None
        }
    };
    if let Some(value) = challenge.and_then(|challenge| HeaderValue::from_str(&challenge).ok()) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    // RFC 6585 §4. No pause is longer than a minute.
    if matches!(code, ErrorCode::TemporarilyUnavailable | ErrorCode::TooManyRequests) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    }
    let (parts, _) = under.into_parts();
    response.headers_mut().extend(parts.headers);
    response.extensions_mut().extend(parts.extensions);
    response
}

/// RFC 6750 §3.1: "If the request lacks any authentication information […], the resource server
/// SHOULD NOT include an error code or other error information."
fn bearer(app: &App, code: ErrorCode, tried: bool) -> String {
    let metadata = app.rules().issuer.at("/.well-known/oauth-protected-resource");
    let challenge = format!("Bearer resource_metadata=\"{metadata}\"");
    if !tried {
        return challenge;
    }
    let (error, description) = (code.as_str(), code.description());
    // RFC 6750 §3.1: it "MAY include the 'scope' attribute with the scope necessary".
    let scope = if code == ErrorCode::InsufficientScope { ", scope=\"openid\"" } else { "" };
    format!("{challenge}, error=\"{error}\", error_description=\"{description}\"{scope}")
}

/// What every answer carries; `by_name`: one that was asked for under the issuer's own host.
fn complete(app: &App, response: &mut Response, by_name: bool) {
    let issuer = &app.rules().issuer;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // RFC 6749 §5.1: "The authorization server MUST include the HTTP 'Cache-Control' response
    // header field with a value of 'no-store' in any response containing tokens, credentials, or
    // other sensitive information, as well as the 'Pragma' response header field with a value of
    // 'no-cache'."
    let cache = headers.entry(header::CACHE_CONTROL);
    if *cache.or_insert(HeaderValue::from_static("no-store")) == "no-store" {
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    }
    // At localhost, where this server answers too, it would catch every other port, whatever runs
    // there.
    if by_name && issuer.is_https() && !issuer.is_loopback() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
}
