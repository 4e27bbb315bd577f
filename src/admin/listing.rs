//! Listings: pages of views, each with the cursor of the next page.
//!
//! The query of a listing has `cursor`, `limit` (1 to 1,000; 100 by default) and, if the noun
//! belongs to people, `user`. A listing is filtered before it is divided into pages, so only its
//! last page may have fewer than `limit` views.

use std::fmt;
use std::marker::PhantomData;

use axum::extract::Request;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize, Serialize};

use super::Failed;
use crate::error::Refusal;
use crate::flow::named;
use crate::oauth::id::UserId;
use crate::oauth::params::Params;
use crate::store::{Key, Listing, Span, View};

/// The number of views of a page if the query has no limit.
const DEFAULT_LIMIT: usize = 100;
/// The most views of a page.
pub(crate) const MAX_LIMIT: usize = 1000;

/// A noun that can be listed.
pub(crate) trait Noun {
    /// The name of the member that contains the views.
    const PLURAL: &'static str;
}

/// A page of a listing.
pub(crate) struct ListView<V> {
    /// The views, in the member [`Noun::PLURAL`].
    pub(crate) items: Vec<V>,
    /// The `cursor` of the next page; `None` on the last page.
    pub(crate) next: Option<String>,
}

impl<V> ListView<V> {
    /// The page of `listing`, each item as a view.
    pub(super) fn new<T, K: Key>(listing: Listing<T, K>, view: impl FnMut(T) -> V) -> Self {
        let next = listing.next.as_ref().map(Key::to_cursor);
        Self { items: listing.items.into_iter().map(view).collect(), next }
    }
}

impl<V: Noun + Serialize> Serialize for ListView<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(next) = &self.next {
            map.serialize_entry("next", next)?;
        }
        map.serialize_entry(V::PLURAL, &self.items)?;
        map.end()
    }
}

impl<'de, V: Noun + Deserialize<'de>> Deserialize<'de> for ListView<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<V>(PhantomData<V>);

        impl<'de, V: Noun + Deserialize<'de>> Visitor<'de> for Members<V> {
            type Value = ListView<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an object with the member {}", V::PLURAL)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut items, mut next) = (None, None);
                while let Some(member) = map.next_key::<String>()? {
                    match member.as_str() {
                        "next" => next = map.next_value()?,
                        member if member == V::PLURAL => items = Some(map.next_value()?),
                        _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
                    }
                }
                let items = items.ok_or_else(|| serde::de::Error::missing_field(V::PLURAL))?;
                Ok(ListView { items, next })
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// The query of a listing.
pub(super) struct Query(Params);

impl Query {
    /// The query of `request`.
    pub(super) fn of(request: &Request) -> Result<Self, Refusal> {
        Params::parse(request.uri().query().unwrap_or_default().as_bytes()).map(Self)
    }

    /// The parameter `name`.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        self.0.one(name)
    }

    /// The cursor, unparsed.
    pub(super) fn cursor(&self) -> Result<Option<&str>, Refusal> {
        self.0.one("cursor")
    }

    /// The most views of the page.
    pub(super) fn limit(&self) -> Result<usize, Refusal> {
        let Some(limit) = self.0.one("limit")? else { return Ok(DEFAULT_LIMIT) };
        let limit = limit.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.ok_or(Refusal::LimitMalformed)
    }

    /// The requested page.
    pub(super) fn span<K: Key>(&self) -> Result<Span<K>, Refusal> {
        let after = self.cursor()?.map(key).transpose()?;
        Ok(Span { after, limit: self.limit()? })
    }

    /// The person to whom the listing is limited, if the query names one.
    pub(super) fn user(&self, view: &impl View) -> Result<Option<UserId>, Failed> {
        let Some(written) = self.0.one("user")? else { return Ok(None) };
        let (id, _) = named::person(view, written)?;
        Ok(Some(id))
    }
}

/// The key that a cursor names.
pub(super) fn key<K: Key>(cursor: &str) -> Result<K, Refusal> {
    K::from_cursor(cursor).ok_or(Refusal::CursorMalformed)
}
