//! The server's only HTTP client, with guards, for URLs that clients name.
//!
//! Clients choose the URLs (Client ID Metadata Documents, `jwks_uri`, `sector_identifier_uri`,
//! back-channel logout), so a fetch must not give access to the server's own network. Invariants:
//!
//! 1. A host is resolved once. If one of its addresses is not public, nothing is fetched; otherwise
//!    the connection goes to one of the checked addresses, which the type of the connecting
//!    function ensures. A DNS change in between has no effect.
//! 2. Only https; no redirects, proxies, cookies or decompression.
//! 3. One deadline covers waiting, DNS, connecting, TLS, head and body. The size of body and head
//!    and the number of concurrent fetches are bounded.
//! 4. The operator's list of destinations exempts them from the first rule and from https, and from
//!    no other rule.
//!
//! The command line connects to servers that its own person names, so these rules do not apply to
//! it. It uses [`Tls`] from here, so that both trust the same authorities.
//!
//! The caller decides how long to keep a document; [`Fetched::freshness_lifetime`] is only what the
//! server requests.

mod address;
mod connect;
mod error;
mod exchange;
mod freshness;
mod resolve;
mod single_flight;
mod target;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

use crate::error::Internal;

pub use self::connect::{Stream, Tls, first_to_connect};
pub use self::error::FetchError;
use self::single_flight::SingleFlight;
use self::target::{PrivateDestinations, Target};
pub(crate) use exchange::{converse, whole};

/// The most concurrent fetches, and the most concurrent deliveries; others wait. They are counted
/// separately, so that a logout does not wait behind fetches, which anybody can cause.
const MAX_CONCURRENT: usize = 16;

/// The settings of fetches.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Additional trusted authorities, in PEM.
    pub ca: Option<Vec<u8>>,
    /// The most time of one fetch in all.
    pub deadline: Duration,
    /// The nameserver to ask instead of the system's.
    pub nameserver: Option<SocketAddr>,
    /// Whether all fetches are disabled.
    pub offline: bool,
    /// The destinations, as `host:port`, that may have private addresses and need no TLS.
    pub private: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ca: None,
            deadline: Duration::from_secs(5),
            nameserver: None,
            offline: false,
            private: Vec::new(),
        }
    }
}

/// A fetched document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Its bytes: JSON by its `Content-Type`, not yet parsed.
    pub body: Vec<u8>,
    /// Its freshness lifetime (RFC 9111 §4.2), if its server gave one.
    pub freshness_lifetime: Option<Duration>,
}

/// The HTTP client. Creating one does not use the network.
pub struct Fetcher {
    single_flight: SingleFlight,
    transport: Arc<Transport>,
}

impl Fetcher {
    /// Makes a client. Fails if the CA file contains no certificate, or an entry of the list is no
    /// host and port.
    pub fn new(settings: &Settings) -> Result<Self, Internal> {
        let transport = Transport {
            deadline: settings.deadline,
            deliveries: Semaphore::new(MAX_CONCURRENT),
            fetches: Semaphore::new(MAX_CONCURRENT),
            nameserver: settings.nameserver,
            offline: settings.offline,
            private: PrivateDestinations::parse(&settings.private)?,
            tls: Tls::new(settings.ca.as_deref())?,
        };
        Ok(Self { single_flight: SingleFlight::default(), transport: Arc::new(transport) })
    }

    /// Gets a JSON document of at most `limit` bytes. Concurrent callers with the same URL and
    /// limit share one GET.
    pub async fn json(&self, url: &Url, limit: usize) -> Result<Fetched, FetchError> {
        let target = self.transport.admit(url)?;
        let transport = Arc::clone(&self.transport);
        let fetch = async move { transport.fetch(&target, limit).await };
        self.single_flight.share((url.as_str().to_owned(), limit), fetch).await
    }

    /// Posts an encoded form. Every 2xx status is a success; the body of the response is not read.
    pub async fn post_form(&self, url: &Url, body: String) -> Result<(), FetchError> {
        let target = self.transport.admit(url)?;
        self.transport.deliver(&target, body).await
    }
}

/// Whether `entry` is a valid item of [`Settings::private`].
pub fn is_destination(entry: &str) -> bool {
    PrivateDestinations::parse(&[entry.to_owned()]).is_ok()
}

/// The state that all fetches share.
struct Transport {
    deadline: Duration,
    deliveries: Semaphore,
    fetches: Semaphore,
    nameserver: Option<SocketAddr>,
    offline: bool,
    private: PrivateDestinations,
    tls: Tls,
}

impl Transport {
    fn admit(&self, url: &Url) -> Result<Target, FetchError> {
        if self.offline {
            return Err(FetchError::Offline);
        }
        Target::of(url, &self.private)
    }

    async fn fetch(&self, target: &Target, limit: usize) -> Result<Fetched, FetchError> {
        let fetch = async {
            let stream = self.connect(target).await?;
            exchange::document(stream, target, limit).await
        };
        self.in_turn(&self.fetches, fetch).await
    }

    async fn deliver(&self, target: &Target, form: String) -> Result<(), FetchError> {
        let delivery = async {
            let stream = self.connect(target).await?;
            exchange::delivery(stream, target, form).await
        };
        self.in_turn(&self.deliveries, delivery).await
    }

    async fn connect(&self, target: &Target) -> Result<Box<dyn Stream>, FetchError> {
        let addresses = resolve::resolve(target, self.nameserver).await?;
        self.tls.connect(target, addresses).await
    }

    /// Waits for a turn and then for `deed`, both within the deadline.
    async fn in_turn<T>(
        &self,
        turns: &Semaphore,
        deed: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        let in_turn = async {
            // The semaphore is never closed.
            let _turn = turns.acquire().await;
            deed.await
        };
        timeout(self.deadline, in_turn).await.unwrap_or(Err(FetchError::Deadline))
    }
}
