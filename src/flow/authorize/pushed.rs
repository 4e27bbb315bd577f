//! Pushed authorization requests: [RFC 9126](https://www.rfc-editor.org/rfc/rfc9126).

use crate::error::{Error, Refusal};
use crate::flow::authorize::{self, CheckedRequest, Requester, Started};
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::client::document::{self, DocumentStatus};
use crate::flow::client::last_use;
use crate::flow::installation::evidence;
use crate::flow::{Context, Present, admission};
use crate::model::network::Network;
use crate::oauth::client::GrantType;
use crate::oauth::id::ClientId;
use crate::secret::{PushedReference, TokenHash};
use crate::store::schema::{Pushed, StoredAuthorizationRequest};
use crate::store::{Holding, Tx, View};

/// Stores a request, and returns the reference to it.
pub fn push(
    tx: &mut Tx<'_>,
    cx: &Context,
    proven: &AuthenticatedClient,
    network: Network,
    checked: &CheckedRequest,
) -> Result<PushedReference, Error> {
    let client = proven.row(tx, GrantType::AuthorizationCode)?;
    // A stale document may serve existing grants, but no new authorization.
    if let DocumentStatus::Fetch { .. } = document::status(tx, &cx.rules, cx.now, proven.id())? {
        return Err(Refusal::DocumentUnavailable.into());
    }
    last_use::record_use(tx, cx, proven.id(), &client, None)?;
    // RFC 9126 §2.2: the reference "MUST contain some part generated using a cryptographically
    // strong pseudorandom algorithm", and §7.1 asks for the entropy of RFC 9101 §10.2 (d): 256 bits.
    let reference: PushedReference = cx.seed.token();
    let expires = cx.deadline(cx.rules.config.lifetimes.pushed_request);
    let row = Pushed {
        created: cx.now,
        expires,
        holding: Holding::strangers(network, admission::rank(&client)),
        request: checked.stored(cx),
        retained_until: expires.by_evidence(),
        spent: false,
    };
    admission::store(tx, cx, &cx.rules.pepper.hash(&reference), row)?;
    Ok(reference)
}

/// The request of an unspent reference that `client` pushed.
pub fn find(
    view: &impl View,
    cx: &Present,
    client: &ClientId,
    reference: &TokenHash,
) -> Result<CheckedRequest, Error> {
    restore(view, row(view, cx, client, reference)?.request)
}

/// The request of a row, if its client is the one that pushed it.
fn restore(view: &impl View, request: StoredAuthorizationRequest) -> Result<CheckedRequest, Error> {
    let client = authorize::enabled(view, &request.client)?;
    if client.created > request.requested {
        return Err(Refusal::PushedRequestClientDiffers.into());
    }
    Ok(CheckedRequest::restore(&client, request)?)
}

/// The row of an unspent reference that `client` pushed.
fn row(
    view: &impl View,
    cx: &Present,
    client: &ClientId,
    reference: &TokenHash,
) -> Result<Pushed, Error> {
    let row = view.find::<Pushed>(reference)?.ok_or(Refusal::PushedRequestUnknown)?;
    // RFC 9126 §2.2: "The request_uri value MUST be bound to the client that posted the
    // authorization request."
    if row.request.client != *client {
        return Err(Refusal::PushedRequestClientDiffers.into());
    }
    if row.spent {
        return Err(Refusal::PushedRequestSpent.into());
    }
    if evidence::is_over(view, cx, row.expires)? {
        return Err(Refusal::PushedRequestExpired.into());
    }
    Ok(row)
}

/// Stores the request of a reference as an interaction. The reference stays unspent, since a program
/// that previews links may open it before the person does, and a person may go back to it.
pub fn open(
    tx: &mut Tx<'_>,
    cx: &Context,
    from: &Requester,
    client: &ClientId,
    reference: &TokenHash,
) -> Result<Started, Error> {
    let row = row(tx, cx, client, reference)?;
    let restored = restore(tx, row.request.clone())?;
    let checked = CheckedRequest { pushed: Some(*reference), ..restored };
    let interaction_ends = cx.deadline(cx.rules.config.lifetimes.interaction).by_evidence();
    let retained_until = row.retained_until.max(interaction_ends);
    admission::store(tx, cx, reference, Pushed { retained_until, ..row })?;
    authorize::start(tx, cx, from, &checked)
}

/// Refuses a request whose reference was spent by another interaction.
pub fn check_unspent(view: &impl View, stored: &StoredAuthorizationRequest) -> Result<(), Error> {
    match &stored.pushed {
        Some(reference) if view.find::<Pushed>(reference)?.is_some_and(|row| row.spent) => {
            Err(Refusal::PushedRequestSpent.into())
        }
        Some(_) | None => Ok(()),
    }
}

/// Spends a reference: its request has its response. Of several interactions that opened it, one
/// ends so.
///
/// RFC 9126 §4: "authorization servers SHOULD treat request_uri values as one-time use". A full pool
/// may have taken the row meanwhile, which must not cost the person their sign-in.
pub fn spend(tx: &mut Tx<'_>, reference: Option<&TokenHash>) -> Result<(), Error> {
    let Some(reference) = reference else { return Ok(()) };
    let Some(row) = tx.find::<Pushed>(reference)? else { return Ok(()) };
    if row.spent {
        return Err(Refusal::PushedRequestSpent.into());
    }
    Ok(tx.put(reference, Pushed { spent: true, ..row })?)
}
