//! The restore of a backup, into an empty place or over an older store, which is moved aside.
//!
//! The new store is made and used beside the place, and gets its name last. Killed before, a restore
//! leaves what was there.

use std::fmt;
use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use crate::app::open::{display, key_file, make_directory};
use crate::app::{App, OpenError, Sources, WriteHealth};
use crate::clock::Timestamp;
use crate::config::{Config, Places};
use crate::error::Error;
use crate::event::Kind;
use crate::flow::events::{self, Act};
use crate::flow::installation::restore as flow_restore;
use crate::flow::{self, Context};
use crate::model::actor::Acting;
use crate::secret::{RootSecrets, hex};
use crate::store::backup::{BackupError, Header, Reader};
use crate::store::restore::{Newer, put_in_place, restore as restore_rows};
use crate::store::{Store, StoreError, Tx, rewrite};

pub use crate::store::restore::{Ending, Restored};

/// What a restore is to do.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// What ends.
    pub ending: Ending,
    /// Whether a store that is there may be replaced.
    pub replaces: bool,
}

/// What a restore did.
pub struct Report {
    /// Where the store before it is, if there was one.
    pub aside: Option<PathBuf>,
    /// When the backup was made, in the form of RFC 3339.
    pub created: String,
    /// Why the store before it could not tell what ended since the backup.
    pub silent: Option<String>,
    /// What became of the rows.
    pub restored: Restored,
    /// Whether the key file was written too.
    pub wrote_key: bool,
}

/// The reason why nothing was restored. What was there is as it was.
#[derive(Debug)]
pub enum RestoreError {
    /// The backup cannot be read.
    Backup(BackupError),
    /// The key there is not that of the backup.
    KeyOther(String),
    /// There is a store already, and it was not said that it may be replaced.
    Occupied(String),
    /// The place cannot be used.
    Open(OpenError),
}

impl RestoreError {
    /// The exit code.
    pub fn exit(&self) -> u8 {
        match self {
            Self::Backup(_) => 1,
            Self::KeyOther(_) => 5,
            Self::Occupied(_) => 4,
            Self::Open(error) => error.exit(),
        }
    }

    /// What can be done about it, where the sentence does not say it.
    pub fn remedy(&self) -> Option<&str> {
        match self {
            Self::Backup(BackupError::Closed(_)) => Some(
                "name a file with its passphrase (--passphrase-file) or with a key of its \
                      recipients (--identity)",
            ),
            Self::Backup(BackupError::Io(_) | BackupError::Store(_)) => {
                Some("nothing was changed; restore it once more when that is mended")
            }
            Self::Backup(_) => Some("take another backup; nothing was changed"),
            Self::KeyOther(_) => Some(
                "add the lines of the backup's key file behind those that are there: a key file may \
                 have several root secrets, the newest first",
            ),
            Self::Occupied(_) => Some(
                "with --replace, the store that is there is moved aside, and what ended since the \
                 backup stays ended",
            ),
            Self::Open(error) => error.remedy(),
        }
    }
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backup(error) => error.fmt(f),
            Self::KeyOther(key) => write!(
                f,
                "the root secrets of {key} are not all that the backup and the store there were made \
                 under, and could not read them"
            ),
            Self::Occupied(store) => write!(f, "there is a store at {store} already"),
            Self::Open(error) => error.fmt(f),
        }
    }
}

impl From<BackupError> for RestoreError {
    fn from(error: BackupError) -> Self {
        Self::Backup(error)
    }
}

impl From<OpenError> for RestoreError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

/// The store before, and why it does not tell what ended.
#[derive(Default)]
struct Before {
    newer: Option<Newer>,
    /// The values by which the root secrets that it needs are recognised.
    key_checks: Vec<String>,
    silent: Option<String>,
}

/// Restores the backup `input`, which is decrypted, to the data directory of `config`.
///
/// # Errors
///
/// [`RestoreError`]; nothing is changed then, but a key file that was missing may be there.
pub async fn restore(
    config: Config,
    input: impl BufRead,
    asked: Asked,
) -> Result<Report, RestoreError> {
    let reader = Reader::new(input)?;
    let header = reader.header().clone();
    let places = config.places.clone();
    let path = places.store();
    let is_there = fs::symlink_metadata(&path).is_ok();
    if is_there && !asked.replaces {
        return Err(RestoreError::Occupied(display(&path)));
    }
    // A link to a file elsewhere stays one.
    let path = fs::canonicalize(&path).unwrap_or(path);
    make_directory(&places)?;
    let before = if is_there { before(&path, &header)? } else { Before::default() };
    let (roots, is_new_key) = key(&config, &header, &before.key_checks)?;
    let place = path.with_added_extension("restored");
    let _draft = Draft(&place);
    let restored = restore_rows(reader, &place, before.newer.as_ref(), asked.ending)?;
    used(config, &roots, &place, &header).await?;
    if is_new_key {
        key_file::write(&places.key(), &roots)?;
    }
    let aside = is_there.then(|| aside(&path));
    put_in_place(&place, &path, aside.as_deref()).map_err(|error| failed(&places, error))?;
    let Before { silent, .. } = before;
    Ok(Report { aside, created: header.created, silent, restored, wrote_key: is_new_key })
}

/// The new store until it has its name.
struct Draft<'a>(&'a Path);

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // Once it has its name, there is nothing. What cannot be removed is overwritten by the next.
        let _ = fs::remove_file(self.0);
    }
}

/// Reads the store at `path`, as far as it tells of the installation of the backup.
fn before(path: &Path, header: &Header) -> Result<Before, RestoreError> {
    let silent = |why: String| Ok(Before { silent: Some(why), ..Before::default() });
    let newer = match Newer::open(path) {
        Err(error @ StoreError::Locked) => {
            return Err(OpenError::Store(display(path), error).into());
        }
        Err(error) => return silent(error.to_string()),
        Ok(newer) => newer,
    };
    let roots = match newer.installation() {
        Ok(Some(found)) if found.created.millis() == header.installation => found.roots,
        Ok(_) => return silent("it is another installation's".to_owned()),
        Err(error) => return silent(error.to_string()),
    };
    let key_checks = roots.iter().map(|root| hex(&root.check)).collect();
    match newer.follows(time(header)?) {
        Ok(true) => Ok(Before { newer: Some(newer), key_checks, silent: None }),
        Ok(false) => silent("it is older than the backup, or was made of an older one".to_owned()),
        Err(error) => silent(error.to_string()),
    }
}

/// The root secrets for the backup and for what the store before tells, and whether they are to be
/// written to the key file.
fn key(
    config: &Config,
    header: &Header,
    more_checks: &[String],
) -> Result<(RootSecrets, bool), RestoreError> {
    let fit =
        |roots: &RootSecrets| has_all(roots, &header.key_checks) && has_all(roots, more_checks);
    match key_file::read(config) {
        Ok(roots) if fit(&roots) => Ok((roots, false)),
        Ok(_) => Err(RestoreError::KeyOther(display(&config.places.key()))),
        Err(error @ OpenError::KeyMissing(_)) => {
            let Some(secrets) = &header.root_secrets else { return Err(error.into()) };
            let roots: Option<RootSecrets> = secrets.expose().parse().ok();
            Ok((roots.filter(fit).ok_or(BackupError::KeyOther)?, true))
        }
        Err(error) => Err(error.into()),
    }
}

/// How the root secrets of a place stand to a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStanding {
    /// There are none, or they cannot be read.
    Missing,
    /// They are not those of the backup.
    Other,
    /// They open it.
    Own,
}

/// How the root secrets of `config` stand to a backup.
pub fn key_standing(config: &Config, header: &Header) -> KeyStanding {
    match key_file::read(config) {
        Ok(roots) if has_all(&roots, &header.key_checks) => KeyStanding::Own,
        Ok(_) => KeyStanding::Other,
        Err(_) => KeyStanding::Missing,
    }
}

/// Whether every one of these is the value by which one of the root secrets is recognised.
pub(super) fn has_all(roots: &RootSecrets, checks: &[String]) -> bool {
    let own: Vec<String> = roots.iter().map(|root| hex(&root.check())).collect();
    checks.iter().all(|check| own.contains(check))
}

/// When the backup was made.
pub(super) fn time(header: &Header) -> Result<Timestamp, BackupError> {
    let taken = Timestamp::from_millis(header.taken);
    let same = taken.rfc3339() == header.created;
    same.then_some(taken).ok_or(BackupError::Damaged("its time is none"))
}

/// Opens the new store, and writes into it that it was restored.
async fn used(
    config: Config,
    roots: &RootSecrets,
    place: &Path,
    header: &Header,
) -> Result<(), RestoreError> {
    let places = config.places.clone();
    let store = Store::open(place).map_err(|error| failed(&places, error))?;
    let found = store.read().and_then(|read| flow::installation::find(&read));
    let found = found.map_err(|error| failed(&places, error))?;
    let damaged = BackupError::Damaged("it holds no installation");
    let issuer = found.ok_or(damaged)?.issuer;
    let made = time(header)?;
    let app =
        App::new(config, issuer, roots, store, Sources::default()).map_err(OpenError::from)?;
    let recorded = move |tx: &mut Tx<'_>, cx: &Context| {
        flow_restore::record(tx, cx, made)?;
        let act = Act::new(Kind::StoreRestored).fact("backup", made.rfc3339());
        events::record(tx, cx, act)?;
        Ok::<_, Error>(())
    };
    app.write_by(Acting::operator(None), recorded).await.map_err(|error| {
        match app.write_health() {
            WriteHealth::Unwritable { cause } => failed(&places, StoreError::Unwritable(cause)),
            WriteHealth::Writable => OpenError::from(error),
        }
    })?;
    Ok(())
}

fn aside(path: &Path) -> PathBuf {
    let now = crate::clock::Clock::System.now().seconds();
    rewrite::free(path.with_added_extension(format!("before-restore-{now}")), |_| false)
}

fn failed(places: &Places, error: StoreError) -> OpenError {
    OpenError::Store(display(&places.store()), error)
}
