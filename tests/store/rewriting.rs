//! A store that is made anew of its own rows.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use gatelodge::store::check::{Flaw, check};
use gatelodge::store::migrate::{SCHEMA, SCHEMA_KEY};
use gatelodge::store::rewrite::{compact, repair};
use gatelodge::store::schema::AppliedRole;
use gatelodge::store::{Store, StoreError, View};
use tempfile::TempDir;

use crate::crash::runtime;
use crate::samples::samples;

/// The bytes of a page of redb.
const PAGE: usize = 4096;

/// A store with every sample and with rows that were removed again.
fn used() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let store = Store::open(&path).unwrap();
    for sample in samples() {
        for case in sample.cases {
            runtime().block_on(store.write(move |tx| case.put(tx))).unwrap();
        }
    }
    for is_there in [true, false] {
        let written = store.write(move |tx| {
            for role in 0..5000 {
                let key = format!("role-{role}");
                if is_there {
                    let scope = "openid profile email".parse().unwrap();
                    tx.put(&key, AppliedRole { scope })?;
                } else {
                    tx.remove::<AppliedRole>(&key)?;
                }
            }
            Ok::<_, StoreError>(())
        });
        runtime().block_on(written).unwrap();
    }
    (directory, path)
}

type Rows = Vec<(Vec<u8>, Vec<u8>)>;

fn all(path: &Path) -> Rows {
    let store = Store::open(path).unwrap();
    store.read().unwrap().raw_range(&[], &[u8::MAX], usize::MAX).unwrap()
}

/// Writes rows past what a transition declares.
fn raw(path: &Path, rows: Rows) {
    let store = Store::open(path).unwrap();
    let written = store.write(move |tx| {
        rows.iter().for_each(|(key, row)| tx.put_raw(key.clone(), row.clone()));
        Ok::<_, StoreError>(())
    });
    runtime().block_on(written).unwrap();
}

#[test]
fn a_compacted_store_has_the_same_rows_in_less_space() {
    let (directory, path) = used();
    let before = all(&path);
    fs::write(path.with_added_extension("new"), "left by a kill").unwrap();

    let rewritten = compact(&path).unwrap();

    assert!(all(&path) == before);
    assert!(rewritten.bytes[1] * 3 < rewritten.bytes[0] * 2, "{:?}", rewritten.bytes);
    assert!(check(&path).unwrap().flaws.is_empty());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_repair_makes_indices_and_sums_anew_and_leaves_out_what_cannot_be_read() {
    let (_directory, path) = used();
    let before = all(&path);
    let entry = before.iter().find(|(key, _)| key[0] == 1).unwrap().0.clone();
    let sum = before.iter().find(|(key, _)| key[0] == 2).unwrap().0.clone();
    let stray = [&entry[..9], &[200, 200]].concat();
    let applied = before.iter().find(|(key, _)| key[0] == 93).unwrap().0.clone();
    raw(&path, vec![(stray, Vec::new()), (sum, vec![9; 16]), (applied.clone(), vec![1, 2, 3])]);
    let aside = path.with_extension("aside");
    let damaged = fs::read(&path).unwrap();

    let rewritten = repair(&path, &aside).unwrap();

    assert!(matches!(&*rewritten.left_out.flaws, [Flaw::Row { table: "applied", .. }]));
    assert!(check(&path).unwrap().flaws.is_empty());
    let left = before.into_iter().filter(|(key, _)| *key != applied).collect::<Rows>();
    assert!(all(&path) == left);
    assert!(fs::read(&aside).unwrap() == damaged);
    assert!(compact(&path).is_ok());
}

#[test]
fn a_repair_takes_no_place_of_something_else() {
    let (_directory, path) = used();
    let (before, aside) = (all(&path), path.with_extension("aside"));
    fs::write(&aside, "a store from before").unwrap();

    let repaired = repair(&path, &aside);

    assert!(matches!(repaired, Err(StoreError::Unwritable(_))), "{repaired:?}");
    assert!(all(&path) == before);
    assert_eq!(fs::read(&aside).unwrap(), b"a store from before");
}

#[test]
fn what_cannot_be_read_is_not_compacted_and_a_newer_store_is_left() {
    let (_directory, path) = used();
    let applied = all(&path).into_iter().find(|(key, _)| key[0] == 93).unwrap().0;
    raw(&path, vec![(applied, vec![1, 2, 3])]);

    assert!(matches!(compact(&path), Err(StoreError::Corrupt { table: Some("applied"), .. })));
    raw(&path, vec![(SCHEMA_KEY.to_vec(), (SCHEMA + 1).to_be_bytes().to_vec())]);
    let before = fs::read(&path).unwrap();

    for rewritten in [compact(&path), repair(&path, &path.with_extension("aside"))] {
        assert!(matches!(rewritten, Err(StoreError::NewerSchema { .. })), "{rewritten:?}");
    }
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn a_schema_number_that_cannot_be_read_is_mended_by_a_repair_alone() {
    let (_directory, path) = used();
    raw(&path, vec![(SCHEMA_KEY.to_vec(), vec![1])]);

    let compacted = compact(&path);
    let repaired = repair(&path, &path.with_extension("aside"));

    assert!(matches!(compacted, Err(StoreError::Corrupt { .. })), "{compacted:?}");
    assert!(repaired.is_ok() && Store::open(&path).is_ok());
}

#[test]
fn a_store_that_is_open_is_not_compacted() {
    let (_directory, path) = used();
    let _open = Store::open(&path).unwrap();

    assert!(matches!(compact(&path), Err(StoreError::Locked)));
}

/// Puts in roles of a few pages, each with a scope of its own.
fn put_roles(path: &Path) {
    let store = Store::open(path).unwrap();
    let written = store.write(|tx| {
        for role in 0..500 {
            let scope = format!("scope-of-{role:03}").parse().unwrap();
            tx.put(&format!("role-{role:03}"), AppliedRole { scope })?;
        }
        Ok::<_, StoreError>(())
    });
    runtime().block_on(written).unwrap();
}

/// Changes the byte of the file in which `text` begins, wherever it is in it.
fn damage(path: &Path, text: &[u8]) -> usize {
    let mut bytes = fs::read(path).unwrap();
    let places: Vec<usize> =
        (0..bytes.len() - text.len()).filter(|at| bytes[*at..].starts_with(text)).collect();
    places.iter().for_each(|at| bytes[*at] ^= 1);
    fs::write(path, bytes).unwrap();
    places.len()
}

#[test]
fn a_repair_leaves_out_a_row_whose_page_is_damaged_and_keeps_the_others() {
    let (_directory, path) = used();
    put_roles(&path);
    let before = all(&path);
    assert!(damage(&path, b"scope-of-250") > 0);

    let checked = check(&path).unwrap().flaws;
    let compacted = compact(&path);
    let repaired = repair(&path, &path.with_extension("aside")).unwrap();

    assert!(checked.contains(&Flaw::Pages), "{checked:?}");
    assert!(checked.iter().any(|flaw| matches!(flaw, Flaw::Row { table: "applied_roles", .. })));
    assert!(matches!(compacted, Err(StoreError::Damaged(_))), "{compacted:?}");
    let left_out = repaired.left_out.flaws;
    assert!(matches!(&*left_out, [Flaw::Row { table: "applied_roles", .. }]), "{left_out:?}");
    assert!(check(&path).unwrap().flaws.is_empty());
    assert_eq!(all(&path).len(), before.len() - 1);
}

/// Makes each leaf of redb that has `text` unreadable: its entries end nowhere.
fn spoil(path: &Path, text: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let places = (0..bytes.len() - text.len()).filter(|at| bytes[*at..].starts_with(text));
    for at in places.collect::<Vec<_>>() {
        let page = &mut bytes[at / PAGE * PAGE..][..PAGE];
        // The type of a leaf is 1. From the fourth byte on it says where each key ends.
        if page[0] == 1 {
            page[4..8].fill(0xff);
        }
    }
    fs::write(path, bytes).unwrap();
}

/// Where the engine fails, the table that it reads ends.
#[test]
fn a_damaged_table_costs_no_other_in_a_repair() {
    let (_directory, path) = used();
    put_roles(&path);
    let before = all(&path);
    let is_role = |key: &[u8]| key[1..].starts_with(b"role-");
    let table = before.iter().find(|(key, _)| is_role(key)).map(|(key, _)| key[0]).unwrap();
    let behind = before.iter().filter(|(key, _)| key[0] > table && key[0] < u8::MAX).count();
    assert!(behind > 10, "{behind}");
    spoil(&path, b"scope-of-250");

    let repaired = repair(&path, &path.with_extension("aside")).unwrap();

    let left_out = repaired.left_out.flaws;
    let of_roles = |flaw: &Flaw| match flaw {
        Flaw::Unreadable(why) => why.starts_with("table applied_roles: "),
        _ => false,
    };
    assert!(!left_out.is_empty() && left_out.iter().all(of_roles), "{left_out:?}");
    let after = all(&path);
    for row in before.iter().filter(|(key, _)| key[0] != table) {
        assert!(after.contains(row), "{:?} is lost", row.0);
    }
}

/// Whoever runs the server has to open it, whoever makes it anew.
#[test]
fn a_store_that_is_made_anew_by_somebody_else_keeps_its_owner() {
    let (_directory, path) = used();
    let owner = (Some(4711), Some(4712));
    if chown(&path, owner.0, owner.1).is_err() {
        eprintln!("only root gives a file away, so nothing was tried");
        return;
    }

    for rewritten in [compact(&path), repair(&path, &path.with_extension("aside"))] {
        rewritten.unwrap();
        let now = fs::metadata(&path).unwrap();
        assert_eq!((Some(now.uid()), Some(now.gid())), owner);
    }
}

/// Whoever opens the store while it is made anew gets the old file before, or the new one after.
#[test]
fn nothing_that_is_written_between_two_compactions_is_lost() {
    let (_directory, path) = used();
    let compacting = std::thread::spawn({
        let path = path.clone();
        // Most of the time somebody else has it open.
        move || std::iter::repeat_with(|| compact(&path)).filter(Result::is_ok).take(20).count()
    });

    let scope = || AppliedRole { scope: "openid".parse().unwrap() };
    let mut written = 0_usize;
    while !compacting.is_finished() {
        if let Ok(store) = Store::open(&path) {
            let (key, row) = (format!("written-{written}"), scope());
            runtime().block_on(store.write(move |tx| tx.put(&key, row.clone()))).unwrap();
            written += 1;
        }
    }

    assert_eq!(compacting.join().unwrap(), 20);
    assert!(written > 0);
    let now = Store::open(&path).unwrap().read().unwrap();
    for number in 0..written {
        let found = now.find::<AppliedRole>(&format!("written-{number}")).unwrap();
        assert!(found.is_some(), "{number} of {written} is lost");
    }
}

#[test]
fn a_row_of_no_table_is_not_lost_without_a_word() {
    let (_directory, path) = used();
    raw(&path, vec![(vec![250, 1], Vec::new())]);

    let compacted = compact(&path);
    let repaired = repair(&path, &path.with_extension("aside")).unwrap();

    let no_table = Some("no table");
    assert!(matches!(compacted, Err(StoreError::Corrupt { table, .. }) if table == no_table));
    assert!(matches!(&*repaired.left_out.flaws, [Flaw::Row { table: "no table", .. }]));
}
