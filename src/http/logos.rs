//! `/gate/logo/{client}/{version}`: the logo that an operator gave a client.
//!
//! The address has a hash of the content, so a browser may keep it for good. It is no secret: whoever
//! signs in for a client sees its logo before anybody is known.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use super::assets;
use super::failure::NegotiatedFailure;
use crate::app::App;
use crate::error::Refusal;
use crate::flow::client::logo;
use crate::oauth::id::ClientId;
use crate::oauth::params::segment_encode;

/// The address of the version of a logo.
pub(super) fn address(client: &str, version: &str) -> String {
    format!("/gate/logo/{}/{}", segment_encode(client), segment_encode(version))
}

/// The logo.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path((client, version)): Path<(String, String)>,
) -> Result<Response, NegotiatedFailure> {
    let client: ClientId = client.parse().map_err(|_| Refusal::PageNotFound)?;
    let logo = logo::of(&app.read()?, &client)?.filter(|logo| logo.version == version);
    let logo = logo.ok_or(Refusal::PageNotFound)?;
    Ok(assets::image(logo.kind, logo.content))
}
