//! The `Host` of a request: ours, or none of ours (DNS rebinding).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::app::App;
use crate::error::Refusal;
use crate::flow::{Rules, application};
use crate::http::failure::{Failure, format_for};
use crate::oauth::issuer::Issuer;

/// Refuses a `Host` that names none of ours, and sends a browser that came by an IP address to the
/// issuer's host, since neither cookies nor passkeys work at an address.
pub(in crate::http) async fn check(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let rules = app.rules();
    let host = host(&request);
    let known = host.as_deref().is_some_and(|host| {
        host == rules.issuer.authority()
            || is_loopback(host)
            || rules.config.hosts.iter().any(|own| own == host)
            || rules.config.listen.iter().any(|own| own.to_string() == host)
            || for_devices(rules).any(|own| own == host)
            || is_application(rules, host) && is_for_applications(request.uri().path())
    });
    if !known {
        return Failure::new(Refusal::HostUnknown, format_for(request.headers())).into_response();
    }
    let elsewhere = host.as_deref() != Some(rules.issuer.authority());
    if elsewhere && needs_issuers_host(&request) {
        return to_issuer(&rules.issuer, &request);
    }
    next.run(request).await
}

/// Whether a path is one of those that come under an application's host: its proxy hands on what is
/// below `/_gatelodge/`, and where it asks who somebody is, Caddy leaves the `Host` as it came.
pub(in crate::http) fn is_for_applications(path: &str) -> bool {
    path.starts_with("/_gatelodge/") || path == "/auth/verify"
}

/// What the listeners for devices are called: their address, or the issuer's host at their port.
fn for_devices(rules: &Rules) -> impl Iterator<Item = String> {
    let host = rules.issuer.host();
    let listeners = rules.config.tls.listen_for_devices.iter();
    listeners.flat_map(move |own| [own.to_string(), format!("{host}:{}", own.port())])
}

/// Whether a request came under the issuer's own host, at whatever port.
pub(in crate::http) fn is_issuers(issuer: &Issuer, request: &Request) -> bool {
    let host = host(request);
    host.is_some_and(|host| host.strip_prefix(issuer.host()).is_some_and(is_port))
}

fn is_port(rest: &str) -> bool {
    rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

fn is_application(rules: &Rules, host: &str) -> bool {
    host.parse().is_ok_and(|host| application::App::at(rules, &host).is_ok())
}

/// The authority that a request is for: of its target in HTTP/2, else of its one `Host` header.
pub(in crate::http) fn host(request: &Request) -> Option<String> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.as_str().to_ascii_lowercase());
    }
    single(request.headers()).map(str::to_ascii_lowercase)
}

fn single(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::HOST).iter();
    match (values.next(), values.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None | Some(_), _) => None,
    }
}

/// The names of this machine's loopback, at any port: a rebound name cannot be one of them.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    matches!(name, "127.0.0.1" | "[::1]" | "localhost")
}

/// Whether the answer sets or reads a cookie.
fn needs_issuers_host(request: &Request) -> bool {
    let path = request.uri().path();
    let page = matches!(
        path,
        "/" | "/setup"
            | "/login"
            | "/account"
            | "/bridge/device-link"
            | "/oauth/authorize"
            | "/oauth/logout"
    );
    (page || path.starts_with("/gate/")) && request.method() != Method::OPTIONS
}

fn to_issuer(issuer: &Issuer, request: &Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let target = issuer.at(path);
    if request.method() == Method::GET || request.method() == Method::HEAD {
        Redirect::to(&target).into_response()
    } else {
        (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, target)]).into_response()
    }
}
