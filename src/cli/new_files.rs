//! New files for a certificate and its key.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::private_file;
use crate::tls::KeyWithRequest;

use super::output::{Exit, Failure};

/// Two files that this command created. They are removed on drop unless they were filled.
pub(super) struct NewFiles {
    certificate: (PathBuf, File),
    filled: bool,
    key: (PathBuf, File),
}

impl NewFiles {
    /// Creates both files, before the certificate is requested. A file that exists is an error.
    pub(super) fn claim(certificate: &Path, key: &Path) -> Result<Self, Failure> {
        let first = made(certificate, 0o644)?;
        let second =
            made(key, private_file::PRIVATE).inspect_err(|_| drop(fs::remove_file(certificate)))?;
        Ok(Self {
            certificate: (certificate.to_owned(), first),
            filled: false,
            key: (key.to_owned(), second),
        })
    }

    /// Writes and syncs both files.
    pub(super) fn fill(mut self, certificate: &str, key: &KeyWithRequest) -> Result<(), Failure> {
        for ((path, file), text) in
            [(&mut self.certificate, certificate), (&mut self.key, key.key.as_str())]
        {
            file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| {
                Failure::new(Exit::Failed, format!("{} cannot be written: {error}", path.display()))
            })?;
        }
        self.filled = true;
        Ok(())
    }
}

impl Drop for NewFiles {
    fn drop(&mut self) {
        if !self.filled {
            // A file that cannot be removed stays, incomplete.
            let _ = fs::remove_file(&self.certificate.0);
            let _ = fs::remove_file(&self.key.0);
        }
    }
}

/// A new key, and the request for its certificate.
pub(super) fn key() -> Result<KeyWithRequest, Failure> {
    KeyWithRequest::generate().map_err(|error| Failure::new(Exit::Failed, error))
}

fn made(path: &Path, mode: u32) -> Result<File, Failure> {
    private_file::create_new(path, mode).map_err(|error| {
        let why = match error.kind() {
            std::io::ErrorKind::AlreadyExists => "is there, and is not overwritten".to_owned(),
            _ => format!("cannot be made: {error}"),
        };
        Failure::new(Exit::Failed, format!("{} {why}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_and_nothing_empty_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("key.pem"), "old").unwrap();

        let refused = NewFiles::claim(&path("cert.pem"), &path("key.pem")).err().unwrap();
        drop(NewFiles::claim(&path("a.pem"), &path("b.pem")).unwrap());

        assert!(refused.message.contains("key.pem is there, and is not overwritten"));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(path("key.pem")).unwrap(), "old");
    }

    #[test]
    fn the_key_is_its_owners() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let (certificate, path) = (directory.path().join("c"), directory.path().join("k"));
        let key = key().unwrap();

        NewFiles::claim(&certificate, &path).unwrap().fill("certificate", &key).unwrap();

        assert_eq!(fs::read_to_string(certificate).unwrap(), "certificate");
        assert_eq!(fs::read_to_string(&path).unwrap(), *key.key);
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
