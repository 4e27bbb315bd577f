//! The removal of unused clients that no operator registered.

use std::time::Duration;

use crate::flow::client::last_use::unused_deadline;
use crate::flow::token::grant;
use crate::flow::{Context, removal};
use crate::oauth::client::AuthMethod;
use crate::oauth::id::ClientId;
use crate::oauth::redirect_uri::{Kind, RedirectUri};
use crate::secret::TokenHash;
use crate::store::schema::{
    CLIENTS_BY_FINGERPRINT, Client, FetchedDocument, GRANTS_BY_CLIENT, Origin, Subject,
};
use crate::store::{StoreError, Tx, View};

/// The most clients of one fingerprint that one registration reads.
const MAX_ALIKE: usize = 32;
/// The most grants of a client that are read in the search for a live one.
const MAX_GRANTS: usize = 500;

/// The time after its last use for which a client of the same fingerprint is kept, since its person
/// may be signing in. It is longer than a step, an interaction and a code together.
const RECENT_USE: Duration = Duration::from_hours(1);

/// Removes the clients of one fingerprint that a program has abandoned, because it registers again
/// at each start. While the clock is in doubt, none is removed: its grants may be live.
pub fn remove_alike(
    tx: &mut Tx<'_>,
    cx: &Context,
    fingerprint: &TokenHash,
) -> Result<(), StoreError> {
    if cx.in_doubt {
        return Ok(());
    }
    for id in tx.by(&CLIENTS_BY_FINGERPRINT, fingerprint, MAX_ALIKE)? {
        let Some(client) = tx.find::<Client>(&id)? else { continue };
        if is_left_behind(cx, &client) && !holds_live_grant(tx, cx, &id)? {
            remove(tx, cx, &id)?;
        }
    }
    Ok(())
}

/// Removes a client. The sweep removes its grants, none of which is live.
fn remove(tx: &mut Tx<'_>, cx: &Context, id: &ClientId) -> Result<(), StoreError> {
    tx.remove::<Client>(id)?;
    removal::schedule(tx, cx, &Subject::Client(id.clone()))
}

/// Whether a client without grants may be removed: a public client whose redirect URIs are all on
/// the person's machine, without decisions of the operator, and unused for an hour.
fn is_left_behind(cx: &Context, client: &Client) -> bool {
    let own = |uri: &RedirectUri| match uri.kind() {
        Kind::Https { .. } => false,
        Kind::Loopback { .. } | Kind::PrivateUse { .. } => true,
    };
    let quiet = match &client.origin {
        Origin::Dynamic { unused, .. } => unused_deadline(cx) >= *unused + RECENT_USE,
        Origin::Document { .. } | Origin::Hook | Origin::Operator => false,
    };
    quiet
        && client.metadata.auth_method() == AuthMethod::None
        && client.metadata.redirect_uris.iter().all(own)
        && !client.is_decided()
}

/// Whether a client has a live grant, or more grants than are read.
fn holds_live_grant(view: &impl View, cx: &Context, id: &ClientId) -> Result<bool, StoreError> {
    let grants = view.by(&GRANTS_BY_CLIENT, id, MAX_GRANTS)?;
    let more = grants.len() == MAX_GRANTS;
    for grant in grants {
        if grant::live(view, cx, grant)?.is_some() {
            return Ok(true);
        }
    }
    Ok(more)
}

/// Removes an expired client that no operator registered. A client that holds a live grant, or
/// about which an operator decided something, gets another lifetime instead: if it were removed and
/// its document brought it back, the decision would be lost.
pub fn remove_unused(tx: &mut Tx<'_>, cx: &Context, id: &ClientId) -> Result<(), StoreError> {
    let Some(mut client) = tx.find::<Client>(id)? else { return Ok(()) };
    let stays = client.is_decided() || holds_live_grant(tx, cx, id)?;
    match &mut client.origin {
        Origin::Dynamic { unused, .. }
        | Origin::Document { fetched: Some(FetchedDocument { unused, .. }) } => {
            if !stays {
                return remove(tx, cx, id);
            }
            *unused = unused_deadline(cx);
        }
        Origin::Document { fetched: None } | Origin::Hook | Origin::Operator => {
            return Ok(());
        }
    }
    tx.put(id, client)
}
