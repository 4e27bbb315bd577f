//! The JSON Schema of the configuration file, for editors: [draft
//! 2020-12](https://json-schema.org/draft/2020-12/json-schema-core).

use serde_json::{Map, Value, json};

use super::keys::KEYS;

/// The schema of the configuration file. It allows what the file may have: of a secret, the path of
/// its file alone.
pub fn schema() -> Value {
    let mut root = table();
    for key in KEYS {
        let mut member = key.kind.schema();
        let mut path = key.path.to_owned();
        if key.kind.is_secret() {
            path.push_str("_file");
        }
        let restart = if key.is_fixed { " (a change needs a restart)" } else { "" };
        if let Some(members) = member.as_object_mut() {
            members.insert("description".to_owned(), format!("{}{restart}", key.about).into());
        }
        put(&mut root, &path.split('.').collect::<Vec<_>>(), member);
    }
    root.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    root.insert("title".to_owned(), "The configuration of Gatelodge".into());
    root.into()
}

/// A table that has the members which are put into it, and no others.
fn table() -> Map<String, Value> {
    let table = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    table.as_object().cloned().unwrap_or_default()
}

/// Puts `member` at a path. `*` is any name.
fn put(at: &mut Map<String, Value>, path: &[&str], member: Value) {
    let Some((name, rest)) = path.split_first() else { return };
    let below = match *name {
        "*" => at.entry("additionalProperties"),
        name => match at.get_mut("properties") {
            Some(Value::Object(properties)) => properties.entry(name),
            Some(_) | None => return,
        },
    };
    if rest.is_empty() {
        below.or_insert(member);
        return;
    }
    let below = below.or_insert_with(|| table().into());
    if !below.is_object() {
        *below = table().into();
    }
    if let Value::Object(below) = below {
        put(below, rest, member);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_place_and_a_secret_only_its_file() {
        let schema = schema();
        let at = |path: &str| schema.pointer(path).unwrap_or_else(|| panic!("{path}: {schema:#}"));

        assert_eq!(at("/properties/issuer/type"), "string");
        assert_eq!(at("/properties/policy/additionalProperties"), false);
        assert_eq!(at("/properties/policy/properties/pkce/enum"), &json!(["required", "nonce"]));
        let scope = "/properties/scopes/additionalProperties/properties";
        assert_eq!(at(&format!("{scope}/open/type")), "boolean");
        assert_eq!(at("/properties/root_secret_file/type"), "string");
        assert_eq!(schema.pointer("/properties/root_secret"), None);
        let about = at("/properties/listen/description").as_str().unwrap();
        assert!(about.ends_with("(a change needs a restart)"), "{about}");
    }
}
