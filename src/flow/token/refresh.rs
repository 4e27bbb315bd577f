//! The refresh token grant, with rotation: [RFC 6749
//! §6](https://www.rfc-editor.org/rfc/rfc6749#section-6), [RFC 9700
//! §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
//!
//! Each successor is derived from the token it replaces, so a family is a chain. Several agents on
//! one machine may share one token file: within the replay grace, a spent token yields the current
//! token of its family. After that, a spent token is a sign of theft and ends the grant.

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::resource::Targets;
use crate::flow::token::grant;
use crate::flow::token::grant::LiveGrant;
use crate::flow::token::issue::{self, Issued};
use crate::flow::{Context, resource};
use crate::oauth::client::{GrantType, RefreshPolicy};
use crate::oauth::scope::Scope;
use crate::oauth::token::RefreshRequest;
use crate::secret::RefreshToken;
use crate::store::schema::{Client, Refresh};
use crate::store::{Tx, View};

/// The outcome of a refresh.
pub enum Rotated {
    /// A replay of a spent token. Its grant is ended, which must be written.
    Replayed,
    /// New tokens.
    Tokens(Box<Issued>),
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
    let hash = cx.rules.pepper.hash(&request.refresh_token);
    let mut row = tx.find::<Refresh>(&hash)?.ok_or(Refusal::RefreshUnknown)?;
    if row.client != *proven.id() {
        return Err(Refusal::RefreshClientDiffers.into());
    }
    if row.spent.is_some_and(|spent| !within_grace(cx, &client, spent)) {
        grant::end(tx, cx, row.grant)?;
        return Ok(Rotated::Replayed);
    }
    if row.spent.is_none() && cx.now >= row.expires {
        return Err(Refusal::RefreshExpired.into());
    }
    let live = grant::live_of(tx, cx, row.grant, proven.id(), client)?;
    let live = live.ok_or(Refusal::GrantEnded)?;
    let client = live.client();
    let granted = live.authorization();
    let targets = resource::remaining(tx, &cx.rules, client, &granted.resources, &granted.scope)?;
    let scope = narrowed(cx, &live, &targets, request.scope.as_ref())?;
    let (resources, scope) = targets.share(&cx.rules, &scope, &request.resources)?;

    let current = if row.spent.is_some() {
        current(tx, cx, &request.refresh_token)?
    } else {
        let successor = cx.rules.pepper.successor(&request.refresh_token);
        let idle = cx.now + cx.rules.config.lifetimes.refresh_idle;
        let next = Refresh { expires: idle.min(row.retained_until), ..row.clone() };
        row.spent = Some(cx.now);
        tx.put(&hash, row)?;
        tx.put(&cx.rules.pepper.hash(&successor), next)?;
        successor
    };
    // OpenID Connect Core §12.2: a refreshed ID token "SHOULD NOT have a nonce Claim".
    let issued = issue::for_grant(cx, &live, &resources, scope, None, Some(current));
    Ok(Rotated::Tokens(Box::new(issued)))
}

fn within_grace(cx: &Context, client: &Client, spent: Timestamp) -> bool {
    let grace = cx.rules.config.lifetimes.replay_grace;
    match client.decisions.refresh {
        RefreshPolicy::Grace => !grace.is_zero() && cx.now.since(spent) <= grace,
        RefreshPolicy::Strict => false,
    }
}

/// The current token of the family of `spent`. The loop takes as many steps as there were rotations
/// within one grace period, since `spent` was spent that recently.
fn current(view: &impl View, cx: &Context, spent: &RefreshToken) -> Result<RefreshToken, Error> {
    let mut token = cx.rules.pepper.successor(spent);
    loop {
        let row = view.find::<Refresh>(&cx.rules.pepper.hash(&token))?;
        match row.ok_or(Refusal::RefreshUnknown)?.spent {
            Some(_) => token = cx.rules.pepper.successor(&token),
            None => return Ok(token),
        }
    }
}

/// The scope of the new access token. RFC 6749 §6: "The requested scope MUST NOT include any scope
/// not originally granted". Scopes that the client or the person may no longer have are left out.
fn narrowed(
    cx: &Context,
    live: &LiveGrant,
    targets: &Targets,
    requested: Option<&Scope>,
) -> Result<Scope, Refusal> {
    let granted = &live.authorization().scope;
    let allowed = targets.for_person(&cx.rules, &live.person().roles);
    let allowed = allowed.intersect(&targets.for_client(live.client()));
    let requested = requested.unwrap_or(granted);
    if !requested.within(granted) {
        return Err(Refusal::ScopeWidened);
    }
    let scope = requested.intersect(&allowed);
    if scope.is_empty() { Err(Refusal::ScopeNotAllowed) } else { Ok(scope) }
}
