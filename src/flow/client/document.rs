//! Clients that are named by the URL of their document, stored as the document last said.

use std::time::Duration;

use crate::error::{Error, Refusal};
use crate::flow::client::last_use;
use crate::flow::client::registration::registered;
use crate::flow::{Context, Rules};
use crate::oauth::client::DocumentPolicy;
use crate::oauth::client::cimd::{self, DocumentAddress};
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::id::ClientId;
use crate::store::schema::{Client, Origin};
use crate::store::{StoreError, Tx, View};

/// What has to be done before a client can be taken as its document states it today.
pub enum DocumentStatus {
    /// The document at this address has to be fetched.
    Fetch(DocumentAddress),
    /// Nothing.
    Known,
}

/// Where a client stands. One that is no address, or that an operator imported, is as it is.
pub fn status(view: &impl View, cx: &Context, id: &ClientId) -> Result<DocumentStatus, Error> {
    if !DocumentAddress::is_meant(id) {
        return Ok(DocumentStatus::Known);
    }
    let stale = match view.find::<Client>(id)?.map(|client| client.origin) {
        Some(
            Origin::Document { stale: None, .. }
            | Origin::Dynamic { .. }
            | Origin::Hook
            | Origin::Operator,
        ) => {
            return Ok(DocumentStatus::Known);
        }
        Some(Origin::Document { stale: Some(stale), .. }) => cx.now >= stale,
        None => true,
    };
    let address = DocumentAddress::of(id)?;
    admit(&cx.rules, &address)?;
    Ok(if stale { DocumentStatus::Fetch(address) } else { DocumentStatus::Known })
}

/// How long a document that went stale may stand in for one that cannot be had.
const MAX_STALE: Duration = Duration::from_hours(24);

/// Whether what a client's document said last may stand in for what it says today.
pub fn is_recent(view: &impl View, cx: &Context, id: &ClientId) -> Result<bool, StoreError> {
    Ok(match view.find::<Client>(id)?.map(|client| client.origin) {
        Some(Origin::Document { stale: Some(stale), .. }) => cx.now < stale + MAX_STALE,
        Some(
            Origin::Document { stale: None, .. }
            | Origin::Dynamic { .. }
            | Origin::Hook
            | Origin::Operator,
        )
        | None => false,
    })
}

/// Whether documents at this address are read at all.
fn admit(rules: &Rules, address: &DocumentAddress) -> Result<(), Refusal> {
    let config = &rules.config;
    match config.documents.policy {
        DocumentPolicy::Off => return Err(Refusal::ClientUnknownAtAuthorize),
        DocumentPolicy::Listed if !address.is_among(&config.documents.hosts) => {
            return Err(Refusal::DocumentHostUnlisted);
        }
        DocumentPolicy::Any | DocumentPolicy::Listed => {}
    }
    if config.offline { Err(Refusal::DocumentOffline) } else { Ok(()) }
}

/// Stores what a document states. It is current for `lifetime`; one that an operator imported has
/// none, and is current until it is imported again.
///
/// The operator's decisions stay. An authentication of the client is void only if something changed.
pub fn store(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
    metadata: &ClientMetadata,
    lifetime: Option<Duration>,
) -> Result<Client, Error> {
    let origin = Origin::Document {
        stale: lifetime.map(|lifetime| cx.now + lifetime),
        unused: lifetime.map(|_| last_use::unused_deadline(cx)),
    };
    let auth_method = Some(cimd::auth_method(metadata));
    let metadata = ClientMetadata {
        token_endpoint_auth_method: auth_method,
        ..registered(&cx.rules, metadata)?
    };
    let client = match tx.find::<Client>(id)? {
        None => Client::new(cx.now, origin, metadata),
        // It was imported while the document was fetched.
        Some(old)
            if matches!(old.origin, Origin::Document { stale: None, .. }) && lifetime.is_some() =>
        {
            return Ok(old);
        }
        Some(old) if matches!(old.origin, Origin::Document { .. }) => {
            let revision = old.revision + u64::from(metadata != old.metadata);
            Client { metadata, origin, revision, ..old }
        }
        Some(_) => return Err(Refusal::ClientExists.into()),
    };
    tx.put(id, client.clone())?;
    Ok(client)
}
