//! The disk below a database, with the changes that it has not taken.
//!
//! Changes go to the disk. If one fails, it and all later ones are kept in memory, so that what was
//! read before can still be read, and nothing else reaches the disk. A database that is opened anew
//! keeps its first changes in memory too, until [`Overlay::release`]: it can be read while nothing
//! can be written.

use std::borrow::Cow;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use redb::StorageBackend as Backend;

use super::large_writes::LargeWrites;

/// The bytes at the beginning of the file that say which commit is the last.
const HEADER: usize = 512;

/// A change of the disk.
#[derive(Clone, Debug)]
pub(super) enum Change<'a> {
    Length(u64),
    Sync,
    Write(u64, Cow<'a, [u8]>),
}

impl Change<'_> {
    fn make(&self, disk: &dyn Backend) -> io::Result<()> {
        match self {
            Self::Length(length) => disk.set_len(*length),
            Self::Sync => disk.sync_data(),
            Self::Write(offset, bytes) => disk.write(*offset, bytes),
        }
    }

    fn into_owned(self) -> Change<'static> {
        match self {
            Self::Length(length) => Change::Length(length),
            Self::Sync => Change::Sync,
            Self::Write(offset, bytes) => Change::Write(offset, bytes.into_owned().into()),
        }
    }
}

/// Why a database has to be opened anew.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// Its last commit failed, though no change did.
    Commit,
    /// The disk could not be read.
    Read,
    /// The disk did not take a change.
    Write(String),
}

/// The disk below one database. One thread at a time makes changes.
#[derive(Debug)]
pub(super) struct Overlay {
    disk: Arc<dyn Backend>,
    fault: OnceLock<Fault>,
    /// Whether the header was written and is not known to be durable.
    header_unsynced: AtomicBool,
    /// What was written at length since the changes go to the disk.
    large: LargeWrites,
    /// The changes that are kept in memory; `None` while they go to the disk.
    pending: RwLock<Option<Vec<Change<'static>>>>,
}

impl Overlay {
    /// Keeps all changes in memory, after `first`.
    pub(super) fn new(disk: &Arc<dyn Backend>, first: Vec<Change<'static>>) -> Self {
        Self {
            disk: Arc::clone(disk),
            fault: OnceLock::new(),
            header_unsynced: AtomicBool::new(false),
            large: LargeWrites::default(),
            pending: RwLock::new(Some(first)),
        }
    }

    /// Why the database has to be opened anew, if it has to.
    pub(super) fn fault(&self) -> Option<&Fault> {
        self.fault.get()
    }

    /// Whether changes are kept in memory.
    pub(super) fn is_pending(&self) -> bool {
        self.pending.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Makes the kept changes in their order, and lets all later ones go to the disk. If that
    /// fails, they are kept, and can be made again.
    pub(super) fn release(&self) -> io::Result<()> {
        if let Some(pending) = &*self.pending.read().unwrap_or_else(PoisonError::into_inner) {
            pending.iter().try_for_each(|change| change.make(&*self.disk))?;
        }
        *self.pending.write().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// Gives the database up: no later change reaches the disk.
    pub(super) fn give_up(&self, fault: Fault) {
        // The first fault is the cause.
        let _ = self.fault.set(fault);
        self.pending.write().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
    }

    /// The changes that undo a commit whose header may have been written, but is not known to be
    /// durable. `before` is the header before the commit.
    ///
    /// Until its header is durable, a commit leaves everything as it was that the header before it
    /// leads to.
    pub(super) fn undo(&self, before: Vec<u8>) -> Option<Vec<Change<'static>>> {
        let unsynced = self.header_unsynced.load(Ordering::SeqCst) && !before.is_empty();
        unsynced.then(|| vec![Change::Write(0, before.into()), Change::Sync])
    }

    fn change(&self, change: Change<'_>) -> io::Result<()> {
        if !self.is_pending() {
            if matches!(change, Change::Write(0, _)) {
                self.header_unsynced.store(true, Ordering::SeqCst);
            }
            let made = match &change {
                Change::Write(offset, bytes) => self.large.write(&*self.disk, *offset, bytes),
                Change::Length(length) => {
                    self.large.cut(*length);
                    change.make(&*self.disk)
                }
                Change::Sync => change.make(&*self.disk),
            };
            match made {
                Ok(()) => {
                    if matches!(change, Change::Sync) {
                        self.header_unsynced.store(false, Ordering::SeqCst);
                    }
                    return Ok(());
                }
                Err(error) => self.give_up(Fault::Write(error.to_string())),
            }
        }
        let mut pending = self.pending.write().unwrap_or_else(PoisonError::into_inner);
        pending.get_or_insert_default().push(change.into_owned());
        Ok(())
    }

    fn length(&self, pending: &[Change<'_>]) -> io::Result<u64> {
        pending.iter().try_fold(self.disk.len()?, |length, change| {
            Ok(match change {
                Change::Length(length) => *length,
                Change::Sync => length,
                Change::Write(offset, bytes) => length.max(offset + bytes.len() as u64),
            })
        })
    }

    fn look_up(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let pending = self.pending.read().unwrap_or_else(PoisonError::into_inner);
        let Some(pending) = &*pending else { return self.disk.read(offset, out) };
        if offset + out.len() as u64 > self.length(pending)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let there = within(self.disk.len()?.saturating_sub(offset), out.len());
        let (there, beyond) = out.split_at_mut(there);
        self.disk.read(offset, there)?;
        beyond.fill(0);
        for change in pending {
            match change {
                Change::Length(length) => {
                    let there = within(length.saturating_sub(offset), out.len());
                    out.get_mut(there..).unwrap_or_default().fill(0);
                }
                Change::Sync => {}
                Change::Write(at, bytes) => {
                    let into = within(at.saturating_sub(offset), out.len());
                    let from = within(offset.saturating_sub(*at), bytes.len());
                    let into = out.get_mut(into..).unwrap_or_default();
                    for (to, byte) in into.iter_mut().zip(bytes.get(from..).unwrap_or_default()) {
                        *to = *byte;
                    }
                }
            }
        }
        Ok(())
    }
}

/// `length`, but at most `max`.
fn within(length: u64, max: usize) -> usize {
    usize::try_from(length).map_or(max, |length| length.min(max))
}

/// The header of the database on `disk`. It is empty if there is none.
pub(super) fn header(disk: &dyn Backend) -> io::Result<Vec<u8>> {
    let mut header = vec![0; within(disk.len()?, HEADER)];
    disk.read(0, &mut header)?;
    Ok(header)
}

/// An [`Overlay`] as redb uses it. It has no lock of its own, since the engine holds that of the
/// file for as long as it lives.
#[derive(Debug)]
pub(super) struct Handle(pub(super) Arc<Overlay>);

impl Backend for Handle {
    fn len(&self) -> io::Result<u64> {
        let pending = self.0.pending.read().unwrap_or_else(PoisonError::into_inner);
        self.0.length(pending.as_deref().unwrap_or_default())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.look_up(offset, out).inspect_err(|_| self.0.give_up(Fault::Read))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.change(Change::Length(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.change(Change::Sync)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.change(Change::Write(offset, bytes.into()))
    }
}
