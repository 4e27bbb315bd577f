//! The values in a text.

use std::fmt;

use askama::filters::{Escaper as _, Html};

/// A value in a text. Whatever it says is escaped, and isolated in its direction of writing.
#[derive(Clone)]
pub(in crate::http) enum Value {
    /// A number, which chooses the form of the text.
    Count(u64),
    /// A day, which no line break divides.
    Day(String),
    /// Names, with what stands before the last one.
    List(Vec<String>, String),
    /// Anything else.
    Text(String),
}

/// A day.
#[derive(Clone)]
pub(in crate::http) struct Day(pub(in crate::http) String);

impl Value {
    /// The value of a list; `last` stands before the last item.
    pub(super) fn list(items: &[String], last: &str) -> Self {
        Self::List(items.to_vec(), last.to_owned())
    }

    pub(super) fn is_one(&self) -> bool {
        matches!(self, Self::Count(1))
    }

    pub(super) fn write_html(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |f: &mut fmt::Formatter<'_>, [open, close]: [&str; 2], value: &str| {
            f.write_str(open)?;
            Html.write_escaped_str(&mut *f, value)?;
            f.write_str(close)
        };
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Day(day) => escaped(f, ["<span class=\"day\">", "</span>"], day),
            Self::List(items, last) => {
                for (before, item) in separated(items, last) {
                    Html.write_escaped_str(&mut *f, before)?;
                    escaped(f, ["<strong><bdi>", "</bdi></strong>"], item)?;
                }
                Ok(())
            }
            Self::Text(text) => escaped(f, ["<bdi>", "</bdi>"], text),
        }
    }
}

/// The items of a list, each with what stands before it.
fn separated<'a>(items: &'a [String], last: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    items.iter().enumerate().map(move |(at, item)| {
        let before = match at {
            0 => "",
            _ if at + 1 == items.len() => last,
            _ => ", ",
        };
        (before, item.as_str())
    })
}

/// Without tags.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Day(text) | Self::Text(text) => f.write_str(text),
            Self::List(items, last) => separated(items, last).try_for_each(|(before, item)| {
                f.write_str(before).and_then(|()| f.write_str(item))
            }),
        }
    }
}

/// What can stand in a text.
pub(in crate::http) trait ToValue {
    /// It as a value.
    fn to_value(&self) -> Value;
}

impl ToValue for Day {
    fn to_value(&self) -> Value {
        Value::Day(self.0.clone())
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value {
        self.as_str().to_value()
    }
}

impl ToValue for Value {
    fn to_value(&self) -> Value {
        self.clone()
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value {
        Value::Text(self.to_owned())
    }
}

impl ToValue for u64 {
    fn to_value(&self) -> Value {
        Value::Count(*self)
    }
}

/// The length of a list.
impl ToValue for usize {
    fn to_value(&self) -> Value {
        Value::Count(u64::try_from(*self).unwrap_or(u64::MAX))
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}
