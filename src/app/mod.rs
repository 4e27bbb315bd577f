//! The shared state (rules, store, keys, passkeys, clock, randomness) and the use cases that wait.

mod authority;
mod authorize;
pub mod client_authentication;
mod client_keys;
mod clock;
mod configuration;
mod documents;
mod logout_delivery;
mod open;
#[cfg(test)]
mod reads;
pub mod registration;
pub mod session_proof;
pub mod sign_in;
mod usage;

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use tokio::sync::watch;

pub use authorize::AuthorizationError;
pub use configuration::{LastRead, Reloaded};
pub use open::{Found, OpenError};

pub use crate::store::WriteHealth;

use configuration::CurrentConfiguration;

use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Internal, Refusal};
use crate::event::{DroppedLines, EventId};
use crate::fetch::{Fetcher, Settings};
use crate::flow::{self, Context, Rules};
use crate::keys::{self, KeyRing, Sealer, SigningKey};
use crate::oauth::client::SigningAlg;
use crate::oauth::issuer::Issuer;
use crate::passkey::Passkeys;
use crate::password::Passwords;
use crate::secret::{Entropy, Pepper, RootSecret};
use crate::store::schema::BridgeKey;
use crate::store::{Read, Store, StoreError, Tx};

/// The most time that a request waits for a key that is being made: an RSA key at the first start.
const KEY_WAIT: Duration = Duration::from_secs(30);

/// The shared state of a running installation.
pub struct App {
    authority: authority::CachedAuthority,
    client_keys: client_keys::KeyCache,
    configuration: CurrentConfiguration,
    clock: clock::WatchedClock,
    dropped_lines: DroppedLines,
    usage: usage::UsageCounter,
    entropy: Entropy,
    fetcher: Fetcher,
    keys: watch::Sender<Arc<KeyRing>>,
    passkeys: Passkeys,
    passwords: Passwords,
    sealer: Sealer,
    session_proofs: session_proof::SessionProofs,
    store: Store,
    /// Whether the log says that a proxy names nobody.
    mute_proxy_logged: Once,
}

/// The sources of time and randomness.
pub struct Sources {
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

impl Default for Sources {
    fn default() -> Self {
        Self { clock: Clock::System, entropy: Entropy::System }
    }
}

impl App {
    /// Makes the installation of `issuer` over `store`, whose root secret is `root`.
    pub fn new(
        config: Config,
        issuer: Issuer,
        root: &RootSecret,
        store: Store,
        sources: Sources,
    ) -> Result<Self, Error> {
        let (sealer, view) = (Sealer::new(root), store.read()?);
        let ring = KeyRing::open(flow::installation::signing::list(&view)?, &sealer)?;
        let clock =
            clock::WatchedClock::new(sources.clock, &flow::installation::clock::find(&view)?);
        drop(view);
        let passwords = Passwords::new(&sources.entropy.seed());
        let session_proofs = session_proof::SessionProofs::new(sources.entropy.seed());
        Ok(Self {
            authority: authority::CachedAuthority::default(),
            client_keys: client_keys::KeyCache::default(),
            clock,
            dropped_lines: DroppedLines::default(),
            usage: usage::UsageCounter::default(),
            entropy: sources.entropy,
            fetcher: fetcher(&config)?,
            keys: watch::Sender::new(Arc::new(ring)),
            passkeys: Passkeys::new(&issuer)?,
            passwords,
            configuration: CurrentConfiguration::new(config, issuer, Pepper::new(root))?,
            sealer,
            session_proofs,
            store,
            mute_proxy_logged: Once::new(),
        })
    }

    /// Creates a new installation in memory, which ends with the process.
    pub async fn memory(config: Config, issuer: Issuer, sources: Sources) -> Result<Self, Error> {
        let root = RootSecret::generate(&sources.entropy.seed());
        let app = Self::new(config, issuer, &root, Store::memory()?, sources)?;
        app.write(flow::installation::create).await?;
        Ok(app)
    }

    /// Sets the count of log lines that were dropped, which the log keeps.
    pub fn with_dropped_lines(self, dropped_lines: DroppedLines) -> Self {
        Self { dropped_lines, ..self }
    }

    /// Warns, once, that a request came through the proxy at `address` and names no sender.
    pub fn warn_of_mute_proxy(&self, address: IpAddr) {
        self.mute_proxy_logged.call_once(|| {
            tracing::warn!(
                proxy = %address,
                "a request came through a proxy of `behind_proxy` without a readable \
                 X-Forwarded-For: whoever comes this way counts as the proxy, and on this machine \
                 as nobody, so that no limit holds; have the proxy append its peer's address to \
                 that header"
            );
        });
    }

    /// How many log lines were dropped because nothing took them.
    pub fn dropped_lines(&self) -> u64 {
        self.dropped_lines.count()
    }

    /// The configuration in force, with the issuer and the pepper. A reload replaces them, so a
    /// request takes them once for what has to agree.
    pub fn rules(&self) -> Arc<Rules> {
        self.configuration.rules()
    }

    /// The relying party for passkeys.
    pub fn passkeys(&self) -> &Passkeys {
        &self.passkeys
    }

    /// The hasher of secrets that people chose.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }

    /// The client for all fetches.
    pub fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        self.clock.clock()
    }

    /// A new context for one transition.
    pub fn context(&self) -> Context {
        let (now, watch) = self.clock.look();
        Context {
            seed: self.entropy.seed(),
            in_doubt: watch.jump().is_some(),
            latest: watch.latest(),
            now,
            rules: self.rules(),
        }
    }

    /// A new event id.
    pub fn event_id(&self) -> EventId {
        EventId::from_seed(&self.entropy.seed())
    }

    /// A snapshot of the store.
    pub fn read(&self) -> Result<Read, StoreError> {
        self.store.read()
    }

    /// Runs one transition with a context of its own, and returns once it is durable.
    pub async fn write<T: Send + 'static>(
        &self,
        transition: impl Fn(&mut Tx<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let cx = self.context();
        self.store.write(move |tx| transition(tx, &cx)).await
    }

    /// How many rows each pool has taken while it was full, by the name of the pool.
    pub fn taken_by_pools(&self) -> Result<Vec<(&'static str, u64)>, StoreError> {
        flow::admission::taken(&self.read()?)
    }

    /// Records what a request does beside its work, such as a last use. While the store cannot be
    /// written, nothing is recorded.
    pub async fn record(
        &self,
        transition: impl Fn(&mut Tx<'_>, &Context) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        match self.write(transition).await {
            Err(Error::Refused(Refusal::StoreUnwritable)) => Ok(()),
            recorded => recorded,
        }
    }

    /// Tests whether the store can be written.
    pub async fn probe(&self) -> Result<WriteHealth, Error> {
        match self.store.probe().await {
            Ok(()) => Ok(WriteHealth::Writable),
            Err(StoreError::Unwritable(cause)) => Ok(WriteHealth::Unwritable { cause }),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the store can be written, as far as its writes and probes have found.
    pub fn write_health(&self) -> WriteHealth {
        self.store.write_health()
    }

    /// The present keys.
    pub fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys.borrow())
    }

    /// Waits until there is a key for every algorithm, and returns the keys.
    ///
    /// # Errors
    ///
    /// [`Refusal::StoreUnwritable`] at once, if a key is missing and cannot be stored.
    pub async fn complete_keys(&self) -> Result<Arc<KeyRing>, Error> {
        let mut keys = self.keys.subscribe();
        let is_complete = |ring: &KeyRing| ring.is_complete(self.clock().now());
        let unwritable = || self.write_health() != WriteHealth::Writable;
        let settled = keys.wait_for(|ring| is_complete(ring) || unwritable());
        match tokio::time::timeout(KEY_WAIT, settled).await {
            Ok(Ok(ring)) if is_complete(&ring) => Ok(Arc::clone(&ring)),
            Ok(Ok(_)) => Err(Refusal::StoreUnwritable.into()),
            Ok(Err(_)) | Err(_) => Err(Internal::new("a signing key is still missing").into()),
        }
    }

    /// The key that signs with `alg` now. Waits for it at the first start.
    pub async fn signing_key(&self, alg: SigningAlg) -> Result<Arc<SigningKey>, Error> {
        if let Some(key) = self.keys().current(alg, self.clock().now()) {
            return Ok(Arc::clone(key));
        }
        let ring = self.complete_keys().await?;
        let key = ring.current(alg, self.clock().now()).map(Arc::clone);
        key.ok_or_else(|| Internal::new("no key signs with this algorithm").into())
    }

    /// Makes every missing key, the fast ones first.
    pub async fn make_missing_keys(self: &Arc<Self>) -> Result<(), Error> {
        // In the order of `SigningAlg::ALL`, RS256 comes last.
        let missing = flow::installation::signing::missing(&self.read()?)?;
        for alg in missing {
            self.make_key(alg, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Dates the keys that a clock made that was ahead, and makes the successor of every key that is
    /// due for one; it signs after the overlap.
    pub async fn rotate_keys(self: &Arc<Self>) -> Result<(), Error> {
        if self.write(flow::installation::signing::redate).await? {
            tracing::warn!("signing keys were made by a clock that was ahead; they count from now");
            self.reopen_keys()?;
        }
        let due = flow::installation::signing::due(&self.read()?, &self.context())?;
        for alg in due {
            self.make_key(alg, self.rules().config.lifetimes.key_overlap).await?;
        }
        Ok(())
    }

    /// The key that bridges pin. It is made at the first call and never changes.
    pub async fn bridge_key(&self) -> Result<BridgeKey, Error> {
        if let Some(key) = flow::bridge::key::find(&self.read()?)? {
            return Ok(key);
        }
        let made = keys::generate_for_bridges(&self.sealer, self.clock().now())?;
        self.write(move |tx, cx| flow::bridge::key::store(tx, cx, &made)).await
    }

    async fn make_key(self: &Arc<Self>, alg: SigningAlg, ahead: Duration) -> Result<(), Error> {
        let (app, now) = (Arc::clone(self), self.clock().now());
        let (id, row) =
            tokio::task::spawn_blocking(move || keys::generate(alg, &app.sealer, now, now + ahead))
                .await
                .map_err(Internal::new)??;
        let install = move |tx: &mut Tx<'_>, cx: &Context| {
            flow::installation::signing::install(tx, cx, &id, &row)
        };
        if let Err(error) = self.write(install).await {
            // Whoever waits for the key looks whether it can be stored.
            self.keys.send_modify(|_| ());
            return Err(error);
        }
        self.reopen_keys()
    }

    fn reopen_keys(&self) -> Result<(), Error> {
        let ring = KeyRing::open(flow::installation::signing::list(&self.read()?)?, &self.sealer)?;
        self.keys.send_replace(Arc::new(ring));
        Ok(())
    }
}

/// Makes the client for fetches, with the settings of the configuration.
fn fetcher(config: &Config) -> Result<Fetcher, Error> {
    let ca = config.fetch.ca_file.as_ref().map(|path| contents(path));
    let private = config.fetch.private.clone();
    let settings =
        Settings { ca: ca.transpose()?, offline: config.offline, private, ..Settings::default() };
    Ok(Fetcher::new(&settings)?)
}

/// Reads the keys whose software statements are trusted.
fn contents(path: &Path) -> Result<Vec<u8>, Internal> {
    std::fs::read(path)
        .map_err(|error| Internal::new(format!("cannot read {}: {error}", path.display())))
}
