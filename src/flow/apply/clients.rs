//! The clients of a file.

use serde_json::{Map, Value};

use super::ledger::Ledger;
use super::{Chosen, ClientEntry, Manifest, Noun, context_of, marks};
use crate::error::{Error, Refusal};
use crate::flow::client::lists::ListChanges;
use crate::flow::client::logo::LogoChange;
use crate::flow::client::operator::{self, Change, NewClient};
use crate::flow::{Context, resource};
use crate::oauth::id::ClientId;
use crate::oauth::scope::Scope;
use crate::store::schema::{Client, ClientProof};
use crate::store::{Tx, View};

/// The members that refusals are about.
const MEMBERS: &[(Refusal, &str)] = &[
    (Refusal::AccessTokenLifetimeUnfit, "access_token_lifetime"),
    (Refusal::AssertionsUnfit, "assertions"),
    (Refusal::ClientSecretUnfit, "client_secret"),
    (Refusal::HookSecretOfDevices, "client_secret"),
    (Refusal::PkceOptionalUnfit, "pkce"),
    (Refusal::RedirectUriSchemeUnknown, "redirect_uris"),
];

/// Registers and changes the clients.
///
/// # Errors
///
/// Those of [`operator`], and [`Refusal::ClientChanged`] if a secret was changed after it was compared.
pub(super) fn apply(
    tx: &mut Tx<'_>,
    cx: &Context,
    manifest: &Manifest,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    for (id, entry) in &manifest.clients {
        let cx = context_of(cx, Noun::Client, id.as_str());
        check_scopes(tx, &cx, id, entry)?;
        let set = match tx.find::<Client>(id)? {
            Some(old) => change(tx, &cx, id, &old, entry, ledger),
            None => add(tx, &cx, id, entry, ledger),
        };
        set.map_err(|error| located(error, id, entry))?;
    }
    Ok(())
}

/// Checks each scope by itself, so that the refusal has its place.
fn check_scopes(
    view: &impl View,
    cx: &Context,
    id: &ClientId,
    entry: &ClientEntry,
) -> Result<(), Error> {
    let Some(scopes) = &entry.scopes else { return Ok(()) };
    let known = cx.rules.config.scope().union(&resource::known(view)?);
    for (position, token) in scopes.iter().enumerate() {
        let named: Scope = [token.clone()].into_iter().collect();
        resource::check_known(&named, &known)
            .map_err(|error| error.at(|| Noun::Client.item(id.as_str(), "scopes", position)))?;
    }
    Ok(())
}

/// The members, with the scopes by the name of the operator's API.
fn members(entry: &ClientEntry) -> Map<String, Value> {
    let mut members = entry.members.clone();
    if let Some(scopes) = &entry.scopes {
        let scope = scopes.iter().cloned().collect::<Scope>().to_string();
        members.insert("scope".to_owned(), scope.into());
    }
    members
}

fn add(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
    entry: &ClientEntry,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let mut members = members(entry);
    members.entry("name").or_insert_with(|| id.as_str().into());
    let secret = match &entry.secret {
        Some(Chosen::Another(hash, _)) => Some(hash.clone()),
        Some(Chosen::Same(_)) => return Err(Refusal::ClientChanged.into()),
        None => None,
    };
    let client_id = Some(ClientId::chosen(id.as_str())?);
    let new = NewClient { client_id, secret, ..NewClient::from_members(&members)? };
    ledger.touch(tx, Noun::Client, id.as_str())?;
    let (_, client, made) = operator::add(tx, cx, &new)?;
    if made.is_some() {
        ledger.made_secret(Noun::Client, id.as_str(), id.clone());
    }
    if let Some(enabled) = entry.enabled.filter(|enabled| *enabled != client.enabled) {
        let switch = Change { enabled: Some(enabled), ..Change::default() };
        operator::change(tx, cx, id, &switch)?;
    }
    Ok(marks::add(tx, Noun::Client, id.as_str(), client.created)?)
}

fn change(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
    old: &Client,
    entry: &ClientEntry,
    ledger: &mut Ledger,
) -> Result<(), Error> {
    let stored = match &old.proof {
        Some(ClientProof::Chosen(phc)) => Some(phc),
        Some(ClientProof::Devices | ClientProof::Made(_)) | None => None,
    };
    let secret = match &entry.secret {
        None => None,
        Some(Chosen::Same(phc)) if Some(phc) == stored => None,
        Some(Chosen::Another(hash, other)) if other.as_ref() == stored => Some(hash.clone()),
        Some(Chosen::Another(..) | Chosen::Same(_)) => return Err(Refusal::ClientChanged.into()),
    };
    let wanted = Change {
        enabled: entry.enabled,
        lists: ListChanges::default(),
        logo: LogoChange::Keep,
        members: members(entry),
        secret,
    };
    ledger.touch(tx, Noun::Client, id.as_str())?;
    let (_, made) = operator::change(tx, cx, id, &wanted)?;
    if made.is_some() {
        ledger.made_secret(Noun::Client, id.as_str(), id.clone());
    }
    Ok(())
}

/// The error, with its place in the file.
fn located(error: Error, id: &ClientId, entry: &ClientEntry) -> Error {
    let Some(refusal) = error.refusal() else { return error };
    let place = culprit(refusal, id, entry);
    error.at(|| place.unwrap_or_else(|| Noun::Client.place(id.as_str())))
}

/// The place of the member that `refusal` is about: the first one that is refused so by itself.
fn culprit(refusal: Refusal, id: &ClientId, entry: &ClientEntry) -> Option<String> {
    let name = id.as_str();
    let refuses = |member: &str, value: &Value| {
        let mut alone = Map::new();
        alone.insert("name".to_owned(), "x".into());
        alone.insert(member.to_owned(), value.clone());
        NewClient::from_members(&alone).err() == Some(refusal)
    };
    let (member, value) = match entry.members.iter().find(|(name, value)| refuses(name, value)) {
        Some((member, value)) => (member.as_str(), Some(value)),
        None => (MEMBERS.iter().find(|(other, _)| *other == refusal)?.1, None),
    };
    let items = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let alone = |item: &Value| refuses(member, &Value::from(vec![item.clone()]));
    Some(match items.iter().position(alone) {
        Some(position) => Noun::Client.item(name, member, position),
        None => Noun::Client.member(name, member),
    })
}
