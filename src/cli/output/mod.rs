//! The output of a command: text or JSON on standard output, everything else on standard error.

use std::fmt;
use std::io;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use crate::admin::listing::{ListView, Noun};
use crate::config::Faults;
use crate::oauth_client::{self, ErrorKind};

pub(super) use crate::oauth_client::printable;

/// The exit code of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
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
    pub(super) const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Success,
            2 => Self::Usage,
            3 => Self::NotFound,
            4 => Self::Refused,
            5 => Self::Unavailable,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NotFound => 3,
            Exit::Refused => 4,
            Exit::Unavailable => 5,
        })
    }
}

/// The result of a command: text for people, JSON for programs.
pub(super) struct Output {
    exit: Exit,
    json: String,
    note: Option<String>,
    text: String,
}

impl Output {
    /// The result `view`, with `text` as its form for people.
    pub(super) fn new(text: impl Into<String>, view: &impl Serialize) -> Self {
        let json = serde_json::to_string_pretty(view).expect("views have text for keys");
        Self { json, ..Self::text(text) }
    }

    /// The result `view`, which is JSON for people too.
    pub(super) fn json(view: &impl Serialize) -> Self {
        let output = Self::new("", view);
        Self { text: output.json.clone(), ..output }
    }

    /// As [`Output::json`], on one line.
    pub(super) fn json_line(view: &impl Serialize) -> Self {
        let line = serde_json::to_string(view).expect("views have text for keys");
        Self { json: line.clone(), ..Self::text(line) }
    }

    /// The result `text`, which has no JSON.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self { exit: Exit::Success, json: String::new(), note: None, text: text.into() }
    }

    /// No result.
    pub(super) fn nothing() -> Self {
        Self::text("")
    }

    /// Adds a remark, which goes to standard error.
    pub(super) fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// Replaces the exit code, which is otherwise [`Exit::Success`].
    pub(super) fn with_exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Prints the result and the remark, and returns the exit code.
    pub(super) fn print(self, json: bool) -> ExitCode {
        let body = if json { self.json } else { self.text };
        if let Err(failure) = check_written(write(io::stdout().lock(), &body)) {
            return failure.print();
        }
        // An error cannot be reported without standard error.
        let _ = write(io::stderr().lock(), self.note.as_deref().unwrap_or_default());
        self.exit.into()
    }

    #[cfg(test)]
    pub(super) fn parts(&self) -> (Exit, &str, Value, Option<&str>) {
        let json = serde_json::from_str(&self.json).unwrap_or_default();
        (self.exit, &self.text, json, self.note.as_deref())
    }
}

/// Fails if standard output did not take an answer. A closed pipe is no error, because its reader
/// needs no more.
pub(super) fn check_written(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let failure = format!("the answer cannot be written: {error}");
            Err(Failure::new(Exit::Failed, failure))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The failure of a command.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
}

impl Failure {
    /// A failure that `message` describes.
    pub(super) fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, message: message.to_string() }
    }

    /// A refusal of the server. Its status decides the exit code; its description is the message, and
    /// what may have been meant and its remedy are the lines after it.
    pub(super) fn refused(status: u16, body: &Value) -> Self {
        let mut failure = Self::from(oauth_client::Error::refused(status, body));
        for fault in body.get("faults").and_then(Value::as_array).into_iter().flatten() {
            failure.message.push('\n');
            failure.message.push_str(&printable(fault.as_str().unwrap_or_default()));
        }
        for line in choices(body) {
            failure.message.push('\n');
            failure.message.push_str(&line);
        }
        if let Some(remedy) = body.get("remedy").and_then(Value::as_str) {
            failure.message.push('\n');
            failure.message.push_str(&printable(remedy));
        }
        failure
    }

    /// Prints the message to standard error, each line after the program's name, and returns the
    /// exit code.
    pub(super) fn print(self) -> ExitCode {
        let lines = self.message.lines().map(|line| format!("gatelodge: {line}\n"));
        // An error cannot be reported without standard error.
        let _ = write(io::stderr().lock(), &lines.collect::<String>());
        self.exit.into()
    }
}

/// What a refused request may have meant, in lines: the candidates, and what there is.
fn choices(body: &Value) -> Vec<String> {
    let list = |member: &str| body.get(member).and_then(Value::as_array).into_iter().flatten();
    let candidate = |one: &Value| {
        let text = |member: &str| one.get(member).map(word).unwrap_or_default();
        format!("it may be {} ({})", text("id"), text("name"))
    };
    let mut lines: Vec<String> = list("candidates").map(candidate).collect();
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
        Self { exit, message: error.message }
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        Self::new(Exit::Usage, faults)
    }
}

/// Prints a remark of its own line to standard error, before there is an answer.
pub(super) fn remark(text: &str) {
    // An error cannot be reported without standard error.
    let lines = text.lines().map(|line| format!("gatelodge: {line}\n"));
    let _ = write(io::stderr().lock(), &lines.collect::<String>());
}

/// Writes the whole `body`, and adds a final newline if it has none.
fn write(mut to: impl io::Write, body: &str) -> io::Result<()> {
    if body.is_empty() {
        return Ok(());
    }
    to.write_all(body.as_bytes())?;
    if !body.ends_with('\n') {
        to.write_all(b"\n")?;
    }
    to.flush()
}

/// A member of a view on one line. The items of a list are separated by spaces; null is empty.
pub(super) fn word(member: &impl Serialize) -> String {
    match serde_json::to_value(member).expect("members of views have text for keys") {
        Value::Null => String::new(),
        Value::String(text) => printable(&text),
        Value::Array(items) => {
            let text = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            printable(&items.iter().map(text).collect::<Vec<_>>().join(" "))
        }
        Value::Bool(yes) => if yes { "yes" } else { "no" }.to_owned(),
        other @ (Value::Number(_) | Value::Object(_)) => printable(&other.to_string()),
    }
}

/// The lines of `(label, value)` pairs, with aligned values. Pairs with an empty value are omitted.
pub(super) fn fields(rows: &[(&str, String)]) -> String {
    let cells = || rows.iter().filter(|(_, value)| !value.is_empty());
    let width = cells().map(|(label, _)| label.len()).max().unwrap_or(0);
    cells().map(|(label, value)| format!("{label:width$}  {value}\n")).collect()
}

/// A column of a table: its heading, and the function that makes the cell of a row.
pub(super) struct Column<V>(pub(super) &'static str, pub(super) fn(&V) -> String);

/// The table of `rows`, with aligned columns.
pub(super) fn table<V>(columns: &[Column<V>], rows: &[V]) -> String {
    let heading = columns.iter().map(|Column(heading, _)| (*heading).to_owned()).collect();
    let cells = rows.iter().map(|row| columns.iter().map(|Column(_, cell)| cell(row)).collect());
    let lines: Vec<Vec<String>> = std::iter::once(heading).chain(cells).collect();
    let mut widths = vec![0; columns.len()];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let set = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    lines.iter().map(set).collect()
}

/// A whole listing as a table. If it is empty, the text is empty and `none` is the remark.
pub(super) fn list<V: Noun + Serialize>(
    views: Vec<V>,
    columns: &[Column<V>],
    none: &str,
) -> Output {
    let view = ListView { items: views, next: None };
    if view.items.is_empty() {
        return Output::new("", &view).with_note(none);
    }
    Output::new(table(columns, &view.items), &view)
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

        assert_eq!(
            Failure::refused(409, &body).message,
            "several (conflict)\nit may be gl_1 (Shop)\nit may be gl_2 (a\u{fffd})\n\
             there is: admin, user\nname one"
        );
    }

    #[test]
    fn columns_stand_under_their_headings() {
        struct Row(&'static str, Option<[&'static str; 2]>);
        const COLUMNS: &[Column<Row>] =
            &[Column("A", |row| word(&row.0)), Column("B", |row| word(&row.1))];

        let cells = table(COLUMNS, &[Row("é", Some(["x", "y"])), Row("long", None)]);

        assert_eq!(cells, "A     B\né     x y\nlong\n");
    }

    #[test]
    fn a_name_cannot_command_the_terminal() {
        assert_eq!(word(&"a\u{1b}[2J"), "a\u{fffd}[2J");
        // JSON text has these as they are.
        let keys = json!({ "keys": [{ "kid": "\u{9b}2J" }] });
        assert_eq!(word(&keys), "{\"keys\":[{\"kid\":\"\u{fffd}2J\"}]}");
        assert_eq!(word(&[keys]), "{\"keys\":[{\"kid\":\"\u{fffd}2J\"}]}");
    }

    #[test]
    fn a_reader_who_went_away_is_an_error_and_no_panic() {
        struct Gone;
        impl io::Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        assert_eq!(write(Gone, "text").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
