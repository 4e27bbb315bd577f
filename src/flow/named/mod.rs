//! Whom an operator means: the one rule by which every operation finds what it is asked to name.
//!
//! The exact id goes first, then a name that only one has, then the beginning of an id that only one
//! has. Names that differ only in case or in their Unicode form are one. Of several nothing is
//! chosen: the refusal has the candidates beside it. A stranger may register a client under any
//! name, so a client is found by its name only if an operator registered it.
//!
//! Each search reads a bounded number of rows, however many there are: a name has an index, and a
//! beginning is a range of keys.

mod devices;
mod links;
mod passkeys;
mod sessions;

pub use devices::{certificate, device, personal_token};
pub use links::{invitation, link};
pub use passkeys::passkey;
pub use sessions::{NamedSession, connection, grant, session};

use crate::error::{Candidate, Choices, Error, Refusal};
use crate::flow::person::people;
use crate::model::folding::folded;
use crate::model::near::{alike, nearest};
use crate::model::person::Username;
use crate::oauth::id::{ClientId, UserId};
use crate::oauth::resource::Resource;
use crate::store::schema::{
    CLIENTS_BY_NAME, Client, PEOPLE_BY_NAME, Person, Protected, RESOURCES_BY_NAME,
};
use crate::store::{Beginning, Index, Key, Row, StoreError, View};

/// The fewest characters that count as the beginning of an id.
const MIN_BEGINNING: usize = 4;

/// The most hexadecimal digits of an id.
const MAX_DIGITS: usize = 64;

/// The most rows that one search reads.
const MAX_READ: usize = 256;

/// The most candidates, and the most names of what there is, beside a refusal.
const MAX_CHOICES: usize = 10;

/// The prefix of the client ids that this server makes, which nobody remembers.
const MADE_CLIENT_ID: &str = "gl_";

/// What a search found, each with its form beside a refusal.
struct Found<T> {
    /// Whether the search has read all that there is.
    complete: bool,
    items: Vec<(T, Candidate)>,
}

impl<T> Found<T> {
    /// Keeps of `rows`, at most [`MAX_READ`] of which were read, what `keep` makes something of.
    fn among<R>(
        rows: Vec<R>,
        mut keep: impl FnMut(R) -> Result<Option<(T, Candidate)>, StoreError>,
    ) -> Result<Self, StoreError> {
        let (complete, mut items) = (rows.len() < MAX_READ, Vec::new());
        for row in rows {
            items.extend(keep(row)?);
            if items.len() > MAX_CHOICES {
                break;
            }
        }
        Ok(Self { complete, items })
    }

    /// Nothing.
    const fn nothing() -> Self {
        Self { complete: true, items: Vec::new() }
    }

    /// What either search found.
    fn and(mut self, other: Self) -> Self {
        self.items.extend(other.items);
        Self { complete: self.complete && other.complete, items: self.items }
    }

    /// The only one, if there is any.
    ///
    /// # Errors
    ///
    /// [`Refusal::NameAmbiguous`] with the candidates if there are several, or more than were read.
    fn only(mut self) -> Result<Option<T>, Error> {
        if self.complete && self.items.len() < 2 {
            return Ok(self.items.pop().map(|(item, _)| item));
        }
        let candidates = self.items.into_iter().map(|(_, candidate)| candidate);
        let candidates = candidates.take(MAX_CHOICES).collect();
        let choices = Choices { candidates, ..Choices::default() };
        Err(Error::Choice(Refusal::NameAmbiguous, Box::new(choices)))
    }
}

/// Whether there is a control character, which no name and no id has. One of them ends a text in a
/// key.
fn has_control(written: &str) -> bool {
    written.chars().any(char::is_control)
}

/// The beginning of an id that is a text.
fn of_text(written: &str) -> Option<Beginning> {
    let fits = written.len() >= MIN_BEGINNING && !has_control(written);
    fits.then(|| Beginning::of_text(written))
}

/// The beginning of an id in hexadecimal digits, with or without what separates them.
fn of_hex(written: &str) -> Option<Beginning> {
    let digits: String = written.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    (MIN_BEGINNING..=MAX_DIGITS).contains(&digits.len()).then(|| Beginning::of_hex(&digits))?
}

/// What `keep` makes of the rows whose key begins so.
fn beginning<R: Row, T>(
    view: &impl View,
    beginning: Option<Beginning>,
    mut keep: impl FnMut(R::Key, R) -> Result<Option<(T, Candidate)>, StoreError>,
) -> Result<Found<T>, StoreError> {
    let Some(beginning) = beginning else { return Ok(Found::nothing()) };
    let rows = view.list_beginning::<R>(&beginning, MAX_READ)?;
    Found::among(rows, |(key, row)| keep(key, row))
}

/// What `keep` makes of the keys that `index` has for the name.
fn by_name<K: Key, T>(
    view: &impl View,
    index: &Index<String, K>,
    written: &str,
    keep: impl FnMut(K) -> Result<Option<(T, Candidate)>, StoreError>,
) -> Result<Found<T>, StoreError> {
    if has_control(written) {
        return Ok(Found::nothing());
    }
    Found::among(view.by(index, &folded(written), MAX_READ)?, keep)
}

/// Names that `index` has: all of a few, and of many those that are like `written`.
fn known<A: Key + ToString, B: Key>(
    view: &impl View,
    index: &Index<A, B>,
    written: &str,
    other: impl Fn(&B) -> Option<String>,
) -> Result<Vec<String>, StoreError> {
    known_of(view, index, written, other, |_| Ok(true))
}

/// As [`known`], without the names of what `keep` excludes.
fn known_of<A: Key + ToString, B: Key>(
    view: &impl View,
    index: &Index<A, B>,
    written: &str,
    other: impl Fn(&B) -> Option<String>,
    keep: impl Fn(&B) -> Result<bool, StoreError>,
) -> Result<Vec<String>, StoreError> {
    let named = |found: Vec<(A, B)>| -> Result<Vec<(A, B)>, StoreError> {
        let only = |pair: (A, B)| keep(&pair.1).map(|stays| stays.then_some(pair));
        found.into_iter().map(only).filter_map(Result::transpose).collect()
    };
    let names = |found: Vec<(A, B)>| -> Vec<String> {
        let both = |(name, key): (A, B)| [Some(name.to_string()), other(&key)];
        found.into_iter().flat_map(both).flatten().collect()
    };
    let first = view.by_beginning(index, &Beginning::of_text(""), MAX_READ)?;
    if first.len() <= MAX_CHOICES {
        return Ok(nearest(written, names(named(first)?), MAX_CHOICES));
    }
    let initial: String = folded(written).chars().take(1).collect();
    let alphabetic = view.by_beginning(index, &Beginning::of_text(&initial), MAX_READ)?;
    let names = names(named(first)?).into_iter().chain(names(named(alphabetic)?));
    Ok(alike(written, names, MAX_CHOICES))
}

fn candidate(id: &impl ToString, name: &impl ToString) -> Candidate {
    Candidate { id: id.to_string(), name: name.to_string() }
}

/// The client that an operator names by its id, its name or, if this server made the id, the beginning
/// of it. An id that somebody chose is named whole: whoever removes `cron` twice would otherwise remove
/// `cronjob` the second time.
///
/// # Errors
///
/// [`Refusal::ClientNotFound`] with names that there are, and [`Refusal::NameAmbiguous`].
pub fn client(view: &impl View, written: &str) -> Result<(ClientId, Client), Error> {
    if let Ok(id) = written.parse::<ClientId>()
        && let Some(client) = view.find::<Client>(&id)?
    {
        return Ok((id, client));
    }
    let keep = |id: ClientId, client: Client| {
        let candidate = candidate(&id, &client.metadata.name());
        Ok(Some(((id, client), candidate)))
    };
    let named = by_name(view, &CLIENTS_BY_NAME, written, |id| {
        view.find::<Client>(&id)?.map_or(Ok(None), |client| keep(id, client))
    })?;
    if let Some(found) = named.only()? {
        return Ok(found);
    }
    let made = of_text(written).filter(|_| written.starts_with(MADE_CLIENT_ID));
    if let Some(found) = beginning(view, made, keep)?.only()? {
        return Ok(found);
    }
    let chosen = |id: &ClientId| Some(id.to_string()).filter(|id| !id.starts_with(MADE_CLIENT_ID));
    let known = known(view, &CLIENTS_BY_NAME, written, chosen)?;
    Err(Error::with_known(Refusal::ClientNotFound, known))
}

/// The person whom an operator names by their id, their username or the beginning of their id.
///
/// # Errors
///
/// [`Refusal::UserNotFound`] with usernames that there are, and [`Refusal::NameAmbiguous`].
pub fn person(view: &impl View, written: &str) -> Result<(UserId, Person), Error> {
    if let Ok(id) = written.parse::<UserId>()
        && let Some(person) = view.find::<Person>(&id)?
    {
        return Ok((id, person));
    }
    if let Ok(username) = written.parse::<Username>()
        && let Some(found) = people::named(view, &username)?
    {
        return Ok(found);
    }
    let found = beginning(view, of_hex(written), |id: UserId, person: Person| {
        let candidate = candidate(&id, &person.username);
        Ok(Some(((id, person), candidate)))
    })?;
    if let Some(found) = found.only()? {
        return Ok(found);
    }
    let known = known(view, &PEOPLE_BY_NAME, written, |_| None)?;
    Err(Error::with_known(Refusal::UserNotFound, known))
}

/// The resource that an operator names by its URI or its name.
///
/// # Errors
///
/// [`Refusal::ResourceNotFound`] with names and URIs that there are, and
/// [`Refusal::NameAmbiguous`].
pub fn resource(view: &impl View, written: &str) -> Result<Protected, Error> {
    if let Ok(resource) = written.parse::<Resource>()
        && let Some(row) = view.find::<Protected>(&resource.canonical().to_owned())?
    {
        return Ok(row);
    }
    let keep = |row: Protected| {
        let candidate = candidate(&row.resource.as_str(), &row.name);
        Ok(Some((row, candidate)))
    };
    let named = by_name(view, &RESOURCES_BY_NAME, written, |key| {
        view.find::<Protected>(&key)?.map_or(Ok(None), keep)
    })?;
    if let Some(found) = named.only()? {
        return Ok(found);
    }
    let known = known(view, &RESOURCES_BY_NAME, written, |uri| Some(uri.clone()))?;
    Err(Error::with_known(Refusal::ResourceNotFound, known))
}

/// Something of a person's, as a candidate has it.
fn of(name: &str, person: Option<&Person>) -> String {
    person.map_or_else(|| name.to_owned(), |person| format!("{name} of {}", person.username))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_text_in_a_key_is_no_beginning_of_an_id() {
        assert!(of_text("shop").is_some());
        assert!(of_text("shop\0").is_none() && of_text("sho").is_none());
    }

    #[test]
    fn what_separates_the_digits_of_an_id_does_not_count() {
        for written in ["0190-163D", "01:90:16:3d", "0190163d"] {
            assert!(of_hex(written).is_some(), "{written}");
        }
        for written in ["019", "01-9", "019g", "----", &"0".repeat(65)] {
            assert!(of_hex(written).is_none(), "{written}");
        }
    }
}
