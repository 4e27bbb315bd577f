//! The resources of a file. They are registered before the clients, whose scopes they may have, and get
//! their credentials after them, since a client may be those.

use super::ledger::Ledger;
use super::{Manifest, Noun, ResourceEntry, context_of, marks};
use crate::error::{Error, Refusal};
use crate::flow::lists::ListChange;
use crate::flow::resource::registered::{self, Change, Introspecting, NewResource};
use crate::flow::{Context, named};
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;
use crate::store::schema::Protected;
use crate::store::{Tx, View};

/// The members that refusals are about.
const MEMBERS: &[(Refusal, &str)] =
    &[(Refusal::ScopeReserved, "open"), (Refusal::ResourceServerPublic, "client")];

/// Registers and changes the resources, but for their credentials.
///
/// # Errors
///
/// Those of [`registered`].
pub(super) fn register(
    tx: &mut Tx<'_>,
    cx: &Context,
    manifest: &Manifest,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    for (resource, entry) in &manifest.resources {
        let cx = context_of(cx, Noun::Resource, resource.canonical());
        let set = match tx.find::<Protected>(&resource.canonical().to_owned())? {
            Some(row) => change(tx, &cx, &row, entry, ledger),
            None => add(tx, &cx, resource, entry, ledger),
        };
        set.map_err(|error| located(error, resource))?;
    }
    Ok(())
}

fn add(
    tx: &mut Tx<'_>,
    cx: &Context,
    resource: &Resource,
    entry: &ResourceEntry,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let name = entry.name.clone();
    let of_its_own = entry.introspect || entry.accepts_bridge == Some(true);
    let introspecting = match &entry.client {
        None if of_its_own => Introspecting::AsItself,
        None | Some(_) => Introspecting::Not,
    };
    let new = NewResource {
        accepts_bridge: entry.client.is_none() && entry.accepts_bridge.unwrap_or_default(),
        introspecting,
        name: name.map_or_else(|| registered::usual_name(resource), Ok)?,
        open: entry.open.unwrap_or(resource.is_loopback()),
        resource: resource.clone(),
        scope: entry.scopes.iter().flatten().cloned().collect(),
        typ: entry.typ.unwrap_or_default(),
    };
    ledger.touch(tx, Noun::Resource, resource.as_str())?;
    let (row, secret) = registered::add(tx, cx, &new)?;
    if let (Some(id), Some(_)) = (row.server, secret) {
        ledger.made_secret(Noun::Resource, resource.as_str(), id);
    }
    Ok(marks::add(tx, Noun::Resource, resource.canonical(), row.created)?)
}

fn change(
    tx: &mut Tx<'_>,
    cx: &Context,
    row: &Protected,
    entry: &ResourceEntry,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let scopes = entry.scopes.as_ref();
    let replace = scopes.filter(|new| new.iter().cloned().collect::<Scope>() != row.scope);
    let wanted = Change {
        accepts_bridge: None,
        introspecting: None,
        name: entry.name.clone().filter(|name| *name != row.name),
        open: entry.open.filter(|open| *open != row.open),
        scope: ListChange { replace: replace.cloned(), ..ListChange::default() },
        typ: entry.typ.filter(|typ| *typ != row.typ),
    };
    let changes = wanted.name.is_some()
        || wanted.open.is_some()
        || wanted.scope.replace.is_some()
        || wanted.typ.is_some();
    if changes {
        ledger.touch(tx, Noun::Resource, row.resource.as_str())?;
        registered::change(tx, cx, &row.resource, &wanted)?;
    }
    Ok(())
}

/// Gives the resources the credentials that the file names for them.
///
/// # Errors
///
/// Those of [`registered`].
pub(super) fn connect(
    tx: &mut Tx<'_>,
    cx: &Context,
    manifest: &Manifest,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    for (resource, entry) in &manifest.resources {
        let name = resource.canonical();
        let cx = context_of(cx, Noun::Resource, &format!("credentials of {name}"));
        let row = tx.find::<Protected>(&name.to_owned())?.ok_or(Refusal::ResourceNotFound)?;
        let introspecting = match &entry.client {
            Some(id) if row.server.as_ref() != Some(id) => {
                // The refusal of one that there is not has those that there are.
                let found = named::client(tx, id.as_str()).map_err(|error| {
                    error.at(|| Noun::Resource.member(resource.as_str(), "client"))
                })?;
                Some(Introspecting::As(found.0))
            }
            None if entry.introspect && row.server.is_none() => Some(Introspecting::AsItself),
            None | Some(_) => None,
        };
        let wanted = Change {
            accepts_bridge: entry.accepts_bridge.filter(|accepts| *accepts != row.accepts_bridge),
            introspecting,
            ..Change::default()
        };
        if wanted.accepts_bridge.is_some() || wanted.introspecting.is_some() {
            ledger.touch(tx, Noun::Resource, resource.as_str())?;
            let (row, secret) = registered::change(tx, &cx, resource, &wanted)
                .map_err(|error| located(error, resource))?;
            if let (Some(id), Some(_)) = (row.server, secret) {
                ledger.made_secret(Noun::Resource, resource.as_str(), id);
            }
        }
    }
    Ok(())
}

/// The error, with its place in the file.
fn located(error: Error, resource: &Resource) -> Error {
    let member = MEMBERS.iter().find(|(refusal, _)| error.refusal() == Some(*refusal));
    error.at(|| match member {
        Some((_, member)) => Noun::Resource.member(resource.as_str(), member),
        None => Noun::Resource.place(resource.as_str()),
    })
}
