//! An event as one line of JSON: its time, its level, its message and its fields.
//!
//! It is written here, since each request has such a line: `tracing_subscriber` hands each field through
//! several serializers, which was a twelfth of what a request costs that reads little.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Formats events so. Spans are left out, since this program opens none.
pub(super) struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        line.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut line)?;
        line.write_str("\",\"level\":\"")?;
        line.write_str(event.metadata().level().as_str())?;
        line.write_char('"')?;
        let mut fields = Fields { line, written: Ok(()) };
        event.record(&mut fields);
        fields.written?;
        fields.line.write_str("}\n")
    }
}

/// Writes each field as a member.
struct Fields<'a> {
    line: Writer<'a>,
    written: fmt::Result,
}

impl Fields<'_> {
    fn member(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.written.is_ok() {
            // The name of a field is in the source of a program, and has nothing to escape.
            self.written = write_all(&mut self.line, [",\"", field.name(), "\":"])
                .and_then(|()| value(&mut self.line));
        }
    }

    fn text(&mut self, field: &Field, text: impl FnOnce(&mut Escaped<'_, '_>) -> fmt::Result) {
        self.member(field, |line| {
            line.write_char('"')?;
            text(&mut Escaped(line))?;
            line.write_char('"')
        });
    }
}

impl Visit for Fields<'_> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, |line| line.write_str(if value { "true" } else { "false" }));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, |text| write!(text, "{value:?}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no number that is none, or without end.
        self.member(field, |line| match value.is_finite() {
            true => write!(line, "{value:?}"),
            false => line.write_str("null"),
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, |line| write!(line, "{value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, |text| text.write_str(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, |line| write!(line, "{value}"));
    }
}

fn write_all<const N: usize>(line: &mut Writer<'_>, texts: [&str; N]) -> fmt::Result {
    texts.into_iter().try_for_each(|text| line.write_str(text))
}

/// The inside of a JSON string (RFC 8259 §7).
struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let is_special = |c: char| c < ' ' || c == '"' || c == '\\';
        let mut rest = text;
        while let Some((plain, special)) = rest.find(is_special).map(|at| rest.split_at(at)) {
            self.0.write_str(plain)?;
            let mut after = special.chars();
            match after.next() {
                Some('"') => self.0.write_str("\\\"")?,
                Some('\\') => self.0.write_str("\\\\")?,
                Some('\n') => self.0.write_str("\\n")?,
                Some(other) => write!(self.0, "\\u{:04x}", u32::from(other))?,
                None => {}
            }
            rest = after.as_str();
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, PipeReader, pipe};
    use std::sync::Mutex;

    use serde_json::Value;
    use tracing_subscriber::fmt::SubscriberBuilder;

    use super::*;

    fn say() {
        tracing::info!(method = "GET", status = 200_u16, ms = 3_u64, "answered");
        tracing::warn!(route = %"/a\"b\\c", far = -7_i64, is_there = true, "a\tb\r\nc\u{1}\u{7f}é🦀");
        tracing::error!(
            half = 0.5,
            whole = 2.0,
            large = 1e300,
            none = f64::NAN,
            endless = f64::INFINITY
        );
        let (some, nobody) = (Some("x\u{0}y"), None::<&str>);
        tracing::info!(event.id = ?["a\"", "b"], some, nobody, "{}", "made \"of\" parts");
        tracing::error!(error = &io::Error::other("no \\ disk") as &dyn std::error::Error);
        tracing::info!(wide = u128::MAX, low = i128::MIN, "");
    }

    /// What a log writes of all that. It is dropped then, which ends what is read.
    fn said(log: impl Subscriber + Send + Sync, reader: PipeReader) -> String {
        tracing::subscriber::with_default(log, say);
        io::read_to_string(reader).unwrap()
    }

    fn without_time(line: &str) -> Value {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let time = line["timestamp"].take();
        assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
        line
    }

    #[test]
    fn a_line_is_what_the_formatter_of_the_library_writes() {
        let (reader, writer) = pipe().unwrap();
        let log = SubscriberBuilder::default().event_format(JsonLine);
        let own = said(log.with_writer(Mutex::new(writer)).finish(), reader);
        let (reader, writer) = pipe().unwrap();
        let log = SubscriberBuilder::default().json().flatten_event(true).with_target(false);
        let library = said(log.with_writer(Mutex::new(writer)).finish(), reader);

        let read = |lines: &str| lines.lines().map(without_time).collect::<Vec<_>>();
        assert_eq!(read(&own).len(), 6);
        assert_eq!(read(&own), read(&library));
        assert!(own.ends_with("}\n"), "{own}");
        let expected =
            r#"","level":"INFO","message":"answered","method":"GET","status":200,"ms":3}"#;
        assert!(own.lines().next().unwrap().ends_with(expected), "{own}");
    }
}
