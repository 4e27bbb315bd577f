//! The device link: a person signs a bridge in through the browser.

use crate::error::{Error, Refusal};
use crate::flow::authorize::step::{self, PresentedInteraction};
use crate::flow::bridge::exchange::{self, Carried, IssuedExchangeCode};
use crate::flow::session::{self, LiveSession};
use crate::flow::{Context, authorize};
use crate::model::bridge::LinkRedirect;
use crate::model::network::Network;
use crate::oauth::id::InteractionId;
use crate::secret::BrowserSecret;
use crate::store::schema::{Interaction, Purpose};
use crate::store::{Holding, Rank, Tx, View};

/// Stores a request to link a device. Returns the id for the path of its page and the secret for
/// the cookie.
pub fn start(
    tx: &mut Tx<'_>,
    cx: &Context,
    network: Network,
    redirect: Option<&LinkRedirect>,
) -> Result<(InteractionId, BrowserSecret), Error> {
    let holding = Holding::strangers(network, Rank::Plain);
    authorize::store_interaction(tx, cx, holding, Purpose::Link { redirect: redirect.cloned() })
}

/// The next step of a link.
pub enum Step {
    /// The person has to decide.
    Ask {
        /// The redirect of the browser; `None` if the page displays the code.
        redirect: Option<LinkRedirect>,
        /// The session of the person.
        session: Box<LiveSession>,
    },
    /// The person has to sign in first.
    SignIn,
}

/// Computes the next step of a link.
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

/// The outcome of a decision about a link.
pub enum LinkOutcome {
    /// The person has to sign in first.
    SignIn,
    /// The bridge gets a code: by the redirect, or from the person.
    Linked(IssuedExchangeCode, Option<LinkRedirect>),
    /// The person refused.
    Refused(Option<LinkRedirect>),
}

/// Takes the person's decision and removes the request.
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
    let carried = if redirect.is_some() { Carried::ByBrowser } else { Carried::ByPerson };
    let made = exchange::issue(tx, cx, session.user(), carried)?;
    session::touch(tx, cx, session.id(), Some(&presented.device))?;
    Ok(LinkOutcome::Linked(made, redirect))
}

fn redirect(interaction: Interaction) -> Result<Option<LinkRedirect>, Refusal> {
    match interaction.purpose {
        Purpose::Link { redirect } => Ok(redirect),
        Purpose::Authorize(_) | Purpose::Logout { .. } => Err(Refusal::InteractionUnknown),
    }
}
