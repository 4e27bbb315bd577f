//! Style sheets, modules and icons, embedded.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::failure::{Failure, format_for};
use crate::error::Refusal;
use crate::secret::hex;

#[derive(RustEmbed)]
#[folder = "assets/static/"]
struct Static;

/// One file, by its name; revalidated by its hash.
pub(super) async fn show(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let (Some(file), Some(kind)) = (Static::get(&name), kind(&name)) else {
        return Failure::new(Refusal::PageNotFound, format_for(&headers)).into_response();
    };
    let hash = file.metadata.sha256_hash();
    let tag = format!("\"{}\"", hex(hash.get(..16).unwrap_or_default()));
    let fixed = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::ETAG, HeaderValue::from_str(&tag).expect("hex is a header value")),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str()) {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    (fixed, file.data).into_response()
}

fn kind(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}
