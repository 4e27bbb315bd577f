//! The store: one transactional file, with [`Store::read`] and [`Store::write`].
//!
//! Only this room uses redb (`engine`) and postcard (`table`). It knows the vocabulary of `oauth`
//! and `model`, and nothing of flows, HTTP or the command line. Invariants:
//!
//! - The closure of a write may run more than once, and takes all randomness and time as values. If
//!   it returns `Err`, nothing is written.
//! - When [`Store::write`] returns, its writes are on disk: commits are immediate and two-phase.
//! - The engine sees rows as bytes. A row that does not decode is an error that names its table.
//! - What a row declares is written with it: its index entries, its expiry, and its weight on a
//!   share. Weights are stored as sums, so that reading one costs the same however many rows it
//!   counts. A change of what stored rows weigh on needs a migration that sums anew.
//! - All rows are in one ordered map of bytes, every transaction is small, and ids are random, so a
//!   distributed engine can replace this one in `engine.rs`.

mod engine;
mod key;
pub mod migrate;
pub mod schema;
mod share;
mod table;
mod tx;
mod view;
mod weight;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::{fmt, io};

pub use engine::Backend;
pub use key::Key;
pub use share::{Holder, Holding, Pool, Rank, Share};
pub use table::{Entries, Held, Index, Row, Tag, row_key};
pub use tx::{Read, Tx};
pub use view::{Listing, Span, View};
pub use weight::Weight;

use crate::error::{Error, Internal};
use engine::Engine;
use writer::Writer;

/// A failure of the store.
#[derive(Debug)]
pub enum StoreError {
    /// A row does not decode.
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row's key in hex.
        key: String,
    },
    /// The engine failed, for example because the disk is full.
    Engine(String),
    /// Another process has the file open.
    Locked,
    /// The store was written by a newer version of this program.
    NewerSchema {
        /// The schema number of the store.
        found: u32,
    },
    /// A transition or the engine panicked; its writes are discarded.
    Panicked,
    /// The writer has ended.
    Stopped,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt { table, key } => write!(f, "row {key} of table {table} does not decode"),
            Self::Engine(cause) => write!(f, "the store failed: {cause}"),
            Self::Locked => f.write_str("another process has the store open"),
            Self::NewerSchema { found } => write!(
                f,
                "the store has schema {found}, and this program knows none above {}",
                migrate::SCHEMA
            ),
            Self::Panicked => f.write_str("a transition or the engine panicked"),
            Self::Stopped => f.write_str("the store has stopped"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Internal::new(error).into()
    }
}

/// The store of an installation.
pub struct Store {
    engine: Arc<Engine>,
    writer: Writer,
}

impl Store {
    /// Opens the store at `path`, or creates an empty one of mode 0600.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] if another process has it open.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::start(Engine::file(path)?)
    }

    /// Makes a store in memory, which ends with the process.
    pub fn memory() -> Result<Self, StoreError> {
        Self::start(Engine::memory()?)
    }

    /// Opens a store on the disk that `backend` returns at each opening; for tests of failing
    /// disks.
    pub fn over(
        backend: impl Fn() -> io::Result<Box<dyn Backend>> + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        Self::start(Engine::over(Box::new(backend))?)
    }

    fn start(engine: Engine) -> Result<Self, StoreError> {
        migrate::run(&engine)?;
        let engine = Arc::new(engine);
        let writer = Writer::start(Arc::clone(&engine))?;
        Ok(Self { engine, writer })
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
}
