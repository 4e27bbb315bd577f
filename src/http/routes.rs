//! The rules of route groups: which origins may read a response, how long it may be cached, whether
//! the endpoint is offered. A rule stands beside its routes in the router.

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

/// Lets scripts of any origin send `methods` to `routes` and read every response, errors included.
/// No route of them reads a cookie; a route without this rule is for no other origin.
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
    // The fallback belongs under the rule too: it is what responds to a preflight.
    routes.method_not_allowed_fallback(method_not_allowed).layer(from_fn(allow))
}

/// Lets anybody cache the successful responses of `routes` for an hour: well within the time that a
/// key is published ahead of its use.
pub(super) fn cached_for_an_hour(routes: Router<Arc<App>>) -> Router<Arc<App>> {
    cached(routes, "public, max-age=3600")
}

/// Lets browsers cache the successful responses of `routes` and revalidate them by their `ETag`.
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

/// Offers `routes` only if the configuration has this way into a bridge on.
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
