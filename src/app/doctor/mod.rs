//! The facts that `doctor` asks of a process that has the store open. Nothing is judged here.

mod addresses;
mod probes;
mod webhook;

use std::sync::Arc;
use std::time::Duration;

pub use addresses::{AddressKind, ClientAddress, Unreached};
pub(super) use probes::Probes;
pub use probes::{NONCE, Observed};
pub use webhook::WebhookStanding;

pub use crate::fetch::FetchError;

use super::backup::BackupStanding;
use super::{App, LastRead, RootStanding, WriteHealth};
use crate::clock::{Jump, Timestamp};
use crate::error::Error;
use crate::flow::admission;
use crate::flow::client::operator;
use crate::keys::KeyStanding;
use crate::oauth::id::ClientId;
use crate::store::Pool;
use crate::store::schema::Taken;

/// The most clients without PKCE that are named.
const MAX_NAMED: usize = 20;

/// What `doctor` wants to know of a process that has the store open.
pub struct Facts {
    /// The addresses of clients that were tried, and whether they can be reached.
    pub addresses: Vec<ClientAddress>,
    /// How the backups stand that the server makes by itself.
    pub backups: BackupStanding,
    /// The jump that puts the clock in doubt, if it is.
    pub clock_jump: Option<Jump>,
    /// How many log lines were dropped.
    pub dropped_lines: u64,
    /// The most connections at the ports, where the system allows few.
    pub few_connections: Option<usize>,
    /// The time within which a key of each algorithm has to be replaced.
    pub key_rotation: Duration,
    /// Every signing key.
    pub keys: Vec<KeyStanding>,
    /// What the last reading of the configuration left to say.
    pub last_read: LastRead,
    /// The latest time that the store has seen.
    pub latest: Timestamp,
    /// The present time.
    pub now: Timestamp,
    /// Whether nothing is fetched from other machines.
    pub offline: bool,
    /// What each pool has taken, if it was ever full.
    pub pools: Vec<(Pool, Taken)>,
    /// How the root secrets stand.
    pub root: RootStanding,
    /// Whether this process serves, and is no command that has opened the store.
    pub serves: bool,
    /// How the webhook stands, if there is one and it was tried.
    pub webhook: Option<WebhookStanding>,
    /// The first clients that may go without PKCE and nonce, at most 21.
    pub without_pkce: Vec<ClientId>,
    /// Whether the store can be written.
    pub write_health: WriteHealth,
}

impl App {
    /// Gathers the facts. It writes a probe to the store, looks for backups, and connects to the addresses
    /// of clients and to the webhook.
    pub async fn examine(self: &Arc<Self>) -> Result<Facts, Error> {
        let write_health = self.probe().await?;
        self.look_for_backups().await?;
        let (addresses, webhook) =
            tokio::try_join!(self.reached_addresses(), self.webhook_standing())?;
        Ok(Facts { addresses, webhook, write_health, ..self.glance()? })
    }

    /// Gathers the facts that are there already: nothing is written, and no address is tried.
    pub fn glance(&self) -> Result<Facts, Error> {
        let (view, cx) = (self.read()?, self.context());
        Ok(Facts {
            addresses: Vec::new(),
            backups: self.backup_standing(),
            clock_jump: self.clock_jump(),
            dropped_lines: self.dropped_lines(),
            few_connections: self.addresses().few_connections,
            key_rotation: cx.rules.config.lifetimes.key_rotation,
            keys: self.keys().standings(cx.now),
            last_read: self.last_read(),
            latest: cx.latest,
            now: cx.now,
            offline: cx.rules.config.offline,
            pools: admission::pools_that_took(&view)?,
            root: self.root_standing()?,
            serves: !self.addresses().listen.is_empty(),
            webhook: None,
            without_pkce: operator::without_pkce(&view, MAX_NAMED + 1)?,
            write_health: self.write_health(),
        })
    }
}
