//! A file that is not as it was written: nothing is served that is wrong, nothing panics, and the
//! check says so.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gatelodge::store::check::{Checked, Flaw, check, check_disk, check_rows};
use gatelodge::store::schema::AppliedRole;
use gatelodge::store::{Store, StoreError, View};

use crate::crash::runtime;
use crate::disk::{Disk, Faults, Survivors, dice};
use crate::samples::samples;

/// Every sample, and rows of a few pages.
const ROLES: usize = 800;

/// Everything that is in a store, by its key.
type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

fn all(view: &impl View) -> Result<Rows, StoreError> {
    Ok(view.raw_range(&[], &[u8::MAX], usize::MAX)?.into_iter().collect())
}

/// A disk with a store of every kind of row, and what is in it.
fn filled() -> (Disk, Rows) {
    let disk = Disk::new();
    let store = disk.open().unwrap();
    for sample in samples() {
        for case in sample.cases {
            runtime().block_on(store.write(move |tx| case.put(tx))).unwrap();
        }
    }
    for batch in 0..4 {
        let roles = store.write(move |tx| {
            for role in (batch..ROLES).step_by(4) {
                let row = AppliedRole { scope: "openid profile email".parse().unwrap() };
                tx.put(&format!("role-{role}"), row)?;
            }
            Ok::<_, StoreError>(())
        });
        runtime().block_on(roles).unwrap();
    }
    let rows = all(&store.read().unwrap()).unwrap();
    drop(store);
    (disk, rows)
}

/// Opens the store, reads all of it row by row and writes to it. What is read is as it was.
fn uses(disk: &Disk, rows: &Rows) -> Result<(), StoreError> {
    let store = disk.open()?;
    let now = store.read()?;
    let mut outcome = Ok(());
    for (key, row) in rows {
        match now.raw(key) {
            Ok(Some(found)) => assert_eq!(&found, row, "a wrong row is served"),
            Ok(None) => {}
            Err(error) => outcome = Err(error),
        }
    }
    if let Ok(found) = all(&now) {
        assert!(found.iter().all(|(key, row)| rows.get(key) == Some(row)), "a wrong row is listed");
    }
    drop(now);
    let role = AppliedRole { scope: "openid".parse().unwrap() };
    let written = store.write(move |tx| tx.put(&"another".to_owned(), role.clone()));
    runtime().block_on(written).and(outcome)
}

/// Asserts that the check of a damaged disk finds the damage, unless nothing that counts is damaged.
fn is_checked(disk: &Disk, rows: &Rows, damage: &str) {
    match check_disk(disk.clone()) {
        Err(_) => {}
        Ok(Checked { flaws, .. }) if !flaws.is_empty() => {}
        Ok(_) => {
            let store = disk.open().unwrap();
            let found = all(&store.read().unwrap()).unwrap();
            assert!(&found == rows, "{damage} is not found");
        }
    }
}

#[test]
fn a_flipped_bit_is_found_and_never_served() {
    let (disk, rows) = filled();
    let mut dice = dice(1);
    let (mut refused, mut found) = (0, 0);

    for _ in 0..1000 {
        let (at, bit) = (dice() % disk.length(), dice() % 8);
        let damaged = disk.flipped(at, 1 << bit);
        is_checked(&damaged, &rows, &format!("bit {bit} of byte {at}"));
        found += usize::from(check_disk(damaged.clone()).is_ok());
        refused += usize::from(uses(&damaged, &rows).is_err());
    }

    assert!(refused > 50 && found > 50, "{refused} were refused, {found} could be checked");
}

#[test]
fn a_file_that_was_cut_short_is_found_and_never_served() {
    let (disk, rows) = filled();
    let mut dice = dice(2);

    for _ in 0..200 {
        let length = dice() % disk.length();
        let damaged = disk.cut(length);
        is_checked(&damaged, &rows, &format!("the end at {length}"));
        // A file of no length is an empty store.
        assert!(uses(&damaged, &rows).is_err() || length == 0, "{length} bytes are used");
    }
}

#[test]
fn the_check_of_a_store_that_is_whole_finds_nothing_and_changes_nothing() {
    let (disk, rows) = filled();
    let before = disk.restart(Survivors::All).bytes();

    let checked = check_disk(disk.clone()).unwrap();

    assert_eq!((checked.flaws, checked.more), (Vec::new(), 0));
    assert!(checked.rows > 800 && checked.rows + checked.entries <= rows.len() as u64);
    assert!(disk.bytes() == before, "the check wrote");
    let live = check_rows(&disk.open().unwrap().read().unwrap());
    assert_eq!((live.rows, live.entries), (checked.rows, checked.entries));
}

#[test]
fn a_store_whose_power_went_is_whole() {
    for seed in 0..20 {
        let (disk, _) = filled();
        let store = disk.open().unwrap();
        disk.suffer(Faults { power_ends: Some(1), ..Faults::default() });
        let role = AppliedRole { scope: "openid".parse().unwrap() };
        let written = store.write(move |tx| tx.put(&"another".to_owned(), role.clone()));
        runtime().block_on(written).unwrap_err();

        let checked = check_disk(disk.restart(Survivors::Torn(seed))).unwrap();

        assert_eq!(checked.flaws, Vec::new());
    }
}

/// Writes `key` past everything that a transition declares.
fn raw(disk: &Disk, key: Vec<u8>, row: Vec<u8>) {
    let store = disk.open().unwrap();
    let written = store.write(move |tx| {
        tx.put_raw(key.clone(), row.clone());
        Ok::<_, StoreError>(())
    });
    runtime().block_on(written).unwrap();
}

#[test]
fn what_rows_do_not_declare_or_declare_in_vain_is_found() {
    let (disk, rows) = filled();
    let found = |key: Vec<u8>, row: Vec<u8>| {
        let disk = disk.restart(Survivors::All);
        raw(&disk, key, row);
        check_disk(disk).unwrap().flaws
    };
    let key = |byte: u8| rows.keys().find(|key| key.first() == Some(&byte)).unwrap().clone();

    let stray = found([&[1], &[7; 8][..], &[200]].concat(), Vec::new());
    let sum = found(key(2), vec![9; 16]);
    let undecodable = found(key(93), vec![1, 2, 3]);
    let unknown = found(vec![250, 1], Vec::new());

    assert_eq!(stray, [Flaw::EntriesStray(1)]);
    assert!(matches!(&*sum, [Flaw::Sum { .. }]), "{sum:?}");
    assert!(matches!(&*undecodable, [Flaw::Row { table: "applied", .. }]), "{undecodable:?}");
    assert_eq!(unknown, [Flaw::Unknown { key: "fa01".to_owned() }]);
}

#[test]
fn a_missing_entry_is_found() {
    let (disk, _) = filled();
    let store = disk.open().unwrap();
    let written = {
        let now = store.read().unwrap();
        let entries = now.raw_range(&[1], &[2], 1).unwrap();
        let (entry, _) = entries.first().unwrap();
        let millis = u64::from_be_bytes(entry[1..9].try_into().unwrap());
        let since = gatelodge::clock::Timestamp::from_millis(millis);
        let row = entry[9..].to_vec();
        store.write(move |tx| {
            tx.leave_expired(since, &row);
            Ok::<_, StoreError>(())
        })
    };
    runtime().block_on(written).unwrap();
    drop(store);

    let flaws = check_disk(disk).unwrap().flaws;

    assert!(matches!(&*flaws, [Flaw::EntryMissing { .. }]), "{flaws:?}");
}

#[test]
fn a_file_of_a_newer_format_is_called_that() {
    let (disk, _) = filled();

    let newer = disk.flipped(64, 3 ^ 4).flipped(192, 3 ^ 4);
    let damaged = disk.flipped(64, 3 ^ 4);

    assert!(matches!(newer.open(), Err(StoreError::NewerFormat { found: 4 })));
    assert!(!matches!(damaged.open(), Err(StoreError::NewerFormat { .. })));
}

/// What `cp` makes of a file while it is written to: each part as it was at another time.
#[test]
fn a_copy_that_was_made_during_writes_is_damaged_and_nothing_panics() {
    let (disk, _) = filled();
    let store = disk.open().unwrap();
    let mut dice = dice(3);
    let (mut damaged, mut whole) = (0, 0);

    for copy in 0..40 {
        let mut halves = Vec::new();
        for half in 0..2 {
            halves.push(disk.bytes());
            for role in 0..30 {
                let row = AppliedRole { scope: "openid profile".parse().unwrap() };
                let name = format!("copy-{copy}-{half}-{role}-{}", "x".repeat(200));
                let written = store.write(move |tx| tx.put(&name, row.clone()));
                runtime().block_on(written).unwrap();
            }
        }
        let at = usize::try_from(dice()).unwrap() % halves[0].len();
        let copied = [&halves[0][..at], &halves[1][at..]].concat();
        let copied = Disk::of(copied);
        match check_disk(copied.clone()) {
            Ok(Checked { flaws, .. }) if flaws.is_empty() => whole += 1,
            Ok(_) | Err(_) => damaged += 1,
        }
        // Whatever it is, it is opened and read or refused.
        let _ = copied.open().map(|store| all(&store.read()?).map(drop));
    }

    assert!(damaged > 0, "{damaged} damaged, {whole} whole");
}

#[test]
fn the_check_of_a_file_needs_it_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = Store::open(&path).unwrap();

    assert!(matches!(check(&path), Err(StoreError::Locked)));
    drop(store);
    let before = fs::read(&path).unwrap();

    assert!(check(&path).unwrap().flaws.is_empty());
    assert!(fs::read(&path).unwrap() == before);
    assert!(check(Path::new("/nowhere/store")).is_err());
}
