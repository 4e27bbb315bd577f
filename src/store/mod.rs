//! The store: one transactional file, with [`Store::read`] and [`Store::write`].
//!
//! Only this room uses redb (`engine`) and postcard (`table`). It knows the vocabulary of `oauth`
//! and `model`, and nothing of flows, HTTP or the command line. Invariants:
//!
//! - The closure of a write may run more than once, and takes all randomness and time as values. If
//!   it returns `Err`, nothing is written.
//! - When [`Store::write`] returns, its writes are on disk: commits are immediate and two-phase. If
//!   it returns an error, nothing was written, and a later write may succeed.
//! - The engine sees rows as bytes, each with a checksum over its key and itself (`seal`). A row
//!   whose checksum is wrong, or which does not decode, is an error that names its table.
//! - What was read before and is remembered (`engine::known_rows`) is what the snapshot has: a commit takes
//!   out what it changes before it can be read.
//! - A damaged file is an error, and never a panic (`engine::guard`).
//! - What a row declares is written with it: its index entries, its expiry, and its weight on a
//!   share. Weights are stored as sums, so that reading one costs the same however many rows it
//!   counts. A change of what stored rows weigh on needs a migration that sums anew.
//! - All rows are in one ordered map of bytes, every transaction is small, and ids are random, so a
//!   distributed engine can replace this one in `engine.rs`.

mod as_json;
pub mod backup;
pub mod check;
mod engine;
mod key;
pub mod migrate;
pub mod restore;
pub mod rewrite;
pub mod schema;
mod seal;
mod share;
mod table;
mod tx;
mod view;
mod weight;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use engine::Backend;
pub use key::{Beginning, Key};
pub use share::{Holder, Holding, Pool, Rank, Share};
pub use table::{Entries, Held, Index, Reference, References, Row, Tag, row_key};
pub use tx::{Read, Tx};
pub use view::{Listing, Span, View};
pub use weight::Weight;

use crate::error::{Error, Internal, Refusal};
use crate::metrics::StoreMetrics;
use engine::{Engine, FORMAT};
use writer::Writer;

/// A failure of the store.
#[derive(Clone, Debug)]
pub enum StoreError {
    /// A row cannot be read.
    Corrupt {
        /// The table whose row does not decode; `None`: the checksum is wrong.
        table: Option<&'static str>,
        /// The row's key in hex.
        key: String,
    },
    /// The file is damaged. It is left as it is.
    Damaged(String),
    /// The engine failed, for example because the disk cannot be read.
    Engine(String),
    /// Another process has the file open.
    Locked,
    /// The file has a format that a newer version of the engine writes.
    NewerFormat {
        /// The number of the format.
        found: u8,
    },
    /// The store was written by a newer version of this program.
    NewerSchema {
        /// The schema number of the store.
        found: u32,
    },
    /// The store was written by an older version of this program, and was not upgraded.
    OlderSchema {
        /// The schema number of the store.
        found: u32,
    },
    /// A transition or the engine panicked; its writes are discarded.
    Panicked,
    /// The writer has ended.
    Stopped,
    /// The disk does not take a write, for example because it is full. Nothing was written.
    Unwritable(String),
}

/// Whether the store can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteHealth {
    /// A write or a probe failed, and no probe has succeeded since.
    Unwritable {
        /// What the system said of the first failure. It names no file.
        cause: String,
    },
    /// It can.
    Writable,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt { table: Some(table), key } => {
                write!(f, "row {key} of table {table} does not decode")
            }
            Self::Corrupt { table: None, key } => {
                write!(f, "row {key} is not as it was written: its checksum is wrong")
            }
            Self::Damaged(cause) => write!(f, "the file is damaged: {cause}"),
            Self::Engine(cause) => write!(f, "the store failed: {cause}"),
            Self::Locked => f.write_str("another process has the store open"),
            Self::NewerFormat { found } => write!(
                f,
                "the file has format {found}, and this program reads none above {FORMAT}; \
                 use the version of this program that wrote it, or a newer one"
            ),
            Self::NewerSchema { found } => write!(
                f,
                "the store has schema {found}, and this program knows none above {}",
                migrate::SCHEMA
            ),
            Self::OlderSchema { found } => {
                write!(f, "the store has the older schema {found}, and was not upgraded")
            }
            Self::Panicked => f.write_str("a transition or the engine panicked"),
            Self::Stopped => f.write_str("the store has stopped"),
            Self::Unwritable(cause) => write!(f, "the store cannot be written: {cause}"),
        }
    }
}

impl std::error::Error for StoreError {}

impl StoreError {
    /// What can be done about it, where the sentence does not say it.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Corrupt { .. } | Self::Damaged(_) => Some(
                "restore a copy of the file that was made while no server ran (another is never \
                 whole); without one, gatelodge db check says what is wrong, and gatelodge db repair \
                 makes the store anew of what can be read",
            ),
            Self::Engine(_)
            | Self::Locked
            | Self::NewerFormat { .. }
            | Self::NewerSchema { .. }
            | Self::OlderSchema { .. }
            | Self::Panicked
            | Self::Stopped
            | Self::Unwritable(_) => None,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unwritable(_) => Refusal::StoreUnwritable.into(),
            StoreError::Corrupt { .. }
            | StoreError::Damaged(_)
            | StoreError::Engine(_)
            | StoreError::Locked
            | StoreError::NewerFormat { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::OlderSchema { .. }
            | StoreError::Panicked
            | StoreError::Stopped => Internal::new(error).into(),
        }
    }
}

/// The store of an installation.
pub struct Store {
    engine: Arc<Engine>,
    metrics: Arc<StoreMetrics>,
    writer: Writer,
}

impl Store {
    /// Opens the store at `path`, or creates an empty one of mode 0600. One of an older schema is
    /// [upgraded](rewrite::upgrade).
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] if another process has it open.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        match Self::start(Engine::file(path)?) {
            Err(StoreError::OlderSchema { .. }) => {
                rewrite::upgrade(path)?;
                Self::start(Engine::file(path)?)
            }
            opened => opened,
        }
    }

    /// Makes a store in memory, which ends with the process.
    pub fn memory() -> Result<Self, StoreError> {
        Self::start(Engine::memory()?)
    }

    /// Opens a store on a given disk; for tests of failing disks.
    pub fn over(disk: impl Backend) -> Result<Self, StoreError> {
        Self::start(Engine::over(disk)?)
    }

    fn start(engine: Engine) -> Result<Self, StoreError> {
        migrate::run(&engine)?;
        let engine = Arc::new(engine);
        let metrics = Arc::<StoreMetrics>::default();
        let writer = Writer::start(Arc::clone(&engine), Arc::clone(&metrics))?;
        Ok(Self { engine, metrics, writer })
    }

    /// A snapshot of the last commit. It never waits for a writer.
    pub fn read(&self) -> Result<Read, StoreError> {
        self.engine.snapshot().map(Read::new)
    }

    /// Runs one transition, and returns once its writes are durable.
    ///
    /// `transition` sees every earlier write and may run more than once. If it returns `Err`,
    /// nothing is written. Waiting transitions share one commit.
    pub async fn write<T, E>(
        &self,
        transition: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writer.write(transition).await
    }

    /// Tests whether the store can be written.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unwritable`] if it cannot, also for lack of space that the next write would
    /// not need.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.writer.probe().await
    }

    /// What its commits were, since it was opened.
    pub fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    /// Whether the store can be written, as far as its writes and probes have found.
    pub fn write_health(&self) -> WriteHealth {
        self.engine.health()
    }
}
