//! `/metrics`: what the server counts, in the text format of Prometheus.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Failed;
use crate::app::App;
use crate::metrics::Text;

pub(super) async fn show(State(app): State<Arc<App>>) -> Result<Response, Failed> {
    let text = app.metrics().await?;
    Ok(([(header::CONTENT_TYPE, Text::MEDIA_TYPE)], text).into_response())
}
