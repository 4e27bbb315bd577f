//! Why a request failed, and the form in which its peer reads that.
//!
//! A handler returns one of the failures below, and `?` turns every error into it. The outermost
//! layer renders it (`render.rs`), because the event id is drawn and the line is logged there.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::error::{Error, Refusal};
use crate::oauth::id::ClientId;

/// The error behind a response; also behind a redirect that carries an error to a client.
#[derive(Clone, Debug)]
pub struct Cause(pub Arc<Error>);

/// The client that a request is about, once it is known to exist. The outermost layer puts an
/// empty one into each request, and counts a refusal by it.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestClient(Arc<OnceLock<ClientId>>);

impl RequestClient {
    /// Names the client; the first name stays.
    pub(super) fn set(&self, client: &ClientId) {
        self.0.get_or_init(|| client.clone());
    }

    /// Names the client, if it is known.
    pub(super) fn set_if_known(&self, client: Option<&ClientId>) {
        if let Some(client) = client {
            self.set(client);
        }
    }

    /// The client, if one is known.
    pub(super) fn get(&self) -> Option<&ClientId> {
        self.0.get()
    }

    /// That of a request.
    pub(super) fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().cloned().unwrap_or_default()
    }
}

impl FromRequestParts<Arc<App>> for RequestClient {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

/// The form in which an error is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorFormat {
    /// JSON and `WWW-Authenticate: Bearer` (RFC 6750 §3), with `error` in it if the request
    /// carried a token.
    Bearer {
        /// Whether the request carried a token.
        tried: bool,
    },
    /// JSON, and `WWW-Authenticate: Basic` if the request had an `Authorization` header (RFC 6749
    /// §5.2).
    Client,
    /// JSON (RFC 6749 §5.2).
    Json,
    /// A page for a request that accepts HTML, and JSON for every other.
    Negotiated,
    /// A page.
    Page,
}

/// A request that failed, to be rendered as `F` says.
#[derive(Debug)]
pub(super) struct Failure<F> {
    cause: Cause,
    format: ErrorFormat,
    marker: PhantomData<F>,
}

/// Which form an error takes.
pub(super) trait Format {
    /// The form of `error`.
    fn of(error: &Error) -> ErrorFormat;
}

/// JSON with a `Bearer` challenge.
#[derive(Debug)]
pub(super) enum Bearer {}

/// JSON for a client that authenticates.
#[derive(Debug)]
pub(super) enum Client {}

/// JSON.
#[derive(Debug)]
pub(super) enum Json {}

/// JSON, with a `Bearer` challenge if the token was the fault.
#[derive(Debug)]
pub(super) enum Management {}

/// What the request accepts.
#[derive(Debug)]
pub(super) enum Negotiated {}

/// A page.
#[derive(Debug)]
pub(super) enum Page {}

/// The failure of a request that a token opens.
pub(super) type BearerFailure = Failure<Bearer>;

/// The failure of a request that a client authenticates.
pub(super) type ClientFailure = Failure<Client>;

/// The failure of a program's request.
pub(super) type JsonFailure = Failure<Json>;

/// The failure of a registration or its management.
pub(super) type ManagementFailure = Failure<Management>;

/// The failure of a request that may come from a person or a program.
pub(super) type NegotiatedFailure = Failure<Negotiated>;

/// The failure of a person's request.
pub(super) type PageFailure = Failure<Page>;

impl Format for Bearer {
    fn of(error: &Error) -> ErrorFormat {
        let missing = matches!(error, Error::Refused(Refusal::BearerTokenMissing));
        ErrorFormat::Bearer { tried: !missing }
    }
}

impl Format for Client {
    fn of(_: &Error) -> ErrorFormat {
        ErrorFormat::Client
    }
}

impl Format for Json {
    fn of(_: &Error) -> ErrorFormat {
        ErrorFormat::Json
    }
}

impl Format for Management {
    fn of(error: &Error) -> ErrorFormat {
        match error {
            Error::Refused(refusal) if refusal.code().status() == 401 => Bearer::of(error),
            Error::Internal(_) | Error::Refused(_) => ErrorFormat::Json,
        }
    }
}

impl Format for Negotiated {
    fn of(_: &Error) -> ErrorFormat {
        ErrorFormat::Negotiated
    }
}

impl Format for Page {
    fn of(_: &Error) -> ErrorFormat {
        ErrorFormat::Page
    }
}

impl<F: Format, E: Into<Error>> From<E> for Failure<F> {
    fn from(error: E) -> Self {
        let error = error.into();
        let format = F::of(&error);
        Self { cause: Cause(Arc::new(error)), format, marker: PhantomData }
    }
}

impl Failure<Bearer> {
    /// The failure of a request that carried no token, whatever else is wrong with it.
    pub(super) fn without_token(error: impl Into<Error>) -> Self {
        Self { format: ErrorFormat::Bearer { tried: false }, ..Self::from(error) }
    }
}

impl Failure<Client> {
    /// The same failure, but for `refusal`, in whose place `other` stands.
    pub(super) fn replace(self, refusal: Refusal, other: Refusal) -> Self {
        match &*self.cause.0 {
            Error::Refused(own) if *own == refusal => Self::from(other),
            Error::Internal(_) | Error::Refused(_) => self,
        }
    }
}

impl<F> IntoResponse for Failure<F> {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        response.extensions_mut().insert(self.cause);
        response.extensions_mut().insert(self.format);
        response
    }
}

/// Whether a page is what the request accepts: people get pages, programs get JSON.
pub(super) fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

pub(super) async fn not_found() -> NegotiatedFailure {
    Refusal::PageNotFound.into()
}

/// RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405 response
/// containing a list of the target resource's currently supported methods." The route adds it; it
/// adds it to the response to OPTIONS too (§9.3.7).
pub(super) async fn method_not_allowed(request: Request) -> Result<StatusCode, NegotiatedFailure> {
    if request.method() == Method::OPTIONS {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Refusal::MethodNotAllowed.into())
}
