//! The door: HTTP, cookies, pages. Every handler reads alike: parse, prove, transition, sign,
//! respond.
//!
//! This room may use every other. It holds no state of its own, and decides nothing that a
//! transition could decide.

mod assets;
mod bridge;
mod cors;
mod extract;
mod failure;
mod oauth;
mod pages;
mod proxy;
mod render;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

pub use extract::peer::Peer;
pub use failure::Cause;

use crate::app::App;
use extract::host;
use oauth::{
    anonymous, authorize, device, introspect, logout, metadata, par, registration, revoke, token,
    userinfo,
};
use pages::{account, applications, connections, interaction, passkeys, setup};

/// Every route there is, on one page.
pub fn router(app: Arc<App>) -> Router {
    let programs = Router::new()
        .route("/.well-known/openid-configuration", get(metadata::show))
        .route("/.well-known/oauth-authorization-server", get(metadata::show))
        .route("/.well-known/jwks.json", get(metadata::jwks))
        .route("/.well-known/oauth-protected-resource", get(metadata::own_resource))
        .route("/.well-known/oauth-protected-resource/{*rest}", get(metadata::resource))
        .route("/oauth/device_authorization", post(device::authorize))
        .route("/oauth/introspect", post(introspect::introspect))
        .route("/oauth/par", post(par::push))
        .route("/oauth/revoke", post(revoke::revoke))
        .route("/oauth/register", post(registration::register))
        .route(
            "/oauth/register/{client_id}",
            get(registration::show).put(registration::update).delete(registration::remove),
        )
        .route("/oauth/session", post(anonymous::open))
        .route("/oauth/token", post(token::token))
        .route("/oauth/userinfo", get(userinfo::get).post(userinfo::post));

    let browser = Router::new()
        .route("/oauth/authorize", get(authorize::get).post(authorize::post))
        .route("/oauth/logout", get(logout::get).post(logout::post))
        .route("/gate/interaction/{id}", get(interaction::show).post(interaction::decide))
        .route("/gate/link/{id}", get(pages::link::show).post(pages::link::decide))
        .route("/gate/device", get(pages::device::show).post(pages::device::decide))
        .route("/gate/apps/start", get(applications::start))
        .route("/gate/setup", get(setup::show).post(setup::look))
        .route("/gate/login", get(account::login))
        .route("/gate/account", get(account::show))
        .route("/gate/account/apps", post(connections::withdraw))
        .route("/gate/account/bridges", post(connections::end_bridge))
        .route("/gate/account/sessions", post(connections::end_session))
        .route("/gate/account/tokens", post(connections::revoke_token))
        .route("/gate/logout", post(account::sign_out))
        .route("/gate/logged-out", get(account::signed_out))
        .route("/gate/webauthn/register/start", post(setup::start))
        .route("/gate/webauthn/register/finish", post(setup::finish))
        .route("/gate/webauthn/authenticate/start", post(passkeys::start))
        .route("/gate/webauthn/authenticate/finish", post(passkeys::finish))
        .route("/", get(account::home))
        .route("/setup", get(account::to_setup))
        .route("/login", get(account::to_login))
        .route("/account", get(account::to_account))
        .route("/device", get(device::to_page))
        .route("/device/qr/{user_code}", get(device::qr))
        .route("/.well-known/change-password", get(account::to_account))
        .route("/.well-known/passkey-endpoints", get(metadata::passkey_endpoints))
        .route("/.well-known/webauthn", get(metadata::related_origins));

    // On the hosts of applications behind a proxy, and for the proxy itself.
    let applications = Router::new()
        .route("/auth/verify", get(proxy::verify))
        .route("/_gatelodge/assets/{name}", get(assets::show))
        .route("/_gatelodge/start", get(proxy::start))
        .route("/_gatelodge/callback", get(proxy::callback))
        .route("/_gatelodge/sign-out", get(proxy::sign_out).post(proxy::sign_out));

    Router::new()
        .merge(programs)
        .merge(browser)
        .merge(applications)
        .merge(bridge::routes())
        .route("/assets/{name}", get(assets::show))
        .route("/healthz", get(metadata::alive))
        .route("/readyz", get(metadata::ready))
        .fallback(failure::not_found)
        .method_not_allowed_fallback(failure::method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&app), host::check))
        .layer(from_fn(cors::allow))
        // The outermost layer comes last: it answers what every other one refused.
        .layer(from_fn_with_state(Arc::clone(&app), render::render))
        .with_state(app)
}
