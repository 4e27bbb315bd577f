//! The removal of what a file made and this one does not name.

use std::collections::BTreeSet;

use super::ledger::Ledger;
use super::{Manifest, Noun, marks, people};
use crate::error::{Candidate, Choices, Error, Refusal};
use crate::flow::Context;
use crate::flow::client::operator;
use crate::flow::resource::registered;
use crate::model::person::{Role, Username};
use crate::oauth::id::ClientId;
use crate::oauth::resource::Resource;
use crate::oauth::scope::ScopeToken;
use crate::store::schema::{
    AppliedRole, AppliedScope, Client, Person, Protected, RESOURCES_BY_SCOPE,
};
use crate::store::{Row, StoreError, Tx, View};

/// The number of rows that are read at a time.
const PAGE: usize = 256;

/// The most users of a definition that stand beside its refusal.
const MAX_USERS: usize = 10;

/// Removes what a file made and this one does not name: people, clients, resources, then memberships,
/// roles and scopes, which those may have had.
///
/// # Errors
///
/// [`Refusal::LastAdministrator`], and [`Refusal::DefinitionInUse`] with who uses it.
pub(super) fn run(
    tx: &mut Tx<'_>,
    cx: &Context,
    manifest: &Manifest,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let users: BTreeSet<Username> = manifest.users.keys().map(Username::folded).collect();
    for username in unnamed::<Username>(tx, Noun::User, |username| users.contains(username))? {
        ledger.touch(tx, Noun::User, username.as_str())?;
        crate::flow::person::people::remove(tx, cx, &username)
            .map_err(|error| people::located(error, &username))?;
        marks::remove(tx, Noun::User, username.as_str())?;
    }
    for id in unnamed::<ClientId>(tx, Noun::Client, |id| manifest.clients.contains_key(id))? {
        ledger.touch(tx, Noun::Client, id.as_str())?;
        operator::remove(tx, cx, &id)
            .map_err(|error| error.at(|| Noun::Client.place(id.as_str())))?;
        marks::remove(tx, Noun::Client, id.as_str())?;
    }
    let is_named = |own: &Resource| manifest.resources.iter().any(|(other, _)| other == own);
    for resource in unnamed::<Resource>(tx, Noun::Resource, is_named)? {
        ledger.touch(tx, Noun::Resource, resource.canonical())?;
        registered::remove(tx, cx, &resource)
            .map_err(|error| error.at(|| Noun::Resource.place(resource.as_str())))?;
        marks::remove(tx, Noun::Resource, resource.canonical())?;
    }
    for (group, mark) in marks::of(tx, Noun::Group)? {
        if !manifest.groups.keys().any(|own| own.as_str() == group) {
            for user in mark.members {
                people::take_out(tx, cx, &group, user, manifest, ledger)?;
            }
            marks::remove(tx, Noun::Group, &group)?;
        }
    }
    prune_roles(tx, cx, manifest, ledger)?;
    prune_scopes(tx, cx, manifest, ledger)
}

/// What has a mark of `noun` and no place in the file.
fn unnamed<T: std::str::FromStr>(
    view: &impl View,
    noun: Noun,
    is_named: impl Fn(&T) -> bool,
) -> Result<Vec<T>, StoreError> {
    let marked = marks::of(view, noun)?.into_iter().filter_map(|(name, _)| name.parse().ok());
    Ok(marked.filter(|own| !is_named(own)).collect())
}

fn prune_roles(
    tx: &mut Tx<'_>,
    cx: &Context,
    manifest: &Manifest,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    for (name, _) in tx.list::<AppliedRole>(usize::MAX)? {
        let Ok(role) = name.parse::<Role>() else { continue };
        if manifest.roles.contains_key(&role) {
            continue;
        }
        if !cx.rules.configured.roles.contains_key(&role) {
            let mut users = Vec::new();
            each::<Person>(tx, |_, person| {
                if person.roles.contains(&role) {
                    users.push(candidate(person.username.as_str(), Noun::User));
                }
            })?;
            check_unused(users, Noun::Role, &name)?;
        }
        ledger.touch(tx, Noun::Role, &name)?;
        tx.remove::<AppliedRole>(&name)?;
    }
    Ok(())
}

fn prune_scopes(
    tx: &mut Tx<'_>,
    cx: &Context,
    manifest: &Manifest,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    for (name, _) in tx.list::<AppliedScope>(usize::MAX)? {
        let Ok(token) = name.parse::<ScopeToken>() else { continue };
        if manifest.scopes.contains_key(&token) {
            continue;
        }
        if !cx.rules.configured.scopes.contains_key(&token) {
            check_unused(users_of_scope(tx, &token)?, Noun::Scope, &name)?;
        }
        ledger.touch(tx, Noun::Scope, &name)?;
        tx.remove::<AppliedScope>(&name)?;
    }
    Ok(())
}

/// What has a scope: clients, unless they merely say so themselves, resources and roles.
fn users_of_scope(tx: &Tx<'_>, token: &ScopeToken) -> Result<Vec<Candidate>, StoreError> {
    let mut users = Vec::new();
    each::<Client>(tx, |id, client| {
        if client.scope().has(token.as_str()) && !client.states_its_scope() {
            users.push(candidate(id.as_str(), Noun::Client));
        }
    })?;
    for key in tx.by(&RESOURCES_BY_SCOPE, &token.as_str().to_owned(), MAX_USERS)? {
        if let Some(row) = tx.find::<Protected>(&key)? {
            users.push(candidate(row.resource.as_str(), Noun::Resource));
        }
    }
    for (name, row) in tx.list::<AppliedRole>(usize::MAX)? {
        if row.scope.has(token.as_str()) {
            users.push(candidate(&name, Noun::Role));
        }
    }
    Ok(users)
}

fn candidate(name: &str, noun: Noun) -> Candidate {
    Candidate { id: name.to_owned(), name: noun.as_str().to_owned() }
}

/// Calls `visit` for each row of a table.
fn each<R: Row>(view: &impl View, mut visit: impl FnMut(&R::Key, &R)) -> Result<(), StoreError> {
    let mut page = view.list_after::<R, _>(&(), None, PAGE)?;
    while let Some((last, _)) = page.last() {
        page.iter().for_each(|(key, row)| visit(key, row));
        page = view.list_after::<R, _>(&(), Some(last), PAGE)?;
    }
    Ok(())
}

/// Checks that nothing uses a scope or role that is to be removed.
fn check_unused(mut users: Vec<Candidate>, noun: Noun, name: &str) -> Result<(), Error> {
    if users.is_empty() {
        return Ok(());
    }
    users.truncate(MAX_USERS);
    let choices = Choices { used_by: users, ..Choices::default() };
    Err(Error::Choice(Refusal::DefinitionInUse, Box::new(choices)).at(|| noun.place(name)))
}
