//! `/oauth/revoke`: RFC 7009.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;

use super::introspect::presented;
use crate::app::App;
use crate::error::Error;
use crate::flow::token::revoke;
use crate::http::extract::body;
use crate::http::extract::caller::{self, Caller};
use crate::http::failure::Failure;
use crate::oauth::introspection::TokenParameter;

pub(in crate::http) async fn revoke(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<StatusCode, Failure> {
    let caller = Caller::of(&app, &request);
    handle(&app, &caller, request).await.map_err(|error| caller.failure(error))
}

async fn handle(app: &Arc<App>, caller: &Caller, request: Request) -> Result<StatusCode, Error> {
    let form = body::form(request).await?;
    let proven = caller::proven(app, caller, &form).await?;
    let presented = presented(app, TokenParameter::parse(&form)?);

    app.write(move |tx, cx| revoke::revoke(tx, cx, &proven, &presented)).await?;
    // RFC 7009 §2.2: "The content of the response body is ignored by the client".
    Ok(StatusCode::OK)
}
