//! Additions to the lists of a client, and what is taken away from them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::{Error, Internal, Refusal};
use crate::flow::lists::ListChange;
use crate::oauth::resource::Resource;
use crate::store::schema::Client;

/// The members that are lists, by the names of the operator's API. `scope` is one text.
pub(crate) const LISTS: [&str; 6] =
    ["contacts", "grant_types", "post_logout_redirect_uris", "redirect_uris", "resources", "scope"];

/// What is added to the lists of a client and taken away from them, by the name of the member.
#[derive(Clone, Debug, Default)]
pub struct ListChanges(BTreeMap<&'static str, ListChange<String>>);

impl ListChanges {
    /// The changes of the members `add` and `remove`, each an object with the members of a client
    /// that are lists.
    ///
    /// # Errors
    ///
    /// [`Refusal::MemberMalformed`].
    pub fn from_members(add: Option<&Value>, remove: Option<&Value>) -> Result<Self, Refusal> {
        let mut changes = Self::default();
        for (name, items) in lists("add", add)? {
            changes.0.entry(name).or_default().add = items;
        }
        for (name, items) in lists("remove", remove)? {
            changes.0.entry(name).or_default().remove = items;
        }
        Ok(changes)
    }

    /// The members of a merge patch that has these changes of `client`, too. What `members` names is
    /// the list that is changed.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotListed`].
    pub fn applied(
        &self,
        client: &Client,
        members: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Error> {
        let mut members = members.clone();
        if self.0.is_empty() {
            return Ok(members);
        }
        let fault = |error: serde_json::Error| Internal::new(error);
        let metadata = serde_json::to_value(client.metadata_in_force()).map_err(fault)?;
        let decisions = serde_json::to_value(&*client.decisions).map_err(fault)?;
        for (name, change) in &self.0 {
            let present = match members.get(*name) {
                Some(named) => Some(named),
                None => metadata.get(*name).or_else(|| decisions.get(*name)),
            };
            let present = present.and_then(items).unwrap_or_default();
            let list = change_in_spelling(name, change, &present).applied(name, &present)?;
            let list = if *name == "scope" { list.join(" ").into() } else { Value::from(list) };
            members.insert((*name).to_owned(), list);
        }
        Ok(members)
    }
}

/// The change with the spelling of `present` for the resources that are there.
fn change_in_spelling(
    name: &str,
    change: &ListChange<String>,
    present: &[String],
) -> ListChange<String> {
    let mut change = change.clone();
    if name == "resources" {
        for item in change.add.iter_mut().chain(&mut change.remove) {
            let Ok(named) = item.parse::<Resource>() else { continue };
            let same = |other: &&String| other.parse::<Resource>().is_ok_and(|own| own == named);
            if let Some(spelled) = present.iter().find(same) {
                item.clone_from(spelled);
            }
        }
    }
    change
}

/// The lists of one object of changes.
fn lists(
    member: &'static str,
    value: Option<&Value>,
) -> Result<Vec<(&'static str, Vec<String>)>, Refusal> {
    let malformed =
        || Refusal::MemberMalformed(member, "an object of the lists of a client is expected");
    let object = match value {
        None => return Ok(Vec::new()),
        Some(value) => value.as_object().ok_or_else(malformed)?,
    };
    let list = |(name, value): (&String, &Value)| {
        let name = LISTS.iter().find(|list| *list == name).ok_or_else(malformed)?;
        Ok((*name, items(value).ok_or_else(malformed)?))
    };
    object.iter().map(list).collect()
}

/// The items of a list, or of a text that separates them by spaces.
fn items(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Value::String(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
        Value::Null => Some(Vec::new()),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}
