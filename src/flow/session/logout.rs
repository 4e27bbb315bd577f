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
use crate::secret::{BrowserSecret, TokenHash};
use crate::store::schema::{Client, Interaction, Purpose};
use crate::store::{Holding, Rank, StoreError, Tx, View};

/// What is known of a logout request beside its parameters.
pub struct Arrival<'a> {
    /// Whether the browser can prove a session only on the page of an interaction.
    pub asks_later: bool,
    /// The `id_token_hint`, if the request has one and it verified.
    pub hint: Option<Result<&'a VerifiedHint, Refusal>>,
    /// The network of the request.
    pub network: Network,
    /// The cookie of the session, if the request brought one.
    pub session: Option<&'a TokenHash>,
}

/// The first answer to a logout request.
pub struct Started {
    /// What the request named in vain.
    pub passed_over: Option<Refusal>,
    /// What comes next.
    pub next: Next,
}

/// What comes after a logout request.
pub enum Next {
    /// The session of the hint has ended, and the browser has shown no other.
    Done {
        /// Whether the address of the redirect could not be verified.
        astray: bool,
        /// Whether the cookie of the request was that of the session.
        own: bool,
        /// The redirect, if there is one.
        redirect: Option<PostLogout>,
    },
    /// The browser goes to its interaction, where a session may have to be confirmed.
    Interaction(InteractionId, BrowserSecret),
}

/// Ends the session of a valid hint, whoever sends it: programs' back ends do, and have no cookie.
/// Unless that is all, stores the request.
///
/// A `post_logout_redirect_uri` is followed only if a known client registered it. If not, the logout
/// goes on without it.
pub fn start(
    tx: &mut Tx<'_>,
    cx: &Context,
    request: &LogoutRequest,
    arrival: &Arrival<'_>,
) -> Result<Started, Error> {
    // §4: "any operations requiring the information that failed to correctly validate MUST be
    // aborted", and "the OP MUST not perform post-logout redirection to an RP". The person has to
    // confirm, as without a hint.
    let (hint, unverified) = match arrival.hint {
        None => (None, None),
        Some(Ok(hint)) => (Some(hint), None),
        Some(Err(refusal)) => (None, Some(refusal)),
    };
    let hinted: Option<ClientId> = hint.and_then(|hint| hint.claims().aud.parse().ok());
    // §2: "When both client_id and id_token_hint are present, the OP MUST verify that the Client
    // Identifier matches the one used as the audience of the ID Token."
    if let (Some(named), Some(hinted)) = (&request.client_id, &hinted)
        && named != hinted
    {
        return Err(Refusal::IdTokenHintClientDiffers.into());
    }
    let id = request.client_id.clone().or(hinted);
    let client = requesting_client(tx, id.as_ref())?;
    let proven = match unverified {
        None => redirect(request, id.as_ref(), client.as_ref()),
        Some(refusal) => Err(refusal),
    };
    let passed_over = proven.as_ref().err().copied();
    let redirect = proven.unwrap_or_default();
    let astray = redirect.is_none() && request.post_logout_redirect_uri.is_some();
    if let Some(ended) = hinted_session(tx, cx, hint, client.as_ref())? {
        let before = cookie_session(tx, cx, arrival)?;
        session::end(tx, cx, ended)?;
        if cookie_session(tx, cx, arrival)?.is_none() && !arrival.asks_later {
            let next = Next::Done { astray, own: before == Some(ended), redirect };
            return Ok(Started { passed_over, next });
        }
    }
    // A hint gives priority, since strangers have none.
    let rank = if hint.is_some() { Rank::Vouched } else { Rank::Plain };
    let holding = Holding::strangers(arrival.network, rank);
    let hint = hint.map(VerifiedHint::claims);
    let hint = hint.map(|claims| (claims.sub.clone(), claims.sid.parse::<SessionId>().ok()));
    let uri = request.post_logout_redirect_uri.clone().and_then(Result::ok);
    let next = redirect.and(uri).map(|uri| (uri, request.state.clone()));
    let purpose = Purpose::Logout { astray, client: id, hint, next };
    let (id, secret) = authorize::store_interaction(tx, cx, holding, purpose)?;
    Ok(Started { passed_over, next: Next::Interaction(id, secret) })
}

/// The redirect that a request names, if its client registered it.
fn redirect(
    request: &LogoutRequest,
    id: Option<&ClientId>,
    client: Option<&Client>,
) -> Result<Option<PostLogout>, Refusal> {
    let Some(uri) = &request.post_logout_redirect_uri else { return Ok(None) };
    let uri = uri.as_ref().map_err(|refusal| *refusal)?;
    id.ok_or(Refusal::PostLogoutClientMissing)?;
    let client = client.ok_or(Refusal::PostLogoutClientUnknown)?;
    let registered = &client.metadata.post_logout_redirect_uris;
    PostLogout::prove(registered, uri, request.state.as_ref()).map(Some)
}

/// The session of a hint, if it is live and of the hint's `sub`.
fn hinted_session(
    view: &impl View,
    cx: &Context,
    hint: Option<&VerifiedHint>,
    client: Option<&Client>,
) -> Result<Option<SessionId>, StoreError> {
    let (Some(hint), Some(client)) = (hint, client) else { return Ok(None) };
    let Ok(id) = hint.claims().sid.parse::<SessionId>() else { return Ok(None) };
    let live = session::by_id(view, cx, issue::session_of(&cx.rules, client, id))?;
    let fits =
        |live: &LiveSession| issue::subject(&cx.rules, client, live.user()) == hint.claims().sub;
    Ok(live.filter(fits).map(|live| live.id()))
}

/// The session whose cookie the request brought, if it is live.
fn cookie_session(
    view: &impl View,
    cx: &Context,
    arrival: &Arrival<'_>,
) -> Result<Option<SessionId>, StoreError> {
    let Some(holder) = arrival.session else { return Ok(None) };
    Ok(session::live(view, cx, holder)?.map(|live| live.id()))
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
        /// Whether the address of the redirect could not be verified.
        astray: bool,
        /// The client of the request with its id, if it is known and enabled.
        client: Option<(ClientId, Box<Client>)>,
        /// The session that would end.
        session: Box<LiveSession>,
    },
    /// The logout is done.
    Done {
        /// Whether the address of the redirect could not be verified.
        astray: bool,
        /// The redirect, if there is one.
        redirect: Option<PostLogout>,
    },
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
    let Purpose::Logout { astray, client, hint, next } = interaction.purpose else {
        return Err(Refusal::InteractionUnknown.into());
    };
    let session = match &presented.session {
        Some(cookie) => session::live(tx, cx, cookie)?,
        None => None,
    };
    let id = client;
    let client = requesting_client(tx, id.as_ref())?;
    if let Some(session) = session {
        let hinted = client.as_ref().zip(hint).is_some_and(|(client, (sub, sid))| {
            sub == issue::subject(&cx.rules, client, session.user())
                && sid.is_none_or(|sid| issue::session_of(&cx.rules, client, sid) == session.id())
        });
        if !hinted && !confirmed {
            authorize::record_opened(tx, cx, presented)?;
            let client = id.zip(client.map(Box::new));
            return Ok(Step::Confirm { astray, client, session: Box::new(session) });
        }
        session::end(tx, cx, session.id())?;
    }
    tx.remove::<Interaction>(&presented.interaction)?;
    // The client may have changed meanwhile, so its URI is proven again.
    let redirect = client.zip(next).and_then(|(client, (uri, state))| {
        PostLogout::prove(&client.metadata.post_logout_redirect_uris, &uri, state.as_ref()).ok()
    });
    Ok(Step::Done { astray, redirect })
}

/// Removes the logout request and keeps the session: the person wants to stay signed in.
pub fn stay(tx: &mut Tx<'_>, cx: &Context, presented: &PresentedInteraction) -> Result<(), Error> {
    step::interaction(tx, cx, presented)?;
    tx.remove::<Interaction>(&presented.interaction)?;
    Ok(())
}
