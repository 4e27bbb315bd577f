//! A file of another server: YAML or JSON, with the line of each part where the parser says it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, ScanError, YamlData};
use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

use crate::cli::input;
use crate::cli::output::{Exit, Failure, printable};
use crate::model::dotted::dotted;

/// The most bytes of a file.
const MAX_FILE: u64 = 64 << 20;

/// The most parts that a file has with its aliases resolved: a few lines can name very many.
const MAX_PARTS: usize = 4_000_000;

/// The most objects and lists within each other.
const MAX_DEPTH: usize = 64;

/// A file that was read.
pub(super) struct Source {
    /// The line of each part, by its dotted path. JSON has none.
    lines: BTreeMap<String, usize>,
    /// Its name in messages.
    name: String,
    value: Value,
}

impl Source {
    /// Reads a file of YAML, or standard input if `file` is `-`.
    pub(super) fn yaml(file: &str) -> Result<Self, Failure> {
        let name = name_of(file);
        Self::of_yaml(&name, &text(file)?)
    }

    /// Reads a file of JSON, or standard input if `file` is `-`.
    pub(super) fn json(file: &str) -> Result<Self, Failure> {
        let name = name_of(file);
        Self::of_json(&name, &text(file)?)
    }

    pub(super) fn of_yaml(name: &str, text: &str) -> Result<Self, Failure> {
        let malformed = |error: ScanError| {
            let line = error.marker().line();
            failure(&format!("{name}:{line}: this is no YAML: {}", error.info()))
        };
        if !is_bounded(text).map_err(malformed)? {
            let why = format!("{name}: its aliases make it too large, or it is nested too deeply");
            return Err(failure(&why));
        }
        let loaded = MarkedYaml::load_from_str(text).map_err(malformed)?;
        let [document] = loaded.as_slice() else {
            return Err(failure(&format!("{name}: one document of YAML is expected")));
        };
        let mut source = Self { lines: BTreeMap::new(), name: name.to_owned(), value: Value::Null };
        source.value = source.value_of(document, "")?;
        Ok(source)
    }

    pub(super) fn of_json(name: &str, text: &str) -> Result<Self, Failure> {
        let value = serde_json::from_str(text).map_err(|error| {
            let sentence = error.to_string();
            let sentence = sentence.split(" at line ").next().unwrap_or_default();
            failure(&format!("{name}:{}: this is no JSON: {sentence}", error.line()))
        })?;
        Ok(Self { lines: BTreeMap::new(), name: name.to_owned(), value })
    }

    fn value_of(&mut self, node: &MarkedYaml<'_>, path: &str) -> Result<Value, Failure> {
        self.lines.insert(path.to_owned(), node.span.start.line());
        Ok(match &node.data {
            YamlData::Value(scalar) => match scalar {
                Scalar::Null => Value::Null,
                Scalar::Boolean(flag) => Value::Bool(*flag),
                Scalar::Integer(number) => Value::from(*number),
                Scalar::FloatingPoint(number) => Value::from(number.into_inner()),
                Scalar::String(text) => Value::from(text.as_ref()),
            },
            YamlData::Sequence(items) => {
                let items = items.iter().enumerate();
                let items = items.map(|(at, item)| self.value_of(item, &format!("{path}[{at}]")));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            YamlData::Mapping(members) => {
                let mut object = Map::new();
                for (key, member) in members {
                    let YamlData::Value(key) = &key.data else {
                        return Err(self.fault(path, "a name is expected before each colon"));
                    };
                    let key = match key {
                        Scalar::String(text) => text.to_string(),
                        Scalar::Integer(number) => number.to_string(),
                        Scalar::Boolean(flag) => flag.to_string(),
                        Scalar::FloatingPoint(_) | Scalar::Null => {
                            return Err(self.fault(path, "a name is expected before each colon"));
                        }
                    };
                    let place = below(path, &key);
                    let value = self.value_of(member, &place)?;
                    if key == "<<" {
                        self.merge(&mut object, value, &place)?;
                    } else {
                        object.insert(key, value);
                    }
                }
                Value::Object(object)
            }
            YamlData::Tagged(_, node) => self.value_of(node, path)?,
            YamlData::Representation(text, ..) => Value::from(text.as_ref()),
            YamlData::Alias(_) | YamlData::BadValue => {
                return Err(self.fault(path, "this value cannot be read"));
            }
        })
    }

    /// Adds the members of a merge key (`<<`), behind those that are there.
    fn merge(
        &self,
        object: &mut Map<String, Value>,
        value: Value,
        path: &str,
    ) -> Result<(), Failure> {
        let values = match value {
            Value::Array(values) => values,
            other => vec![other],
        };
        for value in values {
            let Value::Object(members) = value else {
                return Err(self.fault(path, "an object is expected"));
            };
            for (name, value) in members {
                object.entry(name).or_insert(value);
            }
        }
        Ok(())
    }

    /// The failure of what is wrong at a place.
    pub(super) fn fault(&self, path: &str, sentence: &str) -> Failure {
        let line = self.lines.get(path).map_or_else(String::new, |line| format!("{line}:"));
        let between = if path.is_empty() { "" } else { ": " };
        failure(&format!("{}:{line} {path}{between}{sentence}", self.name))
    }

    /// The whole of it.
    pub(super) fn root(&self) -> Result<Object<'_>, Failure> {
        self.object(&self.value, String::new())
    }

    fn object<'a>(&'a self, value: &'a Value, path: String) -> Result<Object<'a>, Failure> {
        match value {
            Value::Object(members) => {
                Ok(Object { members, path, source: self, taken: RefCell::default() })
            }
            _ => Err(self.fault(&path, "an object is expected")),
        }
    }
}

/// Whether a file of YAML has no more than [`MAX_PARTS`] with its aliases resolved, and is nested no
/// deeper than [`MAX_DEPTH`]. Nothing is resolved for that.
fn is_bounded(text: &str) -> Result<bool, ScanError> {
    /// What contains the part that is read: its anchor, and its parts so far.
    type Open = (usize, usize);
    let (mut sizes, mut open) = (BTreeMap::<usize, usize>::new(), Vec::<Open>::new());
    for event in Parser::new_from_str(text) {
        let (anchor, parts) = match event?.0 {
            Event::Scalar(_, _, anchor, _) => (anchor, 1),
            Event::Alias(anchor) => (0, sizes.get(&anchor).copied().unwrap_or(1)),
            Event::MappingStart(anchor, _) | Event::SequenceStart(anchor, _) => {
                open.push((anchor, 1));
                if open.len() > MAX_DEPTH {
                    return Ok(false);
                }
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => open.pop().unwrap_or_default(),
            Event::DocumentEnd
            | Event::DocumentStart(_)
            | Event::Nothing
            | Event::StreamEnd
            | Event::StreamStart => continue,
        };
        sizes.insert(anchor, parts);
        if let Some((_, sum)) = open.last_mut() {
            *sum += parts;
            if *sum > MAX_PARTS {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn name_of(file: &str) -> String {
    if file == "-" { "standard input".to_owned() } else { file.to_owned() }
}

fn text(file: &str) -> Result<String, Failure> {
    let bytes = input::bytes(file, MAX_FILE)?;
    String::from_utf8(bytes).map_err(|_| failure(&format!("{}: this is no UTF-8", name_of(file))))
}

fn failure(message: &str) -> Failure {
    Failure::new(Exit::Usage, printable(message))
}

fn below(path: &str, name: &str) -> String {
    let name = dotted(&[name]);
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// An object of a file, and which of its members were taken.
pub(super) struct Object<'a> {
    members: &'a Map<String, Value>,
    path: String,
    source: &'a Source,
    taken: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Object<'a> {
    fn take(&self, name: &str) -> Option<&'a Value> {
        let (name, value) = self.members.get_key_value(name)?;
        self.taken.borrow_mut().insert(name);
        (!value.is_null()).then_some(value)
    }

    fn place(&self, name: &str) -> String {
        below(&self.path, name)
    }

    fn fault(&self, name: &str, sentence: &str) -> Failure {
        self.source.fault(&self.place(name), sentence)
    }

    /// Whether there is a member of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// A text that is not empty, if there is one.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Failure> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(Value::Number(_)) => {
                Err(self.fault(name, "a text is expected: write the number in quotes"))
            }
            Some(_) => Err(self.fault(name, "a text is expected")),
        }
    }

    /// A text that has to be there.
    pub(super) fn needed(&self, name: &str) -> Result<&'a str, Failure> {
        let text = self.text(name)?;
        text.ok_or_else(|| self.source.fault(&self.path, &format!("{name} is missing")))
    }

    /// Whether something is so, if that is said.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text == "true" => Ok(Some(true)),
            Some(Value::String(text)) if text == "false" || text.is_empty() => Ok(Some(false)),
            // A database without a type for it.
            Some(Value::Number(number)) if number.as_u64() == Some(1) => Ok(Some(true)),
            Some(Value::Number(number)) if number.as_u64() == Some(0) => Ok(Some(false)),
            Some(_) => Err(self.fault(name, "true or false is expected")),
        }
    }

    /// A list of texts; one text alone is a list, too.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<&'a str>, Failure> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text.as_str()]),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().ok_or_else(|| self.fault(name, "texts are expected")))
                .collect(),
            Some(_) => Err(self.fault(name, "a list of texts is expected")),
        }
    }

    /// A list of texts that is written as JSON inside a text.
    pub(super) fn texts_in_text(&self, name: &str) -> Result<Vec<String>, Failure> {
        match self.text(name)? {
            None => Ok(Vec::new()),
            Some(text) => {
                let list = serde_json::from_str::<Option<Vec<String>>>(text);
                let list = list.map_err(|_| self.fault(name, "a list of texts is expected"))?;
                Ok(list.unwrap_or_default())
            }
        }
    }

    /// An object below, if there is one.
    pub(super) fn child(&self, name: &str) -> Result<Option<Object<'a>>, Failure> {
        let value = self.take(name);
        value.map(|value| self.source.object(value, self.place(name))).transpose()
    }

    /// The objects of a list.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Object<'a>>, Failure> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                let items = items.iter().enumerate();
                let place = self.place(name);
                items.map(|(at, item)| self.source.object(item, format!("{place}[{at}]"))).collect()
            }
            Some(_) => Err(self.fault(name, "a list is expected")),
        }
    }

    /// The objects of an object, by their names.
    pub(super) fn entries(&self, name: &str) -> Result<Vec<(&'a str, Object<'a>)>, Failure> {
        let Some(child) = self.child(name)? else { return Ok(Vec::new()) };
        let entries = child.members.iter().map(|(name, value)| {
            Ok((name.as_str(), child.source.object(value, child.place(name))?))
        });
        entries.collect()
    }

    /// The names of the members of an object.
    pub(super) fn names(&self, name: &str) -> Result<Vec<&'a str>, Failure> {
        let child = self.child(name)?;
        let names = child.iter().flat_map(|child| child.members.keys().map(String::as_str));
        Ok(names.collect())
    }

    /// Leaves members out on purpose.
    pub(super) fn skip(&self, names: &[&str]) {
        for name in names {
            self.take(name);
        }
    }

    /// The members that say something and that nobody took.
    pub(super) fn rest(&self) -> Vec<&'a str> {
        let says = |value: &Value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Bool(true) | Value::Number(_) => true,
        };
        let taken = self.taken.borrow();
        let rest = self
            .members
            .iter()
            .filter(|(name, value)| !taken.contains(name.as_str()) && says(value));
        rest.map(|(name, _)| name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_read_with_the_line_of_each_part() {
        let text =
            "base: &base\n  public: true\nclients:\n  - <<: *base\n    id: shop\n  - id: 7\n";

        let source = Source::of_yaml("dex.yaml", text).unwrap();

        let root = source.root().unwrap();
        let clients = root.objects("clients").unwrap();
        assert_eq!(clients[0].flag("public").unwrap(), Some(true));
        assert_eq!(clients[0].text("id").unwrap(), Some("shop"));
        let fault = clients[1].text("id").unwrap_err().message;
        assert_eq!(
            fault,
            "dex.yaml:6: clients[1].id: a text is expected: write the number in quotes"
        );
        assert_eq!(root.rest(), ["base"]);
    }

    #[test]
    fn what_is_no_yaml_or_json_is_told_with_its_line() {
        let fault = |read: Result<Source, Failure>| read.err().unwrap().message;

        assert!(fault(Source::of_yaml("a.yml", "a: 1\nb: [1\n")).starts_with("a.yml:"));
        assert!(fault(Source::of_yaml("a.yml", "")).contains("one document of YAML"));
        let json = fault(Source::of_json("a.json", "{\n \"a\": }"));
        assert_eq!(json, "a.json:2: this is no JSON: expected value");
        let list = Source::of_json("a.json", "[]").unwrap();
        assert_eq!(list.root().err().unwrap().message, "a.json: an object is expected");
    }

    #[test]
    fn aliases_that_would_fill_the_memory_and_deep_nesting_are_refused_before_they_are_read() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..13 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        let deep: String = (0..3000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
        for text in [bomb, deep] {
            let refused = Source::of_yaml("bomb.yaml", &text).err().unwrap();
            assert!(refused.message.contains("nested too deeply"), "{}", refused.message);
        }
        assert!(Source::of_yaml("small.yaml", "a: &a [1, 2]\nb: *a\n").is_ok());
    }
}
