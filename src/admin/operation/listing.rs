//! Listings: pages of views, each with the cursor of the next page.
//!
//! The query of a listing has `cursor`, `limit` (1 to 1,000; 100 by default) and what the listing can
//! be limited to ([`Filters`]). A page looks at a bounded number of rows, so it may have fewer than
//! `limit` views, or none, where little of them is wanted. Only the last page has no next one.

use std::fmt;
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize, Serialize};

use crate::admin::Failed;
use crate::error::Refusal;
use crate::flow::named;
use crate::model::folding::folded;
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::params::Params;
use crate::store::{Key, Listing, Span, View};

/// The number of views of a page if the query has no limit.
const DEFAULT_LIMIT: usize = 100;
/// The most views of a page.
pub(crate) const MAX_LIMIT: usize = 1000;

/// The most rows of a kind that are looked at for a page of what is left of them. At two thousand a page
/// is there within some hundredths of a second, whatever was ended or revoked before.
pub(in crate::admin) const MAX_SEEN: usize = 2_000;

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
    pub(in crate::admin) fn new<T, K: Key>(
        listing: Listing<T, K>,
        view: impl FnMut(T) -> V,
    ) -> Self {
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

/// What a listing can be limited to.
pub(in crate::admin) trait Filters: Send + 'static {
    /// The parameters of the query, each with what it does.
    const PARAMETERS: &'static [(&'static str, &'static str)];
}

macro_rules! filters {
    ($($(#[$doc:meta])* $name:ident { $($parameter:literal: $what:literal,)* })*) => {$(
        $(#[$doc])*
        pub(in crate::admin) enum $name {}

        impl Filters for $name {
            const PARAMETERS: &'static [(&'static str, &'static str)] = &[$(($parameter, $what)),*];
        }
    )*};
}

filters! {
    /// Nothing.
    Unfiltered {}
    /// What a name begins with.
    ByName {
        "q": "Only what has a name that begins so, whatever the case.",
    }
    /// Events.
    OfEvents {
        "client": "Only those about this client, named by the id, the name or the id's beginning.",
        "kind": "Only those of this kind, such as user.added.",
        "refusal": "Only requests that were refused for this reason, by its name in the log.",
        "since": "Only those from then on, such as 2026-01-31T12:00:00Z.",
        "until": "Only those before then.",
        "user": "Only those about this person or by them, named by the username, the id or its beginning.",
    }
    /// What one person has.
    OfPerson {
        "user": "Only what belongs to this person, named by the username, the id or its beginning.",
    }
    /// What one person has, or one client.
    OfPersonOrClient {
        "client": "Only what belongs to this client, named by the id, the name or the id's beginning.",
        "user": "Only what belongs to this person, named by the username, the id or its beginning.",
    }
}

/// The query of a listing, with the filters `F`.
pub(in crate::admin) struct Query<F> {
    filters: PhantomData<F>,
    params: Params,
}

impl<F: Filters, S: Send + Sync> FromRequestParts<S> for Query<F> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failed> {
        let params = Params::parse(parts.uri.query().unwrap_or_default().as_bytes())?;
        let known = |name: &str| {
            ["cursor", "limit"].contains(&name) || F::PARAMETERS.iter().any(|(own, _)| *own == name)
        };
        // A filter that is misspelt or empty would list everything.
        if params.names().all(|name| known(name) && params.many(name).next().is_some()) {
            Ok(Self { filters: PhantomData, params })
        } else {
            Err(Refusal::FilterMalformed.into())
        }
    }
}

impl<F> Query<F> {
    /// The parameter `name`.
    pub(in crate::admin) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        self.params.one(name)
    }

    /// The cursor, unparsed.
    pub(in crate::admin) fn cursor(&self) -> Result<Option<&str>, Refusal> {
        self.params.one("cursor")
    }

    /// The most views of the page.
    pub(in crate::admin) fn limit(&self) -> Result<usize, Refusal> {
        let Some(limit) = self.params.one("limit")? else { return Ok(DEFAULT_LIMIT) };
        let limit = limit.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.ok_or(Refusal::LimitMalformed)
    }

    /// The requested page.
    pub(in crate::admin) fn span<K: Key>(&self) -> Result<Span<K>, Refusal> {
        let after = self.cursor()?.map(key).transpose()?;
        Ok(Span { after, limit: self.limit()?, seen: MAX_SEEN })
    }

    /// The person to whom the listing is limited, if the query names one.
    pub(in crate::admin) fn user(&self, view: &impl View) -> Result<Option<UserId>, Failed> {
        let Some(written) = self.params.one("user")? else { return Ok(None) };
        let (id, _) = named::person(view, written)?;
        Ok(Some(id))
    }

    /// What names begin with, folded, if the query says it.
    pub(in crate::admin) fn beginning(&self) -> Result<Option<String>, Refusal> {
        match self.params.one("q")? {
            Some(written) if written.chars().any(char::is_control) => Err(Refusal::NameMalformed),
            written => Ok(written.map(folded)),
        }
    }

    /// The client to which the listing is limited, if the query names one.
    pub(in crate::admin) fn client(&self, view: &impl View) -> Result<Option<ClientId>, Failed> {
        let Some(written) = self.params.one("client")? else { return Ok(None) };
        let (id, _) = named::client(view, written)?;
        Ok(Some(id))
    }
}

/// The key that a cursor names.
pub(in crate::admin) fn key<K: Key>(cursor: &str) -> Result<K, Refusal> {
    K::from_cursor(cursor).ok_or(Refusal::CursorMalformed)
}
