//! Clients that are named by the address of a document: kept as the document last said.

use std::time::Duration;

use crate::error::{Error, Refusal};
use crate::flow::client::registration::settle;
use crate::flow::client::{last_use, operator_decisions};
use crate::flow::{Context, Rules};
use crate::oauth::client::DocumentPolicy;
use crate::oauth::client::cimd::{self, DocumentAddress};
use crate::oauth::client::registration::ClientMetadata;
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
            | Origin::Hook { .. }
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
            | Origin::Hook { .. }
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

/// Writes down what a document says. It stays so for `seed`, or where that is nothing, since an
/// operator imported it, until it is imported anew.
///
/// What the operator decided of the client stays; its proof is void only where something changed.
pub fn store(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
    metadata: &ClientMetadata,
    seed: Option<Duration>,
) -> Result<Client, Error> {
    let origin = Origin::Document {
        stale: seed.map(|seed| cx.now + seed),
        unused: seed.map(|_| last_use::unused_deadline(cx)),
    };
    let mut client = settle(cx, metadata, cimd::auth_method(metadata), origin)?;
    match tx.find::<Client>(id)? {
        Some(old) if matches!(old.origin, Origin::Document { .. }) => {
            let imported = matches!(old.origin, Origin::Document { stale: None, .. });
            // It was imported while another was on the way.
            if imported && seed.is_some() {
                return Ok(old);
            }
            operator_decisions::carry_over(&mut client, &old);
            let same = Client { origin: old.origin.clone(), ..client.clone() } == old;
            if !same {
                client.revision = old.revision + 1;
            }
        }
        Some(_) => return Err(Refusal::ClientExists.into()),
        None => {}
    }
    tx.put(id, client.clone())?;
    Ok(client)
}
