//! Pushed authorization requests: [RFC 9126](https://www.rfc-editor.org/rfc/rfc9126).

use crate::error::{Error, Refusal};
use crate::flow::authorize::{self, CheckedRequest};
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::client::document::{self, DocumentStatus};
use crate::flow::client::last_use;
use crate::flow::installation::evidence;
use crate::flow::{Context, admission};
use crate::model::network::Network;
use crate::oauth::client::GrantType;
use crate::oauth::id::{ClientId, InteractionId};
use crate::secret::{BrowserSecret, PushedReference, TokenHash};
use crate::store::schema::Pushed;
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
    let row = Pushed {
        created: cx.now,
        expires: cx.deadline(cx.rules.config.lifetimes.pushed_request),
        holding: Holding::strangers(network, admission::rank(&client)),
        request: checked.stored(cx),
    };
    admission::store(tx, cx, &cx.rules.pepper.hash(&reference), row)?;
    Ok(reference)
}

/// The request of an unspent reference that `client` pushed.
pub fn find(
    view: &impl View,
    cx: &Context,
    client: &ClientId,
    reference: &TokenHash,
) -> Result<CheckedRequest, Error> {
    let row = view.find::<Pushed>(reference)?.ok_or(Refusal::PushedRequestUnknown)?;
    // RFC 9126 §2.2: "The request_uri value MUST be bound to the client that posted the
    // authorization request."
    if row.request.client != *client {
        return Err(Refusal::PushedRequestClientDiffers.into());
    }
    if evidence::is_over(view, cx, row.expires)? {
        return Err(Refusal::PushedRequestExpired.into());
    }
    let known = authorize::enabled(view, client)?;
    if known.created > row.request.requested {
        return Err(Refusal::PushedRequestClientDiffers.into());
    }
    Ok(CheckedRequest::restore(&known, row.request)?)
}

/// Spends a reference, and stores its request as an interaction.
///
/// RFC 9126 §4: "authorization servers SHOULD treat request_uri values as one-time use".
pub fn redeem(
    tx: &mut Tx<'_>,
    cx: &Context,
    network: Network,
    client: &ClientId,
    reference: &TokenHash,
) -> Result<(InteractionId, BrowserSecret), Error> {
    let checked = find(tx, cx, client, reference)?;
    tx.remove::<Pushed>(reference)?;
    authorize::store_request(tx, cx, network, &checked)
}
