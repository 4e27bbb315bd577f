//! The passkeys of a person: how one is added, renamed and removed, and what becomes of one that is
//! used after that.
//!
//! A removed passkey leaves a mark with its owner, so that whoever uses it again is told that it was
//! removed, and the browser may forget it. A passkey without a mark was never stored here, or stored by
//! another installation on this host: of that one, a browser is told to forget nothing.

use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::events::{self, Act};
use crate::flow::{Context, rights};
use crate::model::folding::folded;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::{PasskeyId, UserId};
use crate::passkey::Registered;
use crate::store::schema::{
    CredentialId, PASSKEYS_BY_ID, PASSKEYS_BY_USER, Passkey, REMOVED_PASSKEYS_BY_USER, Removed,
    RemovedPasskey,
};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// The most passkeys of one person.
const MAX_PASSKEYS: usize = 100;

/// The most marks of one person. Passkeys that are removed after that leave none.
const MAX_MARKS: usize = 200;

/// The most characters of a name.
const MAX_NAME: usize = 128;

/// The passkeys of a person, the oldest first.
pub fn of(view: &impl View, user: UserId) -> Result<Vec<(CredentialId, Passkey)>, StoreError> {
    let mut passkeys = Vec::new();
    for id in view.by(&PASSKEYS_BY_USER, &user, MAX_PASSKEYS)? {
        if let Some(passkey) = view.find::<Passkey>(&id)? {
            passkeys.push((id, passkey));
        }
    }
    passkeys.sort_unstable_by_key(|(_, passkey)| (passkey.created, passkey.id));
    Ok(passkeys)
}

/// The passkey of that id.
///
/// # Errors
///
/// [`Refusal::PasskeyNotFound`] if there is none, or it does not belong to `of`.
pub fn by_id(
    view: &impl View,
    id: PasskeyId,
    of: Option<UserId>,
) -> Result<(CredentialId, Passkey), Error> {
    let found = match view.by(&PASSKEYS_BY_ID, &id, 1)?.pop() {
        Some(credential) => view.find::<Passkey>(&credential)?.map(|row| (credential, row)),
        None => None,
    };
    let found = found.filter(|(_, passkey)| of.is_none_or(|of| of == passkey.user));
    Ok(found.ok_or(Refusal::PasskeyNotFound)?)
}

/// A page of the passkeys, of one person or of all.
pub fn list(
    view: &impl View,
    user: Option<UserId>,
    span: &Span<CredentialId>,
) -> Result<Listing<Passkey, CredentialId>, StoreError> {
    match user {
        Some(user) => view.filter_by(&PASSKEYS_BY_USER, &user, span, |id| view.find::<Passkey>(id)),
        None => view.filter::<Passkey, _>(span, |_, passkey| Ok(Some(passkey))),
    }
}

/// Stores a passkey that was just registered. If its person has one of that name, it is called
/// `NAME (2)`.
///
/// # Errors
///
/// [`Refusal::CredentialRegistered`] and [`Refusal::PasskeysTooMany`].
pub fn add(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    registered: &Registered,
    name: &DisplayName,
) -> Result<PasskeyId, Error> {
    if tx.find::<Passkey>(&registered.id)?.is_some() {
        return Err(Refusal::CredentialRegistered.into());
    }
    let others = of(tx, user)?;
    if others.len() >= MAX_PASSKEYS {
        return Err(Refusal::PasskeysTooMany.into());
    }
    let (id, name) = (PasskeyId::from_seed(&cx.seed), unused(name, &others)?);
    let passkey = Passkey {
        aaguid: registered.aaguid,
        backed_up: registered.backed_up,
        backup_eligible: registered.backup_eligible,
        created: cx.now,
        credential: registered.credential.clone(),
        id,
        name: name.clone(),
        revision: 1,
        transports: registered.transports.clone(),
        used: None,
        user,
    };
    tx.put(&registered.id, passkey)?;
    // An authenticator may make a credential of an id that it had before.
    tx.remove::<RemovedPasskey>(&registered.id)?;
    let act = Act::new(Kind::PasskeyAdded).by(user).named(&name).fact("passkey", id);
    events::record(tx, cx, act.fact("synchronised", registered.backed_up))?;
    Ok(id)
}

/// `name`, or the first `name (N)` that none of `others` has.
fn unused(name: &DisplayName, others: &[(CredentialId, Passkey)]) -> Result<DisplayName, Refusal> {
    let is_taken = |name: &str| others.iter().any(|(_, other)| is_same(other.name.as_str(), name));
    let mut candidate = name.as_str().to_owned();
    let mut number = 1;
    while is_taken(&candidate) {
        number += 1;
        let suffix = format!(" ({number})");
        let stem: String = name.as_str().chars().take(MAX_NAME - suffix.len()).collect();
        candidate = stem + &suffix;
    }
    candidate.parse()
}

fn is_same(a: &str, b: &str) -> bool {
    folded(a) == folded(b)
}

/// Renames a passkey, of `of` if that is a person's own wish.
///
/// # Errors
///
/// Those of [`by_id`]; [`Refusal::PasskeyNameTaken`] if its person has another one of that name;
/// [`Refusal::AdministrationExceeded`].
pub fn rename(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: PasskeyId,
    of: Option<UserId>,
    name: &DisplayName,
) -> Result<Passkey, Error> {
    let (credential, old) = by_id(tx, id, of)?;
    rights::check_user(tx, cx, old.user)?;
    let others = self::of(tx, old.user)?;
    let another = |(_, other): &(CredentialId, Passkey)| {
        other.id != id && is_same(other.name.as_str(), name.as_str())
    };
    if others.iter().any(another) {
        return Err(Refusal::PasskeyNameTaken.into());
    }
    if old.name == *name {
        return Ok(old);
    }
    let before = old.name.clone();
    let passkey = Passkey { name: name.clone(), ..old };
    tx.put(&credential, passkey.clone())?;
    let act = act_on(Kind::PasskeyRenamed, &passkey, of).fact("name_before", before);
    events::record(tx, cx, act)?;
    Ok(passkey)
}

/// A passkey that was removed.
pub struct RemovedNow {
    /// The number of passkeys that its person still has.
    pub left: usize,
    /// The passkey.
    pub passkey: Passkey,
}

/// Removes a passkey, of `of` if that is a person's own wish. Sessions that it opened go on.
///
/// # Errors
///
/// Those of [`by_id`], and [`Refusal::AdministrationExceeded`].
pub fn remove(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: PasskeyId,
    of: Option<UserId>,
) -> Result<RemovedNow, Error> {
    let (credential, passkey) = by_id(tx, id, of)?;
    rights::check_user(tx, cx, passkey.user)?;
    take(tx, cx, &credential, passkey.user, Removed::Passkey)?;
    let left = self::of(tx, passkey.user)?.len();
    let act = act_on(Kind::PasskeyRemoved, &passkey, of).fact("left", left);
    events::record(tx, cx, act)?;
    Ok(RemovedNow { left, passkey })
}

/// Removes every passkey of a person. Whoever has a passkey, `except`, that stays does it themselves.
/// Returns their number.
pub fn remove_all(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    except: Option<PasskeyId>,
) -> Result<usize, Error> {
    let mut removed = 0;
    for (credential, passkey) in of(tx, user)? {
        if Some(passkey.id) == except {
            continue;
        }
        take(tx, cx, &credential, user, Removed::Passkey)?;
        let own = except.map(|_| user);
        events::record(tx, cx, act_on(Kind::PasskeyRemoved, &passkey, own))?;
        removed += 1;
    }
    Ok(removed)
}

fn act_on(kind: Kind, passkey: &Passkey, own: Option<UserId>) -> Act {
    let act = Act::new(kind).named(&passkey.name).person(passkey.user).fact("passkey", passkey.id);
    own.iter().fold(act, |act, user| act.by(*user))
}

/// Removes a row, and leaves the mark of it.
pub fn take(
    tx: &mut Tx<'_>,
    cx: &Context,
    credential: &CredentialId,
    user: UserId,
    why: Removed,
) -> Result<(), StoreError> {
    tx.remove::<Passkey>(credential)?;
    if tx.by(&REMOVED_PASSKEYS_BY_USER, &user, MAX_MARKS)?.len() < MAX_MARKS {
        tx.put(credential, RemovedPasskey { at: cx.now, user, why })?;
    }
    Ok(())
}

/// Why a passkey that is not stored opens nothing. The user handle has to be that of its owner, since
/// another installation on this host may have made a passkey of the same id.
pub fn unknown(
    view: &impl View,
    credential: &CredentialId,
    user: Option<UserId>,
) -> Result<Refusal, StoreError> {
    let mark = view.find::<RemovedPasskey>(credential)?;
    Ok(match mark.filter(|mark| user == Some(mark.user)).map(|mark| mark.why) {
        Some(Removed::Passkey) => Refusal::CredentialRemoved,
        Some(Removed::Person) => Refusal::CredentialOfRemovedPerson,
        Some(Removed::Unstored) => Refusal::CredentialUnstored,
        None => Refusal::CredentialNotOurs,
    })
}
