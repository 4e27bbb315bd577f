//! The errors of the control API, in the form of those of the administration.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::error::{Error, Refusal};

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::dev) enum Problem {
    /// It cannot be done as things stand.
    Conflict,
    /// It is of a browser.
    Forbidden,
    /// Something is malformed.
    InvalidRequest,
    /// The path has no such method.
    MethodNotAllowed,
    /// The `Host` is none of this server.
    Misdirected,
    /// There is none.
    NotFound,
    /// Something failed here.
    ServerError,
    /// The token is missing or wrong.
    Unauthorized,
}

impl Problem {
    const fn code(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Forbidden => "forbidden",
            Self::InvalidRequest => "invalid_request",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Misdirected => "misdirected_request",
            Self::NotFound => "not_found",
            Self::ServerError => "server_error",
            Self::Unauthorized => "invalid_token",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Conflict => StatusCode::CONFLICT,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
        }
    }
}

/// A request that was refused.
#[derive(Debug)]
pub(in crate::dev) struct Refused {
    body: Map<String, Value>,
    code: &'static str,
    status: StatusCode,
}

impl Refused {
    /// A refusal with its sentence.
    pub(in crate::dev) fn new(problem: Problem, why: impl Into<String>) -> Self {
        let body = [("error_description".to_owned(), Value::String(why.into()))];
        Self { body: body.into_iter().collect(), code: problem.code(), status: problem.status() }
    }

    /// A failure of this server.
    pub(in crate::dev) fn failed(why: impl Into<String>) -> Self {
        Self::new(Problem::ServerError, why)
    }

    /// The same at a member of the request.
    pub(in crate::dev) fn at(mut self, member: &str) -> Self {
        self.body.insert("at".to_owned(), member.into());
        self
    }

    /// The same with what can be done about it.
    pub(in crate::dev) fn with_remedy(mut self, remedy: &str) -> Self {
        self.body.insert("remedy".to_owned(), remedy.into());
        self
    }

    /// The error of an operation of the administration, as it is.
    pub(in crate::dev) fn of_administration((status, error): (StatusCode, Value)) -> Self {
        let body = match error {
            Value::Object(members) => members,
            other => [("error_description".to_owned(), other)].into_iter().collect(),
        };
        Self { body, code: "refused", status }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let code = error.code();
        let status = StatusCode::from_u16(code.status());
        let refused = Self {
            code: code.as_str(),
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            ..Self::new(Problem::ServerError, error.to_string())
        };
        match error.refusal().map(Refusal::remedy) {
            Some(remedy) => refused.with_remedy(remedy),
            None => refused,
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self { mut body, code, status } = self;
        body.entry("error").or_insert_with(|| code.into());
        let mut response = (status, Json(Value::Object(body))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
