//! `/gate/admin`: the pages by which administrators manage.
//!
//! A page calls the operations of the administration, as the command line does, in the name of the
//! person who is signed in: [`Administrator::get`](administrator::Administrator::get) and
//! [`Administrator::send`](administrator::Administrator::send). So a page decides nothing, and an
//! operation refuses whatever the roles of the person do not allow.
//!
//! Whatever changes something is a page with a form, whose POST goes to the page's own path. Both the
//! page and the transaction of its form ask for a sign-in that is not older than five minutes. Where
//! that has grown old over a form, the form comes back filled after another sign-in.

mod administrator;
mod clients;
mod confirm;
mod drafts;
pub(in crate::http) mod drawing;
mod event_repair;
mod events;
mod fields;
mod frame;
mod keys;
mod overview;
mod people;
mod refused;
mod resources;
mod roles;
mod rows;
mod settings;
#[cfg(test)]
mod unmarked;

use std::sync::Arc;

use axum::routing::get;
use axum::{Extension, Router};

use crate::app::App;
use administrator::Operations;
use clients::act::Act;

/// The routes of the pages.
pub(in crate::http) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/gate/admin", get(overview::show))
        .route("/gate/admin/events", get(events::list))
        .route("/gate/admin/events/{id}", get(events::show))
        .route("/gate/admin/events/{id}/repair", get(event_repair::ask).post(event_repair::repair))
        .merge(people::routes())
        .route("/gate/admin/clients", get(clients::list::list))
        .route("/gate/admin/clients/add", get(clients::add::ask).post(clients::add::add))
        .route("/gate/admin/clients/{id}", get(clients::show::show))
        .route("/gate/admin/clients/{id}/disable", Act::Disable.pages())
        .route("/gate/admin/clients/{id}/edit", get(clients::edit::ask).post(clients::edit::change))
        .route("/gate/admin/clients/{id}/enable", Act::Enable.pages())
        .route("/gate/admin/clients/{id}/remove", Act::Remove.pages())
        .route("/gate/admin/clients/{id}/remove-logo", Act::RemoveLogo.pages())
        .route("/gate/admin/clients/{id}/rotate-secret", Act::RotateSecret.pages())
        .route("/gate/admin/keys", get(keys::list))
        .route("/gate/admin/keys/rotate", get(keys::ask).post(keys::rotate))
        .route("/gate/admin/resources", get(resources::list::list))
        .route(
            "/gate/admin/resources/add",
            get(resources::edit::ask_new).post(resources::edit::add),
        )
        .route("/gate/admin/resources/{resource}", get(resources::show::show))
        .route(
            "/gate/admin/resources/{resource}/edit",
            get(resources::edit::ask).post(resources::edit::change),
        )
        .route(
            "/gate/admin/resources/{resource}/remove",
            get(resources::remove::ask).post(resources::remove::remove),
        )
        .route("/gate/admin/settings", get(settings::show))
        .route("/gate/admin/settings/reload", get(settings::ask).post(settings::reload))
        .layer(Extension(Operations::of(app)))
}
