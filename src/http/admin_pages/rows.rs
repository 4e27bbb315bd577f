//! A list of a page: what was typed to search it, its rows, and the way to the next ones.

use askama::Template;
use axum::response::Response;
use serde::de::DeserializeOwned;

use super::administrator::Administrator;
use crate::admin::listing::{ListView, Noun};
use crate::http::destination::AdminPath;
use crate::http::failure::PageFailure;
use crate::http::pages::templates;
use crate::oauth::params::form_encode;

/// The most rows of a page.
pub(super) const LIMIT: usize = 50;

/// The rows of a page.
pub(in crate::http) struct Rows<V> {
    /// Why there are none; empty if nothing is wrong.
    pub(in crate::http) fault: String,
    pub(in crate::http) items: Vec<V>,
    /// The page of the next rows.
    pub(in crate::http) more: Option<AdminPath>,
    /// What was typed, by the name of the field.
    pub(in crate::http) typed: Vec<(&'static str, String)>,
}

impl<V> Rows<V> {
    /// What was typed into a field.
    pub(in crate::http) fn typed(&self, field: &str) -> &str {
        let typed = self.typed.iter().find(|(name, _)| *name == field);
        typed.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Whether only some of all are searched for.
    pub(in crate::http) fn is_search(&self) -> bool {
        !self.typed.is_empty()
    }

    /// Whether there is nothing at all, and nothing was searched for.
    pub(in crate::http) fn is_bare(&self) -> bool {
        let is_empty = self.fault.is_empty() && self.items.is_empty() && !self.is_cut();
        is_empty && !self.is_search()
    }

    /// Whether there is more to look at, though the page is not full: a page looks at so many rows, and
    /// what has ended is no result.
    pub(in crate::http) fn is_cut(&self) -> bool {
        self.more.is_some() && self.items.len() < LIMIT
    }

    /// The same page with each row in another form.
    pub(super) fn map<T>(self, row: impl FnMut(V) -> T) -> Rows<T> {
        let Self { fault, items, more, typed } = self;
        Rows { fault, items: items.into_iter().map(row).collect(), more, typed }
    }
}

/// Renders a page with what an operation lists, limited by the query of the page, which may name
/// `fields` and a cursor.
pub(super) async fn list<V: Noun + DeserializeOwned, P: Template>(
    administrator: &Administrator,
    operation: &str,
    fields: &[&'static str],
    page: impl FnOnce(Rows<V>) -> P,
) -> Result<Response, PageFailure> {
    let query = &administrator.query;
    let mut typed = Vec::new();
    for name in fields {
        let value = query.one(name)?.map(str::trim).filter(|value| !value.is_empty());
        typed.extend(value.map(|value| (*name, value.to_owned())));
    }
    let own = typed.iter().map(|(name, value)| (*name, value.as_str()));
    let cursor = query.one("cursor")?.map(|cursor| ("cursor", cursor));
    let limit = LIMIT.to_string();
    let asked = form_encode(own.clone().chain(cursor).chain([("limit", limit.as_str())]));
    let listed = administrator.get::<ListView<V>>(&format!("{operation}?{asked}")).await;
    match listed {
        Ok(ListView { items, next }) => {
            let next = next.as_deref().map(|next| ("cursor", next));
            let more = next.map(|next| administrator.here.with_query(own.chain([next])));
            Ok(templates::show_alone(&page(Rows { fault: String::new(), items, more, typed })))
        }
        Err(refused) => administrator.again(refused, query, |fault| {
            let fault = fault.to_string();
            let rows = Rows { fault, items: Vec::new(), more: None, typed };
            Ok(templates::show_alone(&page(rows)))
        }),
    }
}

/// What a person has of one kind, for the page of the person.
pub(super) async fn of_person<V: Noun + DeserializeOwned>(
    administrator: &Administrator,
    operation: &str,
    id: &str,
) -> Result<ListView<V>, PageFailure> {
    let query = form_encode([("user", id), ("limit", &LIMIT.to_string())]);
    Ok(administrator.get(&format!("{operation}?{query}")).await?)
}
