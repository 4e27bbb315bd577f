//! The redb engine: `snapshot` and `apply`. No other module uses redb, but for the disk below it
//! (`overlay`).
//!
//! The file contains one ordered map of bytes; `table` defines the meaning of its keys.
//!
//! After a failed read or write, redb refuses every operation until the database is opened anew.
//! The cause may be temporary, such as a full disk. So the engine holds the file and its lock for as
//! long as it lives, and opens the database over it again and again: at once after a failure, for
//! reading, and for writing at each write, until one succeeds. A commit that failed is undone, and
//! snapshots from before it stay valid.

mod draft;
mod examination;
mod guard;
mod known_rows;
mod large_writes;
mod locked_file;
mod overlay;
mod snapshot;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::io;
use std::mem;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use redb::backends::InMemoryBackend;
use redb::{
    Builder, Database, DatabaseError, Durability, ReadableDatabase, StorageError, TableDefinition,
    TableError,
};

pub use redb::StorageBackend as Backend;

use crate::private_file;
use crate::store::{StoreError, WriteHealth, seal};
use guard::guarded;
use known_rows::KnownRows;
use locked_file::LockedFile;
use overlay::{Change, Fault, Handle, Overlay};
use snapshot::Rows;

pub(super) use draft::{Draft, draft};
pub(super) use examination::{Examined, examine, examine_disk};
pub(super) use known_rows::KnownAt;
pub(super) use snapshot::Snapshot;

/// The only redb table: it maps a tag and the key of a row to the row.
const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");

/// The newest format of redb's file that this program reads.
pub(super) const FORMAT: u8 = 3;

/// Where redb's file says its format, once for each of the last two commits.
const FORMAT_AT: [usize; 2] = [64, 192];

/// The size of the page cache: far below redb's default of 1 GiB, so that a server stays small, over few rows
/// and over a million grants. What is not in it is read from the cache of the system.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// The space that a probe needs on the disk: that of the largest row.
const PROBE_BYTES: usize = 64 * 1024;

/// The most time that a write waits for the snapshots of a database that was given up. That of a reader
/// lives for milliseconds; the shared one is dropped when the database is given up.
const MAX_DRAIN: Duration = Duration::from_secs(1);

/// The writes by key; `None` removes the row.
pub(super) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The file, and the database that is open over it.
pub(super) struct Engine {
    /// The snapshot of the last commit. Where there is none, after the database was opened anew and until
    /// the next commit, each reader makes its own.
    current: RwLock<Option<Arc<Snapshot>>>,
    disk: Arc<dyn Backend>,
    health: Mutex<WriteHealth>,
    known: Arc<KnownRows>,
    opened: RwLock<Arc<Opened>>,
    /// Held during a commit and while the database is opened anew.
    writing: Mutex<Writing>,
}

struct Writing {
    /// The number of commits, and of attempts that failed.
    commits: u64,
    /// The end of the open database: its channel closes with it.
    end: Receiver<Infallible>,
    /// The ends of databases that were given up and may have snapshots. They read the disk, so
    /// nothing is written until they are closed.
    given_up: Vec<Receiver<Infallible>>,
    /// The changes that undo a failed commit.
    undo: Vec<Change<'static>>,
}

/// A database that was opened over the disk.
struct Opened {
    /// `None` while it is closed.
    database: Option<Database>,
    overlay: Arc<Overlay>,
    /// Dropped last.
    _end: Sender<Infallible>,
}

impl Opened {
    /// Opens a database, and returns its end too.
    fn over(
        disk: &Arc<dyn Backend>,
        undo: Vec<Change<'static>>,
    ) -> Result<(Arc<Self>, Receiver<Infallible>), StoreError> {
        let overlay = Arc::new(Overlay::new(disk, undo));
        let handle = Handle(Arc::clone(&overlay));
        let database = guarded(|| builder().create_with_backend(handle))?;
        let database = database.map_err(|error| match newer_format(&**disk) {
            Some(found) => StoreError::NewerFormat { found },
            None => error.into(),
        })?;
        let (sender, end) = mpsc::channel();
        Ok((Arc::new(Self { database: Some(database), overlay, _end: sender }), end))
    }

    fn database(&self) -> Result<&Database, StoreError> {
        self.database.as_ref().ok_or(StoreError::Stopped)
    }

    fn rows(&self) -> Result<Result<Rows, TableError>, StoreError> {
        let database = self.database()?;
        guarded(|| Ok(database.begin_read().map_err(redb::Error::from)?.open_table(ROWS)))?
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // Over a damaged file its end panics, too. What was committed is on the disk.
        let _ = guarded(|| drop(self.database.take()));
    }
}

/// The format of the file on `disk`, if it is a newer one: both of its places say the same, as no
/// damage does.
fn newer_format(disk: &dyn Backend) -> Option<u8> {
    let header = overlay::header(disk).ok()?;
    let [one, other] = FORMAT_AT.map(|at| header.get(at).copied());
    one.filter(|format| Some(*format) == other && *format > FORMAT)
}

impl Engine {
    /// Opens or creates a database in a file of mode 0600, and locks it.
    pub(super) fn file(path: &Path) -> Result<Self, StoreError> {
        if path.exists() {
            private_file::close(path).map_err(DatabaseError::from)?;
        } else {
            make(path)?;
        }
        Self::over(LockedFile::open(path)?)
    }

    /// Makes a database in memory.
    pub(super) fn memory() -> Result<Self, StoreError> {
        Self::over(InMemoryBackend::new())
    }

    /// Opens a database on a disk.
    pub(super) fn over(disk: impl Backend) -> Result<Self, StoreError> {
        let disk: Arc<dyn Backend> = Arc::new(disk);
        let (opened, end) = Opened::over(&disk, Vec::new())?;
        let rows = opened.rows()?;
        let engine = Self {
            current: RwLock::default(),
            disk,
            health: Mutex::new(WriteHealth::Writable),
            known: Arc::default(),
            opened: RwLock::new(opened),
            writing: Mutex::new(Writing {
                commits: 0,
                end,
                given_up: Vec::new(),
                undo: Vec::new(),
            }),
        };
        match rows {
            Ok(_) => {}
            // Creates the redb table, since reading a missing one is an error.
            Err(TableError::TableDoesNotExist(_)) => engine.apply(&Writes::new())?,
            Err(error) => return Err(error.into()),
        }
        let commit = engine.writing().commits;
        engine.publish(&engine.opened(), commit);
        Ok(engine)
    }

    /// A snapshot of the last commit.
    pub(super) fn snapshot(&self) -> Result<Arc<Snapshot>, StoreError> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(current) = current.filter(|current| !current.is_of_fault()) {
            return Ok(current);
        }
        let opened = self.opened();
        let snapshot = Snapshot::of(&opened);
        // The snapshot is looked at first: a failed commit may be visible once there is a fault.
        if opened.overlay.fault().is_none() {
            return snapshot.map(Arc::new);
        }
        // A write may wait for their end.
        drop((snapshot, opened));
        Snapshot::of(&self.usable(&mut self.writing())?).map(Arc::new)
    }

    /// Lets readers have the last commit of `opened`, which has this number. If it cannot be looked at, each
    /// of them tries.
    fn publish(&self, opened: &Arc<Opened>, commit: u64) {
        let snapshot = Snapshot::of(opened).ok();
        let snapshot = snapshot.map(|snapshot| Arc::new(snapshot.numbered(commit, &self.known)));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }

    /// Commits `writes` in one durable transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unwritable`] if the disk does not take it. Whatever the error, nothing was
    /// written.
    pub(super) fn apply(&self, writes: &Writes) -> Result<(), StoreError> {
        let mut writing = self.writing();
        let applied = self
            .writable(&mut writing)
            .and_then(|opened| self.commit(&mut writing, &opened, writes));
        if let Err(StoreError::Unwritable(cause)) = &applied {
            self.fell_ill(cause);
        }
        applied
    }

    /// Whether the store can be written: an empty transaction is committed, and there is space for
    /// a large row. Without the space, writes would succeed for as long as they can reuse it.
    pub(super) fn probe(&self) -> Result<(), StoreError> {
        let probed = {
            let mut writing = self.writing();
            self.writable(&mut writing).and_then(|opened| {
                self.needs_space().map_err(|error| unwritable(&error))?;
                self.commit(&mut writing, &opened, &Writes::new())
            })
        };
        match &probed {
            Ok(()) => self.recovered(),
            Err(StoreError::Unwritable(cause)) => self.fell_ill(cause),
            Err(_) => {}
        }
        probed
    }

    /// What the last write and the last probe found.
    pub(super) fn health(&self) -> WriteHealth {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fell_ill(&self, cause: &str) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if *health == WriteHealth::Writable {
            tracing::error!(cause, "the store cannot be written; reads go on");
            *health = WriteHealth::Unwritable { cause: cause.to_owned() };
        }
    }

    fn recovered(&self) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if *health != WriteHealth::Writable {
            tracing::info!("the store can be written again");
            *health = WriteHealth::Writable;
        }
    }

    fn opened(&self) -> Arc<Opened> {
        Arc::clone(&self.opened.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The open database. It is opened anew, for reading, if it has to be.
    fn usable(&self, writing: &mut Writing) -> Result<Arc<Opened>, StoreError> {
        let opened = self.opened();
        if opened.overlay.fault().is_none() {
            return Ok(opened);
        }
        // A write waits for the snapshots of what was given up.
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = None;
        let (next, end) = Opened::over(&self.disk, writing.undo.clone())?;
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        writing.given_up.push(mem::replace(&mut writing.end, end));
        Ok(next)
    }

    /// The open database, whose changes go to the disk.
    fn writable(&self, writing: &mut Writing) -> Result<Arc<Opened>, StoreError> {
        let opened = self.usable(writing)?;
        if opened.overlay.is_pending() {
            drain(&mut writing.given_up)?;
            opened.overlay.release().map_err(|error| unwritable(&error))?;
            writing.undo.clear();
        }
        Ok(opened)
    }

    fn commit(
        &self,
        writing: &mut Writing,
        opened: &Arc<Opened>,
        writes: &Writes,
    ) -> Result<(), StoreError> {
        let before = overlay::header(&*self.disk).map_err(StorageError::from)?;
        let database = opened.database()?;
        let committed = guarded(|| commit(database, writes));
        writing.commits += 1;
        let failure = match (opened.overlay.fault(), committed) {
            (None, Ok(Ok(()))) => {
                self.known.change(writing.commits, writes);
                self.publish(opened, writing.commits);
                return Ok(());
            }
            (Some(Fault::Write(cause)), _) => StoreError::Unwritable(cause.clone()),
            (_, Ok(Err(error))) => error.into(),
            (Some(Fault::Commit | Fault::Read), Ok(Ok(()))) => {
                StoreError::Engine("the disk could not be read during the commit".to_owned())
            }
            (_, Err(damaged)) => damaged,
        };
        opened.overlay.give_up(Fault::Commit);
        self.known.clear(writing.commits);
        writing.undo = opened.overlay.undo(before).unwrap_or_default();
        // Snapshots need the next database at once. If it cannot be opened, they return the error.
        let _ = self.usable(writing);
        Err(failure)
    }

    /// Fails if the disk has no space for a large row: lengthens the file, and shortens it again.
    fn needs_space(&self) -> io::Result<()> {
        let length = self.disk.len()?;
        let lengthened = self.disk.set_len(length + PROBE_BYTES as u64);
        let written = lengthened.and_then(|()| self.disk.write(length, &[0; PROBE_BYTES]));
        self.disk.set_len(length)?;
        written
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

/// The failure of a disk.
pub(super) fn unwritable(error: &io::Error) -> StoreError {
    StoreError::Unwritable(error.to_string())
}

/// Whether a disk has no more space for this file.
fn is_out_of_space(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull)
}

/// Waits until the databases that were given up are closed.
fn drain(given_up: &mut Vec<Receiver<Infallible>>) -> Result<(), StoreError> {
    let open = |end: &mut Receiver<Infallible>| {
        end.recv_timeout(MAX_DRAIN) == Err(RecvTimeoutError::Timeout)
    };
    given_up.retain_mut(open);
    if given_up.is_empty() {
        return Ok(());
    }
    Err(StoreError::Unwritable("a snapshot from before the failure is still read".to_owned()))
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
                Some(row) => drop(rows.insert(key.as_slice(), &*seal::seal(key, row))?),
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

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Corrupted(cause) => Self::Damaged(cause),
            redb::Error::DatabaseAlreadyOpen => Self::Locked,
            redb::Error::Io(error) if is_out_of_space(&error) => unwritable(&error),
            error => Self::Engine(error.to_string()),
        }
    }
}

impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        redb::Error::from(error).into()
    }
}

impl From<TableError> for StoreError {
    fn from(error: TableError) -> Self {
        redb::Error::from(error).into()
    }
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        redb::Error::from(error).into()
    }
}
