//! The server's only way out: a guarded HTTP client for documents that clients name.
//!
//! Strangers choose the URLs (Client ID Metadata Documents, `jwks_uri`, `sector_identifier_uri`,
//! back-channel logout), so a fetch must not become a way into the network that the server stands
//! in. What holds:
//!
//! 1. A host is resolved once. If any of its addresses is not public, nothing is fetched; else the
//!    connection goes to an address that was judged, as the type of the connecting function says.
//!    A name that is rebound in between changes nothing.
//! 2. Only https, no redirects, no proxies, no cookies, nothing decompressed.
//! 3. One deadline over waiting, DNS, connecting, TLS, head and body; a bound on the body, on the
//!    head and on the fetches under way.
//! 4. The operator's list of hosts and ports lifts the first rule and https for those, and no
//!    other rule.
//!
//! The command line talks to servers that its own person names, so these rules are not for it; it
//! shares [`Tls`], so that both trust alike.
//!
//! Who fetches decides what to keep: [`Fetched::freshness_lifetime`] is what the server asked for, not
//! what it gets.

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

pub use self::connect::{Stream, Tls};
pub use self::error::FetchError;
use self::single_flight::SingleFlight;
use self::target::{PrivateDestinations, Target};
pub(crate) use exchange::{converse, whole};

/// The most fetches, and the most deliveries, that are under way at once; the others wait. They
/// are counted apart, since strangers cause fetches, and a logout must not wait behind those.
const MAX_CONCURRENT: usize = 16;

/// What the operator decides about fetching.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Further authorities that may vouch for a server, as PEM.
    pub ca: Option<Vec<u8>>,
    /// How long one fetch may take in all.
    pub deadline: Duration,
    /// The nameserver to ask instead of the system's.
    pub nameserver: Option<SocketAddr>,
    /// Whether nothing is fetched at all.
    pub offline: bool,
    /// Destinations, as `host:port`, that may be fetched although their addresses are private,
    /// and without TLS.
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

/// A document as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Its bytes: JSON by its type, but not yet parsed.
    pub body: Vec<u8>,
    /// How long it is fresh as its server says, if it says anything (RFC 9111 §4.2).
    pub freshness_lifetime: Option<Duration>,
}

/// The client. Making one touches no network.
pub struct Fetcher {
    single_flight: SingleFlight,
    transport: Arc<Transport>,
}

impl Fetcher {
    /// Fails where the CA file holds no certificate or an entry of the list is no host and port.
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

    /// Gets a JSON document of at most `limit` bytes, by a GET that callers of the same URL share.
    pub async fn json(&self, url: &Url, limit: usize) -> Result<Fetched, FetchError> {
        let target = self.transport.admit(url)?;
        let transport = Arc::clone(&self.transport);
        let fetch = async move { transport.fetch(&target, limit).await };
        self.single_flight.share((url.as_str().to_owned(), limit), fetch).await
    }

    /// Posts a form, encoded already. Any 2xx is a success, and its body is not read.
    pub async fn post_form(&self, url: &Url, body: String) -> Result<(), FetchError> {
        let target = self.transport.admit(url)?;
        self.transport.deliver(&target, body).await
    }
}

/// Whether `entry` can stand in the list of destinations whose addresses may be private.
pub fn is_destination(entry: &str) -> bool {
    PrivateDestinations::parse(&[entry.to_owned()]).is_ok()
}

/// What every fetch passes through.
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

    /// What `deed` brings, if its turn and its end come before the deadline.
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
