//! The style sheets, scripts and icons of the pages, embedded in the binary.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::failure::NegotiatedFailure;
use crate::error::Refusal;
use crate::secret::hex;

#[derive(RustEmbed)]
#[folder = "assets/static/"]
struct Static;

/// The file `name`, with its hash as `ETag`.
pub(super) async fn show(
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, NegotiatedFailure> {
    let file = Static::get(&name).ok_or(Refusal::PageNotFound)?;
    let media_type = media_type(&name).ok_or(Refusal::PageNotFound)?;
    let hash = file.metadata.sha256_hash();
    let tag = format!("\"{}\"", hex(hash.get(..16).unwrap_or_default()));
    let fixed = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::ETAG, HeaderValue::from_str(&tag).expect("hex is a header value")),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str()) {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    Ok((fixed, file.data).into_response())
}

fn media_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "css" => Some("text/css; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}
