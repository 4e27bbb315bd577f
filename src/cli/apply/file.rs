//! The file of `apply`: TOML, read into the JSON document of the API, with the position of each part
//! of it.
//!
//! Its secrets come from files and variables. What else is wrong with it the server says, by its place,
//! for which this file has the line.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::admin::apply::{Noun, members_of};
use crate::cli::input::standard_input;
use crate::cli::output::{DocumentFault, Exit, Failure, Place};
use crate::model::dotted::dotted;
use crate::model::near::nearest;
use crate::private_file::{read_text, without_newline};

/// The most bytes of standard input, as of a file.
const MAX_INPUT: u64 = 1 << 20;

/// The members of a client that have a secret or keys from elsewhere, and the member that they become.
const FROM_ELSEWHERE: [(&str, &str); 3] =
    [("jwks_file", "jwks"), ("secret_env", "client_secret"), ("secret_file", "client_secret")];

const NO_SECRETS: &str = "a secret does not belong in this file; put it into a file of its own, mode 0600, \
     and name that as secret_file, or into a variable and name that as secret_env";

/// A file that was read. It has secrets.
pub(in crate::cli) struct File {
    /// The document for the API.
    pub(in crate::cli) document: Map<String, Value>,
    /// Its name in messages.
    name: String,
    /// The position of each part, by its dotted path.
    positions: BTreeMap<String, (usize, usize)>,
}

impl File {
    /// Reads a file, or standard input if `file` is `-`, and the secrets that it names.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`] with all that is wrong with its form.
    pub(super) fn read(file: &str, env: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let (name, text) = if file == "-" {
            let text = standard_input(MAX_INPUT + 1)?;
            if u64::try_from(text.len()).is_ok_and(|length| length > MAX_INPUT) {
                return Err(Failure::new(Exit::Usage, "standard input: it has more than 1 MiB"));
            }
            ("standard input".to_owned(), text)
        } else {
            let text = read_text(Path::new(file)).map_err(|error| {
                Failure::new(Exit::Usage, format!("{file}: {}", unreadable(&error)))
            })?;
            (file.to_owned(), text)
        };
        let base = Path::new(file).parent().filter(|_| file != "-").map(Path::to_owned);
        Reader::new(&name, &text, base.unwrap_or_default(), env).read()
    }

    /// The place in the file of what the API calls `at`, or of the part around it.
    pub(super) fn place(&self, at: &str) -> Option<Place> {
        let around = |own: &&String| {
            at.strip_prefix(own.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let own = self.positions.keys().filter(around).max_by_key(|own| own.len())?;
        let (line, column) = *self.positions.get(own)?;
        Some(Place { column, file: self.name.clone(), line })
    }
}

fn unreadable(error: &io::Error) -> String {
    match error.kind() {
        // These say what is wrong.
        io::ErrorKind::FileTooLarge | io::ErrorKind::InvalidData | io::ErrorKind::Other => {
            error.to_string()
        }
        _ => format!("it cannot be read: {error}"),
    }
}

/// Reads one text.
struct Reader<'a> {
    /// The directory to which paths in it are relative.
    base: PathBuf,
    env: &'a BTreeMap<String, String>,
    faults: Vec<DocumentFault>,
    name: &'a str,
    positions: BTreeMap<String, (usize, usize)>,
    text: &'a str,
}

impl<'a> Reader<'a> {
    fn new(name: &'a str, text: &'a str, base: PathBuf, env: &'a BTreeMap<String, String>) -> Self {
        Self { base, env, faults: Vec::new(), name, positions: BTreeMap::new(), text }
    }

    fn read(mut self) -> Result<File, Failure> {
        let document = match DeTable::parse(self.text) {
            Ok(table) => self.sections(table.get_ref()),
            Err(error) => {
                let message = error.message().replace('\n', " ");
                let span = error.span().unwrap_or_default();
                self.fault(&span, None, format!("this is no TOML: {message}"));
                Map::new()
            }
        };
        if !self.faults.is_empty() {
            self.faults.sort_by_key(|fault| (fault.place.line, fault.place.column));
            return Err(Failure::of_document(&self.faults));
        }
        Ok(File { document, name: self.name.to_owned(), positions: self.positions })
    }

    /// The line and the column of a byte, from 1.
    fn position(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    fn fault(&mut self, span: &Range<usize>, at: Option<String>, message: impl Into<String>) {
        let (line, column) = self.position(span.start);
        let place = Place { column, file: self.name.to_owned(), line };
        self.faults.push(DocumentFault { at, message: message.into(), place });
    }

    fn found_at(&mut self, path: String, span: &Range<usize>) {
        let position = self.position(span.start);
        self.positions.insert(path, position);
    }

    fn sections(&mut self, table: &DeTable<'_>) -> Map<String, Value> {
        let mut document = Map::new();
        for (key, value) in table {
            let section = key.get_ref().as_ref();
            let path = dotted(&[section]);
            self.found_at(path.clone(), &key.span());
            let noun = Noun::ALL.into_iter().find(|noun| noun.section() == section);
            let Some(noun) = noun else {
                let known = Noun::ALL.map(|noun| noun.section());
                self.unknown(&key.span(), &path, section, &known, &[]);
                continue;
            };
            let Some(objects) = self.table(value, &path) else { continue };
            let mut section = Map::new();
            for (key, value) in objects {
                let name = key.get_ref().as_ref();
                let path = noun.place(name);
                self.found_at(path.clone(), &key.span());
                if let Some(members) = self.table(value, &path) {
                    section.insert(name.to_owned(), self.object(noun, name, members).into());
                }
            }
            document.insert(noun.section().to_owned(), section.into());
        }
        document
    }

    /// The table of a value.
    fn table<'v, 'i>(
        &mut self,
        value: &'v Spanned<DeValue<'i>>,
        path: &str,
    ) -> Option<&'v DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            let kind = value.get_ref().type_str();
            self.fault(
                &value.span(),
                Some(path.to_owned()),
                format!("found a {kind}; a table is allowed"),
            );
        }
        table
    }

    fn unknown(
        &mut self,
        span: &Range<usize>,
        path: &str,
        written: &str,
        known: &[&str],
        above: &[&str],
    ) {
        let nearest = nearest(written, known.iter().map(|known| (*known).to_owned()), 1);
        let nearest = nearest.first().map_or("", String::as_str);
        let meant = dotted(&[above, &[nearest]].concat());
        let message = format!("there is no such key; the nearest is {meant}");
        self.fault(span, Some(path.to_owned()), message);
    }

    fn object(&mut self, noun: Noun, name: &str, members: &DeTable<'_>) -> Map<String, Value> {
        let mut known = members_of(noun);
        if noun == Noun::Client {
            known.retain(|known| *known != "client_secret");
            known.extend(FROM_ELSEWHERE.map(|(member, _)| member));
        }
        let mut object = Map::new();
        for (key, value) in members {
            let member = key.get_ref().as_ref();
            let path = noun.member(name, member);
            self.found_at(path.clone(), &key.span());
            if noun == Noun::Client && ["client_secret", "secret"].contains(&member) {
                self.fault(&key.span(), Some(path), NO_SECRETS);
                continue;
            }
            if !known.contains(&member) {
                self.unknown(&key.span(), &path, member, &known, &[noun.section(), name]);
                continue;
            }
            let elsewhere =
                FROM_ELSEWHERE.iter().find(|(own, _)| noun == Noun::Client && *own == member);
            let (member, value) = match elsewhere {
                Some((_, other)) => {
                    self.found_at(noun.member(name, other), &key.span());
                    (*other, self.elsewhere(member, value, &path))
                }
                None => (member, self.value(value, &path)),
            };
            if let Some(value) = value
                && object.insert(member.to_owned(), value).is_some()
            {
                let message = "another key says the same; one of them is enough";
                self.fault(&key.span(), Some(path), message);
            }
        }
        object
    }

    /// What a file or a variable has that `member` names.
    fn elsewhere(
        &mut self,
        member: &str,
        value: &Spanned<DeValue<'_>>,
        path: &str,
    ) -> Option<Value> {
        let span = value.span();
        let written = value.get_ref().as_str().filter(|written| !written.is_empty());
        let read = match written {
            None => Err("the name of a file or of a variable is allowed".to_owned()),
            Some(variable) if member == "secret_env" => {
                let read = self.env.get(variable).map(|secret| Value::from(secret.as_str()));
                read.ok_or_else(|| format!("the variable {variable} is not set"))
            }
            Some(file) => {
                let file = self.base.join(file);
                let text = read_text(&file)
                    .map_err(|error| format!("{}: {}", file.display(), unreadable(&error)));
                text.and_then(|text| match member {
                    "jwks_file" => serde_json::from_str(&text)
                        .map_err(|_| format!("{}: it has no JSON", file.display())),
                    _ => Ok(Value::from(without_newline(&text))),
                })
            }
        };
        read.map_err(|message| self.fault(&span, Some(path.to_owned()), message)).ok()
    }

    /// A value as JSON.
    fn value(&mut self, value: &Spanned<DeValue<'_>>, path: &str) -> Option<Value> {
        let span = value.span();
        match value.get_ref() {
            DeValue::Array(items) => {
                let mut list = Vec::new();
                for (position, item) in items.iter().enumerate() {
                    let path = format!("{path}[{position}]");
                    self.found_at(path.clone(), &item.span());
                    list.push(self.value(item, &path)?);
                }
                Some(list.into())
            }
            DeValue::Boolean(flag) => Some((*flag).into()),
            DeValue::Integer(integer) => {
                let number = i64::from_str_radix(integer.as_str(), integer.radix());
                let large =
                    |_| self.fault(&span, Some(path.to_owned()), "this number is too large");
                number.map_err(large).ok().map(Value::from)
            }
            DeValue::String(text) => Some(text.as_ref().into()),
            DeValue::Table(members) => {
                let mut object = Map::new();
                for (key, value) in members {
                    let path = format!("{path}.{}", dotted(&[key.get_ref()]));
                    self.found_at(path.clone(), &key.span());
                    object.insert(key.get_ref().to_string(), self.value(value, &path)?);
                }
                Some(object.into())
            }
            other @ (DeValue::Datetime(_) | DeValue::Float(_)) => {
                let message = format!("found a {}, which nothing here is", other.type_str());
                self.fault(&span, Some(path.to_owned()), message);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<File, Failure> {
        let env = [("SHOP_SECRET".to_owned(), "s3cret".to_owned())].into();
        Reader::new("house.toml", text, PathBuf::from("/nowhere"), &env).read()
    }

    fn faults(text: &str) -> String {
        read(text).err().unwrap().message
    }

    #[test]
    fn a_file_becomes_a_document_with_the_place_of_each_part() {
        let file = read(
            "[clients.shop]\nscopes = [\n  \"openid\",\n  \"ordres\",\n]\nsecret_env = \"SHOP_SECRET\"\n\
             [users.\"ada@x\".claims]\ndepartment = \"é\"\n",
        )
        .unwrap();

        let expected = serde_json::json!({
            "clients": { "shop": { "client_secret": "s3cret", "scopes": ["openid", "ordres"] } },
            "users": { "ada@x": { "claims": { "department": "é" } } },
        });
        assert_eq!(Value::from(file.document.clone()), expected);
        for (at, line, column) in [
            ("clients.shop.scopes[1]", 4, 3),
            ("clients.shop.client_secret", 6, 1),
            ("clients.shop.pkce", 1, 10),
            ("users.\"ada@x\".claims.department", 8, 1),
        ] {
            let place = file.place(at).unwrap();
            assert_eq!((place.line, place.column), (line, column), "{at}");
        }
        assert!(file.place("groups").is_none());
    }

    #[test]
    fn every_fault_of_the_form_is_told_with_its_position() {
        let text = "client.shop.name = \"x\"\nroles = 1\n[clients.shop]\nredirect_uri = []\n\
                    secret = \"x\"\nsecret_file = \"gone\"\nsecret_env = \"GONE\"\npkce = 1.5\n\
                    access_token_lifetime = 99999999999999999999\n[users]\nada = \"x\"\n";

        let faults = faults(text);

        let expected = [
            "house.toml:1:1: client: there is no such key; the nearest is clients",
            "house.toml:2:9: roles: found a integer; a table is allowed",
            "house.toml:4:1: clients.shop.redirect_uri: there is no such key; the nearest is \
             clients.shop.redirect_uris",
            "house.toml:5:1: clients.shop.secret: a secret does not belong in this file; put it into a \
             file of its own, mode 0600, and name that as secret_file, or into a variable and name that \
             as secret_env",
            "house.toml:6:15: clients.shop.secret_file: /nowhere/gone: it cannot be read: No such file or \
             directory (os error 2)",
            "house.toml:7:14: clients.shop.secret_env: the variable GONE is not set",
            "house.toml:8:8: clients.shop.pkce: found a float, which nothing here is",
            "house.toml:9:25: clients.shop.access_token_lifetime: this number is too large",
            "house.toml:11:7: users.ada: found a string; a table is allowed",
        ];
        assert_eq!(faults.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_position() {
        assert!(faults("[users.ada]\nroles = [").starts_with("house.toml:2:"), "{}", faults("["));
        assert!(faults("[users.ada]\n[users.ada]\n").starts_with("house.toml:2:"));
    }
}
