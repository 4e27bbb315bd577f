//! Signing keys: installation, rotation with overlap, retirement.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::Context;
use crate::flow::events::{self, Act};
use crate::oauth::client::SigningAlg;
use crate::oauth::id::KeyId;
use crate::store::schema::{Retirement, SigningKeyRow};
use crate::store::{StoreError, Tx, View};

/// A bound above the number of keys: those of an operator, and for each of three algorithms one every
/// eight days of the longest session, which is a year.
const MAX_KEYS: usize = 512;

/// The most keys there may be after an operator made one, so that what is published stays small.
const MAX_KEYS_OF_OPERATOR: usize = 256;

/// The longest lifetime of a token under any configuration and for any client.
const MAX_TOKEN_LIFETIME: Duration = Duration::from_hours(24);

/// Every stored key: current, future, and retired but still needed to verify.
pub fn list(view: &impl View) -> Result<Vec<(KeyId, SigningKeyRow)>, StoreError> {
    view.list::<SigningKeyRow>(MAX_KEYS)
}

/// The algorithms that have no key yet.
pub fn missing(view: &impl View) -> Result<Vec<SigningAlg>, StoreError> {
    let keys = list(view)?;
    let has = |alg: &SigningAlg| keys.iter().any(|(_, key)| key.alg == *alg);
    Ok(SigningAlg::ALL.iter().copied().filter(|alg| !has(alg)).collect())
}

/// The algorithms whose newest key is old enough that its successor should be published. None is
/// while the clock is in doubt.
pub fn due(view: &impl View, cx: &Context) -> Result<Vec<SigningAlg>, StoreError> {
    if cx.in_doubt {
        return Ok(Vec::new());
    }
    let lifetimes = &cx.rules.config.lifetimes;
    let age = lifetimes.key_rotation.saturating_sub(lifetimes.key_overlap);
    let keys = list(view)?;
    let is_due = |alg: &SigningAlg| {
        let newest =
            keys.iter().filter(|(_, key)| key.alg == *alg).map(|(_, key)| key.active).max();
        newest.is_some_and(|active| cx.now >= active + age)
    };
    Ok(SigningAlg::ALL.iter().copied().filter(is_due).collect())
}

/// Dates every key that was made ahead of the clock as if it were made now, and every retirement
/// that lies further ahead than a rotation puts one. Returns whether there was any. While the clock
/// is in doubt, it may be the clock that is wrong, and not the keys.
pub fn redate(tx: &mut Tx<'_>, cx: &Context) -> Result<bool, Error> {
    let lifetimes = &cx.rules.config.lifetimes;
    let last = cx.now + lifetimes.key_overlap + MAX_TOKEN_LIFETIME;
    let mut redated = false;
    for (id, old) in list(tx)? {
        let ahead = old.created.since(cx.now);
        let retires = old.retires.map(|own| if own.at > last { retirement(cx, last) } else { own });
        if cx.in_doubt || (ahead.is_zero() && retires == old.retires) {
            continue;
        }
        let (created, active) = (old.created - ahead, old.active - ahead);
        tx.put(&id, SigningKeyRow { created, active, retires, ..old })?;
        redated = true;
    }
    Ok(redated)
}

/// The end of a key whose last token expires at `at`.
fn retirement(cx: &Context, at: Timestamp) -> Retirement {
    Retirement { at, forgotten: at + cx.rules.config.lifetimes.session_total }
}

/// Installs a key: the first of its algorithm, or the successor of the current one. The current key
/// then retires when the last token it signed has expired, and stays for the longest session to
/// verify hints: OpenID Connect Core §3.1.2.1 and RP-Initiated Logout §2 allow an `id_token_hint`
/// to have expired.
///
/// Returns whether the key was installed: if two successors race, the second is dropped.
pub fn install(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &KeyId,
    key: &SigningKeyRow,
) -> Result<bool, Error> {
    for (old_id, mut old) in list(tx)? {
        if old.alg != key.alg || old.retires.is_some() {
            continue;
        }
        if old.active >= key.active || old.active > cx.now {
            return Ok(false);
        }
        old.retires = Some(retirement(cx, key.active + MAX_TOKEN_LIFETIME));
        tx.put(&old_id, old)?;
    }
    tx.put(id, key.clone())?;
    Ok(true)
}

/// How an operator replaces keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The new key signs after the overlap, as in a scheduled rotation.
    Announced,
    /// It signs at once. The earlier keys stay for as long as what they signed.
    Immediate,
    /// It signs at once, and the earlier keys of its algorithm are removed, and with them everything
    /// that they signed.
    Revoking,
}

/// The rotation of one algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The algorithm.
    pub alg: SigningAlg,
    /// The key that signs, or will.
    pub id: KeyId,
    /// Whether it was made for this rotation; otherwise it was published before and waited.
    pub made: bool,
    /// The keys that were removed.
    pub revoked: Vec<KeyId>,
    /// The time from which it signs.
    pub signs_from: Timestamp,
}

/// Replaces the keys of the algorithms of `made`, all or none. A successor that is published already
/// and waits is taken instead of the key in `made`, since some clients know it by now; but one that
/// a rotation revokes is removed like every other, since whoever has one key of the store has all.
///
/// # Errors
///
/// [`Refusal::ClockInDoubt`] if the new keys would wait and nobody knows what time it is, and
/// [`Refusal::SigningKeysTooMany`]. Neither keeps anybody from revoking.
pub fn rotate(
    tx: &mut Tx<'_>,
    cx: &Context,
    made: &[(KeyId, SigningKeyRow)],
    rotation: Rotation,
) -> Result<Vec<Rotated>, Error> {
    if cx.in_doubt && rotation == Rotation::Announced {
        return Err(Refusal::ClockInDoubt.into());
    }
    if rotation != Rotation::Revoking && list(tx)?.len() + made.len() > MAX_KEYS_OF_OPERATOR {
        return Err(Refusal::SigningKeysTooMany.into());
    }
    made.iter().map(|(id, key)| rotate_one(tx, cx, id, key, rotation)).collect()
}

fn rotate_one(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &KeyId,
    made: &SigningKeyRow,
    rotation: Rotation,
) -> Result<Rotated, Error> {
    let (alg, now) = (made.alg, cx.now);
    let mut earlier = list(tx)?;
    earlier.retain(|(_, key)| key.alg == alg);
    let mut revoked = Vec::new();
    if rotation == Rotation::Revoking {
        for (id, _) in earlier.drain(..) {
            tx.remove::<SigningKeyRow>(&id)?;
            revoked.push(id);
        }
    }
    let first = earlier.iter().map(|(_, key)| key.active).min();
    let waits = |key: &SigningKeyRow| key.retires.is_none() && key.active > now;
    let waiting = earlier
        .iter()
        .position(|(_, key)| waits(key) && first.is_some_and(|first| first < key.active))
        .map(|at| earlier.swap_remove(at));
    let is_made = waiting.is_none();
    let (id, mut key) =
        waiting.unwrap_or_else(|| (id.clone(), SigningKeyRow { created: now, ..made.clone() }));
    key.active = match rotation {
        Rotation::Announced if earlier.is_empty() => now,
        Rotation::Announced if is_made => now + cx.rules.config.lifetimes.key_overlap,
        Rotation::Announced => key.active,
        Rotation::Immediate | Rotation::Revoking => now,
    };
    let end = retirement(cx, key.active + MAX_TOKEN_LIFETIME);
    for (id, mut old) in earlier {
        // One that a clock made that was ahead would sign again when its time comes.
        old.active = old.active.min(key.active);
        old.retires = Some(old.retires.filter(|own| own.at <= end.at).unwrap_or(end));
        tx.put(&id, old)?;
    }
    let signs_from = key.active;
    tx.put(&id, key)?;
    // A successor that waited goes on waiting: nothing was replaced.
    if rotation == Rotation::Announced && !is_made {
        return Ok(Rotated { alg, id, made: false, revoked, signs_from });
    }
    let act = Act::new(Kind::KeyRotated).named(id.as_str()).fact("alg", alg.as_str());
    let act = act
        .fact("signs_from", signs_from.rfc3339())
        .facts("revoked", &revoked.iter().map(KeyId::as_str).collect::<Vec<_>>());
    events::record(tx, cx, act)?;
    Ok(Rotated { alg, id, made: is_made, revoked, signs_from })
}
