//! Personal access tokens: credentials that a bridge keeps on a machine, so that its person signs
//! in only once. Each is the means of one linked device.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Internal, Refusal};
use crate::event::Kind;
use crate::flow::bridge::device::{self, Asking, NewDevice, Opener};
use crate::flow::events::{self, Act};
use crate::flow::{Context, rights};
use crate::oauth::display_name::DisplayName;
use crate::oauth::id::UserId;
use crate::secret::PersonalToken;
use crate::store::schema::{DeviceMeans, LinkedDevice, Person, TOKENS_BY_USER, TokenOrigin};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// The most tokens that an operator makes for one person, and the most devices of one person that
/// sent a name at their login, so that no program fills the store.
const MAX_PER_PERSON: usize = 100;

/// The most devices of one person that sent no name at their login. No later login takes their
/// place, so a program that forgets its token leaves one behind each time.
const MAX_UNNAMED: usize = 20;

/// A token to be made.
pub struct NewToken {
    /// Its lifetime, if it is not that of the configuration.
    pub lasting: Option<Duration>,
    /// The name of its device.
    pub name: DisplayName,
    /// Its origin.
    pub origin: TokenOrigin,
}

/// Makes a token for `user`, and so a linked device. A login that sends a name takes the place of
/// the device that logged in under the same name, and any other login that of nobody; a login beyond
/// the limit takes the place of the device that was used longest ago. An operator's token is a
/// device of its own: it takes nobody's place, and no login takes its.
///
/// # Errors
///
/// [`Refusal::PersonalTokensTooMany`] for an operator's token, and [`Refusal::PersonDisabled`].
pub fn make(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: UserId,
    new: &NewToken,
) -> Result<PersonalToken, Error> {
    let person = tx.find::<Person>(&user)?.filter(|person| !person.disabled);
    let person = person.ok_or_else(|| Error::about(Refusal::PersonDisabled, user))?;
    rights::check_person(cx, &person)?;
    make_room(tx, cx, user, new)?;
    let token = PersonalToken::from_seed(&cx.seed);
    if tx.find::<LinkedDevice>(&token.key())?.is_some() {
        return Err(Internal::new("a personal token was made with the id of another").into());
    }
    let expires = cx.now + new.lasting.unwrap_or(cx.rules.config.lifetimes.personal_token);
    let means =
        DeviceMeans::Token { expires, hash: token.hash(&cx.rules.pepper), origin: new.origin };
    let created = person.now_enabled(cx.now);
    let device = NewDevice { created, expires, means, name: new.name.clone(), user };
    tx.put(&token.key(), device.row())?;
    let act = Act::new(Kind::PersonalTokenAdded).person(user);
    let act = act.named(&new.name);
    events::record(tx, cx, act.fact("token", token.key()))?;
    Ok(token)
}

/// Ends the devices whose place a new one takes.
fn make_room(tx: &mut Tx<'_>, cx: &Context, user: UserId, new: &NewToken) -> Result<(), Error> {
    let mut alike = list(tx, cx, Some(user), &Span::first(usize::MAX))?.items;
    alike.retain(|token| token.origin == new.origin);
    let limit = match new.origin {
        TokenOrigin::NamedLogin => MAX_PER_PERSON,
        TokenOrigin::Operator if alike.len() >= MAX_PER_PERSON => {
            return Err(Refusal::PersonalTokensTooMany.into());
        }
        TokenOrigin::Operator => return Ok(()),
        TokenOrigin::UnnamedLogin => MAX_UNNAMED,
    };
    if new.origin == TokenOrigin::NamedLogin {
        for token in alike.extract_if(.., |token| token.device.name == new.name) {
            device::end(tx, cx, &token.id)?;
        }
    }
    alike.sort_unstable_by_key(|token| {
        (token.device.used.max(Some(token.device.created)), token.id.clone())
    });
    let surplus = (alike.len() + 1).saturating_sub(limit);
    for token in alike.iter().take(surplus) {
        device::end(tx, cx, &token.id)?;
    }
    Ok(())
}

/// Returns the person of a token and its device.
///
/// # Errors
///
/// [`Refusal::PersonalTokenUnknown`], [`Refusal::PersonalTokenRevoked`] or
/// [`Refusal::PersonalTokenExpired`], which look alike on the wire.
pub fn redeem(view: &impl View, cx: &Context, token: &PersonalToken) -> Result<Opener, Error> {
    let device = find(view, cx, token)?;
    if device.ended {
        return Err(Refusal::PersonalTokenRevoked.into());
    }
    let device = device::live(view, cx.now, &token.key())?;
    let device = device.ok_or(Refusal::PersonalTokenExpired)?;
    Ok(Opener { by: Asking::Device(token.key()), user: device.user })
}

/// Hashes a token that was redeemed anew, if it is stored under an earlier root secret.
pub fn hash_anew(tx: &mut Tx<'_>, cx: &Context, token: &PersonalToken) -> Result<(), Error> {
    let mut device = find(tx, cx, token)?;
    let DeviceMeans::Token { hash, .. } = &mut device.means else { return Ok(()) };
    let Some(anew) = hash.anew(&token.hash(&cx.rules.pepper)) else { return Ok(()) };
    *hash = anew;
    Ok(tx.put(&token.key(), device)?)
}

/// The device of a token, whatever has become of it.
fn find(view: &impl View, cx: &Context, token: &PersonalToken) -> Result<LinkedDevice, Error> {
    let presented = token.hash(&cx.rules.pepper);
    let own = |device: &LinkedDevice| match &device.means {
        DeviceMeans::Token { hash, .. } => hash.matches(&presented),
        DeviceMeans::Certificate(_) | DeviceMeans::Session(_) => false,
    };
    let device = view.find::<LinkedDevice>(&token.key())?.filter(own);
    Ok(device.ok_or(Refusal::PersonalTokenUnknown)?)
}

/// Ends the device of a token, at the request of whoever has the token.
///
/// # Errors
///
/// [`Refusal::PersonalTokenUnknown`].
pub fn end(tx: &mut Tx<'_>, cx: &Context, token: &PersonalToken) -> Result<(), Error> {
    let user = find(tx, cx, token)?.user;
    device::revoke(tx, cx, &token.key())?;
    let act = Act::new(Kind::PersonalTokenRevoked).person(user).fact("token", token.key());
    events::record(tx, cx, act).map(drop)
}

/// A token, as listings have it.
pub struct ListedToken {
    /// Its device.
    pub device: LinkedDevice,
    /// Its expiry.
    pub expires: Timestamp,
    /// Its public part, which is the id of its device.
    pub id: String,
    /// Its origin.
    pub origin: TokenOrigin,
}

impl ListedToken {
    /// The token of a device, if the device comes in by one.
    fn of(id: &str, device: LinkedDevice) -> Option<Self> {
        match device.means {
            DeviceMeans::Token { expires, origin, .. } => {
                Some(Self { device, expires, id: id.to_owned(), origin })
            }
            DeviceMeans::Certificate(_) | DeviceMeans::Session(_) => None,
        }
    }
}

/// A page of the usable tokens, of one person or of all, oldest first within the page.
pub fn list(
    view: &impl View,
    cx: &Context,
    user: Option<UserId>,
    span: &Span<String>,
) -> Result<Listing<ListedToken, String>, StoreError> {
    let keep = |id: &String| -> Result<Option<ListedToken>, StoreError> {
        let device = device::live(view, cx.now, id)?;
        Ok(device.and_then(|device| ListedToken::of(id, device)))
    };
    let mut usable = match user {
        None => view.filter::<LinkedDevice, _>(span, |id, _| keep(id))?,
        Some(user) => view.filter_by(&TOKENS_BY_USER, &user, span, keep)?,
    };
    usable.items.sort_unstable_by(|a, b| (a.device.created, &a.id).cmp(&(b.device.created, &b.id)));
    Ok(usable)
}

/// The token of that public part, unless it was revoked.
///
/// # Errors
///
/// [`Refusal::PersonalTokenNotFound`] if there is none, or it does not belong to `of`.
pub fn by_id(view: &impl View, id: &str, of: Option<UserId>) -> Result<ListedToken, Error> {
    let device = view.find::<LinkedDevice>(&id.to_owned())?;
    let device = device.filter(|device| !device.ended && of.is_none_or(|of| of == device.user));
    let token = device.and_then(|device| ListedToken::of(id, device));
    Ok(token.ok_or(Refusal::PersonalTokenNotFound)?)
}

/// Revokes a token, named by its public part, and ends its device.
///
/// # Errors
///
/// As [`by_id`].
pub fn revoke(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &str,
    of: Option<UserId>,
) -> Result<ListedToken, Error> {
    let token = by_id(tx, id, of)?;
    device::revoke(tx, cx, &token.id)?;
    let act = Act::new(Kind::PersonalTokenRevoked).person(token.device.user);
    let act = if of.is_some() { act.by(token.device.user) } else { act };
    events::record(tx, cx, act.fact("token", &token.id))?;
    Ok(token)
}
