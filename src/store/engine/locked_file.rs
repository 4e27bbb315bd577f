//! The file of a store, locked against other processes for as long as it is open.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use redb::{DatabaseError, StorageBackend as Backend};

use crate::store::StoreError;

/// The open and locked file.
#[derive(Debug)]
pub(super) struct LockedFile(File);

impl LockedFile {
    /// Opens the file at `path`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] if another process, or this one, has it open.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        let file = file.map_err(DatabaseError::from)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked),
            Err(TryLockError::Error(error)) => Err(DatabaseError::from(error).into()),
        }
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        // A child process that is just being started has the file open too, and would keep the lock
        // that this does not release. Closing the file releases it otherwise.
        let _ = self.0.unlock();
    }
}

impl Backend for LockedFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(out, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }
}
