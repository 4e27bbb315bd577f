//! The device link: a person lets a bridge in through the browser.

use crate::error::{Error, Refusal};
use crate::flow::authorize::step::{self, PresentedInteraction};
use crate::flow::bridge::exchange::{self, IssuedExchangeCode};
use crate::flow::session::{self, LiveSession};
use crate::flow::{Context, authorize};
use crate::model::bridge::LinkRedirect;
use crate::oauth::id::InteractionId;
use crate::secret::BrowserSecret;
use crate::store::schema::{Interaction, Purpose};
use crate::store::{Tx, View};

/// Stores a request to link a device, and gives the way to its page.
pub fn start(
    tx: &mut Tx<'_>,
    cx: &Context,
    redirect: Option<&LinkRedirect>,
) -> Result<(InteractionId, BrowserSecret), Error> {
    authorize::store_interaction(tx, cx, Purpose::Link { redirect: redirect.cloned() })
}

/// What comes next for a device that is to be linked.
pub enum Step {
    /// The person is asked.
    Ask {
        /// Where the browser goes on; nothing where the code is shown to the person.
        redirect: Option<LinkRedirect>,
        /// Who is asked.
        session: Box<LiveSession>,
    },
    /// They have to sign in first.
    SignIn,
}

/// The next step of a link.
pub fn next(
    view: &impl View,
    cx: &Context,
    presented: &PresentedInteraction,
) -> Result<Step, Error> {
    let redirect = redirect(step::interaction(view, cx, presented)?)?;
    let session = match &presented.session {
        Some(cookie) => session::live(view, cx, cookie)?,
        None => None,
    };
    Ok(match session {
        Some(session) => Step::Ask { redirect, session: Box::new(session) },
        None => Step::SignIn,
    })
}

/// What became of a link.
pub enum LinkOutcome {
    /// The person has to sign in first.
    SignIn,
    /// The bridge gets a code: by the browser, or from the person.
    Linked(IssuedExchangeCode, Option<LinkRedirect>),
    /// It gets nothing.
    Refused(Option<LinkRedirect>),
}

/// The person's decision, which ends the request.
pub fn decide(
    tx: &mut Tx<'_>,
    cx: &Context,
    presented: &PresentedInteraction,
    allowed: bool,
) -> Result<LinkOutcome, Error> {
    let Step::Ask { redirect, session } = next(tx, cx, presented)? else {
        return Ok(LinkOutcome::SignIn);
    };
    tx.remove::<Interaction>(&presented.interaction)?;
    if !allowed {
        return Ok(LinkOutcome::Refused(redirect));
    }
    let made = exchange::issue(tx, cx, session.user())?;
    session::touch(tx, cx, session.id(), Some(&presented.device))?;
    Ok(LinkOutcome::Linked(made, redirect))
}

fn redirect(interaction: Interaction) -> Result<Option<LinkRedirect>, Refusal> {
    match interaction.purpose {
        Purpose::Link { redirect } => Ok(redirect),
        Purpose::Authorize(_) | Purpose::Logout { .. } => Err(Refusal::InteractionUnknown),
    }
}
