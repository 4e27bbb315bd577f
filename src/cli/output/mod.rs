//! The output of a command: text or JSON on standard output, everything else on standard error.

mod failure;
mod table;
mod terminal;

use std::io;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::admin::listing::{ListView, Noun};

pub(super) use self::failure::{DocumentFault, Exit, Failure, Place};
pub(super) use self::table::{Column, folded};
pub(super) use self::terminal::{Terminal, relative};
pub(super) use crate::oauth_client::printable;

use self::table::Table;

/// Makes the text for a terminal, and a remark.
type TerminalText = Box<dyn FnOnce(&Terminal) -> (String, Option<String>)>;

/// The result of a command: text for people, JSON for programs.
pub(super) struct Output {
    exit: Exit,
    json: String,
    note: Option<String>,
    on_terminal: Option<TerminalText>,
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
        let text = text.into();
        Self { exit: Exit::Success, json: String::new(), note: None, on_terminal: None, text }
    }

    /// No result.
    pub(super) fn nothing() -> Self {
        Self::text("")
    }

    /// Adds a remark, which goes to standard error.
    pub(super) fn with_note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// Replaces the text where it is printed at a terminal. `text` returns it and a remark.
    pub(super) fn with_terminal_text(
        self,
        text: impl FnOnce(&Terminal) -> (String, Option<String>) + 'static,
    ) -> Self {
        Self { on_terminal: Some(Box::new(text)), ..self }
    }

    /// Adds the QR code of `url` under the text where it is printed at a terminal that has room.
    pub(super) fn with_qr_code(self, url: &str) -> Self {
        let (text, url) = (self.text.clone(), url.to_owned());
        self.with_terminal_text(move |terminal| (text + &terminal.qr_code(&url), None))
    }

    /// Replaces the exit code, which is otherwise [`Exit::Success`].
    pub(super) fn with_exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Prints the result, as JSON if `json` and otherwise for `terminal`, if standard output is one,
    /// and the remarks, and returns the exit code.
    pub(super) fn print(self, json: bool, terminal: Option<&Terminal>) -> ExitCode {
        let (body, remark) = match (json, terminal, self.on_terminal) {
            (true, ..) => (self.json, None),
            (false, Some(terminal), Some(text)) => text(terminal),
            (false, ..) => (self.text, None),
        };
        if let Err(failure) = check_written(write(io::stdout().lock(), &body)) {
            return failure.print(json);
        }
        for note in [self.note, remark].into_iter().flatten() {
            // An error cannot be reported without standard error.
            let _ = write(io::stderr().lock(), &note);
        }
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
    let width = cells().map(|(label, _)| label.width()).max().unwrap_or(0);
    let line = |(label, value): &(&str, String)| {
        format!("{label}{}  {value}\n", " ".repeat(width - label.width()))
    };
    cells().map(line).collect()
}

/// As [`fields`], for a terminal: values that do not fit its lines are broken at spaces.
pub(super) fn folded_fields(rows: &[(&'static str, String)], terminal: &Terminal) -> String {
    let cells = || rows.iter().filter(|(_, value)| !value.is_empty());
    let indent = cells().map(|(label, _)| label.width()).max().unwrap_or(0) + "  ".len();
    let fold =
        |(label, value): &(&'static str, String)| (*label, folded(value, terminal.width, indent));
    fields(&cells().map(fold).collect::<Vec<_>>())
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
    tabled(&view, columns, &view.items)
}

/// The result `view`, with a table of `rows` as its form for people.
pub(super) fn tabled<V>(view: &impl Serialize, columns: &[Column<V>], rows: &[V]) -> Output {
    let table = Table::new(columns, rows);
    Output::new(table.whole(), view).with_terminal_text(|terminal| {
        let (text, omitted) = table.fitted(terminal);
        let remark = format!(
            "Not displayed, since this terminal is narrow: {}. --json has everything.",
            omitted.join(", ")
        );
        (text, (!omitted.is_empty()).then_some(remark))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_cannot_command_the_terminal() {
        assert_eq!(word(&"a\u{1b}[2J"), "a\u{fffd}[2J");
        // Read from the right, this would be somebody else's name.
        assert_eq!(word(&"\u{202e}gnillib\u{200b}"), "\u{fffd}gnillib\u{fffd}");
        // JSON text has these as they are.
        let keys = json!({ "keys": [{ "kid": "\u{9b}2J" }] });
        assert_eq!(word(&keys), "{\"keys\":[{\"kid\":\"\u{fffd}2J\"}]}");
        assert_eq!(word(&[keys]), "{\"keys\":[{\"kid\":\"\u{fffd}2J\"}]}");
    }

    #[test]
    fn a_link_has_its_code_at_a_terminal_with_room_and_nowhere_else() {
        let url = "http://localhost:7455/setup#gl_st_AAAA";
        let at = |width| {
            let output = Output::new("setup link", &json!({})).with_qr_code(url);
            assert_eq!(output.parts().1, "setup link");
            output.on_terminal.unwrap()(&Terminal::plain(width, 0)).0
        };

        assert!(at(80).starts_with("setup link\n"), "{}", at(80));
        assert!(at(80).contains('█'), "{}", at(80));
        assert_eq!(at(20), "setup link");
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
