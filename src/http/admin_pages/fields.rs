//! The fields of a form that describes something: what stands in them, and what of it was changed.
//!
//! A form that changes something has beside each field what stood there at first. So only what a
//! person changed goes into the patch, and nothing that somebody else changed meanwhile is lost.

use crate::error::Refusal;
use crate::oauth::params::Params;

/// The hidden field of a form that was sent: a box that is not in it was not ticked.
const TYPED: &str = "typed";

/// The value of a single box that is ticked.
const YES: &str = "yes";

/// The fields of a form.
pub(in crate::http) struct Form {
    /// Whether the form changes something that is there already.
    pub(in crate::http) changes: bool,
    pub(in crate::http) fields: Vec<Field>,
}

/// A field.
pub(in crate::http) struct Field {
    /// What helps to fill it in; it may be empty.
    pub(in crate::http) hint: String,
    /// Whether few need it.
    pub(in crate::http) is_extra: bool,
    pub(in crate::http) kind: FieldKind,
    pub(in crate::http) label: String,
    pub(in crate::http) name: String,
    /// What stands in it. Lines and the names of ticked boxes are separated by line feeds.
    pub(in crate::http) value: String,
    /// What stood in it at first.
    pub(in crate::http) was: String,
}

/// The kinds of fields.
pub(in crate::http) enum FieldKind {
    /// Boxes, of which any may be ticked.
    Boxes(Vec<Choice>),
    /// A line.
    Line,
    /// Lines.
    Lines,
    /// Exactly one of several.
    One(Vec<Choice>),
    /// A single box.
    Tick,
}

/// Something that can be chosen.
pub(in crate::http) struct Choice {
    /// What it means; it may be empty.
    pub(in crate::http) description: String,
    /// The value of the field.
    pub(in crate::http) name: String,
}

impl Choice {
    pub(super) fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { description: description.into(), name: name.into() }
    }
}

impl Field {
    pub(super) fn new(name: impl Into<String>, label: impl Into<String>, kind: FieldKind) -> Self {
        Self {
            hint: String::new(),
            is_extra: false,
            kind,
            label: label.into(),
            name: name.into(),
            value: String::new(),
            was: String::new(),
        }
    }

    pub(super) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// The field, as one that few need.
    pub(super) fn extra(self) -> Self {
        Self { is_extra: true, ..self }
    }

    /// The field with what stands in it at first.
    pub(super) fn with<T: AsRef<str>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        let values: Vec<String> = values.into_iter().map(|own| own.as_ref().to_owned()).collect();
        self.value = self.normal(values.iter().map(String::as_str));
        self.was.clone_from(&self.value);
        self
    }

    /// The single box, as it is at first.
    pub(super) fn ticked(self, on: bool) -> Self {
        self.with(on.then_some(YES))
    }

    /// Its lines, or the names of its ticked boxes.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.value.lines()
    }

    /// Whether its single box is ticked.
    pub(in crate::http) fn is_ticked(&self) -> bool {
        self.value == YES
    }

    /// Whether one of its boxes is ticked.
    pub(in crate::http) fn has(&self, choice: &Choice) -> bool {
        self.lines().any(|name| name == choice.name) || self.value == choice.name
    }

    pub(in crate::http) fn is_changed(&self) -> bool {
        self.value != self.was
    }

    /// Values as the field has them: boxes in their own order, and no empty lines.
    fn normal<'a>(&self, values: impl Iterator<Item = &'a str>) -> String {
        let values: Vec<&str> = values.map(str::trim).filter(|own| !own.is_empty()).collect();
        let ordered: Vec<&str> = match &self.kind {
            FieldKind::Boxes(choices) => {
                let names = choices.iter().map(|choice| choice.name.as_str());
                names.filter(|name| values.contains(name)).collect()
            }
            FieldKind::Line | FieldKind::Lines | FieldKind::One(_) | FieldKind::Tick => values,
        };
        ordered.join("\n")
    }

    /// Takes what was typed into it.
    fn read(&mut self, typed: &Params) -> Result<(), Refusal> {
        let is_sent = typed.names().any(|name| name == TYPED);
        if !is_sent && !typed.names().any(|name| name == self.name) {
            return Ok(());
        }
        self.value = match self.kind {
            FieldKind::Boxes(_) => self.normal(typed.many(&self.name)),
            FieldKind::Line | FieldKind::Lines | FieldKind::One(_) | FieldKind::Tick => {
                self.normal(typed.one(&self.name)?.unwrap_or_default().lines())
            }
        };
        let was = format!("was_{}", self.name);
        // The form of something new has none of these.
        if typed.names().any(|name| name == was) {
            self.was = self.normal(typed.one(&was)?.unwrap_or_default().lines());
        }
        Ok(())
    }
}

impl Form {
    /// The form with what was typed into it.
    pub(super) fn filled(mut self, typed: &Params) -> Result<Self, Refusal> {
        self.fields.iter_mut().try_for_each(|field| field.read(typed))?;
        Ok(self)
    }

    /// The fields in which something else stands than at first.
    pub(super) fn changed(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.is_changed())
    }

    /// The field of that name, if the form has it.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    pub(in crate::http) fn has_extra(&self) -> bool {
        self.fields.iter().any(|field| field.is_extra)
    }

    /// Whether somebody typed into a field that few need.
    pub(in crate::http) fn has_changed_extra(&self) -> bool {
        self.fields.iter().any(|field| field.is_extra && field.is_changed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        let scopes = ["email", "openid"].map(|name| Choice::new(name, "")).into();
        let scope = Field::new("scope", "", FieldKind::Boxes(scopes)).with(["openid", "email"]);
        let name = Field::new("name", "", FieldKind::Line).with(["Shop"]);
        Form { changes: true, fields: vec![name, scope] }
    }

    fn changed(typed: &str) -> Vec<(String, String)> {
        let form = form().filled(&Params::parse(typed.as_bytes()).unwrap()).unwrap();
        form.changed().map(|field| (field.name.clone(), field.value.clone())).collect()
    }

    #[test]
    fn only_what_a_person_changed_is_changed() {
        let was = "typed=yes&was_name=Old+shop&was_scope=email%0D%0Aopenid";

        assert_eq!(changed(""), []);
        assert_eq!(changed(&format!("{was}&name=Old+shop&scope=email&scope=openid")), []);
        assert_eq!(
            changed(&format!("{was}&name=Shop&scope=openid&scope=stranger")),
            [("name".into(), "Shop".into()), ("scope".into(), "openid".into())],
        );
    }

    #[test]
    fn a_link_fills_in_what_it_names() {
        assert_eq!(changed("name=Store"), [("name".into(), "Store".into())]);
        assert_eq!(changed("scope=email"), [("scope".into(), "email".into())]);
    }

    #[test]
    fn a_new_thing_is_changed_where_it_is_not_as_usual() {
        assert_eq!(changed("typed=yes&name=Shop&scope=email&scope=openid"), []);
        assert_eq!(changed("typed=yes&name=Shop&scope=email"), [("scope".into(), "email".into())]);
    }

    #[test]
    fn what_is_there_no_more_was_there_nonetheless() {
        let was = "typed=yes&was_name=Shop&was_scope=&name=Shop&scope=email";

        assert_eq!(changed(was), [("scope".into(), "email".into())]);
    }
}
