//! `/oauth/revoke`: RFC 7009.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::introspect::presented;
use crate::app::App;
use crate::flow::token::revoke;
use crate::http::extract::caller::AuthenticatedForm;
use crate::http::failure::ClientFailure;
use crate::model::actor::Acting;
use crate::oauth::introspection::TokenParameter;

pub(in crate::http) async fn revoke(
    State(app): State<Arc<App>>,
    acting: Acting,
    AuthenticatedForm { client, form }: AuthenticatedForm,
) -> Result<StatusCode, ClientFailure> {
    let presented = presented(&app, TokenParameter::parse(&form)?);
    app.write_by(acting, move |tx, cx| revoke::revoke(tx, cx, &client, &presented)).await?;
    // RFC 7009 §2.2: "The content of the response body is ignored by the client".
    Ok(StatusCode::OK)
}
