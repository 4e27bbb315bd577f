//! Why the client has no result.

use std::fmt;

use serde_json::Value;

/// What kind of failure it is; a command chooses its exit code by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// Something on this machine or on the way failed.
    Failed,
    /// No server answers.
    Nobody,
    /// Nobody is signed in, or the server has no such thing.
    NotFound,
    /// The server refused.
    Refused,
    /// What was asked for makes no sense.
    Usage,
}

/// A failure, in a sentence for a person.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
}

impl Error {
    /// A failure that `message` describes.
    pub(crate) fn new(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string() }
    }

    /// A refusal of the server (RFC 6749 §5.2): its status decides the kind, its description is the
    /// message.
    pub(crate) fn refused(status: u16, body: &Value) -> Self {
        let kind = match status {
            404 => ErrorKind::NotFound,
            400..=499 => ErrorKind::Refused,
            _ => ErrorKind::Failed,
        };
        let member = |name: &str| body.get(name).and_then(Value::as_str).map(printable);
        let message = match (member("error_description"), member("error")) {
            (Some(description), Some(error)) => format!("{description} ({error})"),
            (Some(text), None) | (None, Some(text)) => text,
            (None, None) => format!("the server answered with status {status}"),
        };
        Self { kind, message }
    }
}

/// `text` without control characters, which a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
