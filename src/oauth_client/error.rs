//! Errors of the client.

use std::fmt;

use serde_json::Value;

/// The kind of a failure. It decides the exit code of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// Something on this machine or in the network failed.
    Failed,
    /// No server responds.
    Unavailable,
    /// The person is not signed in, or the server has no such object.
    NotFound,
    /// The server refused.
    Refused,
    /// The command's arguments are wrong.
    Usage,
}

/// A failure, with a sentence for the person.
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

    /// A refusal of the server (RFC 6749 §5.2). Its status decides the kind, its description is the
    /// message.
    pub(crate) fn refused(status: u16, body: &Value) -> Self {
        let kind = match status {
            404 => ErrorKind::NotFound,
            400..=499 => ErrorKind::Refused,
            503 => ErrorKind::Unavailable,
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

/// Replaces characters of `text` that a terminal would interpret, and those that hide, or that change
/// the direction of others: whoever names themselves could look like somebody else.
pub(crate) fn printable(text: &str) -> String {
    let misleads = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|c| if misleads(c) { '\u{fffd}' } else { c }).collect()
}
