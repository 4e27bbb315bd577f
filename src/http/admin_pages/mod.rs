//! `/gate/admin`: the pages by which administrators manage.
//!
//! A page calls the operations of the administration, as the command line does, in the name of the
//! person who is signed in: [`Administrator::get`] and [`Administrator::send`]. So a page decides
//! nothing, and an operation refuses whatever the roles of the person do not allow.
//!
//! Whatever changes something is a page with a form, whose POST goes to the page's own path. Both the
//! page and the transaction of its form ask for a sign-in that is not older than five minutes. Where
//! that has grown old over a form, the form comes back filled after another sign-in.

mod administrator;
mod confirm;
mod drawing;
mod event_repair;
mod events;
mod frame;
mod keys;
mod overview;
mod people;
#[cfg(test)]
mod unmarked;

use std::sync::Arc;

use axum::routing::get;
use axum::{Extension, Router};

use crate::app::App;
use administrator::Operations;

/// The routes of the pages.
pub(in crate::http) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    Router::new()
        .route("/gate/admin", get(overview::show))
        .route("/gate/admin/events", get(events::list))
        .route("/gate/admin/events/{id}", get(events::show))
        .route("/gate/admin/events/{id}/repair", get(event_repair::ask).post(event_repair::repair))
        .route("/gate/admin/keys", get(keys::list))
        .route("/gate/admin/keys/rotate", get(keys::ask).post(keys::rotate))
        .merge(people::routes())
        .layer(Extension(Operations::of(app)))
}
