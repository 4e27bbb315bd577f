//! HTTP: endpoints, extractors, cookies, pages. A handler parses by extractors, calls a use case or
//! a transition, and renders the result; `?` turns an error into the failure of its endpoint.
//!
//! This room may use every other; of the administration, its operations as a whole. It has no state,
//! and decides nothing that a transition could decide.

mod about;
mod account;
mod admin_pages;
mod administration;
mod assets;
mod bridge;
mod commands;
mod cookie;
mod destination;
mod done;
mod extract;
mod facts;
mod failure;
mod logos;
#[cfg(test)]
mod marks;
mod metrics;
mod oauth;
mod pages;
mod preferences;
mod proxy;
mod redirect;
mod render;
mod routes;
mod texts;
mod trust;
mod ways;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use tower::ServiceExt as _;

pub use extract::peer::Peer;
pub use failure::Cause;
pub(crate) use oauth::authorize::StartedInteraction;

use crate::app::App;
use crate::flow::authorize::consent::ClientRedirect;
use oauth::{
    anonymous, authorize, device, introspect, logout, metadata, par, registration, revoke, token,
    userinfo,
};
use pages::{
    account as account_page, applications, connections, interaction, own_passkeys, passkeys, prove,
    setup,
};
use routes::{cached_for_an_hour, immutable, open_to_any_origin, published};

/// The response that sends an authorization response to its client through the browser, for whoever
/// gives it in the place of a person.
pub(crate) async fn to_client(app: &Arc<App>, client_redirect: ClientRedirect) -> Response {
    let (own, client_redirect) = (Arc::clone(app), Arc::new(client_redirect));
    let respond = move || async move {
        redirect::to_client(&own, &client_redirect, texts::Language::default())
    };
    let router =
        Router::new().fallback(respond).layer(from_fn_with_state(Arc::clone(app), render::render));
    let request =
        Request::get("/oauth/authorize").header(header::HOST, app.rules().issuer.authority());
    let request = request.body(Body::empty()).unwrap_or_default();
    router.oneshot(request).await.unwrap_or_else(|never| match never {})
}

/// The router of all endpoints. `routes.rs` has the rules of each group.
pub fn router(app: Arc<App>) -> Router {
    let metadata = Router::new()
        .route("/.well-known/openid-configuration", get(metadata::show))
        .route("/.well-known/oauth-authorization-server", get(metadata::show))
        .route("/.well-known/jwks.json", get(metadata::jwks))
        .route("/.well-known/oauth-protected-resource", get(metadata::own_resource))
        .route("/.well-known/oauth-protected-resource/{*rest}", get(metadata::resource));
    let public_clients = Router::new()
        .route("/oauth/device_authorization", post(device::authorize))
        .route("/oauth/par", post(par::push))
        .route("/oauth/register", post(registration::register))
        .route("/oauth/revoke", post(revoke::revoke))
        .route("/oauth/token", post(token::token));
    let registered = Router::new().route(
        "/oauth/register/{client_id}",
        get(registration::show).put(registration::update).delete(registration::remove),
    );
    let userinfo = Router::new().route("/oauth/userinfo", get(userinfo::get).post(userinfo::post));
    let confidential_clients = Router::new()
        .route("/oauth/introspect", post(introspect::introspect))
        .route("/oauth/session", post(anonymous::open));

    // Every page that reads a session.
    let pages = Router::new()
        .route("/gate/interaction/{id}", get(interaction::show).post(interaction::decide))
        .route("/gate/link/{id}", get(pages::link::show).post(pages::link::decide))
        .route("/gate/device", get(pages::device::show).post(pages::device::decide))
        .route("/gate/device/done", get(pages::device::done))
        .route("/gate/apps/start", get(applications::start))
        .route("/gate/setup", get(setup::show).post(setup::describe))
        .route("/gate/login", get(account_page::login))
        .route("/gate/account", get(account_page::show))
        .route("/gate/account/passkeys/new", get(own_passkeys::new))
        .route("/gate/account/passkeys/{id}", get(own_passkeys::show).post(own_passkeys::rename))
        .route("/gate/account/passkeys/{id}/remove", post(own_passkeys::remove))
        .route(
            "/gate/account/recovery-codes",
            get(own_passkeys::codes).post(own_passkeys::renew_codes),
        )
        .route("/gate/account/apps", post(connections::withdraw))
        .route("/gate/account/devices", post(account::devices::end))
        .route("/gate/account/profile", get(account::profile::show).post(account::profile::store))
        .route("/gate/account/sessions", post(connections::end_session))
        .route(
            "/gate/account/sessions/others",
            get(account::sessions::show).post(account::sessions::end),
        )
        .route("/gate/logout", post(account_page::sign_out))
        .route("/gate/webauthn/add/start", post(passkeys::start_further))
        .route("/gate/webauthn/add/finish", post(passkeys::finish_further))
        .route("/gate/webauthn/register/start", post(setup::start))
        .route("/gate/webauthn/register/finish", post(setup::finish))
        .route("/gate/webauthn/authenticate/start", post(passkeys::start))
        .route("/gate/webauthn/authenticate/finish", post(passkeys::finish))
        .merge(admin_pages::routes(&app))
        .route_layer(from_fn_with_state(Arc::clone(&app), done::tell))
        .route_layer(from_fn_with_state(Arc::clone(&app), prove::prove));
    // What leads to them.
    let browser = Router::new()
        .route("/oauth/authorize", get(authorize::get).post(authorize::post))
        .route("/oauth/logout", get(logout::get).post(logout::post))
        .route("/gate/logged-out", get(account_page::signed_out))
        .route("/", get(account_page::home))
        .route("/setup", get(account_page::to_setup))
        .route("/login", get(account_page::to_login))
        .route("/account", get(account_page::to_account))
        .route("/device", get(device::to_page))
        .route("/device/qr/{user_code}", get(device::qr))
        .route("/trust", get(trust::show))
        .route("/trust/gatelodge-ca.crt", get(trust::certificate))
        .route("/.well-known/change-password", get(account_page::to_account));
    let passkey_metadata = Router::new()
        .route("/.well-known/passkey-endpoints", get(metadata::passkey_endpoints))
        .route("/.well-known/webauthn", get(metadata::related_origins));

    // Under the hosts of applications behind a proxy, and for the proxy itself.
    let applications = Router::new()
        .route("/auth/verify", get(proxy::verify))
        .route("/_gatelodge/start", get(proxy::start))
        .route("/_gatelodge/callback", get(proxy::callback))
        .route("/_gatelodge/sign-out", get(proxy::sign_out).post(proxy::sign_out));

    let assets = Router::new()
        .route("/_gatelodge/assets/{version}/{name}", get(assets::show))
        .route("/assets/{version}/{name}", get(assets::show))
        .route("/gate/logo/{client}/{version}", get(logos::show));

    Router::new()
        .merge(published(metadata))
        .merge(open_to_any_origin("POST", public_clients))
        .merge(open_to_any_origin("GET,HEAD,PUT,DELETE", registered))
        .merge(open_to_any_origin("GET,HEAD,POST", userinfo))
        .merge(confidential_clients)
        .merge(pages)
        .merge(browser)
        .merge(cached_for_an_hour(passkey_metadata))
        .merge(applications)
        .merge(administration::routes(&app))
        .merge(bridge::routes(&app))
        .merge(immutable(assets))
        .route("/healthz", get(metadata::alive))
        .route("/readyz", get(metadata::ready))
        .route("/metrics", get(metrics::show))
        .fallback(failure::not_found)
        .method_not_allowed_fallback(failure::method_not_allowed)
        // Checks `Host` and the header section before the rules of a group and before a handler.
        .layer(from_fn_with_state(Arc::clone(&app), render::render))
        .with_state(app)
}
