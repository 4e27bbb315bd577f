//! Lines of JSON as a body, and what is asked beside them.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use crate::admin::Failed;
use crate::error::Refusal;
use crate::oauth::params::Params;

/// The media type of lines of JSON.
const MEDIA_TYPE: &str = "application/x-ndjson";

/// The most bytes of a file over the socket. At the ports it is the most of any operation.
pub(crate) const MAX_LINES: usize = 512 << 20;

/// The body of a response: lines that are sent as they are made.
pub(in crate::admin) struct Exported(pub(super) Body);

impl IntoResponse for Exported {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, MEDIA_TYPE)], self.0).into_response()
    }
}

/// The body of a request: the lines of an export.
pub(in crate::admin) struct Lines(pub(super) Bytes);

impl<S: Send + Sync> FromRequest<S> for Lines {
    type Rejection = Failed;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failed> {
        let bytes = to_bytes(request.into_body(), MAX_LINES).await;
        Ok(Self(bytes.map_err(|_| Refusal::BodyTooLarge)?))
    }
}

/// What is asked of an import, in the query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::admin) struct Options {
    /// Whether it is only tried out, and nothing is written.
    pub(super) dry_run: bool,
    /// Whether whoever has no passkey in the end gets a setup link.
    pub(super) links: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Options {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failed> {
        let params = Params::parse(parts.uri.query().unwrap_or_default().as_bytes())?;
        let mut options = Self::default();
        for name in params.names() {
            let value = match params.many(name).collect::<Vec<_>>().as_slice() {
                ["true"] => true,
                ["false"] => false,
                _ => return Err(malformed().into()),
            };
            match name {
                "dry_run" => options.dry_run = value,
                "links" => options.links = value,
                _ => return Err(malformed().into()),
            }
        }
        Ok(options)
    }
}

const fn malformed() -> Refusal {
    Refusal::MemberMalformed("the query", "dry_run and links are true or false")
}

#[cfg(test)]
mod described {
    use serde_json::{Value, json};

    use super::{Exported, Lines, MEDIA_TYPE, Options};
    use crate::admin::operation::openapi::{Description, Gives, Takes};

    impl Gives for Exported {
        fn describe(_: &mut Description, operation: &mut Value) {
            let content = json!({ MEDIA_TYPE: { "schema": { "type": "string" } } });
            operation["responses"]["200"] = json!({ "content": content, "description": "Done." });
        }
    }

    impl Takes for Lines {
        fn describe(_: &mut Description, operation: &mut Value) {
            let content = json!({ MEDIA_TYPE: { "schema": { "type": "string" } } });
            operation["requestBody"] = json!({ "content": content, "required": true });
        }
    }

    impl Takes for Options {
        fn describe(_: &mut Description, operation: &mut Value) {
            let parameter = |name: &str, what: &str| {
                let schema = json!({ "default": false, "type": "boolean" });
                json!({ "description": what, "in": "query", "name": name, "schema": schema })
            };
            operation["parameters"] = json!([
                parameter("dry_run", "Whether it is only tried out, and nothing is written."),
                parameter("links", "Whether whoever has no passkey in the end gets a setup link."),
            ]);
        }
    }
}
