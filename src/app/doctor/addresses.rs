//! Whether the addresses that clients named can be reached: documents and keys are fetched, and a
//! back-channel logout address is connected to and told nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::app::App;
use crate::app::client_keys::MAX_KEY_SET;
use crate::app::documents::MAX_DOCUMENT;
use crate::error::{Error, Refusal};
use crate::fetch::{Asker, FetchError};
use crate::model::named_by::NamedBy;
use crate::oauth::client::cimd;
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::id::ClientId;
use crate::oauth::web_uri::WebUri;
use crate::store::schema::{Client, Origin};
use crate::store::{Span, StoreError, View};

/// The most clients whose addresses are tried.
const MAX_CLIENTS: usize = 50;

/// The most clients that are looked at to find those.
const MAX_READ: usize = 5_000;

/// The most time for all addresses.
const TIME: Duration = Duration::from_secs(5);

/// The most time for one address.
const TIME_EACH: Duration = Duration::from_secs(2);

/// An address of a client, and what came of trying it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    /// The client.
    pub client: ClientId,
    /// Its kind.
    pub kind: AddressKind,
    /// Whether it can be used.
    pub outcome: Result<(), Unreached>,
    /// The address.
    pub url: String,
}

/// What a client has at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// Its metadata document.
    Document,
    /// Its keys.
    Keys,
    /// The end of its back-channel logout.
    Logout,
}

/// The reason why an address is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreached {
    /// Nothing came from there.
    Failed(FetchError),
    /// There was no time left to try it.
    NotTried,
    /// What came from there is refused.
    Refused(Refusal),
}

/// An address that is to be tried.
struct Target {
    client: ClientId,
    kind: AddressKind,
    named_by: NamedBy,
    uri: WebUri,
}

impl App {
    /// Tries the addresses of at most 50 clients, within five seconds. Clients that registered or
    /// named themselves and that no person uses are passed over: strangers decide how many there
    /// are.
    pub(super) async fn reached_addresses(self: &Arc<Self>) -> Result<Vec<ClientAddress>, Error> {
        let targets = targets(&self.read()?)?;
        let mut results: Vec<_> = targets.iter().map(Target::untried).collect();
        let mut attempts = JoinSet::new();
        for (at, target) in targets.into_iter().enumerate() {
            let app = Arc::clone(self);
            attempts.spawn(async move { (at, app.reach(&target).await) });
        }
        let all = async {
            while let Some(attempt) = attempts.join_next().await {
                if let Ok((at, outcome)) = attempt
                    && let Some(result) = results.get_mut(at)
                {
                    result.outcome = outcome;
                }
            }
        };
        // What is not done by then is aborted with the set.
        let _ = timeout(TIME, all).await;
        Ok(results)
    }

    async fn reach(&self, target: &Target) -> Result<(), Unreached> {
        let late = || Unreached::Failed(FetchError::Deadline);
        let attempt = async {
            let (fetcher, named_by) = (self.fetcher(), target.named_by);
            let url = target.uri.url().ok_or(Unreached::Failed(FetchError::UrlNotHttps))?;
            match target.kind {
                AddressKind::Document => {
                    let read = fetcher.json(Asker::Operator, named_by, &url, MAX_DOCUMENT).await;
                    let body = read.map_err(Unreached::Failed)?.body;
                    let schemes = &self.rules().config.policy.private_use_schemes;
                    cimd::parse(&target.client, &body, schemes)
                        .map(drop)
                        .map_err(Unreached::Refused)
                }
                AddressKind::Keys => {
                    let read = fetcher.json(Asker::Operator, named_by, &url, MAX_KEY_SET).await;
                    let body = read.map_err(Unreached::Failed)?.body;
                    let keys = JwkSet::parse(&body).map(drop);
                    keys.map_err(|_| Unreached::Refused(Refusal::ClientKeysUnavailable))
                }
                AddressKind::Logout => {
                    fetcher.reach(named_by, &url).await.map_err(Unreached::Failed)
                }
            }
        };
        timeout(TIME_EACH, attempt).await.unwrap_or_else(|_| Err(late()))
    }
}

impl Target {
    fn untried(&self) -> ClientAddress {
        ClientAddress {
            client: self.client.clone(),
            kind: self.kind,
            outcome: Err(Unreached::NotTried),
            url: self.uri.as_str().to_owned(),
        }
    }
}

/// The addresses of the first clients that have some.
fn targets(view: &impl View) -> Result<Vec<Target>, StoreError> {
    let (mut read, mut found) = (0, Vec::new());
    // A client without addresses is no result, so the listing goes on until there are enough.
    view.filter(&Span::first(MAX_CLIENTS), |id, client: Client| {
        read += 1;
        if read > MAX_READ {
            // It counts as a result, so that the listing ends soon.
            return Ok(Some(()));
        }
        let own = targets_of(id, &client);
        let has_some = !own.is_empty();
        found.extend(own);
        Ok(has_some.then_some(()))
    })?;
    Ok(found)
}

fn targets_of(id: &ClientId, client: &Client) -> Vec<Target> {
    if !client.enabled || client.is_strangers() {
        return Vec::new();
    }
    let (metadata, named_by) = (&client.metadata, client.named_by());
    let document = match &client.origin {
        Origin::Document { fetched: Some(_) } => id.as_str().parse().ok(),
        Origin::Document { fetched: None }
        | Origin::Dynamic { .. }
        | Origin::Hook
        | Origin::Operator => None,
    };
    let addresses = [
        (AddressKind::Document, document),
        (AddressKind::Keys, metadata.jwks_uri.clone()),
        (AddressKind::Logout, metadata.backchannel_logout_uri.clone()),
    ];
    let target = |(kind, uri): (AddressKind, Option<WebUri>)| {
        Some(Target { client: id.clone(), kind, named_by, uri: uri? })
    };
    addresses.into_iter().filter_map(target).collect()
}
