//! The backups that the server makes by itself.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{BackupError, Sealing, written};
use crate::app::App;
use crate::clock::Timestamp;
use crate::config::BackupSettings;
use crate::error::{Error, Internal};
use crate::event::Kind;
use crate::flow;
use crate::flow::events::Act;
use crate::model::actor::Acting;
use crate::store::StoreError;

/// The time from a backup that failed to the next that is tried.
const RETRY: Duration = Duration::from_mins(5);

/// The beginnings and ends of the names of files. Nothing that is named otherwise is removed.
const BEGINS: &str = "gatelodge-";
const ENDS: &str = ".backup";
const ENDS_ENCRYPTED: &str = ".backup.age";
const ENDS_DRAFT: &str = ".new";

/// A backup that the server made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The time of its snapshot.
    pub at: Timestamp,
    /// The file.
    pub file: PathBuf,
}

/// What the backups share with the store, so that both may be lost at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// They lie in the data directory.
    Directory,
    /// They lie on the same filesystem.
    Filesystem,
}

/// How the backups that the server makes by itself stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupStanding {
    /// The time of the last try and why it failed, if it did.
    pub failed: Option<(Timestamp, String)>,
    /// The newest that there is.
    pub last: Option<Made>,
    /// What they share with the store, if anything is known of it.
    pub shared: Option<Shared>,
    /// The directory; `None`: it makes none.
    pub to: Option<PathBuf>,
}

impl BackupStanding {
    /// The sentence, if the last try failed. It names no file.
    pub fn fault(&self) -> Option<String> {
        let (_, why) = self.failed.as_ref()?;
        let newest = match &self.last {
            Some(made) => format!("the newest is of {}", made.at.rfc3339()),
            None => "there is none".to_owned(),
        };
        Some(format!("no backup could be made: {why}; {newest}"))
    }
}

/// The standing of the backups, which one task changes.
#[derive(Default)]
pub(in crate::app) struct Backups(Mutex<BackupStanding>);

impl Backups {
    fn standing(&self) -> MutexGuard<'_, BackupStanding> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// How the backups that the server makes by itself stand, as far as it has looked: no disk is asked,
    /// which may be one of another machine.
    pub fn backup_standing(&self) -> BackupStanding {
        let to = self.rules().config.backup.to.clone();
        let standing = self.backups.standing();
        if standing.to == to {
            standing.clone()
        } else {
            BackupStanding { to, ..BackupStanding::default() }
        }
    }

    /// Looks which backups there are.
    ///
    /// # Errors
    ///
    /// Those that are not of the directory.
    pub(in crate::app) async fn look_for_backups(self: &Arc<Self>) -> Result<(), Error> {
        let app = Arc::clone(self);
        tokio::task::spawn_blocking(move || app.look()).await.map(drop).map_err(Internal::new)?;
        Ok(())
    }

    /// Makes a backup if one is due. What comes of it is logged, and is in [`App::backup_standing`].
    ///
    /// # Errors
    ///
    /// Those that are not of the backup.
    pub async fn back_up_if_due(self: &Arc<Self>) -> Result<(), Error> {
        let app = Arc::clone(self);
        tokio::task::spawn_blocking(move || app.back_up_by_itself())
            .await
            .map_err(Internal::new)?;
        Ok(())
    }

    fn back_up_by_itself(&self) {
        let settings = self.rules().config.backup.clone();
        let Some(to) = &settings.to else { return };
        let now = self.clock().now();
        let before = self.look();
        if !is_due(&before, settings.every, now) {
            return;
        }
        match self.make_one(to, &settings, now) {
            Ok(made) => {
                tracing::info!(file = %made.file.display(), "a backup was made");
                let act = Act::new(Kind::BackupMade).named(made.file.display());
                self.note(Acting::default(), act);
                *self.backups.standing() = BackupStanding {
                    failed: None,
                    last: Some(made),
                    shared: shared(to, &self.rules().config.places.data),
                    to: Some(to.clone()),
                };
                if let Ok(prefix) = self.prefix() {
                    remove_old(to, &prefix, settings.keep);
                }
            }
            Err(error) => {
                let why = error.to_string();
                tracing::error!(to = %to.display(), why, "a backup could not be made");
                if before.failed.is_none() {
                    self.note(Acting::default(), Act::new(Kind::BackupFailed).fact("reason", &why));
                }
                self.backups.standing().failed = Some((now, why));
            }
        }
    }

    /// How the backups stand. Those of earlier processes are found, and what somebody removed is none any
    /// more.
    fn look(&self) -> BackupStanding {
        let mut standing = self.backup_standing();
        if let Some(to) = &standing.to
            && standing.last.as_ref().is_none_or(|made| !has_bytes(&made.file))
        {
            let made = self.prefix().map(|prefix| all(to, &prefix)).unwrap_or_default();
            standing.last = made.into_iter().max_by_key(|made| made.at);
        }
        let to = standing.to.as_ref();
        standing.shared = to.and_then(|to| shared(to, &self.rules().config.places.data));
        *self.backups.standing() = standing.clone();
        standing
    }

    /// What the names of this installation's backups begin with: several may use one directory.
    fn prefix(&self) -> Result<String, StoreError> {
        let found = flow::installation::find(&self.read()?)?;
        let created = found.map_or(Timestamp::default(), |found| found.created);
        Ok(format!("{BEGINS}{:x}-", created.millis()))
    }

    fn make_one(
        &self,
        to: &Path,
        settings: &BackupSettings,
        now: Timestamp,
    ) -> Result<Made, BackupError> {
        make_directory(to)?;
        let sealing = Sealing::of(settings.recipients.clone());
        let file = to.join(name(&self.prefix()?, now, !sealing.is_open()));
        written(&file, |out| {
            let sealed = sealing.over(out)?;
            self.back_up(sealed)?.0.finish()?;
            Ok(())
        })?;
        Ok(Made { at: now, file })
    }
}

fn is_due(standing: &BackupStanding, every: Duration, now: Timestamp) -> bool {
    let tried = standing.failed.as_ref().is_some_and(|(at, _)| *at <= now && now < *at + RETRY);
    // What a clock that was ahead named is no reason to wait.
    let made = standing.last.as_ref().is_some_and(|made| made.at <= now && now < made.at + every);
    !tried && !made
}

/// What the directory `to` shares with the data directory.
fn shared(to: &Path, data: &Path) -> Option<Shared> {
    let (to, data) = (to.canonicalize().ok()?, data.canonicalize().ok()?);
    if to.starts_with(&data) {
        return Some(Shared::Directory);
    }
    let [to, data] = [to, data].map(|path| fs::metadata(path).map(|found| found.dev()).ok());
    (to.is_some() && to == data).then_some(Shared::Filesystem)
}

/// Makes the directory, but none above it: where a disk is not mounted, there is no place for it.
fn make_directory(to: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && to.is_dir() => Ok(()),
        made => made,
    }
}

/// The name of a backup: its time, in digits that sort as it does.
fn name(prefix: &str, at: Timestamp, is_encrypted: bool) -> String {
    let ends = if is_encrypted { ENDS_ENCRYPTED } else { ENDS };
    format!("{prefix}{}{ends}", at.rfc3339().replace(['-', ':'], ""))
}

/// The time in the name of a file, if it is that of a backup.
fn time(prefix: &str, name: &OsStr) -> Option<Timestamp> {
    let name = name.to_str()?.strip_prefix(prefix)?;
    let time = name.strip_suffix(ENDS_ENCRYPTED).or_else(|| name.strip_suffix(ENDS))?;
    let (date, clock) = time.strip_suffix('Z')?.split_once('T')?;
    let part = |text: &str, from, to| text.get(from..to).map(str::to_owned);
    let date = [part(date, 0, 4)?, part(date, 4, 6)?, part(date, 6, 8)?].join("-");
    let clock = [part(clock, 0, 2)?, part(clock, 2, 4)?, part(clock, 4, 6)?].join(":");
    Timestamp::from_rfc3339(&format!("{date}T{clock}Z"))
        .filter(|at| name.starts_with(&at.rfc3339().replace(['-', ':'], "")))
}

/// Every backup in a directory, as far as it can be read. An empty file is none.
fn all(to: &Path, prefix: &str) -> Vec<Made> {
    let entries = fs::read_dir(to).into_iter().flatten().flatten();
    let made = entries.filter_map(|entry| {
        Some(Made { at: time(prefix, &entry.file_name())?, file: entry.path() })
    });
    made.filter(|made| has_bytes(&made.file)).collect()
}

fn has_bytes(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.len() > 0)
}

/// Removes all but the newest `keep`, and what killed processes left half made.
fn remove_old(to: &Path, prefix: &str, keep: usize) {
    let mut made = all(to, prefix);
    made.sort_by_key(|made| Reverse(made.at));
    let old = made.into_iter().skip(keep).map(|made| made.file);
    let entries = fs::read_dir(to).into_iter().flatten().flatten().map(|entry| entry.path());
    // NAME.PROCESS.NUMBER.new; this process has none at the moment.
    let halves = entries.filter(|path| {
        let draft = path.file_name().and_then(OsStr::to_str);
        let draft = draft.and_then(|name| name.strip_suffix(ENDS_DRAFT));
        let whole = draft.and_then(|name| name.rsplitn(3, '.').nth(2));
        whole.is_some_and(|whole| time(prefix, OsStr::new(whole)).is_some())
    });
    for file in old.chain(halves) {
        if let Err(error) = fs::remove_file(&file) {
            tracing::warn!(file = %file.display(), %error, "an old backup could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_796_000_000);
    const PREFIX: &str = "gatelodge-1a-";

    fn made(at: Timestamp) -> BackupStanding {
        let last = Made { at, file: PathBuf::from("/b") };
        BackupStanding { last: Some(last), ..BackupStanding::default() }
    }

    #[test]
    fn a_name_says_its_time_and_another_file_has_none() {
        for is_encrypted in [true, false] {
            assert_eq!(time(PREFIX, OsStr::new(&name(PREFIX, NOW, is_encrypted))), Some(NOW));
        }
        assert_eq!(name(PREFIX, NOW, false), "gatelodge-1a-20261130T005320Z.backup");
        for other in [
            "gatelodge-1a-20261130T013320Z",
            "gatelodge-1a-20261130T013320Z.backup.new",
            "gatelodge-1a-20261130T0133201Z.backup",
            "gatelodge-1a-20261330T013320Z.backup",
            "gatelodge-1a-20261130T013320.backup",
            "gatelodge.redb",
            "gatelodge-1b-20261130T013320Z.backup",
            "gatelodge-1a-ééé.backup",
        ] {
            assert_eq!(time(PREFIX, OsStr::new(other)), None, "{other}");
        }
    }

    #[test]
    fn what_lies_in_the_data_directory_or_beside_it_is_lost_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let [data, inside, beside] = ["data", "data/backups", "backups"].map(|name| {
            let path = directory.path().join(name);
            fs::create_dir_all(&path).unwrap();
            path
        });

        assert_eq!(shared(&data, &data), Some(Shared::Directory));
        assert_eq!(shared(&inside, &data), Some(Shared::Directory));
        assert_eq!(shared(&beside, &data), Some(Shared::Filesystem));
        assert_eq!(shared(Path::new("/proc"), &data), None, "another filesystem");
        assert_eq!(shared(&directory.path().join("nowhere"), &data), None);
    }

    #[test]
    fn one_is_due_after_the_interval_and_soon_after_a_failure() {
        let day = Duration::from_hours(24);
        let due = |standing: &BackupStanding| is_due(standing, day, NOW);

        assert!(due(&BackupStanding::default()));
        assert!(due(&made(NOW - day)));
        assert!(!due(&made(NOW - Duration::from_hours(23))));
        assert!(due(&made(NOW + day)), "a clock was ahead");
        let failed = |ago| BackupStanding {
            failed: Some((NOW - ago, "no space".to_owned())),
            ..made(NOW - day)
        };
        assert!(!due(&failed(Duration::from_mins(4))));
        assert!(due(&failed(RETRY)));
    }

    #[test]
    fn the_newest_are_kept_and_nothing_else_is_touched() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let at = |hours: u64| NOW + Duration::from_hours(hours);
        for hours in 0..5 {
            fs::write(path(&name(PREFIX, at(hours), hours % 2 == 0)), "b").unwrap();
        }
        fs::write(path(&format!("{}.17.0.new", name(PREFIX, at(9), false))), "").unwrap();
        let neighbour = name("gatelodge-2-", at(0), false);
        fs::write(path(&neighbour), "b").unwrap();
        fs::write(path("notes.backup"), "").unwrap();

        remove_old(directory.path(), PREFIX, 2);

        let mut left: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let [third, fourth] =
            [(3, false), (4, true)].map(|(hours, is)| name(PREFIX, at(hours), is));
        let left_over = [third, fourth, neighbour, "notes.backup".to_owned()];
        assert_eq!(left, left_over);
    }
}
