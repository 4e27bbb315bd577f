//! A new private file, which has its name once it is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{PRIVATE, create_new, sync_directory_of};

/// A new file beside its place. It is removed unless it is [named](NewFile::name).
pub(crate) struct NewFile {
    draft: PathBuf,
    is_moved: bool,
    path: PathBuf,
}

impl NewFile {
    /// Creates a private file that will be at `path`, under a name that no other file has.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if there is something at `path`, and those of the directory.
    pub(crate) fn create(path: &Path) -> io::Result<(Self, File)> {
        if fs::symlink_metadata(path).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let own = path.with_added_extension(std::process::id().to_string());
        for number in 0_u32.. {
            let draft = own.with_added_extension(format!("{number}.new"));
            match create_new(&draft, PRIVATE) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => {
                    let new = Self { draft, is_moved: false, path: path.to_owned() };
                    return created.map(|file| (new, file));
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Where it is until it has its name.
    pub(crate) fn draft(&self) -> &Path {
        &self.draft
    }

    /// Gives it its name, which it takes from no other file, and which survives a crash from then on.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] if somebody else has made one meanwhile.
    pub(crate) fn name(mut self) -> io::Result<()> {
        match fs::hard_link(&self.draft, &self.path) {
            // Some file systems have no links.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                fs::rename(&self.draft, &self.path)?;
                self.is_moved = true;
            }
            linked => linked?,
        }
        sync_directory_of(&self.path)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_moved {
            // What cannot be removed stays, and is in nobody's way.
            let _ = fs::remove_file(&self.draft);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_takes_no_name_and_no_draft_of_another() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let (one, _) = NewFile::create(&path).unwrap();
        let (two, _) = NewFile::create(&path).unwrap();
        assert_ne!(one.draft(), two.draft());

        one.name().unwrap();

        let late = two.name().err().map(|error| error.kind());
        assert_eq!(late, Some(io::ErrorKind::AlreadyExists));
        assert!(NewFile::create(&path).is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
