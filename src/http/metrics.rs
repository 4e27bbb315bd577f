//! `/metrics`: for whoever watches this server.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::Refusal;
use crate::flow::token::access;
use crate::http::extract::bearer;
use crate::http::extract::peer;
use crate::http::failure::BearerFailure;
use crate::metrics::Text;

/// The metrics, for a program on this machine, or one that has a token for them. For anybody else
/// there is nothing here.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    parts: Parts,
) -> Result<Response, BearerFailure> {
    match bearer::from_header(&parts.headers)? {
        Some(token) => {
            let context = app.context();
            let verified = app.keys().verify_access(&token, context.now)?;
            let acting = access::administrator(&app.read()?, &context, &verified)?;
            if !acting.may(&["admin:read"]) {
                return Err(Refusal::BearerTokenWithoutAdministration("admin:read").into());
            }
        }
        None if peer::is_on_this_machine(&app, &parts) => {}
        None => return Err(BearerFailure::without_token(Refusal::PageNotFound)),
    }
    let text = app.metrics().await?;
    Ok(([(header::CONTENT_TYPE, Text::MEDIA_TYPE)], text).into_response())
}
