//! The marks of what `apply` made.

use std::collections::BTreeSet;

use super::Noun;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::flow::person::people;
use crate::model::person::Username;
use crate::oauth::group::Group;
use crate::oauth::id::{ClientId, UserId};
use crate::store::schema::{Applied, Client, Person, Protected};
use crate::store::{StoreError, Tx, View};

/// The most marks that are read.
const MAX_MARKS: usize = 100_000;

fn key(noun: Noun, name: &str) -> (String, String) {
    (noun.as_str().to_owned(), name.to_owned())
}

/// Marks what was just made.
pub(super) fn add(
    tx: &mut Tx<'_>,
    noun: Noun,
    name: &str,
    created: Timestamp,
) -> Result<(), StoreError> {
    tx.put(&key(noun, name), Applied { created, members: BTreeSet::new() })
}

/// Marks that a person was put into a group.
pub(super) fn add_member(
    tx: &mut Tx<'_>,
    group: &Group,
    user: UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let key = key(Noun::Group, group.as_str());
    let new = || Applied { created: now, members: BTreeSet::new() };
    let mut mark = tx.find::<Applied>(&key)?.unwrap_or_else(new);
    if mark.members.insert(user) { tx.put(&key, mark) } else { Ok(()) }
}

/// The marks of a noun, by the name of what they are for.
pub(super) fn of(view: &impl View, noun: Noun) -> Result<Vec<(String, Applied)>, StoreError> {
    let marks = view.list_under::<Applied, _>(&noun.as_str().to_owned(), MAX_MARKS)?;
    Ok(marks.into_iter().map(|((_, name), mark)| (name, mark)).collect())
}

/// Removes the mark of something.
pub(super) fn remove(tx: &mut Tx<'_>, noun: Noun, name: &str) -> Result<(), StoreError> {
    tx.remove::<Applied>(&key(noun, name)).map(drop)
}

/// Removes the marks of what is gone. What has the name of it now was made by hand.
pub(super) fn forget_gone(tx: &mut Tx<'_>) -> Result<(), Error> {
    for noun in Noun::ALL {
        for (name, mark) in of(tx, noun)? {
            let created = match noun {
                Noun::Client => match name.parse::<ClientId>() {
                    Ok(id) => tx.find::<Client>(&id)?.map(|client| client.created),
                    Err(_) => None,
                },
                Noun::Group => {
                    forget_former_members(tx, &name, &mark)?;
                    continue;
                }
                Noun::Resource => tx.find::<Protected>(&name)?.map(|resource| resource.created),
                // Only `apply` makes these.
                Noun::Role | Noun::Scope => continue,
                Noun::User => match name.parse::<Username>() {
                    Ok(username) => people::named(tx, &username)?.map(|(_, person)| person.created),
                    Err(_) => None,
                },
            };
            if created != Some(mark.created) {
                remove(tx, noun, &name)?;
            }
        }
    }
    Ok(())
}

/// Leaves in the mark of a group the people who are in it.
fn forget_former_members(tx: &mut Tx<'_>, name: &str, mark: &Applied) -> Result<(), StoreError> {
    let mut members = BTreeSet::new();
    for user in &mark.members {
        let person = tx.find::<Person>(user)?;
        let is_in = |person: &Person| person.groups.iter().any(|group| group.as_str() == name);
        members.extend(person.filter(is_in).map(|_| *user));
    }
    if members.is_empty() {
        return remove(tx, Noun::Group, name);
    }
    if members != mark.members {
        tx.put(&key(Noun::Group, name), Applied { created: mark.created, members })?;
    }
    Ok(())
}
