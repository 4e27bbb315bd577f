//! Exchange codes: single-use codes that carry a sign-in from a browser or an operator to a bridge.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::bridge::device::{Asking, Opener};
use crate::flow::events::{self, Act};
use crate::flow::installation::evidence;
use crate::flow::{Context, rights};
use crate::oauth::id::UserId;
use crate::secret::ExchangeCode;
use crate::store::schema::{Exchange, Person};
use crate::store::{Tx, View};

/// The lifetime of a code that is shown to a person, who carries it to the bridge. Fixed by the
/// contract with the bridge.
const PERSONS_LIFETIME: Duration = Duration::from_secs(600);

/// How a code gets to its bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// The browser brings it to the bridge.
    ByBrowser,
    /// It is shown to a person, who enters it at the bridge.
    ByPerson,
}

/// A new code and its expiry.
pub struct IssuedExchangeCode {
    /// The code.
    pub code: ExchangeCode,
    /// Expiry.
    pub expires: Timestamp,
}

/// Makes a code for `user`.
pub fn issue(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    carried: Carried,
) -> Result<IssuedExchangeCode, Error> {
    let code = ExchangeCode::from_seed(&cx.seed);
    let expires = cx.deadline(match carried {
        Carried::ByBrowser => cx.rules.config.lifetimes.exchange_code,
        Carried::ByPerson => PERSONS_LIFETIME,
    });
    rights::check_user(tx, cx, user)?;
    let person = tx.find::<Person>(&user)?;
    let created = person.map_or(cx.now, |person| person.now_enabled(cx.now));
    let row = Exchange { created, expires, spent: false, user };
    tx.put(&code.hash(&cx.rules.pepper), row)?;
    let act = Act::new(Kind::BridgeCodeIssued).person(user);
    let act = match carried {
        Carried::ByBrowser => act.by(user),
        Carried::ByPerson => act,
    };
    events::record(tx, cx, act)?;
    Ok(IssuedExchangeCode { code, expires: expires.by_clock() })
}

/// Spends a code, and returns its person, without a device. The caller makes what the code is for in
/// the same transaction.
///
/// # Errors
///
/// [`Refusal::ExchangeCodeUnknown`], [`Refusal::ExchangeCodeSpent`] or
/// [`Refusal::ExchangeCodeExpired`], which look alike on the wire.
pub fn redeem(tx: &mut Tx<'_>, cx: &Context, code: &ExchangeCode) -> Result<Opener, Error> {
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
    Ok(Opener { by: Asking::Code, user })
}
