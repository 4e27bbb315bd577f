//! The rules of route groups: which origins may read a response, how long it may be cached, whether
//! the endpoint is offered. The router applies each rule to its routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::IntoResponse;
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
        let preflight = request.method() == Method::OPTIONS;
        let mut response = next.run(request).await;
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        let exposed = HeaderValue::from_static("www-authenticate, retry-after, gatelodge-event");
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        if preflight {
            let allowed =
                HeaderValue::from_static("authorization, content-type, mcp-protocol-version");
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        }
        response
    };
    // The rule must cover the fallback, which responds to a preflight.
    routes.method_not_allowed_fallback(method_not_allowed).layer(from_fn(allow))
}

/// Allows any cache to keep the successful responses of `routes` for an hour. The next signing key
/// is published at least an hour before its first use (`lifetimes.key_overlap`).
pub(super) fn cached_for_an_hour(routes: Router<Arc<App>>) -> Router<Arc<App>> {
    cached(routes, "public, max-age=3600")
}

/// Allows caches to keep the successful responses of `routes`, if they revalidate them at each use
/// (by the `ETag`).
pub(super) fn revalidated(routes: Router<Arc<App>>) -> Router<Arc<App>> {
    cached(routes, "no-cache")
}

fn cached(routes: Router<Arc<App>>, rule: &'static str) -> Router<Arc<App>> {
    let cache = move |request: Request, next: Next| async move {
        let mut response = next.run(request).await;
        let failed = response.extensions().get::<Cause>().is_some();
        if !failed {
            let rule = HeaderValue::from_static(rule);
            response.headers_mut().insert(header::CACHE_CONTROL, rule);
        }
        response
    };
    routes.route_layer(from_fn(cache))
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
