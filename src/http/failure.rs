//! Failures of requests, and the formats in which they are rendered.
//!
//! A handler returns one of the failures below, and `?` turns every error into it. The outermost
//! layer (`render.rs`) renders it, because that layer makes the event id and logs the request.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::facts::Facts;
use crate::error::{Error, Refusal};

/// The error that a response reports, also if the response is a redirect to a client.
#[derive(Clone, Debug)]
pub struct Cause(pub Arc<Error>);

/// A slip of an administrator in a form, which the page says at once. It is no event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slip;

/// The format in which an error is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorFormat {
    /// JSON and `WWW-Authenticate: Bearer` (RFC 6750 §3), which has `error` if the request carried
    /// a token.
    Bearer {
        /// Whether the request carried a token.
        tried: bool,
    },
    /// JSON, and `WWW-Authenticate: Basic` if the request had an `Authorization` header (RFC 6749
    /// §5.2).
    Client,
    /// JSON (RFC 6749 §5.2).
    Json,
    /// A page if the request accepts HTML, else JSON.
    Negotiated,
    /// A page.
    Page,
    /// JSON for a script of our own pages, in the language of the person.
    Script,
}

/// What the JSON of an error adds to its code, as `detail`.
#[derive(Clone, Debug)]
pub(super) struct Detail(pub(super) String);

/// The failure of a request, to be rendered in the format `F`.
#[derive(Debug)]
pub(super) struct Failure<F> {
    cause: Cause,
    facts: Option<Box<Facts>>,
    format: ErrorFormat,
    marker: PhantomData<F>,
}

/// The choice of an [`ErrorFormat`] for an error.
pub(super) trait Format {
    /// The format of `error`.
    fn of(error: &Error) -> ErrorFormat;
}

/// The format of endpoints that require an access token: JSON with a `Bearer` challenge.
#[derive(Debug)]
pub(super) enum Bearer {}

/// The format of endpoints at which a client authenticates: JSON, with a `Basic` challenge if the
/// client used that header.
#[derive(Debug)]
pub(super) enum Client {}

/// The format of other endpoints for programs: JSON.
#[derive(Debug)]
pub(super) enum Json {}

/// The format of registration: JSON, with a `Bearer` challenge if the status is 401.
#[derive(Debug)]
pub(super) enum Management {}

/// The format that the request accepts: a page or JSON.
#[derive(Debug)]
pub(super) enum Negotiated {}

/// The format of endpoints for people: a page.
#[derive(Debug)]
pub(super) enum Page {}

/// The format of what the scripts of our own pages ask for: JSON whose sentence a person reads.
#[derive(Debug)]
pub(super) enum Script {}

/// The failure of a request that requires an access token.
pub(super) type BearerFailure = Failure<Bearer>;

/// The failure of a request that requires client authentication.
pub(super) type ClientFailure = Failure<Client>;

/// The failure of a program's request.
pub(super) type JsonFailure = Failure<Json>;

/// The failure of a registration or its management.
pub(super) type ManagementFailure = Failure<Management>;

/// The failure of a request that may come from a person or a program.
pub(super) type NegotiatedFailure = Failure<Negotiated>;

/// The failure of a person's request.
pub(super) type PageFailure = Failure<Page>;

/// The failure of a request of a script of our own pages.
pub(super) type ScriptFailure = Failure<Script>;

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
        if error.code().status() == 401 { Bearer::of(error) } else { ErrorFormat::Json }
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

impl Format for Script {
    fn of(_: &Error) -> ErrorFormat {
        ErrorFormat::Script
    }
}

impl<F: Format, E: Into<Error>> From<E> for Failure<F> {
    fn from(error: E) -> Self {
        let error = error.into();
        let format = F::of(&error);
        Self { cause: Cause(Arc::new(error)), facts: None, format, marker: PhantomData }
    }
}

impl<F> Failure<F> {
    /// Adds what the page and the log line say beside the refusal.
    pub(super) fn with_facts(self, facts: Facts) -> Self {
        Self { facts: Some(Box::new(facts)), ..self }
    }
}

impl Failure<Page> {
    /// The failure that an operation of the administration reported.
    pub(super) fn reported(error: Arc<Error>) -> Self {
        let (cause, format) = (Cause(error), ErrorFormat::Page);
        Self { cause, facts: None, format, marker: PhantomData }
    }
}

impl Failure<Bearer> {
    /// The failure of a request without a token, for whatever reason it fails.
    pub(super) fn without_token(error: impl Into<Error>) -> Self {
        Self { format: ErrorFormat::Bearer { tried: false }, ..Self::from(error) }
    }
}

impl Failure<Client> {
    /// Replaces `refusal` by `other`. Any other failure stays.
    pub(super) fn replace(self, refusal: Refusal, other: Refusal) -> Self {
        if self.cause.0.refusal() == Some(refusal) { Self::from(other) } else { self }
    }
}

impl Failure<Json> {
    /// The response with a `detail`, which is public.
    pub(super) fn with_detail(self, detail: String) -> Response {
        let mut response = self.into_response();
        response.extensions_mut().insert(Detail(detail));
        response
    }
}

impl<F> IntoResponse for Failure<F> {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        response.extensions_mut().insert(self.cause);
        if let Some(facts) = self.facts {
            response.extensions_mut().insert(*facts);
        }
        response.extensions_mut().insert(self.format);
        response
    }
}

/// Whether the request accepts HTML.
pub(super) fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

pub(super) async fn not_found() -> NegotiatedFailure {
    Refusal::PageNotFound.into()
}

/// Refuses a method that the route does not have, and responds to OPTIONS.
///
/// RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field in a 405 response
/// containing a list of the target resource's currently supported methods." axum's route adds it,
/// also to the response to OPTIONS (§9.3.7).
pub(super) async fn method_not_allowed(request: Request) -> Result<StatusCode, NegotiatedFailure> {
    if request.method() == Method::OPTIONS {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Refusal::MethodNotAllowed.into())
}
