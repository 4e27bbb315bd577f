//! Rate limits. Failed guesses are counted for every value that could be guessed.
//!
//! A success is not counted, nor is a lookup of a 256-bit value, which cannot be guessed. The
//! counts are rows, so a restart does not reset them.

use std::net::IpAddr;
use std::time::Duration;

use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::model::network::Network;
use crate::secret::TokenHash;
use crate::store::schema::Attempts;
use crate::store::{StoreError, Tx, View};

/// The time after which failures are forgotten, and the longest pause.
const WINDOW: Duration = Duration::from_mins(1);

/// The guessed value and the subject for which guesses are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuessLimit {
    /// The chosen secret of one client, from one network.
    ClientSecretFrom,
    /// The chosen secret of one client.
    ClientSecretOf,
    /// The initial access token of RFC 7591 §3, which a person chose, from one network.
    InitialAccessTokenFrom,
    /// A user code (RFC 8628 §5.1), by one account.
    UserCodeBy,
    /// A user code, from one network.
    UserCodeFrom,
}

impl GuessLimit {
    const fn label(self) -> &'static str {
        match self {
            Self::ClientSecretFrom => "attempts client secret from",
            Self::ClientSecretOf => "attempts client secret of",
            Self::InitialAccessTokenFrom => "attempts initial access token from",
            Self::UserCodeBy => "attempts user code by",
            Self::UserCodeFrom => "attempts user code from",
        }
    }

    /// The number of failures that cause no pause.
    const fn limit(self) -> u32 {
        match self {
            Self::ClientSecretFrom | Self::InitialAccessTokenFrom | Self::UserCodeFrom => 60,
            Self::ClientSecretOf | Self::UserCodeBy => 10,
        }
    }
}

/// Refuses an attempt within the pause that follows too many failures.
pub fn check(
    view: &impl View,
    cx: &Context,
    limit: GuessLimit,
    subject: &[u8],
) -> Result<(), Error> {
    let row = view.find::<Attempts>(&key(cx, limit.label(), subject))?;
    let waits = row.is_some_and(|row| cx.now < row.last + pause(&row, limit));
    if waits { Err(Refusal::AttemptsTooMany.into()) } else { Ok(()) }
}

/// Counts a failure.
pub fn record_failure(
    tx: &mut Tx<'_>,
    cx: &Context,
    limit: GuessLimit,
    subject: &[u8],
) -> Result<(), StoreError> {
    let key = key(cx, limit.label(), subject);
    let before = tx.find::<Attempts>(&key)?.filter(|row| cx.now.since(row.last) < WINDOW);
    let count = before.map_or(1, |row| row.count.saturating_add(1));
    tx.put(&key, Attempts { count, last: cx.now })
}

/// Counts one of `limit` uses a minute, or refuses it. It is for uses that are not guesses.
pub fn consume(
    tx: &mut Tx<'_>,
    cx: &Context,
    label: &'static str,
    subject: &[u8],
    limit: usize,
) -> Result<(), Error> {
    let key = key(cx, label, subject);
    let window = tx.find::<Attempts>(&key)?.filter(|row| cx.now.since(row.last) < WINDOW);
    let row = window.unwrap_or(Attempts { count: 0, last: cx.now });
    if usize::try_from(row.count).is_ok_and(|count| count >= limit) {
        return Err(Refusal::AttemptsTooMany.into());
    }
    Ok(tx.put(&key, Attempts { count: row.count.saturating_add(1), last: row.last })?)
}

/// The bytes of the network for which guesses from an address are counted.
pub fn network(address: IpAddr) -> Vec<u8> {
    Network::of(address).prefix().to_vec()
}

/// The pause after the last failure: one second at the limit, doubled with each further failure, at
/// most [`WINDOW`].
fn pause(row: &Attempts, limit: GuessLimit) -> Duration {
    match row.count.checked_sub(limit.limit()) {
        None => Duration::ZERO,
        Some(beyond) => Duration::from_secs(1 << beyond.min(6)).min(WINDOW),
    }
}

fn key(cx: &Context, label: &str, subject: &[u8]) -> TokenHash {
    cx.rules.pepper.hash_parts(label, subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_grows_up_to_a_minute() {
        let pause = |count| {
            let last = crate::clock::Timestamp::from_seconds(0);
            pause(&Attempts { count, last }, GuessLimit::ClientSecretOf).as_secs()
        };

        assert_eq!([9, 10, 11, 12, 15, 16, 99].map(pause), [0, 1, 2, 4, 32, 60, 60]);
    }
}
