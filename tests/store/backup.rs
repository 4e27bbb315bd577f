//! Backups of a store, and stores that are made of them.

use std::fs;
use std::path::Path;

use gatelodge::store::backup::{BackupError, FORMAT, Header, Reader, Writer};
use gatelodge::store::check::check;
use gatelodge::store::migrate::SCHEMA;
use gatelodge::store::restore::{Ending, Newer, restore};
use gatelodge::store::schema::{HostPreference, Person};
use gatelodge::store::{Store, StoreError, View};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::crash::runtime;
use crate::samples::{ada, samples};

/// A store with every sample.
fn made(path: &Path) -> Store {
    let store = Store::open(path).unwrap();
    for sample in samples() {
        for case in sample.cases {
            runtime().block_on(store.write(move |tx| case.put(tx))).unwrap();
        }
    }
    store
}

fn backup(store: &Store) -> Vec<u8> {
    let header = Header {
        gatelodge_backup: FORMAT,
        created: "2026-11-30T00:00:00Z".to_owned(),
        installation: 0,
        issuer: "https://id.example".to_owned(),
        key_checks: Vec::new(),
        root_secrets: None,
        schema: SCHEMA,
        taken: 0,
        version: "0.1.0".to_owned(),
    };
    let mut writer = Writer::new(Vec::new(), &header).unwrap();
    writer.rows_of(&store.read().unwrap(), || {}).unwrap();
    writer.finish().unwrap().0
}

fn all(store: &Store) -> Vec<(Vec<u8>, Vec<u8>)> {
    store.read().unwrap().raw_range(&[], &[u8::MAX], usize::MAX).unwrap()
}

fn restored(bytes: &[u8], place: &Path) -> Result<u64, BackupError> {
    Ok(restore(Reader::new(bytes)?, place, None, Ending::Known)?.rows)
}

#[test]
fn a_backup_gives_every_row_every_index_entry_and_every_sum_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = made(&directory.path().join("store"));
    let place = directory.path().join("restored");

    let rows = restored(&backup(&store), &place).unwrap();

    assert!(rows > 60, "{rows}");
    assert!(check(&place).unwrap().flaws.is_empty());
    assert!(all(&Store::open(&place).unwrap()) == all(&store));
}

#[test]
fn a_backup_with_a_changed_byte_or_a_missing_end_is_refused_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = made(&directory.path().join("store"));
    let place = directory.path().join("restored");
    let whole = backup(&store);
    let mut random = StdRng::seed_from_u64(14);

    for _ in 0..1000 {
        let (at, bit) = (random.random_range(0..whole.len()), random.random_range(0..8_u8));
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << bit;
        assert!(restored(&flipped, &place).is_err(), "bit {bit} of byte {at}");
        assert!(!place.exists());
    }
    for _ in 0..200 {
        let length = random.random_range(0..whole.len());
        assert!(restored(&whole[..length], &place).is_err(), "{length} bytes");
        assert!(!place.exists());
    }
}

#[test]
fn a_row_that_cannot_be_read_is_left_out_of_no_backup() {
    let directory = tempfile::tempdir().unwrap();
    let store = made(&directory.path().join("store"));
    let key = all(&store).into_iter().find(|(key, _)| key[0] == 93).unwrap().0;
    let written = store.write(move |tx| {
        tx.put_raw(key.clone(), vec![1, 2, 3]);
        Ok::<_, StoreError>(())
    });
    runtime().block_on(written).unwrap();

    let empty = backup(&Store::memory().unwrap());
    let header = Reader::new(&*empty).unwrap().header().clone();
    let mut writer = Writer::new(Vec::new(), &header).unwrap();
    let outcome = writer.rows_of(&store.read().unwrap(), || {});

    let corrupt = matches!(
        outcome,
        Err(BackupError::Store(StoreError::Corrupt { table: Some("applied"), .. }))
    );
    assert!(corrupt, "{outcome:?}");
}

#[test]
fn a_store_that_is_in_use_or_damaged_tells_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = made(&path);

    assert!(matches!(Newer::open(&path).err(), Some(StoreError::Locked)));
    drop(store);
    assert!(Newer::open(&path).is_ok());
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(Newer::open(&path).err(), Some(StoreError::Damaged(_))));
}

/// Of the rows that end, a restore takes those that the newer store has, as it has them; of what was
/// used, both.
#[test]
fn a_newer_store_decides_what_is_alive() {
    let directory = tempfile::tempdir().unwrap();
    let (older, newer) = (directory.path().join("older"), directory.path().join("newer"));
    let bytes = backup(&made(&older));
    drop(made(&newer));
    let gone = [14_u8, 15, 17, 21, 28];
    let store = Store::open(&newer).unwrap();
    let stored: Vec<_> =
        all(&store).into_iter().filter(|(key, _)| !gone.contains(&key[0])).collect();
    drop(store);
    fs::remove_file(&newer).unwrap();
    let store = Store::open(&newer).unwrap();
    let written = store.write(move |tx| {
        stored.iter().for_each(|(key, row)| tx.put_raw(key.clone(), row.clone()));
        Ok::<_, StoreError>(())
    });
    runtime().block_on(written).unwrap();
    drop(store);
    let place = directory.path().join("restored");
    let reader = Reader::new(&*bytes).unwrap();

    let newer = Newer::open(&newer).unwrap();
    let restored = restore(reader, &place, Some(&newer), Ending::Known).unwrap();

    assert_eq!(
        restored.ended.keys().copied().collect::<Vec<_>>(),
        ["deliveries", "grants", "passkeys", "sessions", "setup_links"]
    );
    let left = all(&Store::open(&place).unwrap());
    assert!(left.iter().all(|(key, _)| !gone.contains(&key[0])));
    assert!(check(&place).unwrap().flaws.is_empty());
    let reader = Reader::new(&*bytes).unwrap();
    let ended = restore(reader, &place, None, Ending::All).unwrap().ended;
    assert!(ended.contains_key("sessions") && !ended.contains_key("passkeys"), "{ended:?}");
}

/// What an operator set comes back, but not for somebody who was removed since.
#[test]
fn what_was_set_for_somebody_ends_with_them_in_a_restore() {
    let directory = tempfile::tempdir().unwrap();
    let (older, newer) = (directory.path().join("older"), directory.path().join("newer"));
    let bytes = {
        let store = Store::open(&older).unwrap();
        let written = store.write(|tx| {
            for case in samples().into_iter().filter(|own| own.row == "Person") {
                case.cases.iter().try_for_each(|case| case.put(tx))?;
            }
            for (person, _) in tx.list::<Person>(usize::MAX)? {
                tx.put(&(person, "cowork".parse().unwrap()), HostPreference::default())?;
            }
            Ok::<_, StoreError>(())
        });
        runtime().block_on(written).unwrap();
        backup(&store)
    };
    fs::copy(&older, &newer).unwrap();
    let store = Store::open(&newer).unwrap();
    let written = store.write(|tx| {
        for (key, _) in tx.list::<HostPreference>(usize::MAX)? {
            tx.remove::<HostPreference>(&key)?;
        }
        tx.remove::<Person>(&ada()).map(drop)
    });
    runtime().block_on(written).unwrap();
    drop(store);
    let place = directory.path().join("restored");

    let newer = Newer::open(&newer).unwrap();
    let reader = Reader::new(&*bytes).unwrap();
    let restored = restore(reader, &place, Some(&newer), Ending::Known).unwrap();

    assert_eq!(restored.back, [("host_preferences", 3)].into());
    assert_eq!(restored.ended, [("host_preferences", 1), ("people", 1)].into());
    assert_eq!(check(&place).unwrap().flaws, []);
}
