//! The token files: one for each issuer, in a directory that only its owner can open.
//!
//! A file is replaced whole, so readers need no lock. A writer holds the issuer's lock and reads
//! the file again under it. The system releases the lock of a process that ends, however it ends.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::oauth_client::issuer::Issuer;
use crate::oauth_client::{Error, ErrorKind};
use crate::private_file;
use crate::secret::RootSecret;

use super::{Session, keyring, seal};

/// The most time of waiting for a lock: longer than a refresh with its requests and a keyring to
/// unlock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(120);

/// The version of the file's format.
const VERSION: u32 = 1;

/// The characters that are percent-encoded in a file's name.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

/// The token file of one issuer.
pub(crate) struct TokenFile {
    directory: PathBuf,
    issuer: Issuer,
}

/// The stored data of an issuer.
pub(crate) struct StoredSignIn {
    /// The `client_id` at the issuer, which is kept after a sign-out.
    pub(crate) client_id: String,
    /// The keyring's key under which the sign-in is sealed; `None` if it is not sealed.
    pub(crate) key: Option<RootSecret>,
    pub(crate) session: Option<Session>,
}

/// The content of the file.
#[derive(Serialize, Deserialize)]
struct Row {
    version: u32,
    issuer: String,
    client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<Session>,
}

/// A token file whose lock this process holds.
pub(crate) struct Locked<'a> {
    token_file: &'a TokenFile,
    _lock: File,
}

impl TokenFile {
    /// The token file of `issuer` in `directory`.
    pub(crate) fn new(directory: PathBuf, issuer: Issuer) -> Self {
        Self { directory, issuer }
    }

    /// The issuer that the person is signed in to, if there is exactly one.
    pub(crate) fn only_issuer(directory: &Path) -> Option<Issuer> {
        let files = fs::read_dir(directory).ok()?.flatten().map(|entry| entry.path());
        let rows = files.filter(|path| path.extension().is_some_and(|is| is == "json"));
        let rows = rows.filter_map(|path| row(&path).ok().flatten());
        let mut live = rows.filter(|row| row.session.is_some() || row.sealed.is_some());
        match (live.next(), live.next()) {
            (Some(only), None) => only.issuer.parse().ok(),
            (Some(_) | None, _) => None,
        }
    }

    /// The path of the file.
    pub(crate) fn file(&self) -> PathBuf {
        self.with("json")
    }

    fn with(&self, extension: &str) -> PathBuf {
        let name = utf8_percent_encode(self.issuer.as_str(), ESCAPED);
        self.directory.join(format!("{name}.{extension}"))
    }

    /// The stored `client_id`, if the file exists and can be read.
    pub(crate) fn client_id(&self) -> Option<String> {
        row(&self.file()).ok().flatten().map(|row| row.client_id)
    }

    /// Reads the stored sign-in, if there is one.
    pub(crate) async fn read(&self) -> Result<Option<StoredSignIn>, Error> {
        let Some(row) = row(&self.file())? else { return Ok(None) };
        let Row { client_id, sealed, session, .. } = row;
        let Some(sealed) = sealed else {
            return Ok(Some(StoredSignIn { client_id, key: None, session }));
        };
        let lost = |why: &str| {
            let issuer = &self.issuer;
            let message = format!(
                "what was kept for {issuer} is sealed, and the keyring does not open it ({why}); \
                 gatelodge login --issuer {issuer} begins anew"
            );
            Error::new(ErrorKind::Failed, message)
        };
        let key = keyring::look_up(&self.issuer).await.map_err(|why| lost(&why))?;
        let key = key.ok_or_else(|| lost("it has no key for it"))?;
        let opened = seal::open(&key, self.issuer.as_str(), &sealed);
        let session = opened.and_then(|plain| serde_json::from_slice(&plain).ok());
        let session = session.ok_or_else(|| lost("its key is another"))?;
        Ok(Some(StoredSignIn { client_id, key: Some(key), session: Some(session) }))
    }

    /// Waits for the lock of the file.
    pub(crate) async fn lock(&self) -> Result<Locked<'_>, Error> {
        let path = self.with("lock");
        let amiss = |error: io::Error| unusable(&path, &error);
        let own = ["json", "json.new", "lock"].map(|extension| self.with(extension));
        let own: Vec<&str> = own.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        private_file::make_directory(&self.directory, &own)
            .map_err(|error| unusable(&self.directory, &error))?;
        let file = private_file::open(&path).map_err(amiss)?;
        let (locked, waiting) = oneshot::channel();
        // A thread of its own, since waiting for a file lock has no timeout.
        std::thread::spawn(move || {
            let outcome = file.lock().map(|()| file);
            // If nobody waits any more, dropping the file releases the lock.
            let _ = locked.send(outcome);
        });
        match timeout(LOCK_TIMEOUT, waiting).await {
            Ok(Ok(outcome)) => Ok(Locked { token_file: self, _lock: outcome.map_err(amiss)? }),
            Ok(Err(_)) | Err(_) => {
                let message = format!("{}: another process keeps it locked", path.display());
                Err(Error::new(ErrorKind::Failed, message))
            }
        }
    }
}

impl Locked<'_> {
    /// Reads the stored sign-in. It cannot change as long as the lock is held.
    pub(crate) async fn read(&self) -> Result<Option<StoredSignIn>, Error> {
        self.token_file.read().await
    }

    /// Replaces the stored sign-in.
    pub(crate) fn write(&self, stored: StoredSignIn) -> Result<(), Error> {
        let StoredSignIn { client_id, key, session } = stored;
        let issuer = self.token_file.issuer.as_str();
        let row =
            Row { version: VERSION, issuer: issuer.to_owned(), client_id, sealed: None, session };
        let row = match (key, &row.session) {
            (Some(key), Some(session)) => {
                let sealed = seal::seal(&key, issuer, written(session).to_vec());
                Row { sealed: Some(sealed), session: None, ..row }
            }
            (Some(_) | None, _) => row,
        };
        let path = self.token_file.file();
        private_file::replace(&path, &written(&row)).map_err(|error| unusable(&path, &error))
    }
}

fn written(what: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let written = serde_json::to_vec(what);
    Zeroizing::new(written.expect("what is kept is plain data, which JSON always encodes"))
}

fn row(path: &Path) -> Result<Option<Row>, Error> {
    let text = match private_file::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path, &error)),
    };
    // serde's error could contain a part of a token.
    match serde_json::from_str::<Row>(&text) {
        Ok(row) if row.version == VERSION => Ok(Some(row)),
        Ok(_) | Err(_) => {
            let message = format!("{} is none of this version's; remove it", path.display());
            Err(Error::new(ErrorKind::Failed, message))
        }
    }
}

fn unusable(path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::Failed, format!("cannot use {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::clock::Timestamp;

    fn token_file(directory: &Path) -> TokenFile {
        TokenFile::new(directory.join("a/tokens"), "http://localhost:7455".parse().unwrap())
    }

    fn stored() -> StoredSignIn {
        let tokens = json!({ "access_token": "a", "token_type": "Bearer", "refresh_token": "r" });
        let tokens = serde_json::from_value(tokens).unwrap();
        let now = Timestamp::from_seconds(1);
        let session = Session::new(tokens, &Map::new(), Vec::new(), now);
        StoredSignIn { client_id: "cli".to_owned(), key: None, session: Some(session) }
    }

    #[tokio::test]
    async fn what_is_kept_is_found_again_and_is_the_only_one() {
        let directory = tempfile::tempdir().unwrap();
        let token_file = token_file(directory.path());
        assert!(token_file.read().await.unwrap().is_none() && !token_file.directory.exists());

        token_file.lock().await.unwrap().write(stored()).unwrap();

        let found = token_file.read().await.unwrap().unwrap();
        assert!(found.session.unwrap().refresh_token.unwrap().is("r"));
        assert_eq!(token_file.client_id().as_deref(), Some("cli"));
        assert_eq!(TokenFile::only_issuer(&token_file.directory), Some(token_file.issuer.clone()));
        assert!(token_file.file().ends_with("http%3A%2F%2Flocalhost%3A7455.json"));
    }

    #[tokio::test]
    async fn nobody_else_reads_it_whatever_was_there_before() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let token_file = token_file(directory.path());
        fs::create_dir_all(&token_file.directory).unwrap();
        fs::write(token_file.with("json.new"), "left by somebody").unwrap();
        fs::set_permissions(token_file.with("json.new"), fs::Permissions::from_mode(0o666))
            .unwrap();

        token_file.lock().await.unwrap().write(stored()).unwrap();

        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&token_file.directory), 0o700);
        assert_eq!((mode(&token_file.file()), mode(&token_file.with("lock"))), (0o600, 0o600));
        assert!(!token_file.with("json.new").exists());
    }

    #[tokio::test]
    async fn a_file_that_others_may_read_is_refused_until_a_new_sign_in_replaces_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let token_file = token_file(directory.path());
        token_file.lock().await.unwrap().write(stored()).unwrap();
        let open = fs::Permissions::from_mode(0o640);
        fs::set_permissions(token_file.file(), open).unwrap();

        let refused = token_file.read().await.err().unwrap().message;
        token_file.lock().await.unwrap().write(stored()).unwrap();

        assert!(refused.contains("others may read this file (mode 0640)"), "{refused}");
        assert!(token_file.read().await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_lock_keeps_others_waiting_until_it_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let token_file = token_file(directory.path());
        let first = token_file.lock().await.unwrap();

        let early = timeout(Duration::from_millis(50), token_file.lock()).await;
        drop(first);
        let late = timeout(Duration::from_secs(30), token_file.lock()).await;

        assert!(early.is_err() && late.is_ok_and(|locked| locked.is_ok()));
    }

    #[tokio::test]
    async fn a_file_that_is_broken_says_so_and_nothing_of_itself() {
        let directory = tempfile::tempdir().unwrap();
        let token_file = token_file(directory.path());
        fs::create_dir_all(&token_file.directory).unwrap();

        for broken in ["", "{\"version\":1,\"client_id\":gl_rt_secret", "{\"version\":2}"] {
            private_file::replace(&token_file.file(), broken.as_bytes()).unwrap();
            let failure = token_file.read().await.err().unwrap();
            assert!(!failure.message.contains("gl_rt_"), "{}", failure.message);
        }
        assert_eq!(token_file.client_id(), None);
    }
}
