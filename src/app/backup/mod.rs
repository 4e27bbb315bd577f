//! Backups: of a running installation from one snapshot, while writers go on.
//!
//! The root secret is in none, unless it is asked for, and then the backup has to be encrypted:
//! whoever has both can sign tokens.

mod cipher;
mod restore;
mod schedule;

use std::fs::File;
use std::io::{self, BufRead, BufWriter, Read as _, Write};
use std::panic;
use std::path::Path;
use std::thread;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{App, OpenError};
use crate::clock::Clock;
use crate::config::Config;
use crate::flow;
use crate::private_file::NewFile;
use crate::secret::{RootSecrets, hex};
use crate::store::backup::{HeldSecrets, Reader, Writer};
use crate::store::migrate::SCHEMA;
use crate::store::{Read as Snapshot, StoreError};

pub use crate::store::backup::{BackupError, FORMAT, Header};
pub use cipher::{Closed, Opening, Sealing, recognised};
pub use restore::{
    Asked, Ending, KeyStanding, Report, RestoreError, Restored, key_standing, restore,
};
pub(super) use schedule::Backups;
pub use schedule::{BackupStanding, Made, Shared};

impl App {
    /// Writes a backup of the last commit to `out`. Returns what it was written to, and the number of
    /// its rows.
    ///
    /// # Errors
    ///
    /// Those of `out`, and of a store that cannot be read; or that there can be no further thread.
    pub fn back_up<W: Write + Send>(&self, out: W) -> Result<(W, u64), BackupError> {
        aside(|| {
            let read = self.read()?;
            let mut writer = Writer::new(out, &self.header(&read)?)?;
            let mut turns = Turns::of(self);
            writer.rows_of(&read, || turns.next_row())?;
            Ok(writer.finish()?)
        })?
    }

    fn header(&self, read: &Snapshot) -> Result<Header, StoreError> {
        let found = flow::installation::find(read)?;
        let found =
            found.ok_or_else(|| StoreError::Engine("it holds no installation".to_owned()))?;
        let now = self.clock().now();
        Ok(Header {
            gatelodge_backup: FORMAT,
            created: now.rfc3339(),
            installation: found.created.millis(),
            issuer: found.issuer.to_string(),
            key_checks: found.roots.iter().map(|root| hex(&root.check)).collect(),
            root_secrets: None,
            schema: SCHEMA,
            taken: now.millis(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }
}

/// How many rows are read before somebody looks at the clock.
const ROWS: u32 = 64;

/// How long a backup goes on at least before it leaves time to requests.
const TURN: Duration = Duration::from_micros(500);

/// The time that it leaves to them.
const PAUSE: Duration = Duration::from_millis(4);

/// Does this on a thread of its own, which stands back behind the others where processors are short.
fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|threads| {
        let working =
            thread::Builder::new().name("backup".to_owned()).spawn_scoped(threads, || {
                stand_back();
                work()
            })?;
        Ok(working.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked)))
    })
}

/// Lowers the priority of this thread. A system that does not allow this lets it have the processors as it
/// lets others; and where a priority is that of the whole process, nothing is done.
fn stand_back() {
    if cfg!(target_os = "linux") {
        let _ = rustix::process::nice(NICENESS);
    }
}

/// How far a backup stands back behind others where processors are short: it gets a tenth of what they get. The
/// system compares those of one session, or of one control group.
pub const NICENESS: i32 = 10;

/// The turns of a backup and of the requests that come meanwhile. Where none come, it does not wait.
struct Turns<'a> {
    app: &'a App,
    /// How many requests had been answered when this turn began.
    requests: u64,
    rows: u32,
    /// When this turn began, by the system's clock: that of the server may be set meanwhile.
    started: Duration,
}

impl<'a> Turns<'a> {
    fn of(app: &'a App) -> Self {
        let started = Clock::System.reading().running;
        Self { app, requests: app.request_metrics().count(), rows: 0, started }
    }

    /// A row was read.
    fn next_row(&mut self) {
        self.rows += 1;
        if !self.rows.is_multiple_of(ROWS) {
            return;
        }
        let took = Clock::System.reading().running.saturating_sub(self.started);
        if took >= TURN {
            if self.app.request_metrics().count() > self.requests {
                pause(PAUSE);
            }
            *self = Self::of(self.app);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "others get this time, and nobody calls this thread")]
fn pause(time: Duration) {
    thread::sleep(time);
}

/// The root secrets of an installation, as its key file has them.
///
/// # Errors
///
/// [`OpenError::KeyMissing`] if there is none.
pub fn root_secrets(config: &Config) -> Result<Zeroizing<String>, OpenError> {
    Ok(super::open::key_file::read(config)?.expose())
}

/// The bytes that are read or written at once.
const BUFFER: usize = 64 * 1024;

/// The bytes after which the disk has to have them. A commit of the store waits for what the disk was given
/// before: for as much as this, and not for a whole backup.
const SYNCED: usize = 128 * 1024;

/// How many times as long as such a part took the disk is left to others after it.
const LEFT_TO_OTHERS: u32 = 3;

/// The most time for which the disk is left to others at once: whoever sends a backup waits for a reader that
/// stands still, but not for long.
const MAX_PAUSE: Duration = Duration::from_millis(250);

/// What was copied of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The bytes that were written.
    pub bytes: u64,
    /// When its snapshot was taken, in the form of RFC 3339.
    pub created: String,
    /// Its rows.
    pub rows: u64,
}

/// Copies the backup `input`, which it verifies, to `out`, encrypted and with the root secrets if
/// they are given. `on_progress` is called with the rows and bytes so far.
///
/// # Errors
///
/// [`BackupError`]; what was written then is no backup.
pub fn copy<W: Write>(
    input: impl BufRead,
    out: W,
    sealing: &Sealing,
    root_secrets: Option<&Zeroizing<String>>,
    mut on_progress: impl FnMut(u64, u64),
) -> Result<(W, Copied), BackupError> {
    let mut reader = Reader::new(input)?;
    if let Some(secrets) = root_secrets {
        check_key(reader.header(), secrets)?;
    }
    let header =
        Header { root_secrets: root_secrets.map(HeldSecrets::new), ..reader.header().clone() };
    let sealed = sealing.over(Counted { bytes: 0, out })?;
    let mut writer = Writer::new(sealed, &header)?;
    let (mut rows, mut bytes) = (0, 0);
    while let Some((key, row)) = reader.row()? {
        writer.row(&key, &row)?;
        rows += 1;
        bytes += (key.len() + row.len()) as u64;
        on_progress(rows, bytes);
    }
    let (sealed, rows) = writer.finish()?;
    let Counted { bytes, mut out } = sealed.finish()?;
    out.flush()?;
    Ok((out, Copied { bytes, created: header.created.clone(), rows }))
}

/// Writes a new private file at `path` by `fill`, and reads it back before it has its name.
///
/// # Errors
///
/// Those of `fill` and of the disk. No file is left then.
pub fn written<T>(
    path: &Path,
    fill: impl FnOnce(&mut Digested) -> Result<T, BackupError>,
) -> Result<T, BackupError> {
    let (new, file) = NewFile::create(path)?;
    let out = BufWriter::with_capacity(BUFFER, Paced { file, unsynced: 0 });
    let mut digested = Digested { digest: Sha256::new(), out };
    let filled = fill(&mut digested)?;
    let Digested { digest, out } = digested;
    let Paced { file, .. } = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    drop(file);
    let mut back = Sha256::new();
    let mut read = File::open(new.draft())?;
    let mut buffer = vec![0; BUFFER];
    loop {
        match read.read(&mut buffer)? {
            0 => break,
            length => back.update(buffer.get(..length).unwrap_or_default()),
        }
    }
    if back.finalize() != digest.finalize() {
        return Err(BackupError::Damaged("the disk does not give back what was written"));
    }
    new.name()?;
    Ok(filled)
}

/// A file that the disk gets in parts, each before the next is written. After each, the disk is left to others
/// for three times as long as that took, within [`MAX_PAUSE`].
struct Paced {
    file: File,
    unsynced: usize,
}

impl Write for Paced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.unsynced >= SYNCED {
            let started = Clock::System.reading().running;
            self.file.sync_data()?;
            let took = Clock::System.reading().running.saturating_sub(started);
            pause((took * LEFT_TO_OTHERS).min(MAX_PAUSE));
            self.unsynced = 0;
        }
        let written = self.file.write(bytes)?;
        self.unsynced += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A file with the digest of what was written to it.
pub struct Digested {
    digest: Sha256,
    out: BufWriter<Paced>,
}

impl Write for Digested {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digest.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads a backup, which is decrypted, and verifies it whole. Returns its header and the number of its
/// rows.
///
/// # Errors
///
/// [`BackupError::Damaged`] if it is not as it was written.
pub fn verify(input: impl BufRead) -> Result<(Header, u64), BackupError> {
    let reader = Reader::new(input)?;
    let header = reader.header().clone();
    let rows = reader.verify()?;
    restore::time(&header)?;
    if let Some(secrets) = &header.root_secrets {
        check_key(&header, &secrets.expose())?;
    }
    Ok((header, rows))
}

/// Checks that root secrets, as a key file has them, are those of a backup.
///
/// # Errors
///
/// [`BackupError::KeyOther`] if they are not.
fn check_key(header: &Header, secrets: &Zeroizing<String>) -> Result<(), BackupError> {
    let roots: RootSecrets = secrets.parse().map_err(|_| BackupError::KeyOther)?;
    if restore::has_all(&roots, &header.key_checks) { Ok(()) } else { Err(BackupError::KeyOther) }
}

/// What a backup contains, decrypted if it is closed.
///
/// # Errors
///
/// [`BackupError::Closed`] if `opening` does not open it.
pub fn plain<'a>(
    closed: Closed,
    input: impl BufRead + 'a,
    opening: Option<&Opening>,
) -> Result<Box<dyn BufRead + 'a>, BackupError> {
    match (closed, opening) {
        (Closed::No, _) => Ok(Box::new(input)),
        (Closed::ToPassphrase | Closed::ToRecipients, Some(opening)) => {
            cipher::opened(input, opening).map_err(BackupError::Closed)
        }
        (Closed::ToPassphrase, None) => {
            Err(BackupError::Closed("it needs its passphrase".to_owned()))
        }
        (Closed::ToRecipients, None) => {
            Err(BackupError::Closed("it needs the private key of a recipient".to_owned()))
        }
    }
}

/// Counts what is written.
struct Counted<W> {
    bytes: u64,
    out: W,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_done_aside_stands_back_and_its_caller_does_not() {
        let niceness = || rustix::process::nice(0).unwrap();
        let own = niceness();

        let other = aside(niceness).unwrap();

        assert_eq!((other, niceness()), ((own + NICENESS).min(19), own));
    }

    #[test]
    fn what_goes_to_the_disk_in_parts_is_written_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("backup");
        let bytes: Vec<u8> = (0..=250).cycle().take(3 * SYNCED + 7).collect();

        let filled = written(&path, |out| {
            for part in bytes.chunks(1000) {
                out.write_all(part)?;
            }
            Ok(())
        });

        filled.unwrap();
        assert!(fs::read(&path).unwrap() == bytes);
    }
}
