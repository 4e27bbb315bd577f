//! Exchange codes: single-use codes that carry a sign-in from a browser or an operator to a bridge.

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::installation::evidence;
use crate::oauth::id::UserId;
use crate::secret::ExchangeCode;
use crate::store::schema::{Exchange, Person};
use crate::store::{Tx, View};

/// A new code and its expiry.
pub struct IssuedExchangeCode {
    /// The code.
    pub code: ExchangeCode,
    /// Expiry.
    pub expires: Timestamp,
}

/// Makes a code for `user`.
pub fn issue(tx: &mut Tx<'_>, cx: &Context, user: UserId) -> Result<IssuedExchangeCode, Error> {
    let code = ExchangeCode::from_seed(&cx.seed);
    let expires = cx.deadline(cx.rules.config.lifetimes.exchange_code);
    let person = tx.find::<Person>(&user)?;
    let created = person.map_or(cx.now, |person| person.now_enabled(cx.now));
    let row = Exchange { created, expires, spent: false, user };
    tx.put(&code.hash(&cx.rules.pepper), row)?;
    Ok(IssuedExchangeCode { code, expires: expires.by_clock() })
}

/// Spends a code, and returns its person. The caller makes what the code is for in the same
/// transaction.
///
/// # Errors
///
/// [`Refusal::ExchangeCodeUnknown`], [`Refusal::ExchangeCodeSpent`] or
/// [`Refusal::ExchangeCodeExpired`], which look alike on the wire.
pub fn redeem(tx: &mut Tx<'_>, cx: &Context, code: &ExchangeCode) -> Result<UserId, Error> {
    let hash = code.hash(&cx.rules.pepper);
    let row = tx.find::<Exchange>(&hash)?.ok_or(Refusal::ExchangeCodeUnknown)?;
    if row.spent {
        return Err(Refusal::ExchangeCodeSpent.into());
    }
    let person = tx.find::<Person>(&row.user)?;
    let enabled = person.is_some_and(|person| person.enabled_since(row.created));
    if !enabled || evidence::is_over(tx, cx, row.expires)? {
        return Err(Refusal::ExchangeCodeExpired.into());
    }
    let user = row.user;
    tx.put(&hash, Exchange { spent: true, ..row })?;
    Ok(user)
}
