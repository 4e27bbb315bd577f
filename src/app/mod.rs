//! The shared state (rules, store, keys, passkeys, clock, randomness) and the use cases that wait.

mod apply;
mod attempts;
mod authority;
mod authorize;
pub mod backup;
pub mod client_authentication;
mod client_keys;
mod clock;
mod configuration;
pub mod doctor;
mod documents;
mod events;
mod logout_delivery;
mod metrics;
mod open;
#[cfg(test)]
mod reads;
pub mod registration;
mod root;
pub mod session_proof;
pub mod sign_in;
mod signing_keys;
pub mod store_file;
mod usage;

use std::convert::Infallible;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Once};

use tokio::sync::{Semaphore, watch};

pub use apply::Application;
pub use authorize::AuthorizationError;
pub use configuration::{LastRead, Reloaded};
pub use events::Refused;
pub(crate) use open::make_directory;
pub use open::{Found, OpenError, loopback_ports};
pub use root::{Ended, RootRotation, RootStanding, Used};

pub use crate::store::WriteHealth;

use configuration::CurrentConfiguration;

use crate::clock::Clock;
use crate::config::Config;
use crate::error::{Error, Internal, Refusal};
use crate::event::{DroppedLines, EventId};
use crate::fetch::{Fetcher, Settings};
use crate::flow::{self, Context, Present, Rules};
use crate::keys::{KeyRing, KeySource};
use crate::model::actor::Acting;
use crate::oauth::client::SigningAlg;
use crate::oauth::issuer::Issuer;
use crate::passkey::Passkeys;
use crate::password::Passwords;
use crate::secret::{Entropy, RootSecret, RootSecrets};
use crate::store::schema::BridgeKey;
use crate::store::{Pool, Read, Store, StoreError, Tx};

/// The shared state of a running installation.
pub struct App {
    authority: authority::CachedAuthority,
    certificate: authority::CurrentCertificate,
    backups: backup::Backups,
    client_keys: client_keys::KeyCache,
    configuration: CurrentConfiguration,
    clock: clock::WatchedClock,
    addresses: Addresses,
    dropped_lines: DroppedLines,
    usage: usage::UsageCounter,
    entropy: Entropy,
    fetcher: Fetcher,
    /// Where new keys come from.
    key_source: KeySource,
    /// Held while keys are made or replaced, and until the ring is opened anew.
    key_changes: tokio::sync::Mutex<()>,
    keys: watch::Sender<Arc<KeyRing>>,
    metrics: metrics::AppMetrics,
    passkeys: Passkeys,
    passwords: Passwords,
    probes: doctor::Probes,
    roots: root::RootKeys,
    session_proofs: session_proof::SessionProofs,
    /// The turns of signatures that take long, as many as there are processors.
    slow_signatures: Arc<Semaphore>,
    store: Store,
    left_out: events::LeftOut,
    unwritten: events::EventBuffer,
    webhook_warnings: events::WebhookWarnings,
    /// Whether the log says that a proxy names nobody.
    mute_proxy_logged: Once,
}

/// The addresses at which a process listens. There is none if it does not serve.
#[derive(Debug, Default)]
pub struct Addresses {
    /// The most connections at all of them, where the system allows so few descriptors that there
    /// are fewer than the program would take.
    pub few_connections: Option<usize>,
    /// Those of everybody.
    pub listen: Vec<String>,
    /// Those at which devices prove their certificates.
    pub mtls_listen: Vec<String>,
}

/// Whether a server is ready. What it says names no file.
pub enum Readiness {
    /// It is, and these are told nevertheless: a clock in doubt, a configuration that is not in force, a
    /// backup that failed.
    Ready(Vec<String>),
    /// It is not, since the store cannot be written.
    Unwritable(String),
}

/// The sources of time, randomness and keys.
pub struct Sources {
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
    /// Signing keys.
    pub keys: KeySource,
}

impl Default for Sources {
    fn default() -> Self {
        Self { clock: Clock::System, entropy: Entropy::System, keys: KeySource::System }
    }
}

impl App {
    /// Makes the installation of `issuer` over `store`, whose root secrets are `roots`.
    pub fn new(
        config: Config,
        issuer: Issuer,
        roots: &RootSecrets,
        store: Store,
        sources: Sources,
    ) -> Result<Self, Error> {
        let view = store.read()?;
        let in_force = root::InForce::in_store(&view, roots)?;
        let rows = flow::installation::signing::list(&view)?;
        let ring = sources.keys.open(rows, &in_force.sealer)?;
        let clock =
            clock::WatchedClock::new(sources.clock, &flow::installation::clock::find(&view)?);
        let definitions = flow::apply::definitions::list(&view)?;
        drop(view);
        let passwords = Passwords::new(&sources.entropy.seed());
        let session_proofs = session_proof::SessionProofs::new(sources.entropy.seed());
        Ok(Self {
            authority: authority::CachedAuthority::default(),
            certificate: authority::CurrentCertificate::default(),
            backups: backup::Backups::default(),
            client_keys: client_keys::KeyCache::default(),
            clock,
            addresses: Addresses::default(),
            dropped_lines: DroppedLines::default(),
            usage: usage::UsageCounter::default(),
            entropy: sources.entropy,
            fetcher: fetcher(&config)?,
            key_source: sources.keys,
            key_changes: tokio::sync::Mutex::default(),
            keys: watch::Sender::new(Arc::new(ring)),
            metrics: metrics::AppMetrics::default(),
            passkeys: Passkeys::new(&issuer)?,
            passwords,
            probes: doctor::Probes::default(),
            configuration: CurrentConfiguration::new(
                config,
                &definitions,
                issuer,
                in_force.pepper(),
            )?,
            roots: root::RootKeys::new(in_force),
            session_proofs,
            slow_signatures: signing_keys::turns(),
            store,
            left_out: events::LeftOut::default(),
            unwritten: events::EventBuffer::default(),
            webhook_warnings: events::WebhookWarnings::default(),
            mute_proxy_logged: Once::new(),
        })
    }

    /// Creates a new installation in memory, which ends with the process.
    pub async fn memory(config: Config, issuer: Issuer, sources: Sources) -> Result<Self, Error> {
        let root = RootSecret::generate(&sources.entropy.seed());
        let app = Self::new(config, issuer, &root.into(), Store::memory()?, sources)?;
        app.write(flow::installation::create).await?;
        Ok(app)
    }

    /// Sets where the root secrets are. Without it they are in the memory of the process.
    fn with_keys_at(self, place: open::key_file::KeyPlace) -> Self {
        Self { roots: self.roots.at(place), ..self }
    }

    /// Sets the count of log lines that were dropped, which the log keeps.
    pub fn with_dropped_lines(self, dropped_lines: DroppedLines) -> Self {
        Self { dropped_lines, ..self }
    }

    /// Sets the addresses at which this process listens.
    pub fn with_addresses(self, addresses: Addresses) -> Self {
        Self { addresses, ..self }
    }

    /// The addresses at which this process listens.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
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

    /// A new context for one transition of the server by itself.
    pub fn context(&self) -> Context {
        self.context_of(Acting::default())
    }

    /// A new context for one transition.
    pub fn context_of(&self, acting: Acting) -> Context {
        Context { acting, present: self.present(), seed: self.entropy.seed() }
    }

    /// What it takes to judge what is stored, for a request that makes nothing.
    pub fn present(&self) -> Present {
        let (now, watch) = self.clock.look();
        Present {
            in_doubt: watch.jump().is_some(),
            latest: watch.latest(),
            now,
            rules: self.rules(),
        }
    }

    /// A new event id.
    pub fn event_id(&self) -> EventId {
        EventId::new(self.clock().now(), &self.entropy.seed())
    }

    /// A snapshot of the store.
    pub fn read(&self) -> Result<Read, StoreError> {
        self.store.read()
    }

    /// Runs one transition of the server by itself with a context of its own, and returns once it is
    /// durable.
    pub async fn write<T: Send + 'static>(
        &self,
        transition: impl Fn(&mut Tx<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.write_by(Acting::default(), transition).await
    }

    /// As [`App::write`], for whoever does it.
    pub async fn write_by<T: Send + 'static>(
        &self,
        acting: Acting,
        transition: impl Fn(&mut Tx<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let cx = self.context_of(acting);
        self.store.write(move |tx| transition(tx, &cx)).await
    }

    /// Runs one transition as [`Self::write`] does, and writes nothing.
    pub(crate) async fn try_out<T: Send + 'static>(
        &self,
        transition: impl Fn(&mut Tx<'_>, &Context) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let cx = self.context();
        // An error writes nothing, whatever it carries.
        let tried = self.store.write(move |tx| match transition(tx, &cx) {
            Ok(outcome) => Err::<Infallible, _>(Tried::Ended(outcome)),
            Err(error) => Err(Tried::Failed(error)),
        });
        match tried.await {
            Err(Tried::Ended(outcome)) => Ok(outcome),
            Err(Tried::Failed(error)) => Err(error),
            Ok(never) => match never {},
        }
    }

    /// How many rows each pool has taken while it was full, by the name of the pool. Events of refused
    /// requests make room for newer ones, which is nothing unusual, and are not among them.
    pub fn taken_by_pools(&self) -> Result<Vec<(&'static str, u64)>, StoreError> {
        let mut taken = flow::admission::taken(&self.read()?)?;
        taken.retain(|(pool, _)| *pool != Pool::Events.name());
        Ok(taken)
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

    /// Whether this server is ready: the store can be written, and tokens can be signed. At the first
    /// start, it waits for the key.
    pub async fn readiness(self: &Arc<Self>) -> Result<Readiness, Error> {
        if let WriteHealth::Unwritable { cause } = self.probe().await? {
            return Ok(Readiness::Unwritable(format!("the store cannot be written: {cause}")));
        }
        self.signing_key(SigningAlg::Es256).await?;
        let remarks = [
            self.clock_jump().map(|jump| jump.to_string()),
            self.configuration_fault(),
            self.backup_standing().fault(),
        ];
        Ok(Readiness::Ready(remarks.into_iter().flatten().collect()))
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

    /// The key that bridges pin. It is made at the first call and never changes.
    pub async fn bridge_key(&self) -> Result<BridgeKey, Error> {
        if let Some(key) = flow::bridge::key::find(&self.read()?)? {
            return Ok(key);
        }
        // No rotation of the root key goes past this key.
        let _changing = self.key_changes.lock().await;
        let (sealer, now) = (&self.roots.in_force().sealer, self.clock().now());
        let made = self.key_source.generate_for_bridges(sealer, now)?;
        self.write(move |tx, cx| flow::bridge::key::store(tx, cx, &made)).await
    }
}

/// The end of a transition that is only tried out.
enum Tried<T> {
    /// Its outcome.
    Ended(T),
    /// Its failure.
    Failed(Error),
}

impl<T> From<StoreError> for Tried<T> {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
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

/// Reads a file that the configuration names.
fn contents(path: &Path) -> Result<Vec<u8>, Internal> {
    std::fs::read(path)
        .map_err(|error| Internal::new(format!("cannot read {}: {error}", path.display())))
}
