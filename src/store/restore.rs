//! A new store of the rows of a backup, and of what a newer store still tells of what ended since.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead;
use std::path::Path;

use crate::clock::Timestamp;
use crate::oauth::id::ClientId;
use crate::private_file;
use crate::store::backup::{BackupError, Reader};
use crate::store::engine::{Snapshot, draft, examine, unwritable};
use crate::store::rewrite::Filling;
use crate::store::schema::{
    self, Carry, Client, ClockRecord, Event, Installation, Passkey, Person, Restore,
};
use crate::store::table::{decode, decode_key, encode, row_key};
use crate::store::{Row, StoreError, migrate, rewrite};

/// The most ended things that are listed by name.
const MAX_LISTED: usize = 1000;

/// What a restore takes of the rows that end: sessions, grants, links, codes, tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All of them end.
    All,
    /// They go on, but for those of which the newer store says that they ended.
    Known,
}

/// The store that a restore replaces. Nobody else opens it while this is held.
pub struct Newer(Snapshot);

impl Newer {
    /// Opens the store at `path`, which is not changed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`] if a process has it open; [`StoreError::Damaged`] if its pages are not
    /// as they were written.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let snapshot = rewrite::whole(examine(path)?)?;
        migrate::standing(&snapshot)?;
        Ok(Self(snapshot))
    }

    /// Its installation, whose root secrets the restored store needs, too.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if its row cannot be read.
    pub fn installation(&self) -> Result<Option<Installation>, StoreError> {
        self.row::<Installation>(&())
    }

    /// Whether it can tell what ended since a backup of `backup` was made: something happened in it after
    /// that, and it was not made of an older backup meanwhile.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] if a row that says so cannot be read.
    pub fn follows(&self, backup: Timestamp) -> Result<bool, StoreError> {
        if let Some(restore) = self.row::<Restore>(&())?
            && restore.backup < backup
            && backup <= restore.at
        {
            return Ok(false);
        }
        let mut latest =
            self.row::<ClockRecord>(&())?.map_or(Timestamp::default(), |own| own.latest);
        for row in self.0.rows(&[Event::TABLE.byte], &[Event::TABLE.byte + 1])? {
            let (key, row) = row?;
            latest = latest.max(decode::<Event>(&key, &row)?.at);
        }
        // What is noted of a backup is noted within the second.
        Ok(backup.seconds() <= latest.seconds())
    }

    fn row<R: Row>(&self, key: &R::Key) -> Result<Option<R>, StoreError> {
        let key = row_key::<R>(key);
        self.0.row(&key)?.map(|row| decode(&key, &row)).transpose()
    }
}

/// What became of a backup.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// The rows of the new store.
    pub rows: u64,
    /// The rows of the backup that the newer store no longer had, and that are back, by their table.
    pub back: BTreeMap<&'static str, u64>,
    /// The rows of the backup that are left out since they ended after it, by their table.
    pub ended: BTreeMap<&'static str, u64>,
    /// The people who have roles again that they no longer had, and which.
    pub roles: Vec<(String, String)>,
    /// What of it has a name, the first thousand: its table and its name.
    pub named: Vec<(&'static str, String)>,
}

impl Restored {
    fn ended(&mut self, key: &[u8], row: &[u8]) -> Result<(), StoreError> {
        let table = schema::name(key);
        *self.ended.entry(table).or_default() += 1;
        if let Some(name) = name_of(key, row)? {
            self.named(table, name);
        }
        Ok(())
    }

    fn named(&mut self, table: &'static str, name: String) {
        if self.named.len() < MAX_LISTED {
            self.named.push((table, name));
        }
    }
}

/// Makes a store at `place`, where none is used, of the rows of a backup.
///
/// # Errors
///
/// Those of the backup, of the newer store, and [`StoreError::Unwritable`] if there is no space. No
/// file is left at `place`.
pub fn restore(
    reader: Reader<impl BufRead>,
    place: &Path,
    newer: Option<&Newer>,
    ending: Ending,
) -> Result<Restored, BackupError> {
    draft(place, |draft| {
        let mut restored = Restored::default();
        let mut filling = Filling::new(draft);
        of_backup(reader, newer, ending, &mut filling, &mut restored)?;
        if let Some(newer) = newer {
            of_newer(newer, &mut filling)?;
        }
        restored.rows = filling.finish()?;
        Ok(restored)
    })
}

/// Gives the store at `place` the name `path`. A store that has it already gets the name `aside`;
/// without one, nothing may be there.
///
/// # Errors
///
/// [`StoreError::Unwritable`]. The store at `path`, if there is one, is as it was.
pub fn put_in_place(place: &Path, path: &Path, aside: Option<&Path>) -> Result<(), StoreError> {
    let put = match aside {
        Some(aside) => rewrite::placed(place, path, Some(aside)).map(|_| ()),
        None => fs::hard_link(place, path),
    };
    put.map_err(|error| unwritable(&error))?;
    // A second name of the store is removed by the next restore at the latest.
    let _ = fs::remove_file(place);
    private_file::sync_directory_of(path).map_err(|error| unwritable(&error))
}

/// Adds the rows of the backup.
fn of_backup(
    mut reader: Reader<impl BufRead>,
    newer: Option<&Newer>,
    ending: Ending,
    filling: &mut Filling<'_>,
    restored: &mut Restored,
) -> Result<(), BackupError> {
    while let Some((key, row)) = reader.row()? {
        let carry = schema::carry(&key).ok_or_else(|| unfit(schema::unknown(&key)))?;
        if (carry, ending) == (Carry::Live, Ending::All) {
            restored.ended(&key, &row).map_err(unfit)?;
            continue;
        }
        let Some(newer) = newer else {
            filling.row(key, &row).map_err(unfit)?;
            continue;
        };
        let now = newer.0.row(&key)?;
        match (carry, now) {
            // They come from the newer store, below.
            (Carry::Newest, _) | (Carry::Evidence, Some(_)) => {}
            (Carry::Setting, _) if names_what_is_gone(newer, &key, &row).map_err(unfit)? => {
                restored.ended(&key, &row).map_err(unfit)?;
            }
            (Carry::Setting, None) => {
                *restored.back.entry(schema::name(&key)).or_default() += 1;
                filling.row(key, &row).map_err(unfit)?;
            }
            (Carry::Evidence | Carry::Setting, _) => filling.row(key, &row).map_err(unfit)?,
            (Carry::Live | Carry::Means | Carry::Subject, None) => {
                restored.ended(&key, &row).map_err(unfit)?;
            }
            (Carry::Live | Carry::Means, Some(now)) => filling.row(key, &now)?,
            (Carry::Subject, Some(now)) => {
                let merged = merged(&key, &row, &now, restored)?;
                filling.row(key, &merged)?;
            }
        }
    }
    Ok(())
}

/// Whether a row names one that the newer store no longer has, so that it ended with that.
fn names_what_is_gone(newer: &Newer, key: &[u8], row: &[u8]) -> Result<bool, StoreError> {
    let references = schema::declared(key, row)?.map(|(_, references)| references);
    for reference in references.unwrap_or_default() {
        if newer.0.row(&reference.to)?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The error of a row of a backup. What does not decode was changed after it was written: its checksum
/// stands at the end.
fn unfit(error: StoreError) -> BackupError {
    match error {
        StoreError::Corrupt { .. } => BackupError::Damaged("a row of it cannot be read"),
        error => error.into(),
    }
}

/// Adds the rows that only the newer store has, or has newer.
fn of_newer(newer: &Newer, filling: &mut Filling<'_>) -> Result<(), BackupError> {
    for tag in schema::stored_tags() {
        if !matches!(schema::carry(&[tag]), Some(Carry::Evidence | Carry::Newest)) {
            continue;
        }
        for row in newer.0.rows(&[tag], &[tag + 1])? {
            let (key, row) = row?;
            filling.row(key, &row)?;
        }
    }
    Ok(())
}

/// The row of the backup, with what ended of it since.
fn merged(
    key: &[u8],
    row: &[u8],
    now: &[u8],
    restored: &mut Restored,
) -> Result<Vec<u8>, StoreError> {
    if is_of::<Person>(key) {
        let (row, now): (Person, Person) = (decode(key, row)?, decode(key, now)?);
        if now.disabled && !row.disabled {
            restored.named("disabled people", now.username.to_string());
        }
        let again = row.roles.iter().filter(|role| !now.roles.contains(role));
        let again: Vec<String> = again.map(ToString::to_string).collect();
        if !again.is_empty() && restored.roles.len() < MAX_LISTED {
            restored.roles.push((row.username.to_string(), again.join(", ")));
        }
        return Ok(encode(Person {
            disabled: row.disabled || now.disabled,
            signed_out: now.signed_out,
            tokens_valid_after: now.tokens_valid_after,
            ..row
        }));
    }
    if is_of::<Client>(key) {
        let (row, now): (Client, Client) = (decode(key, row)?, decode(key, now)?);
        if row.enabled && !now.enabled {
            restored
                .named("disabled clients", decode_key::<ClientId>(Client::TABLE, key)?.to_string());
        }
        return Ok(encode(Client {
            enabled: row.enabled && now.enabled,
            origin: now.origin,
            proof: now.proof,
            revision: now.revision.saturating_add(1),
            ..row
        }));
    }
    Ok(row.to_vec())
}

/// The name of what is at `key`, if it has one.
fn name_of(key: &[u8], row: &[u8]) -> Result<Option<String>, StoreError> {
    Ok(if is_of::<Person>(key) {
        Some(decode::<Person>(key, row)?.username.to_string())
    } else if is_of::<Client>(key) {
        Some(decode_key::<ClientId>(Client::TABLE, key)?.to_string())
    } else if is_of::<Passkey>(key) {
        Some(decode::<Passkey>(key, row)?.name.to_string())
    } else {
        None
    })
}

fn is_of<R: Row>(key: &[u8]) -> bool {
    key.first() == Some(&R::TABLE.byte)
}
