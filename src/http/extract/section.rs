//! The size of a request's header section.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};

use crate::error::Refusal;
use crate::http::failure::NegotiatedFailure;

/// The most bytes of a header section, its request line included.
const MAX_LENGTH: usize = 32 * 1024;

/// Refuses a header section that is too large. The listener refuses one that is larger than its
/// buffer before there is a request.
pub(in crate::http) fn refused(request: &Request) -> Option<Response> {
    let refused = || NegotiatedFailure::from(Refusal::HeaderSectionTooLarge).into_response();
    (length(request) > MAX_LENGTH).then(refused)
}

/// The length of the header section, with one space and one CRLF a line (RFC 9112 §2.1).
fn length(request: &Request) -> usize {
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let line = request.method().as_str().len() + target.len() + " ".len() + " HTTP/1.1\r\n".len();
    let field = |(name, value): (&HeaderName, &HeaderValue)| {
        name.as_str().len() + ": ".len() + value.len() + "\r\n".len()
    };
    line + request.headers().iter().map(field).sum::<usize>() + "\r\n".len()
}
