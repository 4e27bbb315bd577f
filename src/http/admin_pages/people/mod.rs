//! `/gate/admin/people` and what people have: their links and invitations, sessions, grants and
//! bridges.

mod bridges;
mod deed;
mod devices;
mod form;
mod grants;
mod invitations;
mod links;
mod list;
mod passkeys;
mod person;
mod recovery;
mod sessions;
mod setup_link;
#[cfg(test)]
pub(super) mod unmarked;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::app::App;

/// The scope by which administrators change people and what people have.
const CHANGE: &[&str] = &["admin:people"];

/// The scopes by one of which administrators see clients.
const SEE_CLIENTS: &[&str] = &["admin:read", "admin:clients"];

/// The routes of these pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/gate/admin/bridges", get(bridges::list))
        .route("/gate/admin/bridges/{id}/end", deed::page::<bridges::End>())
        .route("/gate/admin/grants", get(grants::list))
        .route("/gate/admin/grants/{id}/end", deed::page::<grants::End>())
        .route("/gate/admin/invitations", get(invitations::list))
        .route("/gate/admin/invitations/add", get(invitations::ask).post(invitations::add))
        .route("/gate/admin/invitations/revoke", deed::page::<invitations::RevokeAll>())
        .route("/gate/admin/invitations/{id}/revoke", deed::page::<invitations::Revoke>())
        .route("/gate/admin/links", get(links::list))
        .route("/gate/admin/links/revoke", deed::page::<links::RevokeAll>())
        .route("/gate/admin/links/{id}/revoke", deed::page::<links::Revoke>())
        .route("/gate/admin/people", get(list::list))
        .route("/gate/admin/people/add", get(form::ask).post(form::add))
        .route("/gate/admin/people/{id}", get(person::show))
        .route("/gate/admin/people/{id}/certificates/{it}/revoke", deed::page::<devices::Revoke>())
        .route("/gate/admin/people/{id}/disable", deed::page::<person::Disable>())
        .route("/gate/admin/people/{id}/edit", get(form::edit).post(form::save))
        .route("/gate/admin/people/{id}/enable", deed::page::<person::Enable>())
        .route("/gate/admin/people/{id}/passkeys/{it}", get(passkeys::show).post(passkeys::rename))
        .route("/gate/admin/people/{id}/passkeys/{it}/remove", deed::page::<passkeys::Remove>())
        .route("/gate/admin/people/{id}/recover", get(recovery::ask).post(recovery::recover))
        .route("/gate/admin/people/{id}/remove", deed::page::<person::Remove>())
        .route("/gate/admin/people/{id}/tokens/{it}/revoke", deed::page::<devices::RevokeToken>())
        .route("/gate/admin/sessions", get(sessions::list))
        .route("/gate/admin/sessions/{id}/end", deed::page::<sessions::End>())
}
