//! The redb engine: `snapshot` and `apply`. No other module uses redb.
//!
//! The file contains one ordered map of bytes; `table` defines the meaning of its keys.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use redb::backends::InMemoryBackend;
use redb::{
    Builder, Database, DatabaseError, Durability, ReadOnlyTable, ReadableDatabase, TableDefinition,
};

pub use redb::StorageBackend as Backend;

use crate::private_file;
use crate::store::StoreError;

/// The only redb table: it maps a tag and the key of a row to the row.
const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");

/// The size of the page cache: far below redb's default of 1 GiB, so that an idle server stays
/// under 20 MB.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// The key and the bytes of a row.
pub(super) type KeyedRow = (Vec<u8>, Vec<u8>);

/// The writes by key; `None` removes the row.
pub(super) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

type Open = dyn Fn() -> Result<Database, DatabaseError> + Send + Sync;

/// A database that is reopened after a failure of its disk.
///
/// After a failed read or write, redb refuses every operation until it is reopened. The cause may
/// be temporary, such as a full disk, so each use tries to reopen it.
pub(super) struct Engine {
    open: Box<Open>,
    database: RwLock<Option<Database>>,
    health: Health,
}

/// Whether the disk failed since the database was opened.
#[derive(Clone, Default)]
struct Health(Arc<AtomicBool>);

impl Health {
    fn failed(&self, error: impl Into<redb::Error>) -> StoreError {
        let error = error.into();
        if matches!(error, redb::Error::Io(_) | redb::Error::PreviousIo) {
            self.0.store(true, Ordering::SeqCst);
        }
        StoreError::Engine(error.to_string())
    }
}

impl Engine {
    /// Opens or creates a database in a file of mode 0600.
    pub(super) fn file(path: &Path) -> Result<Self, StoreError> {
        if path.exists() {
            private_file::close(path).map_err(DatabaseError::from)?;
        } else {
            make(path)?;
        }
        let path = path.to_owned();
        Self::start(Box::new(move || {
            builder().create_file(OpenOptions::new().read(true).write(true).open(&path)?)
        }))
    }

    /// Makes a database in memory.
    pub(super) fn memory() -> Result<Self, StoreError> {
        Self::start(Box::new(|| builder().create_with_backend(InMemoryBackend::new())))
    }

    /// Opens a database on a given disk.
    pub(super) fn over(
        backend: Box<dyn Fn() -> io::Result<Box<dyn Backend>> + Send + Sync>,
    ) -> Result<Self, StoreError> {
        Self::start(Box::new(move || builder().create_with_backend(Disk(backend()?))))
    }

    fn start(open: Box<Open>) -> Result<Self, StoreError> {
        let database = open()?;
        let (database, health) = (RwLock::new(Some(database)), Health::default());
        let engine = Self { open, database, health };
        // Creates the redb table, since reading a missing one is an error.
        engine.apply(&Writes::new())?;
        Ok(engine)
    }

    /// A snapshot of the last commit.
    pub(super) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.with(|database| {
            let failed = |error: redb::Error| self.health.failed(error);
            let transaction = database.begin_read().map_err(|error| failed(error.into()))?;
            let rows = transaction.open_table(ROWS).map_err(|error| failed(error.into()))?;
            Ok(Snapshot { rows, health: self.health.clone() })
        })
    }

    /// Commits `writes` in one durable transaction.
    pub(super) fn apply(&self, writes: &Writes) -> Result<(), StoreError> {
        self.with(|database| {
            // A panic must not end the writer's thread.
            let committed = catch_unwind(AssertUnwindSafe(|| commit(database, writes)));
            if let Ok(Ok(())) = committed {
                return Ok(());
            }
            // After a failed commit, the state in memory is discarded by reopening.
            self.health.0.store(true, Ordering::SeqCst);
            match committed {
                Ok(committed) => committed.map_err(|error| self.health.failed(error)),
                Err(_) => Err(StoreError::Panicked),
            }
        })
    }

    fn with<T>(
        &self,
        use_it: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if !self.health.0.load(Ordering::SeqCst)
            && let Some(database) =
                self.database.read().unwrap_or_else(PoisonError::into_inner).as_ref()
        {
            return use_it(database);
        }
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if self.health.0.swap(false, Ordering::SeqCst) {
            // The old one is closed first, since it holds the lock of the file.
            *database = None;
        }
        match database.as_ref() {
            Some(database) => use_it(database),
            None => use_it(database.insert((self.open)()?)),
        }
    }
}

/// Creates an empty database beside `path`, and gives it that name once it is complete. A partly
/// created database could never be opened.
fn make(path: &Path) -> Result<(), StoreError> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let made = private_file::create_draft(&draft).map_err(DatabaseError::from);
    let made = made.and_then(|file| builder().create_file(file)).map(drop);
    let named = made.and_then(|()| match fs::hard_link(&draft, path) {
        // Another process created it first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(_) => Ok(fs::rename(&draft, path)?),
        Ok(()) => Ok(()),
    });
    // After the rename it no longer exists, which is no failure.
    let _ = fs::remove_file(&draft);
    named?;
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    let synced = private_file::sync_directory(directory.unwrap_or(Path::new(".")));
    Ok(synced.map_err(DatabaseError::from)?)
}

fn commit(database: &Database, writes: &Writes) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    // redb's design notes recommend two phases if others choose the bytes. Quick repair makes
    // opening after a kill fast for every size of the file.
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    {
        let mut rows = transaction.open_table(ROWS)?;
        for (key, row) in writes {
            match row {
                Some(row) => drop(rows.insert(key.as_slice(), row.as_slice())?),
                None => drop(rows.remove(key.as_slice())?),
            }
        }
    }
    Ok(transaction.commit()?)
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::DatabaseAlreadyOpen => Self::Locked,
            error => Self::Engine(error.to_string()),
        }
    }
}

/// A snapshot of the database.
pub(super) struct Snapshot {
    rows: ReadOnlyTable<&'static [u8], &'static [u8]>,
    health: Health,
}

impl Snapshot {
    /// The row under `key`.
    pub(super) fn row(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.rows.get(key).map_err(|error| self.health.failed(error))?;
        Ok(row.map(|row| row.value().to_vec()))
    }

    /// Counts the rows from `from` to before `to`, up to `limit`, without copying them.
    pub(super) fn count(&self, from: &[u8], to: &[u8], limit: usize) -> Result<usize, StoreError> {
        let failed = |error: redb::StorageError| self.health.failed(error);
        let range = self.rows.range::<&[u8]>(from..to).map_err(failed)?;
        range.take(limit).try_fold(0, |count, row| row.map(|_| count + 1)).map_err(failed)
    }

    /// The rows from `from` to before `to`, in order.
    pub(super) fn rows<'a>(
        &'a self,
        from: &[u8],
        to: &[u8],
    ) -> Result<impl Iterator<Item = Result<KeyedRow, StoreError>> + use<'a>, StoreError> {
        let failed = |error: redb::StorageError| self.health.failed(error);
        let range = self.rows.range::<&[u8]>(from..to).map_err(failed)?;
        Ok(range.map(move |row| {
            let (key, row) = row.map_err(failed)?;
            Ok((key.value().to_vec(), row.value().to_vec()))
        }))
    }
}

/// A [`Backend`] for a boxed one.
#[derive(Debug)]
struct Disk(Box<dyn Backend>);

impl Backend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
}
