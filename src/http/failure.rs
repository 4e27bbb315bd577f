//! A refusal on its way out: what it is, and in which shape its peer reads it.
//!
//! A handler gives a [`Failure`]; the outermost layer turns it into a response (`answer.rs`), since
//! only there is the event id drawn and the line logged.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::error::{Error, Refusal};
use crate::oauth::id::ClientId;

/// Why a request failed, as it travels with the response; also on a redirect that carries an
/// error to a client.
#[derive(Clone, Debug)]
pub struct Cause(pub Arc<Error>);

/// The client that a response is about, where that is known; refusals are counted by it.
#[derive(Clone, Debug)]
pub(super) struct AboutClient(pub(super) ClientId);

impl AboutClient {
    /// The response, told to be about this client.
    pub(super) fn mark(self, mut response: Response) -> Response {
        response.extensions_mut().insert(self);
        response
    }
}

/// The shape in which a peer reads an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorFormat {
    /// JSON, and `WWW-Authenticate: Basic`, since Basic was tried (RFC 6749 §5.2).
    Basic,
    /// JSON, and `WWW-Authenticate: Bearer` (RFC 6750 §3); `error` in it only where a token came.
    Bearer {
        /// Whether a token came.
        tried: bool,
    },
    /// JSON (RFC 6749 §5.2).
    Json,
    /// A page.
    Page,
}

/// A request that failed.
#[derive(Debug)]
pub(super) struct Failure {
    about: Option<AboutClient>,
    cause: Cause,
    format: ErrorFormat,
}

impl Failure {
    pub(super) fn new(error: impl Into<Error>, format: ErrorFormat) -> Self {
        Self { about: None, cause: Cause(Arc::new(error.into())), format }
    }

    /// The same, of a client that is known.
    pub(super) fn about(self, client: ClientId) -> Self {
        Self { about: Some(AboutClient(client)), ..self }
    }

    pub(super) fn json(error: impl Into<Error>) -> Self {
        Self::new(error, ErrorFormat::Json)
    }

    pub(super) fn page(error: impl Into<Error>) -> Self {
        Self::new(error, ErrorFormat::Page)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        response.extensions_mut().insert(self.cause);
        if let Some(about) = self.about {
            response.extensions_mut().insert(about);
        }
        response.extensions_mut().insert(self.format);
        response
    }
}

/// People get a page, programs get JSON.
pub(super) fn format_for(headers: &HeaderMap) -> ErrorFormat {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/html")) {
        ErrorFormat::Page
    } else {
        ErrorFormat::Json
    }
}

pub(super) async fn not_found(request: Request) -> Failure {
    Failure::new(Refusal::PageNotFound, format_for(request.headers()))
}

/// RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405 response
/// containing a list of the target resource's currently supported methods." It comes from the
/// route; so does that of OPTIONS, which is answered with it (§9.3.7).
pub(super) async fn method_not_allowed(request: Request) -> Response {
    if request.method() == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    Failure::new(Refusal::MethodNotAllowed, format_for(request.headers())).into_response()
}
