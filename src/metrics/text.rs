//! The text format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write as _};

use super::histogram::Histogram;

/// The kind of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number that only grows.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// The counts of values between bounds.
    Histogram,
}

/// A text that is being written: families, and under each its samples.
#[derive(Debug, Default)]
pub struct Text(String);

impl Text {
    /// The media type of the format.
    pub const MEDIA_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Starts a family. Its samples follow.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    /// Writes a sample.
    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        if !labels.is_empty() {
            let labels: Vec<String> = labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
                .collect();
            self.0.push('{');
            self.0.push_str(&labels.join(","));
            self.0.push('}');
        }
        self.line(format_args!(" {value}"));
    }

    /// Writes the samples of a histogram.
    pub fn histogram(&mut self, name: &str, labels: &[(&str, &str)], histogram: &Histogram) {
        let (buckets, sum) = histogram.read();
        let unit = histogram.unit();
        let mut count = 0;
        for (bound, within) in buckets {
            let bound = bound.map_or_else(|| "+Inf".to_owned(), |bound| unit.written(bound));
            let labels = [labels, &[("le", &bound)]].concat();
            self.sample(&format!("{name}_bucket"), &labels, within);
            count = within;
        }
        self.sample(&format!("{name}_sum"), labels, unit.written(sum));
        self.sample(&format!("{name}_count"), labels, count);
    }

    /// The whole text.
    pub fn finish(self) -> String {
        self.0
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string never fails.
        let _ = writeln!(self.0, "{line}");
    }
}

/// The value of a label, with a backslash before what would end it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Unit;

    #[test]
    fn a_text_is_written_as_the_format_says() {
        let histogram = Histogram::new(&[500, 2_500_000], Unit::Microseconds);
        histogram.observe(400);
        histogram.observe(3_000_000);
        let mut text = Text::default();

        text.family("open", Kind::Gauge, "What is open.");
        text.sample("open", &[("of", "a\"b\\c\nd")], 3);
        text.family("took_seconds", Kind::Histogram, "How long.");
        text.histogram("took_seconds", &[("route", "/a")], &histogram);

        assert_eq!(
            text.finish(),
            "# HELP open What is open.\n\
             # TYPE open gauge\n\
             open{of=\"a\\\"b\\\\c\\nd\"} 3\n\
             # HELP took_seconds How long.\n\
             # TYPE took_seconds histogram\n\
             took_seconds_bucket{route=\"/a\",le=\"0.0005\"} 1\n\
             took_seconds_bucket{route=\"/a\",le=\"2.5\"} 1\n\
             took_seconds_bucket{route=\"/a\",le=\"+Inf\"} 2\n\
             took_seconds_sum{route=\"/a\"} 3.0004\n\
             took_seconds_count{route=\"/a\"} 2\n"
        );
    }
}
