//! Opens the installation on disk, or creates one.
//!
//! The root secret is written and synced before the store is created. A store whose root secret is
//! missing or wrong is refused; it never gets a new one. A rotation of the root secret that was begun
//! goes on.

pub(super) mod key_file;
mod loopback;

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use key_file::{KeyPlace, Missing};

use crate::app::{App, Sources};
use crate::config::{Config, Places};
use crate::error::Error;
use crate::flow;
use crate::oauth::issuer::Issuer;
use crate::private_file::{self, Owner};
use crate::secret::{RootSecret, RootSecrets};
use crate::store::schema::Installation;
use crate::store::{Store, StoreError, migrate, rewrite};

pub use loopback::loopback_ports;

/// The most time to wait for another process to release the store.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// The number of attempts within that time.
const LOCK_ATTEMPTS: u32 = 50;

/// The content of a data directory.
pub enum Found {
    /// An installation, its root secrets and its store.
    Installation(Box<Installation>, RootSecrets, Store),
    /// No installation.
    Nothing,
}

/// The reason why no installation could be opened or created.
#[derive(Debug)]
pub enum OpenError {
    /// The key file is malformed.
    KeyMalformed(String, String),
    /// The store exists, but its key does not.
    KeyMissing(String),
    /// The key belongs to another store.
    KeyWrong(String),
    /// The key file lacks a secret from before a rotation.
    KeyWithoutEarlier(String),
    /// There is no store.
    NoStore(String),
    /// A file or directory belongs to another user, who keeps this process from it.
    OfAnother {
        /// The sentence: what belongs to whom.
        owner: String,
        /// The file or directory.
        path: String,
        /// What can be done about it.
        remedy: String,
    },
    /// A file or directory could not be read or created.
    Place(String, io::Error),
    /// The store could not be opened.
    Store(String, StoreError),
    /// Something else failed.
    Failed(String),
}

impl OpenError {
    /// The exit code: 5 if there is no usable installation, 1 for another failure.
    pub fn exit(&self) -> u8 {
        match self {
            Self::KeyMalformed(..)
            | Self::KeyMissing(_)
            | Self::KeyWrong(_)
            | Self::KeyWithoutEarlier(_)
            | Self::NoStore(_)
            | Self::Store(
                _,
                StoreError::Locked
                | StoreError::NewerFormat { .. }
                | StoreError::NewerSchema { .. },
            ) => 5,
            Self::Failed(_) | Self::OfAnother { .. } | Self::Place(..) | Self::Store(..) => 1,
        }
    }

    /// What can be done about it, where the sentence does not say it.
    pub fn remedy(&self) -> Option<&str> {
        match self {
            Self::OfAnother { remedy, .. } => Some(remedy),
            Self::Store(_, error) => error.remedy(),
            Self::Failed(_)
            | Self::KeyMalformed(..)
            | Self::KeyMissing(_)
            | Self::KeyWrong(_)
            | Self::KeyWithoutEarlier(_)
            | Self::NoStore(_)
            | Self::Place(..) => None,
        }
    }

    /// The failure of the file or directory at `path`.
    fn place(path: &Path, error: io::Error) -> Self {
        match Owner::behind(&error, path) {
            Some(owner) => Self::OfAnother {
                owner: owner.to_string(),
                path: display(path),
                remedy: owner.remedy(),
            },
            None => Self::Place(display(path), error),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyMalformed(path, why) => write!(f, "the key file {path} is not one: {why}"),
            Self::KeyMissing(path) => write!(
                f,
                "the store's key file {path} is missing; restore it, or name it with \
                 GATELODGE_ROOT_SECRET_FILE (a new one could not read the store)"
            ),
            Self::KeyWrong(path) => {
                write!(f, "the root secret is not the one that the store {path} was made with")
            }
            Self::KeyWithoutEarlier(path) => write!(
                f,
                "the store {path} needs a root secret from before its last rotation, too, and it is \
                 not there; put it back behind the newest"
            ),
            Self::NoStore(path) => {
                write!(f, "there is no store at {path}; `gatelodge serve` makes one")
            }
            Self::OfAnother { owner, path, .. } => write!(f, "cannot use {path}: {owner}"),
            Self::Place(path, error) if error.kind() == io::ErrorKind::InvalidFilename => {
                write!(
                    f,
                    "cannot use {path}: {error}; name a data directory with shorter names (--data)"
                )
            }
            Self::Place(path, error) => write!(f, "cannot use {path}: {error}"),
            Self::Store(path, error @ StoreError::NewerSchema { .. }) => {
                write!(
                    f,
                    "cannot open the store {path}: {error}; use that version, or a newer one"
                )?;
                // It lies beside the file, wherever a link leads.
                let file = fs::canonicalize(path).unwrap_or_else(|_| path.into());
                let before = rewrite::before(&file, migrate::SCHEMA);
                if before.exists() {
                    let before = before.display();
                    write!(
                        f,
                        ", or go back to the store from before the upgrade, which loses what happened \
                         since: mv {before} {path}"
                    )?;
                }
                Ok(())
            }
            Self::Store(path, StoreError::Locked) => {
                write!(f, "another process has the store {path} open")
            }
            Self::Store(path, error) => write!(f, "cannot open the store {path}: {error}"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Found {
    /// Reads the data directory of `config`.
    pub async fn at(config: &Config) -> Result<Self, OpenError> {
        let (path, display) = (config.places.store(), display(&config.places.store()));
        if !path.try_exists().map_err(|error| OpenError::place(&path, error))? {
            return Ok(Self::Nothing);
        }
        let roots = match key_file::read(config) {
            // An empty store file contains nothing that needs the missing key.
            Err(OpenError::KeyMissing(_)) if is_empty(&path) => return Ok(Self::Nothing),
            roots => roots?,
        };
        let store = open_waiting_for_lock(&path).await?;
        let snapshot = store.read().map_err(|error| OpenError::Store(display.clone(), error))?;
        let found = flow::installation::find(&snapshot);
        let found = found.map_err(|error| OpenError::Store(display.clone(), error))?;
        let Some(found) = found else { return Ok(Self::Nothing) };
        match key_file::matched(Some(&found), &roots) {
            Ok(_) => Ok(Self::Installation(Box::new(found), roots, store)),
            Err(Missing::Newest) => Err(OpenError::KeyWrong(display)),
            Err(Missing::Earlier) => Err(OpenError::KeyWithoutEarlier(display)),
        }
    }
}

impl App {
    /// Opens the installation in the data directory of `config`.
    pub async fn open_existing(config: Config) -> Result<Self, OpenError> {
        match Found::at(&config).await? {
            Found::Installation(found, roots, store) => {
                Ok(Self::open(config, found.issuer, &roots, store).await?)
            }
            Found::Nothing => Err(OpenError::NoStore(display(&config.places.store()))),
        }
    }

    /// Opens an installation that was found, and goes on with a rotation of its root secret that was
    /// begun. While the store cannot be written, the rotation waits, and the secrets before it stay in
    /// force.
    pub async fn open(
        config: Config,
        issuer: Issuer,
        roots: &RootSecrets,
        store: Store,
    ) -> Result<Self, Error> {
        let place = KeyPlace::of(&config);
        let app = Self::new(config, issuer, roots, store, Sources::default())?.with_keys_at(place);
        if let Err(error) = app.go_on_with_rotation().await {
            tracing::error!(%error, "a rotation of the root key was begun, and cannot go on");
        }
        Ok(app)
    }

    /// Creates an installation of `issuer` in the data directory of `config`.
    pub async fn create(config: Config, issuer: Issuer) -> Result<Self, OpenError> {
        let sources = Sources::default();
        make_directory(&config.places)?;
        let roots = match key_file::read(&config) {
            Err(OpenError::KeyMissing(_)) => {
                let roots = RootSecret::generate(&sources.entropy.seed()).into();
                key_file::write(&config.places.key(), &roots)?;
                roots
            }
            roots => roots?,
        };
        let store = open_waiting_for_lock(&config.places.store()).await?;
        let place = KeyPlace::of(&config);
        let app = Self::new(config, issuer, &roots, store, sources)?.with_keys_at(place);
        app.write(flow::installation::create).await?;
        sync_directory(&app.rules().config.places.data)?;
        Ok(app)
    }
}

pub(super) fn display(path: &Path) -> String {
    path.display().to_string()
}

fn is_empty(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.len() == 0)
}

async fn open_waiting_for_lock(path: &Path) -> Result<Store, OpenError> {
    let mut tries = 0;
    loop {
        match Store::open(path) {
            Err(StoreError::Locked) if tries < LOCK_ATTEMPTS => {
                tries += 1;
                tokio::time::sleep(LOCK_TIMEOUT / LOCK_ATTEMPTS).await;
            }
            opened => return opened.map_err(|error| OpenError::Store(display(path), error)),
        }
    }
}

/// Creates the data directory, or removes the access of others to an existing one.
pub(crate) fn make_directory(places: &Places) -> Result<(), OpenError> {
    let own = [places.store(), places.key()];
    let own: Vec<&str> = own.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    private_file::make_directory(&places.data, &own)
        .map_err(|error| OpenError::place(&places.data, error))
}

/// Syncs a directory, which makes the names in it durable.
fn sync_directory(path: &Path) -> Result<(), OpenError> {
    private_file::sync_directory(path).map_err(|error| OpenError::place(path, error))
}
