//! A text with its marks, and the HTML that it becomes.

#[cfg(test)]
use std::collections::BTreeSet;
use std::fmt;

use askama::filters::{Escaper as _, Html, HtmlSafe};
use serde::{Serialize, Serializer};

#[cfg(test)]
use super::sections::Declared;
use super::value::Value;

/// A text of a language. It contains no HTML, but these marks: `**strong**`, `` `code` ``,
/// `[link]` and `{name}`, which stands for a value.
///
/// Where the number of something is in it, it has two forms: `one = "…"` for the number 1, and
/// `other = "…"`.
#[derive(Clone)]
pub(in crate::http) struct Phrase {
    one: Option<Form>,
    other: Form,
}

/// A form of a text: as it is written, and its parts.
#[derive(Clone)]
struct Form {
    parts: Vec<Part>,
    source: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Close(Mark),
    Open(Mark),
    Text(String),
    Value(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Code,
    Link,
    Strong,
}

/// The texts of a section, in the order of their names.
pub(in crate::http) struct Phrases(pub(super) Box<[Phrase]>);

/// The texts of a script, by their names.
pub(in crate::http) struct Script {
    pub(super) names: &'static [&'static str],
    pub(super) phrases: Phrases,
}

impl Phrases {
    /// The text at a place of the section.
    pub(super) fn at(&self, place: usize) -> &Phrase {
        self.0.get(place).expect("a section has a text for each of its names")
    }

    /// The text at a place with its values.
    pub(super) fn filled(&self, place: usize, values: Vec<(&'static str, Value)>) -> Filled<'_> {
        self.at(place).filled(values)
    }
}

#[cfg(test)]
impl Script {
    /// Every text, with its name and those of its values, which are given.
    pub(super) fn declared(
        &self,
        script: &str,
        values: &[&'static [&'static str]],
    ) -> Vec<Declared<'_>> {
        let texts = self.names.iter().zip(&self.phrases.0).zip(values);
        texts.map(|((name, text), values)| (format!("{script}.{name}"), text, *values)).collect()
    }
}

/// As they are written.
impl Serialize for Script {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.names.iter().zip(&self.phrases.0))
    }
}

/// As it is written.
impl Serialize for Phrase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let other = &self.other.source;
        match &self.one {
            None => other.serialize(serializer),
            Some(one) => serializer.collect_map([("one", &one.source), ("other", other)]),
        }
    }
}

impl Form {
    fn parse(source: String) -> Result<Self, String> {
        let malformed = |what: &str| format!("{what} in the text {source:?}");
        let (mut parts, mut open) = (Vec::new(), Vec::new());
        let mut rest = source.as_str();
        while !rest.is_empty() {
            let marked = rest.find(['*', '`', '[', ']', '{']).unwrap_or(rest.len());
            let (text, after) = rest.split_at(marked);
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            let (mark, after, closes) = if let Some(after) = after.strip_prefix("**") {
                (Mark::Strong, after, open.last() == Some(&Mark::Strong))
            } else if let Some(after) = after.strip_prefix('`') {
                (Mark::Code, after, open.last() == Some(&Mark::Code))
            } else if let Some(after) = after.strip_prefix('[') {
                (Mark::Link, after, false)
            } else if let Some(after) = after.strip_prefix(']') {
                (Mark::Link, after, true)
            } else if let Some(after) = after.strip_prefix('{') {
                let (name, after) = after.split_once('}').ok_or_else(|| malformed("no `}`"))?;
                parts.push(Part::Value(name.to_owned()));
                rest = after;
                continue;
            } else if after.is_empty() {
                break;
            } else {
                return Err(malformed("a single `*`"));
            };
            rest = after;
            if !closes {
                open.push(mark);
                parts.push(Part::Open(mark));
            } else if open.pop() == Some(mark) {
                parts.push(Part::Close(mark));
            } else {
                return Err(malformed("a mark that closes nothing"));
            }
        }
        if open.is_empty() { Ok(Self { parts, source }) } else { Err(malformed("an open mark")) }
    }
}

impl Phrase {
    /// What a file has for a text.
    pub(super) fn read(written: toml::Value) -> Result<Self, String> {
        let neither = "this is neither a text nor a table of `one` and `other`";
        let (one, other) = match written {
            toml::Value::String(other) => (None, other),
            toml::Value::Table(mut forms) => match (forms.remove("one"), forms.remove("other")) {
                (Some(toml::Value::String(one)), Some(toml::Value::String(other)))
                    if forms.is_empty() =>
                {
                    (Some(one), other)
                }
                _ => return Err(neither.to_owned()),
            },
            _ => return Err(neither.to_owned()),
        };
        let one = one.map(Form::parse).transpose()?;
        Ok(Self { one, other: Form::parse(other)? })
    }

    /// The text with its values.
    pub(super) fn filled(&self, values: Vec<(&'static str, Value)>) -> Filled<'_> {
        let single = values.iter().any(|(_, value)| value.is_one());
        let form = self.one.as_ref().filter(|_| single).unwrap_or(&self.other);
        Filled { form, href: None, values }
    }

    /// The names of its values.
    #[cfg(test)]
    pub(super) fn names(&self) -> BTreeSet<&str> {
        let forms = self.one.iter().chain([&self.other]);
        let parts = forms.flat_map(|form| &form.parts);
        let named = parts.filter_map(|part| match part {
            Part::Value(name) => Some(name.as_str()),
            Part::Close(_) | Part::Open(_) | Part::Text(_) => None,
        });
        named.collect()
    }

    /// Its marks: the same ones in every language.
    #[cfg(test)]
    pub(super) fn marks(&self) -> Vec<String> {
        let opened = self.other.parts.iter().filter(|part| matches!(part, Part::Open(_)));
        let mut marks: Vec<_> = opened.map(|part| format!("{part:?}")).collect();
        marks.sort();
        marks
    }
}

/// A text with its values. It is displayed as HTML.
pub(in crate::http) struct Filled<'a> {
    form: &'a Form,
    href: Option<&'static str>,
    values: Vec<(&'static str, Value)>,
}

impl Filled<'_> {
    /// The text whose `[link]` leads to `href`.
    pub(in crate::http) fn link(self, href: &'static str) -> Self {
        Self { href: Some(href), ..self }
    }

    /// The text without tags, for attributes and for `<title>`.
    pub(in crate::http) fn plain(&self) -> String {
        let mut plain = String::new();
        for part in &self.form.parts {
            match part {
                Part::Text(text) => plain.push_str(text),
                Part::Value(name) => plain.extend(self.value(name).map(Value::to_string)),
                Part::Close(_) | Part::Open(_) => {}
            }
        }
        plain
    }

    fn value(&self, name: &str) -> Option<&Value> {
        let value = self.values.iter().find(|(known, _)| *known == name);
        debug_assert!(value.is_some(), "{name} has no value: {}", self.form.source);
        value.map(|(_, value)| value)
    }
}

impl HtmlSafe for Filled<'_> {}

impl fmt::Display for Filled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.form.parts {
            match part {
                Part::Close(Mark::Code) => f.write_str("</code>")?,
                Part::Close(Mark::Link) => f.write_str("</a>")?,
                Part::Close(Mark::Strong) => f.write_str("</strong>")?,
                Part::Open(Mark::Code) => f.write_str("<code>")?,
                Part::Open(Mark::Link) => {
                    f.write_str("<a href=\"")?;
                    Html.write_escaped_str(&mut *f, self.href.unwrap_or_default())?;
                    f.write_str("\">")?;
                }
                Part::Open(Mark::Strong) => f.write_str("<strong>")?,
                Part::Text(text) => Html.write_escaped_str(&mut *f, text)?,
                Part::Value(name) => {
                    if let Some(value) = self.value(name) {
                        value.write_html(&mut *f)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The texts of a script, as JSON inside an element `script`.
pub(in crate::http) struct Json(pub(super) String);

impl HtmlSafe for Json {}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Inside of `script` nothing is unescaped, and only `<` can end it or open a comment. In
        // JSON it stands within strings alone.
        let mut parts = self.0.split('<');
        f.write_str(parts.next().unwrap_or_default())?;
        parts.try_for_each(|part| write!(f, "\\u003c{part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::ToValue as _;
    use super::*;

    fn phrase(source: &str) -> Phrase {
        Phrase { one: None, other: Form::parse(source.to_owned()).unwrap() }
    }

    #[test]
    fn marks_become_elements_and_everything_else_is_escaped() {
        let phrase = phrase("<i> **Go to {host}** & run `a <b>`, or [leave].");
        let filled = phrase.filled(vec![("host", "<script>".to_value())]).link("/gate/account");

        assert_eq!(
            filled.to_string(),
            "&#60;i&#62; <strong>Go to <bdi>&#60;script&#62;</bdi></strong> &#38; run \
             <code>a &#60;b&#62;</code>, or <a href=\"/gate/account\">leave</a>."
        );
        assert_eq!(filled.plain(), "<i> Go to <script> & run a <b>, or leave.");
    }

    /// Neither a mark nor the name of a value in a value means anything.
    #[test]
    fn a_value_is_never_read_as_a_text() {
        let phrase = phrase("{a} {b}");
        let values = vec![("a", "**{b}** `[x]`".to_value()), ("b", "{a}".to_value())];

        let filled = phrase.filled(values);

        assert_eq!(filled.to_string(), "<bdi>**{b}** `[x]`</bdi> <bdi>{a}</bdi>");
    }

    #[test]
    fn a_number_chooses_the_form() {
        let file = "days = { one = \"{n} day\", other = \"{n} days\" }";
        let mut file: toml::Table = file.parse().unwrap();
        let phrase = Phrase::read(file.remove("days").unwrap()).unwrap();
        let days = |n: u64| phrase.filled(vec![("n", n.to_value())]).plain();

        assert_eq!([0, 1, 2, 11].map(days), ["0 days", "1 day", "2 days", "11 days"]);
        assert_eq!(phrase.names(), BTreeSet::from(["n"]));
    }

    #[test]
    fn a_list_has_each_of_its_items_apart() {
        let list = Value::list(&["a", "<b>", "c"].map(str::to_owned), " or ");
        let html = "<strong><bdi>a</bdi></strong>, <strong><bdi>&#60;b&#62;</bdi></strong> or \
                    <strong><bdi>c</bdi></strong>";

        assert_eq!(phrase("{x}").filled(vec![("x", list.clone())]).to_string(), html);
        assert_eq!(list.to_string(), "a, <b> or c");
        assert_eq!(Value::list(&["a".to_owned()], " or ").to_string(), "a");
    }

    #[test]
    fn a_mark_that_is_not_closed_is_an_error() {
        for source in ["**a", "a*b", "`a", "[a", "a]", "{a", "**a `b**`", "*"] {
            assert!(Form::parse(source.to_owned()).is_err(), "{source}");
        }
    }

    #[test]
    fn no_text_of_a_script_ends_its_element() {
        let json = Json("[\"</script><!--\"]".to_owned()).to_string();

        assert_eq!(json, "[\"\\u003c/script>\\u003c!--\"]");
        assert_eq!(serde_json::from_str::<[String; 1]>(&json).unwrap(), ["</script><!--"]);
    }
}
