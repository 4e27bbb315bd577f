//! Personal access tokens: credentials that a bridge keeps on a machine, so that its person signs
//! in only once.

use std::time::Duration;

use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::UserId;
use crate::secret::PersonalToken;
use crate::store::schema::{PATS_BY_USER, Pat, Person};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// The most tokens of one person, so that no program fills the store.
const MAX_PER_PERSON: usize = 100;

/// The precision of a token's `used` time.
const LAST_SEEN_PRECISION: Duration = Duration::from_mins(1);

/// Makes a token for `user`.
///
/// # Errors
///
/// [`Refusal::PersonalTokensTooMany`], and [`Refusal::PersonDisabled`].
pub fn make(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    name: &DisplayName,
    lasting: Option<Duration>,
) -> Result<PersonalToken, Error> {
    let person = tx.find::<Person>(&user)?.filter(|person| !person.disabled);
    let person = person.ok_or(Refusal::PersonDisabled)?;
    if tx.by(&PATS_BY_USER, &user, MAX_PER_PERSON)?.len() >= MAX_PER_PERSON {
        return Err(Refusal::PersonalTokensTooMany.into());
    }
    let token = PersonalToken::from_seed(&cx.seed);
    let row = Pat {
        created: person.now_enabled(cx.now),
        expires: cx.now + lasting.unwrap_or(cx.rules.config.lifetimes.personal_token),
        hash: token.hash(&cx.rules.pepper),
        name: name.clone(),
        revoked: false,
        used: None,
        user,
    };
    tx.put(&token.key(), row)?;
    Ok(token)
}

/// Returns the person of a token, and records its use.
///
/// # Errors
///
/// [`Refusal::PersonalTokenUnknown`], [`Refusal::PersonalTokenRevoked`] or
/// [`Refusal::PersonalTokenExpired`], which look alike on the wire.
pub fn redeem(tx: &mut Tx<'_>, cx: &Context, token: &PersonalToken) -> Result<UserId, Error> {
    let hash = token.hash(&cx.rules.pepper);
    let row = tx.find::<Pat>(&token.key())?.filter(|row| row.hash.matches(&hash));
    let row = row.ok_or(Refusal::PersonalTokenUnknown)?;
    if row.revoked {
        return Err(Refusal::PersonalTokenRevoked.into());
    }
    if !lasts(tx, cx, &row)? {
        return Err(Refusal::PersonalTokenExpired.into());
    }
    let user = row.user;
    if row.used.is_none_or(|used| cx.now.apart(used) >= LAST_SEEN_PRECISION) {
        tx.put(&token.key(), Pat { used: Some(cx.now), ..row })?;
    }
    Ok(user)
}

/// Whether a token has not expired and its person is enabled, without an interruption since the
/// token was made.
fn lasts(view: &impl View, cx: &Context, row: &Pat) -> Result<bool, StoreError> {
    let person = view.find::<Person>(&row.user)?;
    let enabled = person.is_some_and(|person| person.enabled_since(row.created));
    Ok(enabled && cx.now < row.expires)
}

/// A page of the usable tokens, of one person or of all, oldest first within the page.
pub fn list(
    view: &impl View,
    cx: &Context,
    user: Option<UserId>,
    span: &Span<String>,
) -> Result<Listing<(String, Pat), String>, StoreError> {
    let keep = |key: &String, row: Pat| -> Result<Option<(String, Pat)>, StoreError> {
        let usable = !row.revoked && lasts(view, cx, &row)?;
        Ok(usable.then(|| (key.clone(), row)))
    };
    let mut usable = match user {
        None => view.filter::<Pat, _>(span, keep)?,
        Some(user) => view.filter_by(&PATS_BY_USER, &user, span, |key| {
            view.find::<Pat>(key)?.map_or(Ok(None), |row| keep(key, row))
        })?,
    };
    usable.items.sort_by(|(a, one), (b, other)| (one.created, a).cmp(&(other.created, b)));
    Ok(usable)
}

/// Revokes a token, named by its public part.
///
/// # Errors
///
/// [`Refusal::PersonalTokenNotFound`] if there is none, or it does not belong to `of`.
pub fn revoke(tx: &mut Tx<'_>, key: &str, of: Option<UserId>) -> Result<Pat, Error> {
    let key = key.to_owned();
    let row = tx.find::<Pat>(&key)?;
    let row = row.filter(|row| !row.revoked && of.is_none_or(|of| of == row.user));
    let row = row.ok_or(Refusal::PersonalTokenNotFound)?;
    tx.put(&key, Pat { revoked: true, ..row.clone() })?;
    Ok(row)
}
