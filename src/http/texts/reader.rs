//! How the file of a language is read: each text by its name. What is missing, unknown or malformed is
//! noted by its whole name.

use std::collections::BTreeMap;
use std::mem;

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::Texts;
use super::phrase::{Phrase, Phrases, Script};

/// A table of the file: what of it is not read yet.
pub(super) struct Reader<'a> {
    faults: &'a mut Vec<String>,
    /// The start of the whole names of its members.
    prefix: String,
    table: Table,
}

impl Texts {
    /// The texts of a file, or what is wrong with it.
    pub(super) fn of(file: Table) -> Result<Self, String> {
        let mut faults = Vec::new();
        let texts = Self::read(Reader { faults: &mut faults, prefix: String::new(), table: file });
        if faults.is_empty() { Ok(texts) } else { Err(faults.join("; ")) }
    }
}

impl Reader<'_> {
    /// A table in this one. If there is none, it is empty.
    pub(super) fn table(&mut self, name: &str) -> Reader<'_> {
        let table = self.rest(name);
        Reader { faults: self.faults, prefix: format!("{}{name}.", self.prefix), table }
    }

    /// The texts of a section that has those of `names` and no other, in this order.
    pub(super) fn section(&mut self, section: &str, names: &[&str]) -> Phrases {
        let mut section = self.table(section);
        let mut phrases = Vec::with_capacity(names.len());
        for name in names {
            match section.table.remove(*name) {
                Some(value) => phrases.extend(section.phrase(name, value)),
                None => section.fault(name, " is missing"),
            }
        }
        section.end();
        Phrases(phrases.into())
    }

    /// The texts of a script.
    pub(super) fn script(&mut self, script: &str, names: &'static [&'static str]) -> Script {
        Script { names, phrases: self.section(script, names) }
    }

    /// The texts of a section whose names are known elsewhere.
    pub(super) fn phrases(&mut self, section: &str) -> BTreeMap<String, Phrase> {
        let mut section = self.table(section);
        let members = mem::take(&mut section.table).into_iter();
        let phrases = members
            .filter_map(|(name, value)| section.phrase(&name, value).map(|phrase| (name, phrase)));
        phrases.collect()
    }

    /// What is below a name, which need not be there.
    pub(super) fn rest<T: Default + DeserializeOwned>(&mut self, name: &str) -> T {
        let read = self.table.remove(name).map(Value::try_into).transpose();
        let read = read.map_err(|error| self.fault(name, &format!(": {error}")));
        read.ok().flatten().unwrap_or_default()
    }

    /// Notes what nobody asked for.
    pub(super) fn end(mut self) {
        for (name, _) in mem::take(&mut self.table) {
            self.fault(&name, " is unknown");
        }
    }

    fn phrase(&mut self, name: &str, value: Value) -> Option<Phrase> {
        Phrase::read(value).map_err(|fault| self.fault(name, &format!(": {fault}"))).ok()
    }

    fn fault(&mut self, name: &str, what: &str) {
        self.faults.push(format!("{}{name}{what}", self.prefix));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_unknown_or_malformed_is_named() {
        let file = "[admin.frame]\ntitle = \"a\"\nkeys = \"*\"\npeople = 1\nnothing = \"b\"";
        let (table, mut faults) = (file.parse().unwrap(), Vec::new());
        let mut file = Reader { faults: &mut faults, prefix: String::new(), table };

        let mut admin = file.table("admin");
        let read = admin.section("frame", &["title", "account", "keys", "people"]);
        admin.end();
        file.end();

        assert_eq!(read.at(0).filled(Vec::new()).plain(), "a");
        let found = [
            "admin.frame.account is missing",
            "admin.frame.keys: a single `*` in the text \"*\"",
            "admin.frame.people: this is neither a text nor a table of `one` and `other`",
            "admin.frame.nothing is unknown",
        ];
        assert_eq!(faults, found);
    }
}
