//! The texts of the pages: a file for each language in `assets/texts/`, and the type of all of them.
//!
//! `sections.rs` declares every text with the values in it, and the file of a language must have
//! exactly these. A page calls a text like a method, so one that is missing, or a value too few, does
//! not compile. What is in a text is escaped, whoever wrote it.

mod administration;
mod beside;
mod declare;
mod language;
mod phrase;
mod reader;
mod said;
mod sections;
#[cfg(test)]
pub(super) mod tests;
mod value;

pub(super) use language::Language;
pub(super) use phrase::{Filled, Json};
pub(super) use said::Said;
pub(super) use sections::{Texts, TrustTexts};
pub(super) use value::{Day, Value};

use phrase::Script;
use value::ToValue as _;

use crate::error::{Error, Refusal};
use crate::model::user_agent::UserAgent;

impl Texts {
    /// The texts of a section for the script that reads them.
    pub(super) fn json(section: &Script) -> Json {
        Json(serde_json::to_string(section).expect("texts are strings"))
    }

    /// The names one after the other.
    pub(super) fn all_of(&self, names: &[String]) -> Value {
        Value::list(names, &self.lists.and().plain())
    }

    /// The names as alternatives: "Ada, Grace or Alan".
    pub(super) fn any_of(&self, names: &[String]) -> Value {
        Value::list(names, &self.lists.or().plain())
    }

    /// What a program calls itself, and the system that it runs on.
    pub(super) fn program(&self, program: &UserAgent) -> String {
        match (program.program, program.system) {
            (Some(program), Some(system)) => self.program.on(program, system).plain(),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => self.program.unknown().plain(),
        }
    }

    /// What a scope without a description of the operator's allows.
    pub(super) fn scope(&self, name: &str) -> Option<String> {
        self.scopes.get(name).map(|phrase| phrase.filled(Vec::new()).plain())
    }

    /// The sentence of an error on a page.
    pub(super) fn sentence(&self, error: &Error) -> String {
        let translated = self.description(error);
        if translated == error.sentence() { capitalized(&translated) } else { translated }
    }

    /// The sentence of an error in JSON that a person may get to see. Without a translation it is that
    /// of every other JSON.
    pub(super) fn description(&self, error: &Error) -> String {
        match error.refusal() {
            Some(refusal) => self.refusal(refusal).unwrap_or_else(|| error.sentence().into_owned()),
            None => self.error.fault().plain(),
        }
    }

    /// The precise reason of an error, for an administrator: in their language where people meet it,
    /// too, and what a name may have meant.
    pub(super) fn precise(&self, error: &Error) -> String {
        let translated = error.refusal();
        let translated = translated.and_then(|refusal| self.sentence_at(refusal.name(), refusal));
        let Some(choices) = error.choices() else {
            return translated.unwrap_or_else(|| capitalized(&error.to_string()));
        };
        let reason = translated.unwrap_or_else(|| capitalized(&error.to_string()));
        match choices.known.as_slice() {
            [] => reason,
            known => format!("{reason} {}", self.error.known(self.any_of(known)).plain()),
        }
    }

    /// The sentence of a refusal, if people meet it. Causes that a stranger must not tell apart have
    /// one sentence in every language.
    fn refusal(&self, refusal: Refusal) -> Option<String> {
        self.sentence_at(refusal.sentence_name(), refusal)
    }

    fn sentence_at(&self, name: &str, refusal: Refusal) -> Option<String> {
        let phrase = self.refusals.get(name)?;
        let values = refusal.parameters().into_iter().map(|(name, value)| (name, value.to_value()));
        Some(phrase.filled(values.collect()).plain())
    }
}

/// A reason as a sentence. Names of parameters stay as they are.
fn capitalized(reason: &str) -> String {
    let end = if reason.ends_with('.') { "" } else { "." };
    format!("{}{end}", capital(reason))
}

/// A part of a sentence with a capital, unless it begins with the name of a parameter.
pub(super) fn capital(part: &str) -> String {
    let first = part.split([' ', ':']).next().unwrap_or_default();
    let is_word = first.bytes().all(|b| b.is_ascii_lowercase());
    match part.split_at_checked(1) {
        Some((letter, rest)) if is_word => format!("{}{rest}", letter.to_ascii_uppercase()),
        _ => part.to_owned(),
    }
}

#[cfg(test)]
impl Texts {
    /// The English texts, each between ⟦ and ⟧: what stands outside of them on a page is in no file.
    pub(super) fn bracketed() -> Self {
        let mut file = Language::default().table().unwrap();
        file.iter_mut().for_each(|(_, value)| bracket(value));
        Self::of(file).unwrap()
    }
}

#[cfg(test)]
fn bracket(value: &mut toml::Value) {
    match value {
        toml::Value::String(text) => *text = format!("⟦{text}⟧"),
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, value)| bracket(value)),
        _ => {}
    }
}
