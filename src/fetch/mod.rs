//! The server's only HTTP client, with guards, for the URLs of clients and the operator's webhook.
//!
//! Strangers name URLs (Client ID Metadata Documents, `jwks_uri`, `sector_identifier_uri`,
//! back-channel logout), so a fetch must not give them access to the server's own network.
//! Invariants:
//!
//! 1. A host is resolved once. If one of its addresses is out of bounds, nothing is fetched;
//!    otherwise the connection goes to one of the checked addresses, which the type of the connecting
//!    function ensures. A DNS change in between has no effect. In bounds are public addresses, and
//!    for a URL that an operator named ([`NamedBy`]), loopback and private networks.
//! 2. Only https, except on loopback for a URL that an operator named; no redirects, proxies, cookies
//!    or decompression.
//! 3. One deadline covers DNS, connecting, TLS, head and body; it starts with the turn. The size of
//!    body and head, the number of concurrent fetches and the wait for a turn are bounded, and those
//!    who ask share the turns fairly ([`Asker`]).
//! 4. The operator's list of destinations exempts them from the first rule and from https, and from
//!    no other rule.
//! 5. An offline installation goes nowhere but to loopback, where an operator named the URL, and asks
//!    no nameserver.
//!
//! The command line connects to servers that its own person names, so these rules do not apply to
//! it. It uses [`Tls`] from here, so that both trust the same authorities.
//!
//! The caller decides how long to keep a document; [`Fetched::freshness_lifetime`] is only what the
//! server requests.

mod address;
mod asker;
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
use crate::lanes::{Bounds, Crowded, Lanes};
use crate::model::named_by::NamedBy;

pub use self::asker::Asker;
use self::asker::Lane;
pub use self::connect::{Stream, Tls, first_to_connect};
pub use self::error::FetchError;
use self::exchange::Posted;
use self::single_flight::SingleFlight;
use self::target::{AddressBounds, PrivateDestinations, Target};
pub use address::is_private;
pub(crate) use exchange::{converse, whole};
pub use target::loopback_port;

/// The most concurrent fetches, and the most concurrent deliveries; others wait. They are counted
/// separately, so that a logout does not wait behind fetches, which anybody can cause.
const MAX_CONCURRENT: usize = 16;

/// The most concurrent messages to the operator's own server. They are counted apart, so that no
/// logout waits behind them.
pub const MAX_MESSAGES: usize = 8;

/// The bounds of fetches: one lane has at most a quarter of the turns.
const BOUNDS: Bounds =
    Bounds { turns: MAX_CONCURRENT, turns_of_lane: 4, waiting: 1024, waiting_in_lane: 64 };

/// The most time that a fetch waits for its turn, in deadlines of one fetch.
const MAX_WAIT: u32 = 2;

/// The settings of fetches.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Additional trusted authorities, in PEM.
    pub ca: Option<Vec<u8>>,
    /// The most time of one fetch, from its turn on. It waits for its turn at most twice as long.
    pub deadline: Duration,
    /// The nameserver to ask instead of the system's.
    pub nameserver: Option<SocketAddr>,
    /// Whether nothing is fetched from other machines.
    pub offline: bool,
    /// The destinations, as `host:port`, that may have any address and need no TLS, whoever names
    /// them.
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
            fetches: Lanes::new(BOUNDS),
            messages: Semaphore::new(MAX_MESSAGES),
            nameserver: settings.nameserver,
            offline: settings.offline,
            private: PrivateDestinations::parse(&settings.private)?,
            tls: Tls::new(settings.ca.as_deref())?,
        };
        Ok(Self { single_flight: SingleFlight::default(), transport: Arc::new(transport) })
    }

    /// Whether a URL can be gone to, as far as that is known without the network.
    pub fn check(&self, named_by: NamedBy, url: &Url) -> Result<(), FetchError> {
        let target = self.transport.admit(named_by, url)?;
        resolve::known(&target).map_or(Ok(()), |addresses| resolve::check(&target, &addresses))
    }

    /// Gets a JSON document of at most `limit` bytes for `asker`. Concurrent callers in the same
    /// lane, with the same URL, name giver and limit, share one GET. Nobody waits in the lane of
    /// another.
    pub async fn json(
        &self,
        asker: Asker,
        named_by: NamedBy,
        url: &Url,
        limit: usize,
    ) -> Result<Fetched, FetchError> {
        let target = self.transport.admit(named_by, url)?;
        let transport = Arc::clone(&self.transport);
        let lane = asker.lane(&target.host);
        let key = (url.as_str().to_owned(), named_by, limit, lane.clone());
        let fetch = async move { transport.fetch(&lane, &target, limit).await };
        self.single_flight.share(key, fetch).await
    }

    /// Posts an encoded form. Every 2xx status is a success; the body of the response is not read.
    pub async fn post_form(
        &self,
        named_by: NamedBy,
        url: &Url,
        body: String,
    ) -> Result<(), FetchError> {
        let target = self.transport.admit(named_by, url)?;
        let transport = &self.transport;
        transport.deliver(&transport.deliveries, &target, Posted::form(body)).await
    }

    /// Posts JSON with headers of its own to an address that the operator named. Every 2xx status
    /// is a success; the body of the response is not read.
    pub async fn post_json(
        &self,
        url: &str,
        body: String,
        headers: Vec<(&'static str, String)>,
    ) -> Result<(), FetchError> {
        let target = self.transport.admit(NamedBy::Operator, &operators_url(url)?)?;
        let transport = &self.transport;
        transport.deliver(&transport.messages, &target, Posted::json(body, headers)).await
    }

    /// As [`Fetcher::reach`], for an address that the operator named.
    pub async fn reach_operators(&self, url: &str) -> Result<(), FetchError> {
        self.reach(NamedBy::Operator, &operators_url(url)?).await
    }

    /// As [`Fetcher::check`], for an address that the operator named.
    pub fn check_operators(&self, url: &str) -> Result<(), FetchError> {
        self.check(NamedBy::Operator, &operators_url(url)?)
    }

    /// Connects to the server of a URL, with TLS if that is its scheme, and says nothing to it.
    pub async fn reach(&self, named_by: NamedBy, url: &Url) -> Result<(), FetchError> {
        let target = self.transport.admit(named_by, url)?;
        self.transport.reach(&target).await
    }
}

/// Whether `entry` is a valid item of [`Settings::private`].
pub fn is_destination(entry: &str) -> bool {
    PrivateDestinations::parse(&[entry.to_owned()]).is_ok()
}

/// Whether a fetcher whose [`Settings::private`] is `private` may go to an address that the operator
/// named, as far as that is known without the network.
pub fn check_operators(url: &str, private: &[String]) -> Result<(), FetchError> {
    let private = PrivateDestinations::parse(private).map_err(|_| FetchError::UrlNotHttps)?;
    let target = Target::of(NamedBy::Operator, &operators_url(url)?, &private)?;
    resolve::known(&target).map_or(Ok(()), |addresses| resolve::check(&target, &addresses))
}

fn operators_url(written: &str) -> Result<Url, FetchError> {
    written.parse().map_err(|_| FetchError::UrlNotHttps)
}

/// The state that all fetches share.
struct Transport {
    deadline: Duration,
    deliveries: Semaphore,
    fetches: Lanes<Lane>,
    messages: Semaphore,
    nameserver: Option<SocketAddr>,
    offline: bool,
    private: PrivateDestinations,
    tls: Tls,
}

impl Transport {
    fn admit(&self, named_by: NamedBy, url: &Url) -> Result<Target, FetchError> {
        let target = Target::of(named_by, url, &self.private);
        let here = |target: &Target| target.bounds == AddressBounds::Loopback;
        if self.offline && !target.as_ref().is_ok_and(here) {
            return Err(FetchError::Offline);
        }
        target
    }

    async fn fetch(
        &self,
        lane: &Lane,
        target: &Target,
        limit: usize,
    ) -> Result<Fetched, FetchError> {
        let turn = timeout(self.deadline * MAX_WAIT, self.fetches.turn(lane)).await;
        let _turn = turn.unwrap_or(Err(Crowded)).map_err(|Crowded| FetchError::Crowded)?;
        let fetch = async {
            let stream = self.connect(target).await?;
            exchange::document(stream, target, limit).await
        };
        self.within_deadline(fetch).await
    }

    async fn deliver(
        &self,
        turns: &Semaphore,
        target: &Target,
        posted: Posted,
    ) -> Result<(), FetchError> {
        let delivery = async {
            // The semaphore is never closed.
            let _turn = turns.acquire().await;
            let stream = self.connect(target).await?;
            exchange::delivery(stream, target, posted).await
        };
        self.within_deadline(delivery).await
    }

    async fn reach(&self, target: &Target) -> Result<(), FetchError> {
        let turn = timeout(self.deadline * MAX_WAIT, self.fetches.turn(&Lane::Operator)).await;
        let _turn = turn.unwrap_or(Err(Crowded)).map_err(|Crowded| FetchError::Crowded)?;
        self.within_deadline(self.connect(target)).await.map(drop)
    }

    async fn connect(&self, target: &Target) -> Result<Box<dyn Stream>, FetchError> {
        let addresses = resolve::resolve(target, self.nameserver).await?;
        self.tls.connect(target, addresses).await
    }

    async fn within_deadline<T>(
        &self,
        deed: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        timeout(self.deadline, deed).await.unwrap_or(Err(FetchError::Deadline))
    }
}
