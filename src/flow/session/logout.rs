//! Sign-out: [OpenID Connect RP-Initiated
//! Logout](https://openid.net/specs/openid-connect-rpinitiated-1_0.html).

use crate::error::{Error, Refusal};
use crate::flow::authorize::step::{self, PresentedInteraction};
use crate::flow::session::{self, LiveSession};
use crate::flow::token::issue;
use crate::flow::{Context, authorize};
use crate::keys::VerifiedHint;
use crate::model::network::Network;
use crate::oauth::id::{ClientId, InteractionId, SessionId};
use crate::oauth::logout::{LogoutRequest, PostLogout};
use crate::secret::BrowserSecret;
use crate::store::schema::{Client, Interaction, Purpose};
use crate::store::{Holding, Rank, StoreError, Tx, View};

/// Stores a logout request. Its `id_token_hint`, if it has one, is already verified.
///
/// A `post_logout_redirect_uri` is followed only if a known client registered it.
pub fn start(
    tx: &mut Tx<'_>,
    cx: &Context,
    network: Network,
    request: &LogoutRequest,
    hint: Option<&VerifiedHint>,
) -> Result<(InteractionId, BrowserSecret), Error> {
    let hinted: Option<ClientId> = hint.and_then(|hint| hint.claims().aud.parse().ok());
    // §2: "When both client_id and id_token_hint are present, the OP MUST verify that the Client
    // Identifier matches the one used as the audience of the ID Token."
    if let (Some(named), Some(hinted)) = (&request.client_id, &hinted)
        && named != hinted
    {
        return Err(Refusal::IdTokenHintClientDiffers.into());
    }
    let client = request.client_id.clone().or(hinted);
    let next = match &request.post_logout_redirect_uri {
        None => None,
        Some(uri) => {
            let row = requesting_client(tx, client.as_ref())?
                .ok_or(Refusal::PostLogoutUriUnregistered)?;
            let state = request.state.clone();
            PostLogout::prove(&row.metadata.post_logout_redirect_uris, uri, state.as_deref())?;
            Some((uri.clone(), state))
        }
    };
    // A hint gives priority, since strangers have none.
    let rank = if hint.is_some() { Rank::Vouched } else { Rank::Plain };
    let holding = Holding::strangers(network, rank);
    let hint = hint.map(VerifiedHint::claims);
    let hint = hint.map(|claims| (claims.sub.clone(), claims.sid.parse::<SessionId>().ok()));
    authorize::store_interaction(tx, cx, holding, Purpose::Logout { client, hint, next })
}

/// The client of the request, if it is known and enabled.
fn requesting_client(
    view: &impl View,
    client: Option<&ClientId>,
) -> Result<Option<Client>, StoreError> {
    let Some(id) = client else { return Ok(None) };
    Ok(view.find::<Client>(id)?.filter(|client| client.enabled))
}

/// The next step of a logout.
pub enum Step {
    /// The person has to confirm.
    Confirm {
        /// The client of the request, if it is known and enabled.
        client: Option<Box<Client>>,
        /// The session that would end.
        session: Box<LiveSession>,
    },
    /// The logout is done; the browser goes to this redirect, if there is one.
    Done(Option<PostLogout>),
}

/// Ends the session if the hint names it or the person has confirmed; otherwise asks for
/// confirmation.
///
/// §2: without a fitting hint "the OP SHOULD ask the End-User whether to log out of the OP".
pub fn advance(
    tx: &mut Tx<'_>,
    cx: &Context,
    presented: &PresentedInteraction,
    confirmed: bool,
) -> Result<Step, Error> {
    let interaction = step::interaction(tx, cx, presented)?;
    let Purpose::Logout { client, hint, next } = interaction.purpose else {
        return Err(Refusal::InteractionUnknown.into());
    };
    let session = match &presented.session {
        Some(cookie) => session::live(tx, cx, cookie)?,
        None => None,
    };
    let client = requesting_client(tx, client.as_ref())?;
    if let Some(session) = session {
        let hinted = client.as_ref().zip(hint).is_some_and(|(client, (sub, sid))| {
            sub == issue::subject(&cx.rules, client, session.user())
                && sid.is_none_or(|sid| issue::session_of(&cx.rules, client, sid) == session.id())
        });
        if !hinted && !confirmed {
            authorize::record_opened(tx, cx, presented)?;
            let client = client.map(Box::new);
            return Ok(Step::Confirm { client, session: Box::new(session) });
        }
        session::end(tx, cx, session.id())?;
    }
    tx.remove::<Interaction>(&presented.interaction)?;
    // The client may have changed meanwhile, so its URI is proven again.
    let next = client.zip(next).and_then(|(client, (uri, state))| {
        PostLogout::prove(&client.metadata.post_logout_redirect_uris, &uri, state.as_deref()).ok()
    });
    Ok(Step::Done(next))
}

/// Removes the logout request and keeps the session: the person wants to stay signed in.
pub fn stay(tx: &mut Tx<'_>, cx: &Context, presented: &PresentedInteraction) -> Result<(), Error> {
    step::interaction(tx, cx, presented)?;
    tx.remove::<Interaction>(&presented.interaction)?;
    Ok(())
}
