//! `/metrics`: what the server counts, in the text format of Prometheus.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Failed;
use super::by::{By, Read};
use crate::metrics::Text;

pub(super) async fn show(app: By<Read>) -> Result<Response, Failed> {
    let text = app.metrics().await?;
    Ok(([(header::CONTENT_TYPE, Text::MEDIA_TYPE)], text).into_response())
}
