//! Invitations: one link by which several people make their accounts, each with the roles and
//! groups that it gives. The count, the person and the passkey are written in one transaction, so
//! an invitation never makes more people than it says.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::events::{self, Act};
use crate::flow::installation::evidence;
use crate::flow::person::people;
use crate::flow::{Context, rights};
use crate::model::person::Role;
use crate::oauth::group::Group;
use crate::oauth::id::InvitationId;
use crate::secret::{InvitationToken, TokenHash};
use crate::store::schema::{INVITATIONS_BY_TOKEN, Invitation};
use crate::store::{Listing, Span, StoreError, Tx, View};

/// An invitation to be made.
#[derive(Clone)]
pub struct NewInvitation {
    /// The groups of whoever comes by it.
    pub groups: Vec<Group>,
    /// The time for which it is open.
    pub lasting: Duration,
    /// The roles of whoever comes by it; `user` if empty.
    pub roles: Vec<Role>,
    /// The most people who may come by it.
    pub uses: u32,
}

/// A new invitation.
pub struct IssuedInvitation {
    /// The invitation.
    pub listed: ListedInvitation,
    /// Its secret.
    pub token: InvitationToken,
}

/// Makes an invitation.
///
/// # Errors
///
/// [`Refusal::RoleUnknown`], [`Refusal::PersonTooLarge`] and [`Refusal::AdministrationExceeded`] if
/// its roles give more than the actor has.
pub fn add(tx: &mut Tx<'_>, cx: &Context, new: &NewInvitation) -> Result<IssuedInvitation, Error> {
    people::check_roles(cx, &new.roles)?;
    let roles = people::roles_or_default(&new.roles)?;
    people::check_size(&roles, &new.groups, &[])?;
    rights::check_roles(cx, &roles)?;
    let (id, token) = (InvitationId::from_seed(&cx.seed), cx.seed.token());
    let row = Invitation {
        created: cx.now,
        expires: cx.deadline(new.lasting),
        groups: new.groups.clone(),
        made_by: cx.acting.actor.clone(),
        revoked: None,
        roles,
        token: cx.rules.pepper.hash(&token),
        used: 0,
        uses: new.uses,
    };
    let act = Act::new(Kind::InvitationAdded).fact("invitation", id).fact("uses", row.uses);
    events::record(tx, cx, act.facts("roles", &row.roles).facts("groups", &row.groups))?;
    tx.put(&id, row)?;
    let listed = by_id(tx, cx, id)?.ok_or(Refusal::InvitationNotFound)?;
    Ok(IssuedInvitation { listed, token })
}

/// What has become of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationState {
    /// As many people as it says have come by it.
    Exhausted,
    /// Its time is over.
    Expired,
    /// Whoever made it may not give any more what it gives.
    Lapsed,
    /// It can be used.
    Open,
    /// An operator revoked it.
    Revoked,
}

impl InvitationState {
    /// Why an invitation in this state opens nothing.
    pub const fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Exhausted => Some(Refusal::InvitationExhausted),
            Self::Expired => Some(Refusal::InvitationExpired),
            Self::Lapsed => Some(Refusal::InvitationLapsed),
            Self::Open => None,
            Self::Revoked => Some(Refusal::InvitationRevoked),
        }
    }

    /// Whether it opens something, or would once its maker has their right back.
    const fn may_open(self) -> bool {
        matches!(self, Self::Lapsed | Self::Open)
    }

    /// Its name in views.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Expired => "expired",
            Self::Lapsed => "lapsed",
            Self::Open => "open",
            Self::Revoked => "revoked",
        }
    }
}

fn state(view: &impl View, cx: &Context, row: &Invitation) -> Result<InvitationState, StoreError> {
    Ok(if row.revoked.is_some() {
        InvitationState::Revoked
    } else if row.used >= row.uses {
        InvitationState::Exhausted
    } else if evidence::is_over(view, cx, row.expires)? {
        InvitationState::Expired
    } else if !rights::may_still_give(view, cx, &row.made_by, row.created, &row.roles)? {
        InvitationState::Lapsed
    } else {
        InvitationState::Open
    })
}

/// The open invitation of that token.
///
/// # Errors
///
/// [`Refusal::InvitationUnknown`], and those of [`InvitationState::refusal`].
pub fn open(
    view: &impl View,
    cx: &Context,
    token: &TokenHash,
) -> Result<(InvitationId, Invitation), Error> {
    let id = view.by(&INVITATIONS_BY_TOKEN, token, 1)?.pop().ok_or(Refusal::InvitationUnknown)?;
    let row = view.find::<Invitation>(&id)?.ok_or(Refusal::InvitationUnknown)?;
    match state(view, cx, &row)?.refusal() {
        // Whoever spends it hashes it anew.
        None => Ok((id, Invitation { token: *token, ..row })),
        Some(refusal) => Err(refusal.into()),
    }
}

/// Counts one use of an invitation that [`open`] returned in the same transaction.
pub fn spend(tx: &mut Tx<'_>, id: InvitationId, open: Invitation) -> Result<(), StoreError> {
    tx.put(&id, Invitation { used: open.used.saturating_add(1), ..open })
}

/// An invitation with what has become of it.
#[derive(Clone, Debug)]
pub struct ListedInvitation {
    /// Its id.
    pub id: InvitationId,
    /// Its row.
    pub invitation: Invitation,
    /// What has become of it.
    pub state: InvitationState,
}

impl ListedInvitation {
    /// Its expiry.
    pub fn expires(&self) -> Timestamp {
        self.invitation.expires.by_clock()
    }
}

/// The invitation of that id.
pub fn by_id(
    view: &impl View,
    cx: &Context,
    id: InvitationId,
) -> Result<Option<ListedInvitation>, StoreError> {
    let Some(invitation) = view.find::<Invitation>(&id)? else { return Ok(None) };
    let state = state(view, cx, &invitation)?;
    Ok(Some(ListedInvitation { id, invitation, state }))
}

/// A page of the invitations.
pub fn list(
    view: &impl View,
    cx: &Context,
    span: &Span<InvitationId>,
) -> Result<Listing<ListedInvitation, InvitationId>, StoreError> {
    view.filter::<Invitation, _>(span, |id, _| by_id(view, cx, *id))
}

/// Revokes an invitation. Whoever came by it stays.
///
/// # Errors
///
/// [`Refusal::InvitationNotFound`], [`Refusal::InvitationOver`] and
/// [`Refusal::AdministrationExceeded`].
pub fn revoke(tx: &mut Tx<'_>, cx: &Context, id: InvitationId) -> Result<ListedInvitation, Error> {
    let listed = by_id(tx, cx, id)?.ok_or(Refusal::InvitationNotFound)?;
    rights::check_roles(cx, &listed.invitation.roles)?;
    if !listed.state.may_open() {
        return Err(Refusal::InvitationOver.into());
    }
    let act = Act::new(Kind::InvitationRevoked).fact("invitation", id);
    events::record(tx, cx, act.fact("used", listed.invitation.used))?;
    tx.put(&id, Invitation { revoked: Some(cx.now), ..listed.invitation })?;
    Ok(by_id(tx, cx, id)?.ok_or(Refusal::InvitationNotFound)?)
}

/// Revokes every invitation that opens something, or would again. Whoever may not touch one of them
/// revokes none.
///
/// # Errors
///
/// [`Refusal::AdministrationExceeded`].
pub fn revoke_all(tx: &mut Tx<'_>, cx: &Context) -> Result<Vec<ListedInvitation>, Error> {
    let mut revoked = Vec::new();
    for open in list(tx, cx, &Span::first(usize::MAX))?.items {
        if open.state.may_open() {
            revoked.push(revoke(tx, cx, open.id)?);
        }
    }
    Ok(revoked)
}
