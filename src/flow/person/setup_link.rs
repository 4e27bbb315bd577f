//! Setup links: for the first administrator, a new person, a further passkey and a recovery.
//!
//! A person has one open link at most: a new one ends the one before. A link that was made before
//! its person was last disabled is over, which is judged by times and needs no row to change. Rows
//! stay for a while, so that each way to be over has words of its own.

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::events::{self, Act};
use crate::flow::installation::evidence;
use crate::flow::{Context, rights};
use crate::oauth::id::{LinkId, UserId};
use crate::secret::{SetupToken, TokenHash};
use crate::store::schema::{
    LINKS_BY_TOKEN, LINKS_BY_USER, LinkEnd, OPEN_LINKS, Person, SetupLink, SetupPurpose,
};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// A new setup link.
pub struct IssuedSetupLink {
    /// Expiry.
    pub expires: Timestamp,
    /// Its id.
    pub id: LinkId,
    /// The link that it replaces.
    pub superseded: Option<LinkId>,
    /// Its secret.
    pub token: SetupToken,
}

impl IssuedSetupLink {
    /// An act with the facts of the link.
    #[must_use]
    pub fn describe(&self, act: Act) -> Act {
        let act = act.fact("link", self.id);
        self.superseded.iter().fold(act, |act, older| act.fact("superseded", older))
    }
}

/// Makes a setup link. The open one of the same person ends; or that of the first administrator.
///
/// # Errors
///
/// [`Refusal::UserDisabled`]: enabling the person would end it.
pub fn issue(
    tx: &mut Tx<'_>,
    cx: &Context,
    purpose: SetupPurpose,
) -> Result<IssuedSetupLink, Error> {
    let mut created = cx.now;
    if let Some(user) = purpose.user() {
        let person = tx.find::<Person>(&user)?.ok_or(Refusal::UserNotFound)?;
        if person.disabled {
            return Err(Error::about(Refusal::UserDisabled, user));
        }
        created = person.now_enabled(cx.now);
    }
    let superseded = tx.by(&OPEN_LINKS, &purpose.holder(), 1)?.pop();
    if let Some(older) = &superseded {
        end(tx, cx, older, LinkEnd::Superseded)?;
    }
    let (id, token) = (LinkId::from_seed(&cx.seed), cx.seed.token());
    let expires = cx.deadline(cx.rules.config.lifetimes.setup_token);
    let link = SetupLink {
        created,
        ended: None,
        expires,
        made_by: cx.acting.actor.clone(),
        purpose,
        token: cx.rules.pepper.hash(&token),
    };
    tx.put(&id, link)?;
    Ok(IssuedSetupLink { expires: expires.by_clock(), id, superseded, token })
}

/// Marks a link as over. One that is over stays as it is.
pub fn end(tx: &mut Tx<'_>, cx: &Context, id: &LinkId, how: LinkEnd) -> Result<(), StoreError> {
    match tx.find::<SetupLink>(id)? {
        Some(link) if link.ended.is_none() => {
            tx.put(id, SetupLink { ended: Some((cx.now, how)), ..link })
        }
        Some(_) | None => Ok(()),
    }
}

/// Revokes the open link of a person, if there is one.
pub fn end_open(tx: &mut Tx<'_>, cx: &Context, user: UserId) -> Result<(), StoreError> {
    match tx.by(&OPEN_LINKS, &user, 1)?.first() {
        Some(id) => end(tx, cx, id, LinkEnd::Revoked),
        None => Ok(()),
    }
}

/// What has become of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Its person is disabled.
    Disabled,
    /// Its time is over.
    Expired,
    /// It can be used.
    Open,
    /// Its person was removed.
    Removed,
    /// An operator revoked it.
    Revoked,
    /// A newer link replaced it.
    Superseded,
    /// Its person was disabled since it was made, and enabled again.
    Suspended,
    /// It was used, or is for a first administrator where somebody exists.
    Used,
}

impl LinkState {
    /// Why a link in this state opens nothing.
    pub const fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Disabled => Some(Refusal::SetupTokenDisabled),
            Self::Expired => Some(Refusal::SetupTokenExpired),
            Self::Open => None,
            Self::Removed => Some(Refusal::StartedWithoutPerson),
            Self::Revoked => Some(Refusal::SetupTokenRevoked),
            Self::Superseded => Some(Refusal::SetupTokenSuperseded),
            Self::Suspended => Some(Refusal::SetupTokenSuspended),
            Self::Used => Some(Refusal::SetupTokenUsed),
        }
    }

    /// Its name in views.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled | Self::Suspended => "disabled",
            Self::Expired => "expired",
            Self::Open => "open",
            Self::Removed => "removed",
            Self::Revoked => "revoked",
            Self::Superseded => "superseded",
            Self::Used => "used",
        }
    }
}

/// What has become of a link.
pub fn state(view: &impl View, cx: &Context, link: &SetupLink) -> Result<LinkState, StoreError> {
    match link.ended {
        Some((_, LinkEnd::Revoked)) => return Ok(LinkState::Revoked),
        Some((_, LinkEnd::Superseded)) => return Ok(LinkState::Superseded),
        Some((_, LinkEnd::Used)) => return Ok(LinkState::Used),
        None => {}
    }
    if let Some(user) = link.purpose.user() {
        let Some(person) = view.find::<Person>(&user)? else { return Ok(LinkState::Removed) };
        if person.disabled {
            return Ok(LinkState::Disabled);
        }
        if !person.enabled_since(link.created) {
            return Ok(LinkState::Suspended);
        }
    } else if view.count::<Person>(1)? > 0 {
        return Ok(LinkState::Used);
    }
    let is_over = evidence::is_over(view, cx, link.expires)?;
    Ok(if is_over { LinkState::Expired } else { LinkState::Open })
}

/// The open link of that token.
///
/// # Errors
///
/// [`Refusal::SetupTokenUnknown`], and those of [`LinkState::refusal`].
pub fn open(
    view: &impl View,
    cx: &Context,
    token: &TokenHash,
) -> Result<(LinkId, SetupLink), Error> {
    let id = view.by(&LINKS_BY_TOKEN, token, 1)?.pop().ok_or(Refusal::SetupTokenUnknown)?;
    let link = view.find::<SetupLink>(&id)?.ok_or(Refusal::SetupTokenUnknown)?;
    match (state(view, cx, &link)?.refusal(), link.purpose.user()) {
        (None, _) => Ok((id, link)),
        (Some(refusal), Some(user)) => Err(Error::about(refusal, user)),
        (Some(refusal), None) => Err(refusal.into()),
    }
}

/// A link with what has become of it.
#[derive(Clone, Debug)]
pub struct ListedLink {
    /// Its id.
    pub id: LinkId,
    /// Its row.
    pub link: SetupLink,
    /// What has become of it.
    pub state: LinkState,
}

/// The link of that id.
pub fn by_id(view: &impl View, cx: &Context, id: LinkId) -> Result<Option<ListedLink>, StoreError> {
    let Some(link) = view.find::<SetupLink>(&id)? else { return Ok(None) };
    let state = state(view, cx, &link)?;
    Ok(Some(ListedLink { id, link, state }))
}

/// A page of the links, of one person or of all.
pub fn list(
    view: &impl View,
    cx: &Context,
    user: Option<UserId>,
    span: &Span<LinkId>,
) -> Result<Listing<ListedLink, LinkId>, StoreError> {
    match user {
        Some(user) => view.filter_by(&LINKS_BY_USER, &user, span, |id| by_id(view, cx, *id)),
        None => view.filter::<SetupLink, _>(span, |id, _| by_id(view, cx, *id)),
    }
}

/// Revokes a link.
///
/// # Errors
///
/// [`Refusal::SetupLinkNotFound`], [`Refusal::SetupLinkOver`] and
/// [`Refusal::AdministrationExceeded`].
pub fn revoke(tx: &mut Tx<'_>, cx: &Context, id: LinkId) -> Result<ListedLink, Error> {
    let listed = by_id(tx, cx, id)?.ok_or(Refusal::SetupLinkNotFound)?;
    check_rights(tx, cx, &listed.link)?;
    if listed.state != LinkState::Open {
        return Err(Refusal::SetupLinkOver.into());
    }
    end(tx, cx, &id, LinkEnd::Revoked)?;
    let act = about(tx, &listed.link, Act::new(Kind::LinkRevoked).fact("link", id))?;
    events::record(tx, cx, act)?;
    Ok(by_id(tx, cx, id)?.ok_or(Refusal::SetupLinkNotFound)?)
}

/// Revokes every open link, of one person or of all. Whoever may not touch one of them revokes
/// none.
///
/// # Errors
///
/// [`Refusal::AdministrationExceeded`].
pub fn revoke_all(
    tx: &mut Tx<'_>,
    cx: &Context,
    user: Option<UserId>,
) -> Result<Vec<ListedLink>, Error> {
    let ids = match user {
        Some(user) => tx.by(&OPEN_LINKS, &user, 1)?,
        None => tx.up_to(&OPEN_LINKS, &uuid::Uuid::max().into(), usize::MAX)?,
    };
    let mut revoked = Vec::new();
    for id in ids {
        let Some(open) = by_id(tx, cx, id)?.filter(|own| own.state == LinkState::Open) else {
            continue;
        };
        check_rights(tx, cx, &open.link)?;
        end(tx, cx, &id, LinkEnd::Revoked)?;
        revoked.extend(by_id(tx, cx, id)?);
    }
    if revoked.is_empty() {
        return Ok(revoked);
    }
    let act = Act::new(Kind::LinkRevoked).fact("links", revoked.len());
    let act = match user.and(revoked.first()) {
        Some(only) => about(tx, &only.link, act.fact("link", only.id))?,
        None => act,
    };
    events::record(tx, cx, act)?;
    Ok(revoked)
}

/// The act, about the person of the link.
pub(super) fn about(view: &impl View, link: &SetupLink, act: Act) -> Result<Act, StoreError> {
    let Some(user) = link.purpose.user() else {
        return Ok(act.fact("for", "the first administrator"));
    };
    let person = view.find::<Person>(&user)?;
    Ok(person.iter().fold(act.person(user), |act, person| act.named(&person.username)))
}

/// Checks that the actor may touch whom a link is for.
fn check_rights(view: &impl View, cx: &Context, link: &SetupLink) -> Result<(), Error> {
    match link.purpose.user() {
        Some(user) => rights::check_user(view, cx, user),
        None => Ok(rights::check_first(cx)?),
    }
}
