//! Logout notifications to clients: [OpenID Connect Back-Channel
//! Logout](https://openid.net/specs/openid-connect-backchannel-1_0.html).
//!
//! A client that registered a `backchannel_logout_uri` gets a row at its first response in a
//! session (§2.3), since the session may outlive every code and grant. The transaction that ends
//! the session makes its rows due. A row stays until its client is notified or the attempts are
//! used up.

use std::time::Duration;

use crate::error::Error;
use crate::flow::Context;
use crate::flow::token::issue;
use crate::model::named_by::NamedBy;
use crate::oauth::claims::{LogoutClaims, LogoutEvents, jti};
use crate::oauth::client::SigningAlg;
use crate::oauth::id::{ClientId, SessionId, UserId};
use crate::oauth::web_uri::WebUri;
use crate::store::schema::{Client, DELIVERIES_BY_DUE, Delivery};
use crate::store::{StoreError, Tx, View};

/// The pauses between attempts. The attempt after the last pause is the last one.
const RETRY_DELAYS: [Duration; 5] = [
    Duration::from_secs(10),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
];

/// The lifetime of a logout token. §2.4 recommends at most two minutes, so that a stolen token is
/// soon useless.
const LOGOUT_TOKEN_LIFETIME: Duration = Duration::from_mins(2);

/// Records that `client` was answered in a session, if it wants to be notified of the session's
/// end.
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
        // The row may be of an earlier client of the same name.
        Some(known) if known.created >= client.created && known.sub == sub => Ok(()),
        Some(_) | None => {
            tx.put(&key, Delivery { attempts: 0, created: cx.latest, due: None, sub })
        }
    }
}

/// A delivery that is due.
#[derive(Clone)]
pub struct DueDelivery {
    /// The key of its row.
    pub key: (SessionId, ClientId),
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// The message; `None` if the client was removed or no longer has a logout URI.
    pub message: Option<LogoutMessage>,
}

/// A logout token before it is signed.
#[derive(Clone)]
pub struct LogoutMessage {
    /// The algorithm of its signature.
    pub alg: SigningAlg,
    /// Its claims.
    pub claims: LogoutClaims,
    /// Who named its destination.
    pub named_by: NamedBy,
    /// Its destination: the client's current `backchannel_logout_uri`.
    pub uri: WebUri,
}

/// The first `limit` deliveries that are due, in the order in which they became due. An unreadable
/// row does not hold up the others.
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
        let uri = client.metadata.backchannel_logout_uri.clone()?;
        Some(LogoutMessage {
            alg: client.metadata.id_token_signed_response_alg,
            claims: claims(cx, &key, issue::sid(&cx.rules, &client, key.0), &delivery),
            named_by: client.named_by(),
            uri,
        })
    });
    Ok(Some(DueDelivery { attempt: delivery.attempts + 1, message, key }))
}

/// The claims of a logout token (§2.4). "A nonce Claim MUST NOT be present", so that the token
/// cannot pass for an ID token.
fn claims(
    cx: &Context,
    (session, client): &(SessionId, ClientId),
    sid: SessionId,
    row: &Delivery,
) -> LogoutClaims {
    let chance = cx.seed.bytes(&format!("logout token {session} {client}"));
    LogoutClaims {
        iss: cx.rules.issuer.to_string(),
        aud: client.to_string(),
        iat: cx.now.seconds(),
        exp: (cx.now + LOGOUT_TOKEN_LIFETIME).seconds(),
        jti: jti(None, chance),
        events: LogoutEvents::default(),
        sub: row.sub.clone(),
        sid: sid.to_string(),
    }
}

/// The outcome of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The client could not be reached, or failed. The attempt may be repeated.
    Failed,
    /// The client was notified, no longer exists, or rejected the notification.
    Settled,
}

/// Records the outcome of an attempt. Returns whether it was the last one and failed.
pub fn record_attempt(
    tx: &mut Tx<'_>,
    cx: &Context,
    due: &DueDelivery,
    outcome: DeliveryOutcome,
) -> Result<bool, Error> {
    let Some(delivery) = tx.find::<Delivery>(&due.key)? else { return Ok(false) };
    // A concurrent attempt may have been recorded.
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
