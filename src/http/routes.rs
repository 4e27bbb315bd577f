//! The rules of route groups: which origins may read a response, how long it may be cached, whether
//! the endpoint is offered. The router applies each rule to its routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use super::failure::{Cause, JsonFailure, method_not_allowed};
use crate::app::App;
use crate::error::Refusal;
use crate::model::bridge::Mode;

/// Allows scripts of any origin to send `methods` to `routes` and to read every response, errors
/// included (CORS). No such route may read a cookie. Without this rule, scripts of other origins
/// cannot read a response.
pub(super) fn open_to_any_origin(
    methods: &'static str,
    routes: Router<Arc<App>>,
) -> Router<Arc<App>> {
    let allow = move |request: Request, next: Next| async move {
        let preflight = Preflight::of(&request);
        let mut response = next.run(request).await;
        let headers = response.headers_mut();
        open(headers);
        if let Some(preflight) = preflight {
            preflight.allow(methods, headers);
        }
        response
    };
    // The rule must cover the fallback, which responds to a preflight.
    routes.method_not_allowed_fallback(method_not_allowed).layer(from_fn(allow))
}

/// Opens `routes` to GET by scripts of any origin, and allows any cache to keep their successful responses for
/// an hour, as [`cached_for_an_hour`] does.
pub(super) fn published(routes: Router<Arc<App>>) -> Router<Arc<App>> {
    let publish = |request: Request, next: Next| async move {
        let preflight = Preflight::of(&request);
        let mut response = next.run(request).await;
        if preflight.is_none() {
            cache(&mut response, AN_HOUR);
        }
        open(response.headers_mut());
        if let Some(preflight) = preflight {
            preflight.allow("GET,HEAD", response.headers_mut());
        }
        response
    };
    routes.method_not_allowed_fallback(method_not_allowed).layer(from_fn(publish))
}

/// Lets scripts of any origin read the errors below `/.well-known/`, where programs try several
/// addresses and go by what is not there.
pub(super) struct ReadableErrors(Option<Preflight>);

impl ReadableErrors {
    /// What becomes of the response to `request`, if it is for such an address.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let is_there = request.uri().path().starts_with("/.well-known/");
        is_there.then(|| Self(Preflight::of(request)))
    }

    /// The response that a script may read.
    pub(super) fn open(self, mut response: Response) -> Response {
        let refusal = response.extensions().get::<Cause>().map(|cause| cause.0.refusal());
        match (self.0, refusal) {
            // A script may send the request itself only after a success.
            (Some(preflight), Some(Some(Refusal::PageNotFound))) => {
                let mut allowed = StatusCode::NO_CONTENT.into_response();
                open(allowed.headers_mut());
                preflight.allow("GET,HEAD", allowed.headers_mut());
                allowed
            }
            (_, Some(_)) => {
                open(response.headers_mut());
                response
            }
            (_, None) => response,
        }
    }
}

/// Lets scripts of any origin read a response. It names no credentials, which a browser then keeps
/// back.
fn open(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("www-authenticate, retry-after, gatelodge-event");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}

/// The question of a browser whether a script may send a request (Fetch §4.8).
struct Preflight {
    /// The headers to allow.
    headers: HeaderValue,
}

impl Preflight {
    fn of(request: &Request) -> Option<Self> {
        if request.method() != Method::OPTIONS {
            return None;
        }
        // Every header: without credentials none does harm. `*` does not stand for `Authorization`,
        // and old browsers do not know it, so those that the script would send are named, too.
        let any: &[u8] = b"authorization, *";
        let asked = request.headers().get_all(header::ACCESS_CONTROL_REQUEST_HEADERS);
        let named: Vec<&[u8]> =
            [any].into_iter().chain(asked.iter().map(HeaderValue::as_bytes)).collect();
        let headers = HeaderValue::from_bytes(&named.join(&b", "[..])).ok()?;
        Some(Self { headers })
    }

    /// Allows `methods` and the headers.
    fn allow(self, methods: &'static str, response: &mut HeaderMap) {
        response.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        response.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, self.headers);
        response.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
}

/// Allows any cache to keep the successful responses of `routes` for an hour. The next signing key
/// is published at least an hour before its first use (`lifetimes.key_overlap`).
pub(super) fn cached_for_an_hour(routes: Router<Arc<App>>) -> Router<Arc<App>> {
    cached(routes, AN_HOUR)
}

/// Allows any cache to keep the successful responses of `routes` for good (RFC 8246). Their addresses
/// contain a hash.
pub(super) fn immutable(routes: Router<Arc<App>>) -> Router<Arc<App>> {
    cached(routes, "public, max-age=31536000, immutable")
}

const AN_HOUR: &str = "public, max-age=3600";

fn cached(routes: Router<Arc<App>>, rule: &'static str) -> Router<Arc<App>> {
    let keep = move |request: Request, next: Next| async move {
        let mut response = next.run(request).await;
        cache(&mut response, rule);
        response
    };
    routes.route_layer(from_fn(keep))
}

/// Sets the rule for caches, unless the request failed.
fn cache(response: &mut Response, rule: &'static str) {
    if response.extensions().get::<Cause>().is_none() {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(rule));
    }
}

/// Offers `routes` only if the configuration enables this mode of bridge access.
pub(super) fn offered(
    app: &Arc<App>,
    mode: Mode,
    routes: MethodRouter<Arc<App>>,
) -> MethodRouter<Arc<App>> {
    let check = move |State(app): State<Arc<App>>, request: Request, next: Next| async move {
        if app.rules().config.bridge.modes.contains(&mode) {
            next.run(request).await
        } else {
            JsonFailure::from(Refusal::BridgeModeOff).into_response()
        }
    };
    routes.route_layer(from_fn_with_state(Arc::clone(app), check))
}
