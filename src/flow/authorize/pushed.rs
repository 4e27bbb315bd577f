//! Pushed authorization requests: [RFC 9126](https://www.rfc-editor.org/rfc/rfc9126).

use crate::error::{Error, Refusal};
use crate::flow::Context;
use crate::flow::authorize::{self, CheckedRequest};
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::client::document::{self, DocumentStatus};
use crate::flow::client::last_use;
use crate::oauth::authorize::Callback;
use crate::oauth::client::GrantType;
use crate::oauth::id::{ClientId, InteractionId};
use crate::secret::{BrowserSecret, PushedReference, TokenHash};
use crate::store::schema::Pushed;
use crate::store::{Tx, View};

/// Keeps a request that was checked for its browser, and gives the reference to it.
pub fn push(
    tx: &mut Tx<'_>,
    cx: &Context,
    proven: &AuthenticatedClient,
    checked: &CheckedRequest,
) -> Result<PushedReference, Error> {
    proven.row(tx, GrantType::AuthorizationCode)?;
    checked.check_mode()?;
    // A document that cannot be had serves what was authorized, and no new authorization.
    if let DocumentStatus::Fetch(_) = document::status(tx, cx, proven.id())? {
        return Err(Refusal::DocumentUnavailable.into());
    }
    last_use::record_use(tx, cx, proven.id())?;
    // RFC 9126 §2.2: the reference "MUST contain some part generated using a cryptographically
    // strong pseudorandom algorithm", and §7.1 asks for the entropy of RFC 9101 §10.2 (d): 256 bits.
    let reference: PushedReference = cx.seed.token();
    let row = Pushed {
        client: proven.id().clone(),
        created: cx.now,
        expected: checked.expected.clone(),
        expires: cx.now + cx.rules.config.lifetimes.pushed_request,
        redirect_uri: checked.callback.uri().clone(),
        redirect_uri_named: checked.redirect_uri_named,
        request: checked.request.clone(),
        state: checked.callback.state().map(str::to_owned),
    };
    tx.put(&cx.rules.pepper.hash(&reference), row)?;
    Ok(reference)
}

/// The request behind a reference, if it waits for its first browser and `client` pushed it.
///
/// The client may have changed since, so that its callback is proven once more.
pub fn find(
    view: &impl View,
    cx: &Context,
    client: &ClientId,
    reference: &TokenHash,
) -> Result<CheckedRequest, Error> {
    let row = view.find::<Pushed>(reference)?.ok_or(Refusal::PushedRequestUnknown)?;
    // RFC 9126 §2.2: "The request_uri value MUST be bound to the client that posted the
    // authorization request."
    if row.client != *client {
        return Err(Refusal::PushedRequestClientDiffers.into());
    }
    if cx.now >= row.expires {
        return Err(Refusal::PushedRequestExpired.into());
    }
    let known = authorize::enabled(view, client)?;
    if known.created > row.created {
        return Err(Refusal::PushedRequestClientDiffers.into());
    }
    let (registered, uri) = (&known.redirect_uris, Some(&row.redirect_uri));
    let callback = Callback::prove(registered, known.client_type, uri, row.state)?;
    Ok(CheckedRequest {
        callback: callback.in_mode(row.request.response_mode),
        client: row.client,
        expected: row.expected,
        redirect_uri_named: row.redirect_uri_named,
        request: row.request,
    })
}

/// Uses a reference up, and begins the interaction that it stands for.
///
/// RFC 9126 §4: "authorization servers SHOULD treat request_uri values as one-time use".
pub fn redeem(
    tx: &mut Tx<'_>,
    cx: &Context,
    client: &ClientId,
    reference: &TokenHash,
) -> Result<(InteractionId, BrowserSecret), Error> {
    let checked = find(tx, cx, client, reference)?;
    tx.remove::<Pushed>(reference)?;
    authorize::store_request(tx, cx, &checked)
}
