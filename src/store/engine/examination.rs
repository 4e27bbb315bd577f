//! The examination of a file that is changed by nobody, least of all by this.

use std::path::Path;
use std::sync::Arc;

use redb::{DatabaseError, StorageError};

use crate::store::StoreError;

use super::guard::guarded;
use super::locked_file::LockedFile;
use super::{Backend, Opened, Snapshot};

/// What was found of a file.
pub(in crate::store) struct Examined {
    /// Whether every page of the last commit is as it was written.
    pub(in crate::store) pages_are_whole: bool,
    /// The last commit.
    pub(in crate::store) snapshot: Snapshot,
}

/// Examines the file at `path`, and holds its lock meanwhile.
///
/// # Errors
///
/// [`StoreError::Damaged`] if it cannot be opened or read at all.
pub(in crate::store) fn examine(path: &Path) -> Result<Examined, StoreError> {
    examine_disk(LockedFile::open(path)?)
}

/// As [`examine`], of a disk. What the engine would write stays in memory.
pub(in crate::store) fn examine_disk(disk: impl Backend) -> Result<Examined, StoreError> {
    let disk: Arc<dyn Backend> = Arc::new(disk);
    let (mut opened, _end) = Opened::over(&disk, Vec::new())?;
    let database = Arc::get_mut(&mut opened).and_then(|opened| opened.database.as_mut());
    let database = database.ok_or(StoreError::Stopped)?;
    let pages_are_whole = match guarded(|| database.check_integrity()) {
        Ok(Ok(are_whole)) => are_whole,
        // Over a page that is not as it was written, redb ends the check, and the database with it.
        Ok(Err(DatabaseError::Storage(StorageError::Corrupted(_)))) | Err(_) => false,
        Ok(Err(error)) => return Err(error.into()),
    };
    if !pages_are_whole {
        opened = Opened::over(&disk, Vec::new())?.0;
    }
    Ok(Examined { pages_are_whole, snapshot: Snapshot::of(&opened)? })
}
