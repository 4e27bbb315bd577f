//! Files that only their owner may read: created with their mode, and replaced as a whole.
//!
//! Only this module writes secrets to disk: the root secret, the CA's key, the token file of
//! `login`, the empty store. It also reads the secrets that people write, and says whose a file is
//! that cannot be used.

mod new_file;
mod owner;
mod text;

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::Path;

use zeroize::Zeroizing;

pub(crate) use new_file::NewFile;
pub(crate) use owner::{Owner, Ownership, effective_user, is_root};
pub(crate) use text::{NotText, read_from, read_text, text, without_newline};

/// The mode of a private file.
pub(crate) const PRIVATE: u32 = 0o600;

/// The mode of a private directory.
const PRIVATE_DIRECTORY: u32 = 0o700;

/// The mode bits of everyone but the owner.
const OTHERS: u32 = 0o077;
/// The mode bits by which others may write.
const OTHERS_WRITE: u32 = 0o022;

/// Opens a new file of this mode for reading and writing. A file that exists is an error.
pub(crate) fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path)
}

/// Opens a private file for writing, and creates it if it is missing. Its contents stay.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(PRIVATE).open(path)
}

/// Opens a new private file at `draft`, after removing what a killed process may have left there:
/// an existing file would keep its mode, its owner and its open readers.
pub(crate) fn create_draft(draft: &Path) -> io::Result<File> {
    match fs::remove_file(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    create_new(draft, PRIVATE)
}

/// Replaces the private file at `path` as a whole, and syncs it and its name.
pub(crate) fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let draft = path.with_added_extension("new");
    let mut file = create_draft(&draft)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), sync_directory)
}

/// Syncs a directory, which makes new names in it durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Syncs the directory of `path`.
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    sync_directory(directory.unwrap_or(Path::new(".")))
}

/// Creates a directory that only its owner can open, with its parents. Removes the access of others
/// to an existing one.
///
/// # Errors
///
/// A directory that others can open is refused if it contains files that may not be this program's:
/// files of others, who would lose access to them, or files that others could have put there. `own`
/// are the names of this program's files.
pub(crate) fn make_directory(path: &Path, own: &[&str]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PRIVATE_DIRECTORY).create(path)?;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let is_empty = fs::read_dir(path)?.next().is_none();
    let is_writable = mode & OTHERS_WRITE != 0;
    if !is_empty && (is_writable || !own.iter().any(|name| path.join(name).exists())) {
        let why = if is_writable {
            "others can write to this directory (mode {mode}), and may have put files there"
        } else {
            "others can open this directory (mode {mode}), and it holds files that are not \
             Gatelodge's"
        };
        let why = why.replace("{mode}", &format!("{:04o}", mode & 0o7777));
        let path = path.display();
        return Err(io::Error::other(format!(
            "{why}; name an empty directory, or look at its files and close it: chmod 700 {path}"
        )));
    }
    fs::set_permissions(path, Permissions::from_mode(PRIVATE_DIRECTORY))
}

/// Reads a private file. A file of this process's user that others may read or write is refused,
/// since they may have done so. As with ssh, the file of another user is not judged: a service
/// manager passes secrets in files of its own, and may have to open them to a group.
///
/// # Errors
///
/// [`io::ErrorKind::Other`] if others may read the file, [`NotText`] in an error of the kind
/// [`io::ErrorKind::InvalidData`], and those of the file.
pub(crate) fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    let mode = about.permissions().mode();
    if mode & OTHERS != 0 && about.uid() == rustix::process::geteuid().as_raw() {
        return Err(io::Error::other(format!(
            "others may read this file (mode {:04o}): chmod 600 {}",
            mode & 0o7777,
            path.display()
        )));
    }
    read_from(file, u64::MAX)
}

/// Removes the access of others to a file.
pub(crate) fn close(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.permissions().mode() & OTHERS == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(PRIVATE))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_draft_left_behind_opens_the_secret_to_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let draft = path.with_added_extension("new");
        fs::write(&draft, "left behind").unwrap();
        set_mode(&draft, 0o644);
        let mut reader = File::open(&draft).unwrap();

        replace(&path, b"secret").unwrap();

        let mut seen = String::new();
        reader.read_to_string(&mut seen).unwrap();
        assert_eq!((mode(&path), seen.as_str()), (0o600, "left behind"));
        assert_eq!((fs::read(&path).unwrap().as_slice(), draft.exists()), (&b"secret"[..], false));
    }

    #[test]
    fn a_file_is_replaced_whole_and_keeps_no_open_mode() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        fs::write(&path, "a longer secret").unwrap();
        set_mode(&path, 0o666);

        replace(&path, b"b").unwrap();

        assert_eq!((mode(&path), fs::read_to_string(&path).unwrap().as_str()), (0o600, "b"));
    }

    #[test]
    fn a_directory_is_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (new, empty) = (directory.path().join("a/b"), directory.path().join("empty"));
        let (ours, foreign) = (directory.path().join("ours"), directory.path().join("foreign"));
        let planted = directory.path().join("planted");
        for (path, mode, file) in [
            (&empty, 0o777, None),
            (&ours, 0o755, Some("store")),
            (&foreign, 0o755, Some("thesis")),
            (&planted, 0o777, Some("store")),
        ] {
            fs::create_dir(path).unwrap();
            set_mode(path, mode);
            if let Some(file) = file {
                fs::write(path.join(file), "").unwrap();
            }
        }

        for path in [&new, &empty, &ours] {
            make_directory(path, &["store"]).unwrap();
            assert_eq!(mode(path), 0o700, "{}", path.display());
        }
        for (path, open) in [(&foreign, 0o755), (&planted, 0o777)] {
            let refused = make_directory(path, &["store"]).unwrap_err().to_string();
            assert!(refused.contains(&format!("mode 0{open:o}")), "{refused}");
            assert!(refused.contains("chmod 700"), "{refused}");
            assert_eq!(mode(path), open);
        }
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused_with_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        fs::write(&path, "").unwrap();
        set_mode(&path, 0o640);

        let refused = read(&path).unwrap_err().to_string();

        assert!(refused.contains("mode 0640") && refused.contains("chmod 600"), "{refused}");
        close(&path).unwrap();
        assert_eq!((mode(&path), read(&path).is_ok()), (0o600, true));
    }
}
