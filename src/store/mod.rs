//! Memory: one transactional file, behind [`Store::read`] and [`Store::write`].
//!
//! This room alone says redb (`engine`) and postcard (`table`). It knows the vocabulary of
//! `oauth`, and nothing of flows, HTTP or the command line. What must hold:
//!
//! - A write's closure may run again, and takes all randomness and time as values; `Err` from it
//!   means that nothing was written.
//! - What [`Store::write`] has answered is on disk: commits are immediate and two-phase.
//! - Rows are bytes to the engine; a row that does not decode is an error that names its table.
//! - Every relation is one ordered map of bytes, every transaction is small, and ids are random:
//!   an engine of several machines can take this one's place in `engine.rs`.

mod engine;
pub mod migrate;
pub mod schema;
mod table;
mod tx;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::{fmt, io};

pub use engine::Backend;
pub use table::{Entries, Index, Key, Row, Tag};
pub use tx::{Listing, Read, Span, Tx, View};

use crate::error::{Error, Internal};
use engine::Engine;
use writer::Writer;

/// Why the store could not do what was asked.
#[derive(Debug)]
pub enum StoreError {
    /// A row does not decode.
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row's key in hex.
        key: String,
    },
    /// The engine failed; the disk is full, say.
    Engine(String),
    /// Another process has the file open.
    Locked,
    /// The store was written by a newer version of this program.
    NewerSchema {
        /// The schema number of the store.
        found: u32,
    },
    /// A transition or the engine panicked; nothing of it is built upon.
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
    /// Opens the store at `path`, or makes an empty one of mode 0600 there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] where another process has it open.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::start(Engine::file(path)?)
    }

    /// A store that lives in memory and ends with the process.
    pub fn memory() -> Result<Self, StoreError> {
        Self::start(Engine::memory()?)
    }

    /// A store over whatever `backend` gives at each opening; for tests that break disks.
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

    /// A snapshot as of the last commit. It never waits for a writer.
    pub fn read(&self) -> Result<Read, StoreError> {
        self.engine.snapshot().map(Read::new)
    }

    /// Runs one transition, and answers once what it wrote is durable.
    ///
    /// `transition` sees every write before it, may run more than once, and leaves nothing behind
    /// when it gives `Err`. Transitions that wait together share one commit.
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
