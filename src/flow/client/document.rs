//! Clients whose id is the URL of their metadata document. Their row holds the last version of the
//! document.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::event::Kind;
use crate::flow::client::last_use;
use crate::flow::client::registration::registered;
use crate::flow::events::{self, Act};
use crate::flow::installation::clock;
use crate::flow::{Context, Rules, admission, rights};
use crate::model::network::Network;
use crate::oauth::client::DocumentPolicy;
use crate::oauth::client::cimd::{self, DocumentAddress};
use crate::oauth::client::metadata::ClientMetadata;
use crate::oauth::id::ClientId;
use crate::oauth::resource::Resource;
use crate::store::schema::{Client, FetchedDocument, Origin, Protected};
use crate::store::{Holding, Rank, StoreError, Tx, View};

/// Whether the stored version of a client's document is current.
pub enum DocumentStatus {
    /// It is not: the document has to be fetched.
    Fetch {
        /// Its address.
        address: DocumentAddress,
        /// Whether it was fetched well before.
        known: bool,
    },
    /// It is, or the client has no document to fetch.
    Known,
}

/// The status of a client's document. A client whose id is no URL, or that an operator imported,
/// has nothing to fetch.
///
/// # Errors
///
/// [`Refusal::ClientUnknownAtAuthorize`], [`Refusal::DocumentHostUnlisted`] or
/// [`Refusal::DocumentOffline`] if the configuration does not allow the document.
pub fn status(
    view: &impl View,
    rules: &Rules,
    now: Timestamp,
    id: &ClientId,
) -> Result<DocumentStatus, Error> {
    if !DocumentAddress::is_meant(id) {
        return Ok(DocumentStatus::Known);
    }
    let fetched = match view.find::<Client>(id)?.map(|client| client.origin) {
        Some(
            Origin::Document { fetched: None }
            | Origin::Dynamic { .. }
            | Origin::Hook
            | Origin::Operator,
        ) => {
            return Ok(DocumentStatus::Known);
        }
        Some(Origin::Document { fetched: Some(fetched) }) => Some(fetched),
        None => None,
    };
    let address = DocumentAddress::of(id)?;
    admit(rules, &address)?;
    if fetched.as_ref().is_some_and(|fetched| !is_stale(fetched, now)) {
        return Ok(DocumentStatus::Known);
    }
    Ok(DocumentStatus::Fetch { address, known: fetched.is_some() })
}

/// Whether a document has to be fetched again: its time is over, or lies further ahead than any
/// fetch puts it, since the clock has gone back.
fn is_stale(fetched: &FetchedDocument, now: Timestamp) -> bool {
    now >= fetched.stale || fetched.stale > now + MAX_LIFETIME
}

/// The longest time that a document is current, whatever its server says.
pub const MAX_LIFETIME: Duration = Duration::from_hours(24);

/// The time for which a stale document may be used if it cannot be fetched again.
const MAX_STALE: Duration = Duration::from_hours(24);

/// Whether the stored version of a client's document may be used if it cannot be fetched again.
pub fn is_recent(view: &impl View, now: Timestamp, id: &ClientId) -> Result<bool, StoreError> {
    Ok(match view.find::<Client>(id)?.map(|client| client.origin) {
        Some(Origin::Document { fetched: Some(fetched) }) => now < fetched.stale + MAX_STALE,
        Some(
            Origin::Document { fetched: None }
            | Origin::Dynamic { .. }
            | Origin::Hook
            | Origin::Operator,
        )
        | None => false,
    })
}

/// Refuses an address whose documents the configuration does not allow.
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

/// How a document was fetched.
#[derive(Clone, Copy, Debug)]
pub struct Fetched {
    /// The address of the request that caused it.
    pub address: IpAddr,
    /// How long the document is current.
    pub lifetime: Duration,
}

/// Stores the metadata of a document. If an operator imported it, it was not `fetched`, and is
/// current until it is imported again.
///
/// The operator's decisions stay. A proof of the client is void only if the metadata changed.
pub fn store(
    tx: &mut Tx<'_>,
    cx: &Context,
    id: &ClientId,
    metadata: &ClientMetadata,
    fetched: Option<Fetched>,
) -> Result<Client, Error> {
    if let Ok(resource) = id.as_str().parse::<Resource>()
        && tx.find::<Protected>(&resource.canonical().to_owned())?.is_some()
    {
        return Err(Refusal::DocumentAtResource.into());
    }
    let old = tx.find::<Client>(id)?;
    let origin = Origin::Document {
        fetched: fetched.map(|fetched| FetchedDocument {
            // Whoever causes the next fetch of a known document does not take it over.
            holding: old
                .as_ref()
                .and_then(held_before)
                .unwrap_or_else(|| Holding::strangers(Network::of(fetched.address), Rank::Plain)),
            stale: cx.now + fetched.lifetime,
            unused: last_use::unused_deadline(cx),
        }),
    };
    let auth_method = Some(cimd::auth_method(metadata));
    let metadata = ClientMetadata {
        token_endpoint_auth_method: auth_method,
        ..registered(&cx.rules, metadata)?
    };
    let client = match old {
        None => {
            let kind = if fetched.is_some() { Kind::ClientRegistered } else { Kind::ClientAdded };
            let act = Act::new(kind).client(id).named(metadata.name());
            events::record(tx, cx, act.fact("by", "its metadata document"))?;
            Client::new(clock::milestone(tx, cx)?, origin, metadata)
        }
        // An operator imported it during the fetch.
        Some(old)
            if matches!(old.origin, Origin::Document { fetched: None }) && fetched.is_some() =>
        {
            return Ok(old);
        }
        Some(old) if matches!(old.origin, Origin::Document { .. }) => {
            let revision = old.revision + u64::from(metadata != *old.metadata);
            Client { metadata: Arc::new(metadata), origin, revision, ..old }
        }
        Some(_) => return Err(Refusal::ClientExists.into()),
    };
    // What an operator gave it stays.
    rights::check_client(tx, cx, &client)?;
    admission::store(tx, cx, id, client.clone())?;
    Ok(client)
}

fn held_before(client: &Client) -> Option<Holding> {
    match &client.origin {
        Origin::Document { fetched } => fetched.as_ref().map(|fetched| fetched.holding),
        Origin::Dynamic { .. } | Origin::Hook | Origin::Operator => None,
    }
}
