//! `/api/v1/backup`: a backup of the running installation.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Failed;
use super::by::{All, By};
use super::operation::sent;
use crate::event::Kind;

/// The bytes of a backup, as they are made.
pub(in crate::admin) struct Sent(Body);

impl IntoResponse for Sent {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/octet-stream")], self.0).into_response()
    }
}

/// Makes a backup. It has no root secret, and is whole if its end is.
pub(super) async fn make(app: By<All>) -> Result<Sent, Failed> {
    sent::recorded(&app, Kind::BackupMade).await?;
    let app = Arc::clone(&app);
    Ok(Sent(sent::body(move |out| app.back_up(out).map(drop)).await?))
}
