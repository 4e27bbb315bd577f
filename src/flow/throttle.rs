//! Rate limits. They count who tries, and never what is tried: nobody can shut somebody else out by
//! guessing at what that person or client has.
//!
//! A success is not counted, nor is a lookup of a 256-bit value, which cannot be guessed. Loopback
//! is not counted as a network, since there it would be everybody. The counts are rows, so a restart
//! does not reset them.
//!
//! A fetch is no guess. What was fetched well before is never held up by fetches of anything else:
//! it counts its own failures, as everything does on loopback. Nobody can make the server of another
//! fail, so nobody can use those up.

use std::time::Duration;

use crate::error::Error;
use crate::flow::{Context, Present, admission};
use crate::model::network::Network;
use crate::oauth::id::{InvitationId, UserId};
use crate::secret::TokenHash;
use crate::store::schema::Attempts;
use crate::store::{Holding, Rank, Tx, View};

/// The time after which failures are forgotten, and the longest pause.
const WINDOW: Duration = Duration::from_mins(1);

/// What is guessed at, or fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guessed {
    /// The signatures of client assertions: nobody guesses one, but each costs a verification.
    ClientAssertion,
    /// The documents of clients that name themselves.
    ClientDocument,
    /// The keys of clients, by their URI.
    ClientKeys,
    /// The secrets of clients that a person chose.
    ClientSecret,
    /// The initial access token of RFC 7591 §3, which a person chose.
    InitialAccessToken,
    /// The documents that name the redirect URIs of a sector.
    SectorDocument,
    /// User codes (RFC 8628 §5.1).
    UserCode,
}

impl Guessed {
    /// Its name in the key of a count.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ClientAssertion => "wrong client assertions",
            Self::ClientDocument => "documents",
            Self::ClientKeys => "client keys",
            Self::ClientSecret => "guesses at client secrets",
            Self::InitialAccessToken => "guesses at the initial access token",
            Self::SectorDocument => "sector documents",
            Self::UserCode => "guesses at user codes",
        }
    }
}

/// Who tries something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A person, by their account.
    Account(UserId),
    /// A linked device of a person, by its id.
    Device(UserId, String),
    /// Whoever comes by an invitation, from anywhere; the network is that of the request.
    Invitation(Network, InvitationId),
    /// A network.
    Network(Network),
    /// Whoever has this URL fetched; the network is that of the request.
    Url(Network, String),
}

impl Source {
    /// The key of its count; `None` if it is not counted.
    fn key(&self, cx: &Present, label: &str) -> Option<TokenHash> {
        let subject = match self {
            Self::Account(user) => user.uuid().as_bytes().to_vec(),
            Self::Device(_, id) | Self::Url(_, id) => id.as_bytes().to_vec(),
            Self::Invitation(_, id) => id.to_string().into_bytes(),
            Self::Network(network) if network.is_loopback() => return None,
            Self::Network(network) => network.prefix().to_vec(),
        };
        Some(cx.rules.pepper.mark(label, &subject))
    }

    /// The number of wrong guesses, or of failed fetches, that cause no pause.
    const fn limit(&self) -> u32 {
        match self {
            Self::Account(_) | Self::Device(..) => 10,
            Self::Invitation(..) | Self::Network(_) | Self::Url(..) => 60,
        }
    }

    fn holding(&self) -> Holding {
        match self {
            Self::Account(user) | Self::Device(user, _) => Holding::persons(*user),
            Self::Invitation(network, _) | Self::Network(network) | Self::Url(network, _) => {
                Holding::strangers(*network, Rank::Plain)
            }
        }
    }
}

/// Refuses a guess, or a fetch, within the pause that follows too many in vain.
///
/// # Errors
///
/// [`Error::Paused`] with what is left of the pause.
pub fn check(
    view: &impl View,
    cx: &Present,
    guessed: Guessed,
    source: &Source,
) -> Result<(), Error> {
    let Some(key) = source.key(cx, guessed.label()) else { return Ok(()) };
    let Some(row) = view.find::<Attempts>(&key)? else { return Ok(()) };
    let until = row.last + pause(row.count, source.limit());
    if is_recent(cx, &row) && cx.now < until {
        Err(Error::Paused(until.since(cx.now)))
    } else {
        Ok(())
    }
}

/// Whether a count is of the last minute. One from ahead of the clock is forgotten: the clock went
/// back, and it would never end.
fn is_recent(cx: &Present, row: &Attempts) -> bool {
    row.last <= cx.now && cx.now.since(row.last) < WINDOW
}

/// Counts a wrong guess, or a failed fetch.
pub fn record_failure(
    tx: &mut Tx<'_>,
    cx: &Context,
    guessed: Guessed,
    source: &Source,
) -> Result<(), Error> {
    let Some(key) = source.key(cx, guessed.label()) else { return Ok(()) };
    let before = tx.find::<Attempts>(&key)?.filter(|row| is_recent(cx, row));
    let count = before.map_or(1, |row| row.count.saturating_add(1));
    store(tx, cx, source, &key, count)
}

/// Counts one of `limit` uses in a minute, or refuses it. It is for uses that are not guesses.
///
/// # Errors
///
/// [`Error::Paused`] with what is left of the minute.
pub fn consume(
    tx: &mut Tx<'_>,
    cx: &Context,
    label: &'static str,
    source: &Source,
    limit: usize,
) -> Result<(), Error> {
    check_uses(tx, cx, label, source, limit)?;
    let Some(key) = source.key(cx, label) else { return Ok(()) };
    match tx.find::<Attempts>(&key)?.filter(|row| is_recent(cx, row)) {
        None => store(tx, cx, source, &key, 1),
        Some(row) => Ok(tx.put(&key, Attempts { count: row.count.saturating_add(1), ..row })?),
    }
}

/// Refuses what [`consume`] would refuse now, and counts nothing.
///
/// # Errors
///
/// [`Error::Paused`] with what is left of the minute.
pub fn check_uses(
    view: &impl View,
    cx: &Present,
    label: &'static str,
    source: &Source,
    limit: usize,
) -> Result<(), Error> {
    let Some(key) = source.key(cx, label) else { return Ok(()) };
    match view.find::<Attempts>(&key)?.filter(|row| is_recent(cx, row)) {
        Some(row) if is_used_up(&row, limit) => {
            Err(Error::Paused((row.last + WINDOW).since(cx.now)))
        }
        Some(_) | None => Ok(()),
    }
}

fn is_used_up(row: &Attempts, limit: usize) -> bool {
    usize::try_from(row.count).is_ok_and(|count| count >= limit)
}

fn store(
    tx: &mut Tx<'_>,
    cx: &Context,
    source: &Source,
    key: &TokenHash,
    count: u32,
) -> Result<(), Error> {
    admission::store(tx, cx, key, Attempts { count, holding: source.holding(), last: cx.now })
}

/// The pause after the last of `count` failures: one second at the limit, doubled with each further
/// failure, at most [`WINDOW`].
fn pause(count: u32, limit: u32) -> Duration {
    match count.checked_sub(limit) {
        None => Duration::ZERO,
        Some(beyond) => Duration::from_secs(1 << beyond.min(6)).min(WINDOW),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_grows_up_to_a_minute() {
        let pause = |count| pause(count, 10).as_secs();

        assert_eq!([9, 10, 11, 12, 15, 16, 99].map(pause), [0, 1, 2, 4, 32, 60, 60]);
    }
}
