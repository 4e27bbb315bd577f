//! `/api/v1/openapi.json`: the description of this API, for OpenAPI 3.1.
//!
//! It is made of the table of operations, of their signatures and of the types of their views and
//! requests, by a test that fails where the file differs. A program that made it at run time would carry
//! the schema of every type along as code.

use axum::http::header;

use crate::admin::by::{Any, By};

/// The description.
pub(crate) const DESCRIPTION: &str = include_str!("../../../assets/openapi.json");

/// The description, as the response of the operation that shows it.
pub(in crate::admin) struct Description;

impl axum::response::IntoResponse for Description {
    fn into_response(self) -> axum::response::Response {
        ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION).into_response()
    }
}

pub(in crate::admin) async fn show(_: By<Any>) -> Description {
    Description
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use serde_json::Value;

    use super::*;

    /// JSON with a line for each member down to `depth`, in the order of their names.
    fn printed(value: &Value, depth: usize) -> String {
        match value {
            Value::Object(members) => {
                let members: BTreeMap<_, _> = members.iter().collect();
                let members = members.into_iter().map(|(name, value)| {
                    format!(
                        "{}:{}",
                        Value::from(name.as_str()),
                        printed(value, depth.saturating_sub(1))
                    )
                });
                let members: Vec<_> = members.collect();
                let (end, between) = if depth > 0 { ("\n", ",\n") } else { ("", ",") };
                format!("{{{end}{}{end}}}", members.join(between))
            }
            Value::Array(items) => {
                let items: Vec<_> = items.iter().map(|item| printed(item, 0)).collect();
                format!("[{}]", items.join(","))
            }
            Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => value.to_string(),
        }
    }

    /// `GATELODGE_BLESS=1` writes it anew.
    #[test]
    fn the_description_is_that_of_the_code() {
        let described = printed(&crate::admin::described(), 3) + "\n";

        if std::env::var_os("GATELODGE_BLESS").is_some() {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/openapi.json");
            fs::write(file, &described).unwrap();
            return;
        }
        let differs = described.lines().zip(DESCRIPTION.lines()).find(|(own, other)| own != other);
        assert!(described == DESCRIPTION, "GATELODGE_BLESS=1 writes it anew: {differs:?}");
    }
}
