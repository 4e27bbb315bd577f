//! Opens the installation on disk, or creates one.
//!
//! The root secret is written and synced before the store is created. A store whose root secret is
//! missing or wrong is refused; it never gets a new one.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::app::{App, Sources};
use crate::config::{Config, Places};
use crate::error::Error;
use crate::flow;
use crate::oauth::issuer::Issuer;
use crate::private_file::{self, Owner};
use crate::secret::{Pepper, RootSecret};
use crate::store::schema::Installation;
use crate::store::{Store, StoreError, migrate};

/// The most time to wait for another process to release the store.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
/// The number of attempts within that time.
const LOCK_ATTEMPTS: u32 = 50;

/// The content of a data directory.
pub enum Found {
    /// An installation, its root secret and its store.
    Installation(Box<Installation>, RootSecret, Store),
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
                let before = migrate::before(Path::new(path), migrate::SCHEMA);
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
        let root = match root_secret(config) {
            // An empty store file contains nothing that needs the missing key.
            Err(OpenError::KeyMissing(_)) if is_empty(&path) => return Ok(Self::Nothing),
            root => root?,
        };
        let store = open_waiting_for_lock(&path).await?;
        let snapshot = store.read().map_err(|error| OpenError::Store(display.clone(), error))?;
        let found = flow::installation::find(&snapshot);
        match found.map_err(|error| OpenError::Store(display.clone(), error))? {
            Some(found) if found.check == Pepper::new(&root).check() => {
                Ok(Self::Installation(Box::new(found), root, store))
            }
            Some(_) => Err(OpenError::KeyWrong(display)),
            None => Ok(Self::Nothing),
        }
    }
}

impl App {
    /// Opens the installation in the data directory of `config`.
    pub async fn open_existing(config: Config) -> Result<Self, OpenError> {
        match Found::at(&config).await? {
            Found::Installation(found, root, store) => {
                Ok(Self::new(config, found.issuer, &root, store, Sources::default())?)
            }
            Found::Nothing => Err(OpenError::NoStore(display(&config.places.store()))),
        }
    }

    /// Creates an installation of `issuer` in the data directory of `config`.
    pub async fn create(config: Config, issuer: Issuer) -> Result<Self, OpenError> {
        let sources = Sources::default();
        make_directory(&config.places)?;
        let root = match root_secret(&config) {
            Err(OpenError::KeyMissing(_)) => {
                let root = RootSecret::generate(&sources.entropy.seed());
                write_key(&config.places, &root)?;
                root
            }
            root => root?,
        };
        let store = open_waiting_for_lock(&config.places.store()).await?;
        let app = Self::new(config, issuer, &root, store, sources)?;
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

/// Reads the root secret from the configuration, or from the key file, which only its owner may
/// read.
pub(super) fn root_secret(config: &Config) -> Result<RootSecret, OpenError> {
    if let Some(root) = &config.root_secret {
        return Ok(root.clone());
    }
    let path = config.places.key();
    match private_file::read(&path) {
        Ok(written) => written
            .parse()
            .map_err(|why: &str| OpenError::KeyMalformed(display(&path), why.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(OpenError::KeyMissing(display(&path)))
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(OpenError::KeyMalformed(display(&path), error.to_string()))
        }
        Err(error) => Err(OpenError::place(&path, error)),
    }
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
pub(super) fn make_directory(places: &Places) -> Result<(), OpenError> {
    let own = [places.store(), places.key()];
    let own: Vec<&str> = own.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    private_file::make_directory(&places.data, &own)
        .map_err(|error| OpenError::place(&places.data, error))
}

/// Writes and syncs the key file. The store is created after it.
pub(super) fn write_key(places: &Places, root: &RootSecret) -> Result<(), OpenError> {
    let path = places.key();
    let line = zeroize::Zeroizing::new(format!("{}\n", root.expose().as_str()));
    private_file::replace(&path, line.as_bytes()).map_err(|error| OpenError::place(&path, error))
}

/// Syncs a directory, which makes the names in it durable.
fn sync_directory(path: &Path) -> Result<(), OpenError> {
    private_file::sync_directory(path).map_err(|error| OpenError::place(path, error))
}
