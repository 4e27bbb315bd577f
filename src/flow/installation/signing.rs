//! Signing keys: installation, rotation with overlap, retirement.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::flow::Context;
use crate::oauth::client::SigningAlg;
use crate::oauth::id::KeyId;
use crate::store::schema::{Retirement, SigningKeyRow};
use crate::store::{StoreError, Tx, View};

/// A bound above the number of keys: for each of three algorithms one every eight days of the
/// longest session, which is a year.
const MAX_KEYS: usize = 256;

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
