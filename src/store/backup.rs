//! The file of a backup: the rows of one snapshot, with a header before and a digest behind.
//!
//! The first line is the [`Header`] in JSON. Then each row of the tables follows as four bytes with
//! the length of its key, the key, four bytes with the length of the row, and the row. Four zero
//! bytes end the rows; their number (8) and the SHA-256 of everything before it (32) are the last
//! bytes of the file. Numbers are big-endian. Index entries and sums follow from the rows, and are
//! made anew by a restore.

use std::fmt;
use std::io::{self, BufRead as _, Read as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use crate::store::migrate::SCHEMA;
use crate::store::{Read, StoreError, schema};

/// The newest format of a backup that this program reads, and the one that it writes.
pub const FORMAT: u32 = 1;

/// The most bytes of a header.
const MAX_HEADER: u64 = 64 * 1024;

/// The most bytes of a key, and of a row: far above the largest that there is.
const MAX_KEY: u32 = 64 * 1024;
const MAX_ROW: u32 = 64 * 1024 * 1024;

/// What a backup says of itself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The format of the file. Its name is what a backup is recognised by.
    pub gatelodge_backup: u32,
    /// When its snapshot was taken, in the form of RFC 3339.
    pub created: String,
    /// When the installation was created, in milliseconds since 1970. It is recognised by that.
    pub installation: u64,
    /// The issuer of the installation.
    pub issuer: String,
    /// The values by which the root secrets of the installation are recognised, in hex.
    pub key_checks: Vec<String>,
    /// The root secrets themselves, as a key file has them, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_secrets: Option<HeldSecrets>,
    /// The schema of the store.
    pub schema: u32,
    /// When its snapshot was taken, in milliseconds since 1970.
    pub taken: u64,
    /// The version of the program that wrote it.
    pub version: String,
}

/// Root secrets in the clear.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HeldSecrets(String);

impl HeldSecrets {
    /// The contents of a key file.
    pub fn new(contents: &Zeroizing<String>) -> Self {
        Self(contents.as_str().to_owned())
    }

    /// The contents of the key file.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.clone())
    }
}

impl Drop for HeldSecrets {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The reason why a backup cannot be written or read.
#[derive(Debug)]
pub enum BackupError {
    /// It is encrypted, and was not opened. The sentence says why.
    Closed(String),
    /// It is not as it was written: cut, or changed.
    Damaged(&'static str),
    /// It cannot be read or written.
    Io(io::Error),
    /// The root secret that it has, or is to have, is another's.
    KeyOther,
    /// It has a format or a schema that a newer version of this program writes.
    Newer {
        /// The version that wrote it.
        version: String,
    },
    /// It is no backup.
    NoBackup,
    /// The store failed.
    Store(StoreError),
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(why) => write!(f, "the backup is encrypted, and is not opened: {why}"),
            Self::Damaged(how) => write!(f, "the backup is not as it was written: {how}"),
            Self::Io(error) => error.fmt(f),
            Self::KeyOther => f.write_str(
                "the root secret that the backup has, or is to have, is not the one of its store",
            ),
            Self::Newer { version } => write!(
                f,
                "the backup was written by version {version}, whose layout this version does not \
                 know; use that version, or a newer one"
            ),
            Self::NoBackup => f.write_str("this is no backup of Gatelodge"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for BackupError {}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Damaged("it ends too early"),
            // What was encrypted does not decrypt.
            io::ErrorKind::InvalidData => Self::Damaged("it is not as it was encrypted"),
            _ => Self::Io(error),
        }
    }
}

impl From<StoreError> for BackupError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Writes a backup.
pub struct Writer<W> {
    digest: Sha256,
    out: W,
    rows: u64,
}

impl<W: io::Write> Writer<W> {
    /// Begins a backup with its header.
    ///
    /// # Errors
    ///
    /// Those of `out`, here and in every other function.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self { digest: Sha256::new(), out, rows: 0 };
        let mut line = Zeroizing::new(serde_json::to_vec(header)?);
        line.push(b'\n');
        writer.put(&line)?;
        Ok(writer)
    }

    /// Adds a row.
    pub fn row(&mut self, key: &[u8], row: &[u8]) -> io::Result<()> {
        for part in [key, row] {
            let length = u32::try_from(part.len()).map_err(io::Error::other)?;
            self.put(&length.to_be_bytes())?;
            self.put(part)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// Adds every row of a snapshot, and calls `after_each` after each of them.
    ///
    /// # Errors
    ///
    /// [`BackupError::Store`] if one cannot be read or does not decode: what is left out of a backup
    /// would be missed when it is too late.
    pub fn rows_of(
        &mut self,
        read: &Read,
        mut after_each: impl FnMut(),
    ) -> Result<(), BackupError> {
        for tag in schema::stored_tags() {
            for row in read.snapshot().rows(&[tag], &[tag + 1])? {
                let (key, row) = row?;
                schema::declared(&key, &row)?.ok_or_else(|| schema::unknown(&key))?;
                self.row(&key, &row)?;
                after_each();
            }
        }
        Ok(())
    }

    /// Ends the backup. Returns what it was written to, and the number of its rows.
    pub fn finish(mut self) -> io::Result<(W, u64)> {
        self.put(&0_u32.to_be_bytes())?;
        self.put(&self.rows.to_be_bytes())?;
        let Self { digest, mut out, rows } = self;
        out.write_all(&digest.finalize())?;
        out.flush()?;
        Ok((out, rows))
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.out.write_all(bytes)
    }
}

/// A row, behind its key.
pub type KeyedRow = (Vec<u8>, Vec<u8>);

/// Reads a backup.
pub struct Reader<R> {
    digest: Sha256,
    header: Header,
    input: R,
    rows: u64,
}

impl<R: io::BufRead> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// [`BackupError::NoBackup`] if there is none.
    pub fn new(mut input: R) -> Result<Self, BackupError> {
        let mut line = Vec::new();
        input.by_ref().take(MAX_HEADER).read_until(b'\n', &mut line)?;
        let parsed: Option<serde_json::Value> = serde_json::from_slice(&line).ok();
        let format = parsed.as_ref().and_then(|header| header.get("gatelodge_backup")?.as_u64());
        let (Some(header), Some(format)) = (parsed, format) else {
            return Err(BackupError::NoBackup);
        };
        let newer = || {
            let version = header.get("version").and_then(|version| version.as_str());
            BackupError::Newer { version: version.unwrap_or("unknown").to_owned() }
        };
        if format != u64::from(FORMAT) {
            return Err(newer());
        }
        let read: Header = serde_json::from_value(header.clone())
            .map_err(|_| BackupError::Damaged("its header is malformed"))?;
        if read.schema > SCHEMA {
            return Err(newer());
        }
        let mut digest = Sha256::new();
        digest.update(&line);
        Ok(Self { digest, header: read, input, rows: 0 })
    }

    /// What the backup says of itself. It is proven once [`Reader::row`] has returned `None`.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next row with its key; `None` once all were read and are as they were written.
    ///
    /// # Errors
    ///
    /// [`BackupError::Damaged`] if they are not.
    pub fn row(&mut self) -> Result<Option<KeyedRow>, BackupError> {
        let key = match self.length(MAX_KEY)? {
            0 => return self.end().map(|()| None),
            length => self.take(length)?,
        };
        let length = self.length(MAX_ROW)?;
        let row = self.take(length)?;
        self.rows += 1;
        Ok(Some((key, row)))
    }

    /// Reads what is left of the backup, and returns the number of all its rows.
    ///
    /// # Errors
    ///
    /// Those of [`Reader::row`].
    pub fn verify(mut self) -> Result<u64, BackupError> {
        while self.row()?.is_some() {}
        Ok(self.rows)
    }

    fn length(&mut self, limit: u32) -> Result<u32, BackupError> {
        let mut bytes = [0; 4];
        self.input.read_exact(&mut bytes)?;
        self.digest.update(bytes);
        match u32::from_be_bytes(bytes) {
            length if length > limit => Err(BackupError::Damaged("a length in it is none")),
            length => Ok(length),
        }
    }

    fn take(&mut self, length: u32) -> Result<Vec<u8>, BackupError> {
        let mut bytes = Vec::new();
        // It grows as bytes come, whatever length a changed byte names.
        self.input.by_ref().take(u64::from(length)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != u64::from(length) {
            return Err(BackupError::Damaged("it ends too early"));
        }
        self.digest.update(&bytes);
        Ok(bytes)
    }

    fn end(&mut self) -> Result<(), BackupError> {
        let (mut count, mut digest) = ([0; 8], [0; 32]);
        self.input.read_exact(&mut count)?;
        self.digest.update(count);
        self.input.read_exact(&mut digest)?;
        if u64::from_be_bytes(count) != self.rows
            || self.digest.clone().finalize().as_slice() != digest
        {
            return Err(BackupError::Damaged("its checksum is wrong"));
        }
        match self.input.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(BackupError::Damaged("something follows its end")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            gatelodge_backup: FORMAT,
            created: "2026-11-30T00:00:00Z".to_owned(),
            installation: 1_796_000_000_000,
            issuer: "http://localhost:7455".to_owned(),
            key_checks: vec!["00".repeat(32)],
            root_secrets: None,
            schema: SCHEMA,
            taken: 1_796_000_000_000,
            version: "0.1.0".to_owned(),
        }
    }

    fn written() -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), &header()).unwrap();
        writer.row(b"one", b"first").unwrap();
        writer.row(b"two", b"").unwrap();
        writer.finish().unwrap().0
    }

    fn verified(bytes: &[u8]) -> Result<u64, BackupError> {
        Reader::new(bytes)?.verify()
    }

    #[test]
    fn what_was_written_is_read() {
        let written = written();
        let mut reader = Reader::new(&*written).unwrap();

        assert!(*reader.header() == header());
        assert_eq!(reader.row().unwrap(), Some((b"one".to_vec(), b"first".to_vec())));
        assert_eq!(reader.row().unwrap(), Some((b"two".to_vec(), Vec::new())));
        assert_eq!(reader.row().unwrap(), None);
        assert_eq!(verified(&written).unwrap(), 2);
    }

    #[test]
    fn every_cut_and_every_flip_is_refused() {
        let written = written();

        for at in 0..written.len() {
            assert!(verified(&written[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut flipped = written.clone();
                flipped[at] ^= 1 << bit;
                assert!(verified(&flipped).is_err(), "bit {bit} of byte {at}");
            }
        }
        assert!(verified(&[&*written, b"\n"].concat()).is_err());
    }

    #[test]
    fn what_is_no_backup_and_what_is_newer_are_told_apart() {
        let of = |line: &str| verified(line.as_bytes()).unwrap_err();
        let newer = Header { schema: SCHEMA + 1, version: "9.1.0".to_owned(), ..header() };
        let newer = Writer::new(Vec::new(), &newer).unwrap().finish().unwrap().0;

        for none in ["", "{}", "SQLite format 3", "{\"gatelodge_backup\":\"1\"}\n"] {
            assert!(matches!(of(none), BackupError::NoBackup), "{none}");
        }
        let later = of("{\"gatelodge_backup\":2,\"version\":\"9.0.0\",\"new\":true}\n");
        assert!(matches!(later, BackupError::Newer { version } if version == "9.0.0"));
        let later = verified(&newer).unwrap_err();
        assert!(matches!(later, BackupError::Newer { version } if version == "9.1.0"));
        assert!(matches!(of("{\"gatelodge_backup\":1}\n"), BackupError::Damaged(_)));
    }
}
