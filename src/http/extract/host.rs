//! The check of a request's `Host` against the names of this server, which prevents DNS rebinding.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::Refusal;
use crate::flow::{Rules, application};
use crate::http::destination::Destination;
use crate::http::extract::peer;
use crate::http::facts::Facts;
use crate::http::failure::NegotiatedFailure;
use crate::http::redirect;
use crate::model::application::AppHost;
use crate::oauth::issuer::Issuer;

/// The headers by which a proxy says that it is one (RFC 7239, RFC 9110 §7.6.3).
const PROXY_HEADERS: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-forwarded-proto"];

/// Refuses a `Host` that is no name of this server. Redirects a request for a page under another
/// name to the issuer's host, because cookies and passkeys work only there.
pub(in crate::http) fn refused(app: &App, rules: &Rules, request: &Request) -> Option<Response> {
    if is_probe(request.uri().path()) {
        return None;
    }
    let Some(host) = host(&rules.issuer, request) else {
        return Some(NegotiatedFailure::from(Refusal::HostMalformed).into_response());
    };
    if host == rules.issuer.authority() {
        return None;
    }
    let is_host = |own: &str| without_default_port(&rules.issuer, own) == host;
    let known = is_loopback(&host)
        || rules.config.hosts.iter().any(|own| is_host(own))
        || rules.config.listen.iter().any(|own| is_host(&own.to_string()))
        || for_devices(rules).any(|own| is_host(&own))
        || is_for_applications(request.uri().path())
            && (is_application(rules, &host) || is_forwarded_to_application(app, request));
    let lost = needs_issuers_host(request);
    if (lost || !known) && is_proxys_own(app, request, &host) {
        return Some(NegotiatedFailure::from(Refusal::HostOfProxy).into_response());
    }
    if !known {
        return Some(NegotiatedFailure::from(Refusal::HostUnknown).into_response());
    }
    lost.then(|| to_issuer(&rules.issuer, request))
}

/// Whether `path` is that of a health check. It may have any `Host`: a probe sends the address of
/// a container, or none at all in HTTP/1.0, and the response tells nothing that it protects.
fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

/// Whether a request for `path` may have an application's host. The application's proxy forwards
/// requests below `/_gatelodge/`, and Caddy keeps the `Host` when it asks `/auth/verify`.
pub(in crate::http) fn is_for_applications(path: &str) -> bool {
    path.starts_with("/_gatelodge/") || path == "/auth/verify"
}

/// The names of the listeners for devices: their addresses, and the issuer's host at their ports.
fn for_devices(rules: &Rules) -> impl Iterator<Item = String> {
    let host = rules.issuer.host();
    let listeners = rules.config.tls.listen_for_devices.iter();
    listeners.flat_map(move |own| [own.to_string(), format!("{host}:{}", own.port())])
}

/// Whether the `Host` of a request is the issuer's host, at any port.
pub(in crate::http) fn is_issuers(issuer: &Issuer, request: &Request) -> bool {
    let host = host(issuer, request);
    host.is_some_and(|host| host.strip_prefix(issuer.host()).is_some_and(is_port))
}

fn is_port(rest: &str) -> bool {
    rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

fn is_application(rules: &Rules, host: &str) -> bool {
    host.parse().is_ok_and(|host| application::App::at(rules, &host).is_ok())
}

/// Whether a proxy that the configuration names hands on a request for an application. Such a proxy
/// may send its own `Host`, as Caddy does towards an upstream with TLS.
fn is_forwarded_to_application(app: &App, request: &Request) -> bool {
    let named = peer::is_named_proxy(app, request.extensions());
    let forwarded = forwarded_host(request.headers());
    named && forwarded.is_ok_and(|host| host.is_some_and(|host| is_application(&app.rules(), host)))
}

/// Whether `host`, which is not the issuer's, is a name that the proxy made up: the browser is at the
/// issuer's host already, and a redirect there would come back for ever.
fn is_proxys_own(app: &App, request: &Request, host: &str) -> bool {
    let (issuer, config) = (&app.rules().issuer, &app.rules().config);
    let (headers, extensions) = (request.headers(), request.extensions());
    match forwarded_host(headers) {
        Err(_) => false,
        Ok(Some(forwarded)) => {
            let forwarded = without_default_port(issuer, forwarded).to_ascii_lowercase();
            peer::is_known_proxy(app, extensions) && forwarded == issuer.authority()
        }
        Ok(None) => {
            let relayed = PROXY_HEADERS.iter().any(|name| headers.contains_key(*name));
            let by_proxy = peer::is_named_proxy(app, extensions)
                || relayed && peer::is_known_proxy(app, extensions);
            let of_listener = config.listen.iter().any(|own| own.to_string() == host);
            // Nobody but a proxy asks a server for others under such a name.
            by_proxy && !issuer.is_loopback() && (is_loopback(host) || of_listener)
        }
    }
}

/// The host that a proxy says the browser asked for, in `X-Forwarded-Host`.
fn forwarded_host(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all("x-forwarded-host").iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(host), None) => host.to_str().map(Some).map_err(|_| Refusal::AppUnknown),
        (Some(_), Some(_)) => Err(Refusal::AppUnknown),
    }
}

/// The authority of a request in lower case: that of its URI, else its `Host` header. The default
/// port of the issuer's scheme is left out (RFC 9110 §4.2.3). A request with several `Host` headers,
/// or a malformed one, has none.
fn host<'a>(issuer: &Issuer, request: &'a Request) -> Option<Cow<'a, str>> {
    authority(issuer, request.uri(), request.headers())
}

fn authority<'a>(issuer: &Issuer, uri: &Uri, headers: &'a HeaderMap) -> Option<Cow<'a, str>> {
    let authority = match uri.authority() {
        Some(authority) => authority.clone(),
        None => match single(headers)? {
            // As nearly every request has it.
            host if host == issuer.authority() => return Some(Cow::Borrowed(host)),
            host => host.parse::<Authority>().ok()?,
        },
    };
    let written = authority.as_str();
    // Beside the host there is a port or nothing: no userinfo, no port that is no number.
    let has_port = authority.port_u16().is_some();
    if written.contains('@') || !has_port && written != authority.host() {
        return None;
    }
    Some(Cow::Owned(without_default_port(issuer, written).to_ascii_lowercase()))
}

/// `host` without the default port of the issuer's scheme.
fn without_default_port<'a>(issuer: &Issuer, host: &'a str) -> &'a str {
    let port = if issuer.is_https() { ":443" } else { ":80" };
    host.strip_suffix(port).unwrap_or(host)
}

/// The registered application that a request is for: that at its `Host`, or that at the host which a
/// known proxy says the browser asked for.
pub(in crate::http) struct AtApplication(pub(in crate::http) application::App);

impl FromRequestParts<Arc<App>> for AtApplication {
    type Rejection = NegotiatedFailure;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &Arc<App>,
    ) -> Result<Self, NegotiatedFailure> {
        let rules = app.rules();
        let at = |host: &str| {
            let app = host.parse().and_then(|host: AppHost| application::App::at(&rules, &host));
            let unknown =
                |refusal| NegotiatedFailure::from(refusal).with_facts(Facts::of_host(host));
            app.map_err(unknown)
        };
        let host = authority(&rules.issuer, &parts.uri, &parts.headers).unwrap_or_default();
        let by_host = at(&host);
        if !peer::is_known_proxy(app, &parts.extensions) {
            return Ok(Self(by_host?));
        }
        let Some(forwarded) = forwarded_host(&parts.headers)? else { return Ok(Self(by_host?)) };
        let forwarded = at(forwarded)?;
        // As at `/auth/verify`: two headers that name an application name the same one.
        if by_host.is_ok_and(|by_host| by_host.host() != forwarded.host()) {
            return Err(Refusal::AppUnknown.into());
        }
        Ok(Self(forwarded))
    }
}

fn single(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::HOST).iter();
    match (values.next(), values.next()) {
        (Some(host), None) => host.to_str().ok(),
        (None | Some(_), _) => None,
    }
}

/// Whether `host` is a loopback name, at any port. DNS rebinding needs a name of the attacker's
/// domain, which is none of these.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    matches!(name, "127.0.0.1" | "[::1]" | "localhost")
}

/// Whether the path belongs to the issuer's host, because its endpoint reads or sets a cookie or
/// redirects to one that does.
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
    let destination = Destination::at_issuer(issuer, request.uri());
    if request.method() == Method::GET || request.method() == Method::HEAD {
        redirect::see_other(&destination)
    } else {
        redirect::temporary(&destination)
    }
}
