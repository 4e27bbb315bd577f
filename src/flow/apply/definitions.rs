//! The scopes and roles that a file defines: rows beside the configuration.

use super::ledger::Ledger;
use super::{Manifest, Noun, RoleEntry, ScopeEntry};
use crate::config::{self, Definitions};
use crate::error::{Error, Refusal};
use crate::flow::{Context, resource};
use crate::model::person::Role;
use crate::oauth::scope::{Scope, ScopeToken};
use crate::store::schema::{AppliedRole, AppliedScope};
use crate::store::{StoreError, Tx, View};

/// The most scopes, and the most roles, that are read.
const MAX_DEFINED: usize = 10_000;

/// What applied files define.
pub fn list(view: &impl View) -> Result<Definitions, StoreError> {
    let mut definitions = Definitions::default();
    // A name was parsed before it was stored.
    for (name, row) in view.list::<AppliedScope>(MAX_DEFINED)? {
        let entry = config::ScopeEntry { open: row.open, description: row.description };
        definitions.scopes.extend(name.parse().ok().map(|token: ScopeToken| (token, entry)));
    }
    for (name, row) in view.list::<AppliedRole>(MAX_DEFINED)? {
        definitions.roles.extend(name.parse().ok().map(|role: Role| (role, row.scope)));
    }
    Ok(definitions)
}

/// Defines the scopes and roles of a file. Returns the context with the rules that follow.
///
/// # Errors
///
/// [`Refusal::ConfiguredOtherwise`], [`Refusal::ScopeReserved`] and [`Refusal::ScopeUnknown`].
pub(super) fn apply(
    tx: &mut Tx<'_>,
    cx: &Context,
    manifest: &Manifest,
    ledger: &mut Ledger,
) -> Result<Context, Error> {
    for (token, entry) in &manifest.scopes {
        define_scope(tx, cx, token, entry, ledger)?;
    }
    let known = cx.rules.configured.with_definitions(&list(tx)?).scope();
    for (role, entry) in &manifest.roles {
        define_role(tx, cx, role, entry, &known, ledger)?;
    }
    with_defined(tx, cx)
}

/// The context with the rules that follow from what is defined now.
fn with_defined(tx: &Tx<'_>, cx: &Context) -> Result<Context, Error> {
    Ok(cx.under(cx.rules.with_definitions(&list(tx)?)))
}

fn define_scope(
    tx: &mut Tx<'_>,
    cx: &Context,
    token: &ScopeToken,
    wanted: &ScopeEntry,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let (name, configured) = (token.as_str(), &cx.rules.configured);
    if let Some(own) = configured.configured_scope(token) {
        let same = [
            ("description", wanted.description.as_ref().is_none_or(|new| *new == own.description)),
            ("open", wanted.open.is_none_or(|open| open == own.open)),
        ];
        if let Some((member, _)) = same.iter().find(|(_, same)| !same) {
            let refused = Error::from(Refusal::ConfiguredOtherwise);
            return Err(refused.at(|| Noun::Scope.member(name, member)));
        }
        // The configuration has taken it over.
        tx.remove::<AppliedScope>(&name.to_owned())?;
        return Ok(());
    }
    let old = tx.find::<AppliedScope>(&name.to_owned())?;
    let default = || match configured.scopes.get(token) {
        Some(own) => AppliedScope { description: own.description.clone(), open: own.open },
        None => AppliedScope { description: name.to_owned(), open: false },
    };
    let before = old.clone().unwrap_or_else(default);
    let row = AppliedScope {
        description: wanted.description.clone().unwrap_or(before.description),
        open: wanted.open.unwrap_or(before.open),
    };
    if row.open && token.is_reserved() {
        return Err(Error::from(Refusal::ScopeReserved).at(|| Noun::Scope.member(name, "open")));
    }
    if old.as_ref() != Some(&row) {
        ledger.touch(tx, Noun::Scope, name)?;
        tx.put(&name.to_owned(), row)?;
    }
    Ok(())
}

fn define_role(
    tx: &mut Tx<'_>,
    cx: &Context,
    role: &Role,
    wanted: &RoleEntry,
    known: &Scope,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let name = role.as_str();
    let written = wanted.scopes.iter().flatten().enumerate();
    for (position, token) in written {
        let named: Scope = [token.clone()].into_iter().collect();
        resource::check_known(&named, known)
            .map_err(|error| error.at(|| Noun::Role.item(name, "scopes", position)))?;
    }
    let scope = wanted.scopes.as_ref().map(|scopes| scopes.iter().cloned().collect::<Scope>());
    if let Some(own) = cx.rules.configured.configured_role(role) {
        if scope.is_some_and(|scope| scope != *own) {
            let refused = Error::from(Refusal::ConfiguredOtherwise);
            return Err(refused.at(|| Noun::Role.member(name, "scopes")));
        }
        tx.remove::<AppliedRole>(&name.to_owned())?;
        return Ok(());
    }
    let old = tx.find::<AppliedRole>(&name.to_owned())?;
    let before = old.clone().map(|row| row.scope);
    let built_in = || cx.rules.configured.roles.get(role).cloned();
    let scope = scope.or(before).or_else(built_in).unwrap_or_default();
    let row = AppliedRole { scope };
    if old.as_ref() != Some(&row) {
        ledger.touch(tx, Noun::Role, name)?;
        tx.put(&name.to_owned(), row)?;
    }
    Ok(())
}
