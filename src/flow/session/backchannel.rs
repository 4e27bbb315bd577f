//! Telling clients that a session has ended: [OpenID Connect Back-Channel
//! Logout](https://openid.net/specs/openid-connect-backchannel-1_0.html).
//!
//! A client that wants to be told is written down when it is first answered in a session (§2.3), since
//! the session may outlive every code and grant. What ends the session makes those rows due, in the same
//! transaction; the rows stay until their client was told, or was tried often enough.

use std::time::Duration;

use crate::error::Error;
use crate::flow::Context;
use crate::flow::token::issue;
use crate::oauth::claims::{LogoutClaims, LogoutEvents, jti};
use crate::oauth::client::SigningAlg;
use crate::oauth::id::{ClientId, SessionId, UserId};
use crate::oauth::web_uri::WebUri;
use crate::store::schema::{Client, DELIVERIES_BY_DUE, Delivery};
use crate::store::{StoreError, Tx, View};

/// The pauses between attempts. After the last one a client is given up.
const RETRY_DELAYS: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
];

/// How long a logout token holds; §2.4 prefers two minutes at most, so that it is of no use later.
const LOGOUT_TOKEN_LIFETIME: Duration = Duration::from_mins(2);

/// Writes down that `client` was answered in a session, if it wants to hear of the session's end.
pub fn record_client(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
    client: &Client,
    session: SessionId,
    user: UserId,
) -> Result<(), StoreError> {
    if client.metadata.backchannel_logout_uri.is_none() {
        return Ok(());
    }
    let key = (session, id.clone());
    let sub = issue::subject(&cx.rules, client, user);
    match tx.find::<Delivery>(&key)? {
        // What was written down of an earlier client of the same name says nothing of this one.
        Some(known) if known.created >= client.created && known.sub == sub => Ok(()),
        Some(_) | None => tx.put(&key, Delivery { attempts: 0, created: cx.now, due: None, sub }),
    }
}

/// A delivery that is due: whom to tell what.
#[derive(Clone)]
pub struct DueDelivery {
    /// Which one.
    pub key: (SessionId, ClientId),
    /// The attempt that it is, from the first.
    pub attempt: u32,
    /// The message; none if the client was removed or has no logout URI any more.
    pub message: Option<LogoutMessage>,
}

/// A logout token before it is signed.
#[derive(Clone)]
pub struct LogoutMessage {
    /// What it is signed with.
    pub alg: SigningAlg,
    /// What it says.
    pub claims: LogoutClaims,
    /// Where it goes: the `backchannel_logout_uri` that the client has registered now.
    pub uri: WebUri,
}

/// The first `limit` deliveries that are due, in the order in which they became so. One that cannot
/// be read holds up no other.
pub fn due(
    view: &impl View,
    cx: &Context,
    limit: usize,
) -> Result<Vec<Result<DueDelivery, StoreError>>, StoreError> {
    let keys = view.up_to(&DELIVERIES_BY_DUE, &cx.now, limit)?.into_iter();
    Ok(keys.filter_map(|key| delivery(view, cx, key).transpose()).collect())
}

fn delivery(
    view: &impl View,
    cx: &Context,
    key: (SessionId, ClientId),
) -> Result<Option<DueDelivery>, StoreError> {
    let Some(delivery) = view.find::<Delivery>(&key)? else { return Ok(None) };
    let client = view.find::<Client>(&key.1)?;
    let client = client.filter(|client| client.created <= delivery.created);
    let message = client.and_then(|client| {
        let uri = client.metadata.backchannel_logout_uri?;
        Some(LogoutMessage {
            alg: client.metadata.id_token_signed_response_alg,
            claims: claims(cx, &key, &delivery),
            uri,
        })
    });
    Ok(Some(DueDelivery { attempt: delivery.attempts + 1, message, key }))
}

/// §2.4: what a logout token says. "A nonce Claim MUST NOT be present", so that it cannot pass for
/// an ID token.
fn claims(cx: &Context, (session, client): &(SessionId, ClientId), row: &Delivery) -> LogoutClaims {
    let chance = cx.seed.bytes(&format!("logout token {session} {client}"));
    LogoutClaims {
        iss: cx.rules.issuer.to_string(),
        aud: client.to_string(),
        iat: cx.now.seconds(),
        exp: (cx.now + LOGOUT_TOKEN_LIFETIME).seconds(),
        jti: jti(None, chance),
        events: LogoutEvents::default(),
        sub: row.sub.clone(),
        sid: session.to_string(),
    }
}

/// How an attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The client was not reached, or not itself; it may be later.
    Failed,
    /// The client was told, has gone, or does not want to hear it.
    Settled,
}

/// Writes down how an attempt went. Gives whether the client is given up after it.
pub fn record_attempt(
    tx: &mut Tx<'_>,
    cx: &Context,
    due: &DueDelivery,
    outcome: DeliveryOutcome,
) -> Result<bool, Error> {
    let Some(delivery) = tx.find::<Delivery>(&due.key)? else { return Ok(false) };
    // Somebody else may have tried it at the same time.
    if delivery.attempts + 1 != due.attempt {
        return Ok(false);
    }
    let pause = RETRY_DELAYS.get(usize::try_from(delivery.attempts).unwrap_or(usize::MAX));
    match (outcome, pause) {
        (DeliveryOutcome::Failed, Some(pause)) => {
            let next = Some(cx.now + *pause);
            tx.put(&due.key, Delivery { attempts: due.attempt, due: next, ..delivery })?;
            Ok(false)
        }
        (DeliveryOutcome::Failed, None) | (DeliveryOutcome::Settled, _) => {
            tx.remove::<Delivery>(&due.key)?;
            Ok(outcome == DeliveryOutcome::Failed)
        }
    }
}
