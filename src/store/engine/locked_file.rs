//! The file of a store, locked against other processes for as long as it is open.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
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
        loop {
            let file = OpenOptions::new().read(true).write(true).open(path);
            let locked = Self(file.map_err(DatabaseError::from)?);
            match locked.0.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(StoreError::Locked),
                Err(TryLockError::Error(error)) => return Err(DatabaseError::from(error).into()),
            }
            // Whoever had the lock before may have put a new file in the place of this one.
            if locked.is_at(path).map_err(DatabaseError::from)? {
                return Ok(locked);
            }
        }
    }

    /// Whether it is still the file that is named `path`.
    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let (own, named) = (self.0.metadata()?, fs::metadata(path)?);
        Ok((own.dev(), own.ino()) == (named.dev(), named.ino()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_replaced_is_no_longer_at_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store");
        fs::write(&path, "before").unwrap();
        let before = LockedFile::open(&path).unwrap();
        assert!(before.is_at(&path).unwrap());

        fs::write(path.with_extension("new"), "after").unwrap();
        fs::rename(path.with_extension("new"), &path).unwrap();

        assert!(!before.is_at(&path).unwrap());
        assert!(LockedFile::open(&path).unwrap().is_at(&path).unwrap());
    }
}
