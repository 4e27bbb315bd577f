//! Responses in JSON.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The bytes of most responses, so that few need more room while they are made.
const USUAL: usize = 1024;

/// A response with this document, which consists of texts, numbers, lists and objects.
pub(in crate::http) struct Json<T>(pub(in crate::http) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        response(json_of(&self.0).into())
    }
}

/// A JSON document that was made before.
pub(in crate::http) struct Made(pub(super) Arc<[u8]>);

impl IntoResponse for Made {
    fn into_response(self) -> Response {
        response(Bytes::from_owner(self.0))
    }
}

pub(super) fn json_of(document: &impl Serialize) -> Vec<u8> {
    let mut json = Vec::with_capacity(USUAL);
    serde_json::to_writer(&mut json, document).expect("a document of texts and lists is JSON");
    json
}

fn response(json: Bytes) -> Response {
    let mut response = Response::new(Body::from(json));
    let media_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}
