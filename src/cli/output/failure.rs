//! The failure of a command: its exit code, and what standard error says of it, in text or JSON.

use std::fmt;
use std::io;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{printable, word, write};
use crate::config::Faults;
use crate::oauth_client::{self, ErrorKind};

/// The exit code of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Exit {
    /// 0
    Success,
    /// 1
    Failed,
    /// 2: wrong usage or configuration.
    Usage,
    /// 3
    NotFound,
    /// 4: refused by the server.
    Refused,
    /// 5: there is no server or store, the store is locked by another process or has no key, or the
    /// server cannot do it at the moment.
    Unavailable,
}

impl Exit {
    /// The exit code of a number. An unknown number is [`Exit::Failed`].
    pub(in crate::cli) const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Success,
            2 => Self::Usage,
            3 => Self::NotFound,
            4 => Self::Refused,
            5 => Self::Unavailable,
            _ => Self::Failed,
        }
    }

    /// The number.
    pub(in crate::cli) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Refused => 4,
            Self::Unavailable => 5,
        }
    }

    /// The `error` of a failure that has none of its own.
    const fn error(self) -> &'static str {
        match self {
            Self::Success | Self::Failed => "failed",
            Self::Usage => "invalid_usage",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The failure of a command.
#[derive(Debug)]
pub(in crate::cli) struct Failure {
    /// The description without the code, if the message has both.
    description: Option<String>,
    /// The code of the server or the configuration.
    error: Option<String>,
    pub(in crate::cli) exit: Exit,
    /// What stands beside the description: the faults of a configuration, each with its source and
    /// its key, what may have been meant, and what there is.
    beside: Box<Map<String, Value>>,
    pub(in crate::cli) message: String,
    remedy: Option<String>,
}

/// A failure as JSON.
#[derive(Serialize)]
struct FailureView<'a> {
    error: &'a str,
    error_description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
    #[serde(flatten)]
    beside: &'a Map<String, Value>,
    exit: u8,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Place {
    /// The column, in characters from 1.
    pub(in crate::cli) column: usize,
    /// The name of the file.
    pub(in crate::cli) file: String,
    /// The line, from 1.
    pub(in crate::cli) line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A fault of a file.
#[derive(Clone, Debug, Serialize)]
pub(in crate::cli) struct DocumentFault {
    /// The key, dotted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) at: Option<String>,
    /// What is wrong.
    pub(in crate::cli) message: String,
    /// Where.
    #[serde(flatten)]
    pub(in crate::cli) place: Place,
}

impl fmt::Display for DocumentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(at) = &self.at {
            write!(f, "{at}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl Failure {
    /// A failure that `message` describes.
    pub(in crate::cli) fn new(exit: Exit, message: impl fmt::Display) -> Self {
        let message = message.to_string();
        Self { beside: Box::default(), description: None, error: None, exit, message, remedy: None }
    }

    /// Adds what can be done about it, if there is something.
    pub(in crate::cli) fn with_remedy(self, remedy: Option<impl Into<String>>) -> Self {
        Self { remedy: remedy.map(Into::into), ..self }
    }

    /// Adds the faults of a configuration, unless there are some already.
    pub(in crate::cli) fn with_faults(mut self, faults: &Faults) -> Self {
        if let Ok(faults) = serde_json::to_value(faults) {
            self.beside.entry("faults").or_insert(faults);
        }
        self
    }

    /// What can be done about it, if that is known.
    pub(in crate::cli) fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// A refusal of the server. Its status decides the exit code; its description is the message, and
    /// the faults of a configuration, what may have been meant and its remedy are the lines after it.
    pub(in crate::cli) fn refused(status: u16, body: &Value) -> Self {
        let member = |name: &str| body.get(name).and_then(Value::as_str).map(printable);
        let mut failure = Self::from(oauth_client::Error::refused(status, body));
        if let Some(at) = member("at") {
            // A sentence may begin with the member, which the place has, too.
            let own = at.rsplit('.').next().unwrap_or_default();
            let own = format!("{}: ", own.split('[').next().unwrap_or_default());
            let sentence = failure.message.strip_prefix(&own).unwrap_or(&failure.message);
            failure.message = format!("{at}: {sentence}");
        }
        for line in lines_beside(body) {
            failure.message.push('\n');
            failure.message.push_str(&line);
        }
        let beside = ["at", "candidates", "faults", "known", "used_by"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), body.get(name)?.clone())));
        Self {
            beside: Box::new(beside.collect()),
            description: member("error_description"),
            error: member("error"),
            remedy: member("remedy"),
            ..failure
        }
    }

    /// The faults of a file, each with its place, a line each.
    pub(in crate::cli) fn of_document(faults: &[DocumentFault]) -> Self {
        let lines: Vec<_> = faults.iter().map(|fault| printable(&fault.to_string())).collect();
        let message = lines.join("\n");
        let faults = serde_json::to_value(faults).expect("faults have text for keys");
        let mut beside = Map::new();
        beside.insert("faults".to_owned(), faults);
        Self {
            beside: Box::new(beside),
            error: Some("invalid_document".to_owned()),
            ..Self::new(Exit::Usage, message)
        }
    }

    /// This failure with the place in a file, if the server said where in the document it is.
    pub(in crate::cli) fn placed(mut self, place: impl FnOnce(&str) -> Option<Place>) -> Self {
        let at = self.beside.get("at").and_then(Value::as_str).map(str::to_owned);
        if let Some(at) = at
            && let Some(place) = place(&at)
        {
            self.message = format!("{}: {}", printable(&place.to_string()), self.message);
            self.beside.insert("file".to_owned(), place.file.into());
            self.beside.insert("line".to_owned(), place.line.into());
            self.beside.insert("column".to_owned(), place.column.into());
        }
        self
    }

    /// A command line that clap refuses.
    pub(in crate::cli) fn of_usage(error: &clap::Error) -> Self {
        use clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand as CommandMissing;

        let rendered = error.render().to_string();
        let what = match error.kind() {
            CommandMissing => "a command is missing",
            _ => {
                let what = rendered.split("\n\nUsage:").next().unwrap_or(&rendered);
                let what = what.split("\n\nFor more information").next().unwrap_or(what);
                what.strip_prefix("error: ").unwrap_or(what).trim()
            }
        };
        Self::new(Exit::Usage, what).with_remedy(Some("gatelodge --help"))
    }

    /// The failure as JSON, on one line.
    fn json(&self) -> String {
        let view = FailureView {
            error: self.error.as_deref().unwrap_or_else(|| self.exit.error()),
            error_description: self.description.as_deref().unwrap_or(&self.message),
            remedy: self.remedy.as_deref(),
            beside: &self.beside,
            exit: self.exit.code(),
        };
        serde_json::to_string(&view).expect("views have text for keys")
    }

    /// The message and the remedy, each line after the program's name.
    fn text(&self) -> String {
        let lines = self.message.lines().chain(self.remedy.iter().flat_map(|text| text.lines()));
        lines.map(|line| format!("gatelodge: {line}\n")).collect()
    }

    /// Prints the failure to standard error, as JSON if `json`, and returns the exit code. One
    /// without a message prints nothing.
    pub(in crate::cli) fn print(self, json: bool) -> ExitCode {
        if !self.message.is_empty() {
            let text = if json { self.json() } else { self.text() };
            // An error cannot be reported without standard error.
            let _ = write(io::stderr().lock(), &text);
        }
        self.exit.into()
    }
}

/// What stands beside a refusal, in lines: the faults of a configuration, what may have been meant, and
/// what there is.
fn lines_beside(body: &Value) -> Vec<String> {
    let list = |member: &str| body.get(member).and_then(Value::as_array).into_iter().flatten();
    let candidate = |one: &Value| {
        let text = |member: &str| one.get(member).map(word).unwrap_or_default();
        format!("{} ({})", text("id"), text("name"))
    };
    let mut lines: Vec<String> = list("faults").map(word).collect();
    lines.extend(list("candidates").map(|one| format!("it may be {}", candidate(one))));
    lines.extend(list("used_by").map(|one| format!("it is used by {}", candidate(one))));
    let known: Vec<String> = list("known").map(word).collect();
    if !known.is_empty() {
        lines.push(format!("there is: {}", known.join(", ")));
    }
    lines
}

impl From<oauth_client::Error> for Failure {
    fn from(error: oauth_client::Error) -> Self {
        let exit = match error.kind {
            ErrorKind::Failed => Exit::Failed,
            ErrorKind::Unavailable => Exit::Unavailable,
            ErrorKind::NotFound => Exit::NotFound,
            ErrorKind::Refused => Exit::Refused,
            ErrorKind::Usage => Exit::Usage,
        };
        Self::new(exit, error.message)
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        let error = Some("invalid_configuration".to_owned());
        Self { error, ..Self::new(Exit::Usage, &faults) }.with_faults(&faults)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_status_decides_the_ending() {
        for (status, exit) in [
            (404, Exit::NotFound),
            (400, Exit::Refused),
            (500, Exit::Failed),
            (503, Exit::Unavailable),
        ] {
            assert_eq!(Failure::refused(status, &Value::Null).exit, exit, "{status}");
        }
        let body = json!({"error": "conflict", "error_description": "It is there already."});
        assert_eq!(Failure::refused(409, &body).message, "It is there already. (conflict)");
    }

    #[test]
    fn what_may_have_been_meant_stands_in_lines_of_its_own() {
        let body = json!({
            "error": "conflict", "error_description": "several", "remedy": "name one",
            "candidates": [{ "id": "gl_1", "name": "Shop" }, { "id": "gl_2", "name": "a\u{9b}" }],
            "known": ["admin", "user"],
        });

        let failure = Failure::refused(409, &body);

        assert_eq!(
            failure.text(),
            "gatelodge: several (conflict)\ngatelodge: it may be gl_1 (Shop)\ngatelodge: it may be \
             gl_2 (a\u{fffd})\ngatelodge: there is: admin, user\ngatelodge: name one\n"
        );
        assert_eq!(serde_json::from_str::<Value>(&failure.json()).unwrap()["known"][0], "admin");
    }

    #[test]
    fn a_failure_says_the_same_in_text_and_in_json() {
        let body = json!({
            "error": "conflict", "error_description": "It is there.", "remedy": "Take another.",
        });

        let refused = Failure::refused(409, &body);
        let own = Failure::new(Exit::Unavailable, "there is no store");

        assert_eq!(
            refused.text(),
            "gatelodge: It is there. (conflict)\ngatelodge: Take another.\n"
        );
        let mut expected = body;
        expected["exit"] = 4.into();
        assert_eq!(serde_json::from_str::<Value>(&refused.json()).unwrap(), expected);
        assert_eq!(
            own.json(),
            r#"{"error":"unavailable","error_description":"there is no store","exit":5}"#
        );
    }
}
