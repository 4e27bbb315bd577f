//! The refresh token grant, with rotation: [RFC 6749
//! §6](https://www.rfc-editor.org/rfc/rfc6749#section-6), [RFC 9700
//! §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
//!
//! Every generation of a family but the newest is spent. Several agents on one machine may share one
//! token file: within the replay grace, a spent token yields the newest of its family. After that, a
//! spent token is a sign of theft and ends the grant. A token that is newer than the store knows is a
//! sign of a restored store, and is taken.

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::{EventId, Kind};
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::events::{self, Act};
use crate::flow::installation::restore;
use crate::flow::resource::Targets;
use crate::flow::token::family::{self, KnownToken, Place};
use crate::flow::token::grant::{self, LiveGrant, Replay};
use crate::flow::token::issue::{self, Issued};
use crate::flow::{Context, resource};
use crate::oauth::client::{GrantType, RefreshPolicy};
use crate::oauth::id::GrantId;
use crate::oauth::scope::Scope;
use crate::oauth::token::RefreshRequest;
use crate::store::Tx;
use crate::store::schema::{Client, Grant};

/// The outcome of a refresh.
pub enum Rotated {
    /// A replay of a spent token. Its grant is ended, which must be written.
    Replayed(Replay),
    /// New tokens, and a report if the token was ahead of the store.
    Tokens(Box<Issued>, Option<Ahead>),
}

/// A token ahead of the store was taken.
pub struct Ahead {
    /// The number of generations by which it was ahead.
    pub by: u64,
    /// The id of its event.
    pub event: EventId,
    /// Its grant.
    pub grant: GrantId,
    /// Whether a recorded restore explains it.
    pub restored: bool,
}

/// Replaces a refresh token by its successor. A replay ends the grant; anything else is written
/// after all checks.
pub fn rotate(
    tx: &mut Tx<'_>,
    cx: &Context,
    proven: &AuthenticatedClient,
    request: &RefreshRequest,
) -> Result<Rotated, Error> {
    let client = proven.row(tx, GrantType::RefreshToken)?;
    let Some(token) = family::find(tx, cx, &request.refresh_token)? else {
        let is_lost = restore::is_recent(tx, cx, cx.rules.config.lifetimes.refresh_total)?;
        return Err(if is_lost { Refusal::RefreshLost } else { Refusal::RefreshUnknown }.into());
    };
    if token.grant.authorization.client != *proven.id() {
        return Err(Refusal::RefreshClientDiffers.into());
    }
    let mut ahead = None;
    let spends = match token.place() {
        Place::Spent(at) if within_grace(cx, &client, at) => false,
        Place::Spent(_) => {
            let kind = Kind::RefreshTokenReplayed;
            return Ok(Rotated::Replayed(grant::end_replayed(tx, cx, token.id, kind)?));
        }
        Place::Newest => true,
        Place::Ahead => {
            let by = token.generation - token.family.newest;
            let restored = token.check_ahead(tx, cx)?;
            let act = Act::new(Kind::RefreshTokenAhead).by_client(proven.id());
            let act = act.fact("grant", token.id).fact("generations", by);
            let event = events::record(tx, cx, act.fact("restored", restored))?;
            ahead = Some(Ahead { by, event, grant: token.id, restored });
            true
        }
    };
    // When one that is ahead was issued, the store does not know: it was used since.
    if spends && ahead.is_none() && cx.now >= token.expires(tx, cx)? {
        return Err(Refusal::RefreshExpired.into());
    }
    let KnownToken { id, grant, mut family, generation } = token;
    grant::check_groups(tx, &client, &grant.authorization)?;
    let live = grant::check(tx, cx, id, grant, client)?.ok_or(Refusal::GrantEnded)?;
    let client = live.client();
    let granted = live.authorization();
    let targets = resource::remaining(tx, &cx.rules, client, &granted.resources, &granted.scope)?;
    let scope = narrowed(cx, &live, &targets, request.scope.as_ref())?;
    let target = targets.share(&cx.rules, &scope, &request.resources)?;

    if spends {
        family::spend(&mut family, generation, cx.now, cx.rules.config.lifetimes.replay_grace);
        family.ahead |= ahead.as_ref().is_some_and(|ahead| !ahead.restored);
    }
    // The answer is of the newest root key, whatever the token was of.
    let key = cx.rules.pepper.generation();
    if spends || family.key != key {
        family.key = key;
        tx.put(&id, Grant { family: Some(family.clone()), ..live.grant().clone() })?;
    }
    let newest = family::newest(cx, id, &family);
    // OpenID Connect Core §12.2: a refreshed ID token "SHOULD NOT have a nonce Claim".
    let issued = issue::for_grant(cx, &live, target, None, Some(newest));
    Ok(Rotated::Tokens(Box::new(issued), ahead))
}

/// Whether a token that was spent at `spent` is inside the replay grace of its client. If it was spent
/// further ahead of the clock than the grace, the clock went back, and nothing says how long ago it
/// was.
fn within_grace(cx: &Context, client: &Client, spent: Option<Timestamp>) -> bool {
    let grace = cx.rules.config.lifetimes.replay_grace;
    let recent = spent.is_some_and(|spent| cx.now.apart(spent) <= grace);
    match client.decisions.refresh {
        RefreshPolicy::Grace => !grace.is_zero() && recent,
        RefreshPolicy::Strict => false,
    }
}

/// The scope of the new access token. RFC 6749 §6: "The requested scope MUST NOT include any scope
/// not originally granted". Scopes that the client or the person may not have are left out, as in
/// the authorization, so that a client may ask here for what it asked for there.
fn narrowed(
    cx: &Context,
    live: &LiveGrant,
    targets: &Targets,
    requested: Option<&Scope>,
) -> Result<Scope, Refusal> {
    let granted = &live.authorization().scope;
    let allowed = targets.for_person(&cx.rules, &live.person().roles);
    let allowed = allowed.intersect(&targets.for_client(&cx.rules, live.client()));
    let requested = requested.unwrap_or(granted);
    if !requested.minus(granted).intersect(&allowed).is_empty() {
        return Err(Refusal::ScopeWidened);
    }
    let scope = requested.intersect(granted).intersect(&allowed);
    if scope.is_empty() { Err(Refusal::ScopeNotAllowed) } else { Ok(scope) }
}
