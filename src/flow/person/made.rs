//! What an administrator or a client made for others to come in by: setup links and invitations.
//! It ends for good with whoever made it, in the transaction that disables or removes them,
//! so that nothing opens again when they are enabled again.

use crate::error::Error;
use crate::event::Kind;
use crate::flow::Context;
use crate::flow::events::{self, Act};
use crate::flow::installation::evidence;
use crate::flow::person::setup_link;
use crate::model::actor::Actor;
use crate::oauth::id::{ClientId, UserId};
use crate::store::schema::{Invitation, LinkEnd, SetupLink};
use crate::store::{Span, Tx, View};

/// Who made something, alone or together with somebody else.
#[derive(Clone, Copy, Debug)]
pub enum Maker<'a> {
    /// A client.
    Client(&'a ClientId),
    /// A person.
    Person(UserId),
}

impl Maker<'_> {
    fn took_part(self, actor: &Actor) -> bool {
        let (client, person) = match actor {
            Actor::Administrator { client, person } => (client.as_ref(), *person),
            Actor::Client(client) => (Some(client), None),
            Actor::Operator { .. } | Actor::Server | Actor::Stranger => (None, None),
            Actor::Person(person) => (None, Some(*person)),
        };
        match self {
            Self::Client(id) => client == Some(id),
            Self::Person(id) => person == Some(id),
        }
    }
}

/// Revokes each link and invitation that `maker` made and that would let somebody in. A link of the
/// maker's own account is not touched: it ends with the account, in words of its own.
pub fn end(tx: &mut Tx<'_>, cx: &Context, maker: Maker<'_>) -> Result<(), Error> {
    let links = tx.filter::<SetupLink, _>(&Span::first(usize::MAX), |id, link| {
        let own = matches!(maker, Maker::Person(user) if link.purpose.user() == Some(user));
        let is_open = link.ended.is_none() && !own && maker.took_part(&link.made_by);
        Ok(is_open.then_some((*id, link)))
    });
    for (id, link) in links?.items {
        // One that is over by a clock that is wrong ends, too, without a word.
        let is_over = setup_link::state(tx, cx, &link)?.refusal().is_some();
        setup_link::end(tx, cx, &id, LinkEnd::Revoked)?;
        if is_over {
            continue;
        }
        let act = Act::new(Kind::LinkRevoked).fact("link", id);
        events::record(tx, cx, setup_link::about(tx, &link, act)?)?;
    }
    let invitations = tx.filter::<Invitation, _>(&Span::first(usize::MAX), |id, invitation| {
        let is_open = invitation.revoked.is_none() && invitation.used < invitation.uses;
        Ok((is_open && maker.took_part(&invitation.made_by)).then_some((*id, invitation)))
    });
    for (id, invitation) in invitations?.items {
        if !evidence::is_over(tx, cx, invitation.expires)? {
            let act = Act::new(Kind::InvitationRevoked).fact("invitation", id);
            events::record(tx, cx, act.fact("used", invitation.used))?;
        }
        tx.put(&id, Invitation { revoked: Some(cx.now), ..invitation })?;
    }
    Ok(())
}
