//! Setup links and invitations, by their ids and the beginnings of them.

use super::{beginning, candidate, of_hex};
use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::person::invitation::{self, ListedInvitation};
use crate::flow::person::setup_link::{self, ListedLink};
use crate::oauth::id::{InvitationId, LinkId};
use crate::store::View;
use crate::store::schema::{Invitation, Person, SetupLink};

/// The setup link that an operator names by its id or the beginning of it.
///
/// # Errors
///
/// [`Refusal::SetupLinkNotFound`] and [`Refusal::NameAmbiguous`].
pub fn link(view: &impl View, cx: &Context, written: &str) -> Result<ListedLink, Error> {
    if let Ok(id) = written.parse::<LinkId>()
        && let Some(listed) = setup_link::by_id(view, cx, id)?
    {
        return Ok(listed);
    }
    let found = beginning(view, of_hex(written), |id: LinkId, link: SetupLink| {
        let person = link.purpose.user().map(|user| view.find::<Person>(&user)).transpose()?;
        let name = person.flatten().map_or_else(
            || "for somebody who is not there".to_owned(),
            |person| format!("for {}", person.username),
        );
        let listed = setup_link::by_id(view, cx, id)?;
        Ok(listed.map(|listed| (listed, candidate(&id, &name))))
    })?;
    found.only()?.ok_or(Refusal::SetupLinkNotFound.into())
}

/// The invitation that an operator names by its id or the beginning of it.
///
/// # Errors
///
/// [`Refusal::InvitationNotFound`] and [`Refusal::NameAmbiguous`].
pub fn invitation(
    view: &impl View,
    cx: &Context,
    written: &str,
) -> Result<ListedInvitation, Error> {
    if let Ok(id) = written.parse::<InvitationId>()
        && let Some(listed) = invitation::by_id(view, cx, id)?
    {
        return Ok(listed);
    }
    let found = beginning(view, of_hex(written), |id: InvitationId, row: Invitation| {
        let name = format!("for {} people", row.uses);
        let listed = invitation::by_id(view, cx, id)?;
        Ok(listed.map(|listed| (listed, candidate(&id, &name))))
    })?;
    found.only()?.ok_or(Refusal::InvitationNotFound.into())
}
