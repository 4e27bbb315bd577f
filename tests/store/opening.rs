//! Opening: who may, what is refused, what becomes of an older store.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use gatelodge::store::migrate::{SCHEMA, SCHEMA_KEY};
use gatelodge::store::{Store, StoreError, Tx, View};
use tempfile::TempDir;

use crate::crash::runtime;
use crate::golden;
use crate::rows::{count, counted};
use crate::samples::samples;

const STORE: &str = "GATELODGE_TEST_STORE";

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    (directory, path)
}

/// Makes a store as `with` leaves it, and closes it.
fn made(path: &Path, with: impl Fn(&mut Tx<'_>) + Send + 'static) {
    let store = Store::open(path).unwrap();
    let written = store.write(move |tx| {
        with(tx);
        Ok::<_, StoreError>(())
    });
    runtime().block_on(written).unwrap();
}

#[test]
fn what_was_written_before_closing_is_there_after_opening() {
    let (_directory, path) = place();

    for before in 0..3 {
        let store = Store::open(&path).unwrap();
        assert_eq!(counted(&store), before);
        runtime().block_on(store.write(count)).unwrap();
    }
}

#[test]
fn a_second_handle_on_the_file_is_refused_while_the_first_lives() {
    let (_directory, path) = place();
    let first = Store::open(&path).unwrap();

    assert!(matches!(Store::open(&path), Err(StoreError::Locked)));
    drop(first);

    assert!(Store::open(&path).is_ok());
}

#[test]
fn a_second_process_is_refused_while_the_first_has_the_file_open() {
    if let Some(path) = env::var_os(STORE) {
        // This is the second process.
        assert!(matches!(Store::open(Path::new(&path)), Err(StoreError::Locked)));
        return;
    }
    let (_directory, path) = place();
    let _first = Store::open(&path).unwrap();

    let name = "opening::a_second_process_is_refused_while_the_first_has_the_file_open";
    let second = Command::new(env::current_exe().unwrap())
        .args(["--exact", name])
        .env(STORE, &path)
        .output()
        .unwrap();

    let said = String::from_utf8_lossy(&second.stdout);
    assert!(second.status.success() && said.contains("1 passed"), "{said}");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_file_and_nothing_lies_beside_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let (directory, path) = place();

    drop(Store::open(&path).unwrap());

    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_making_that_was_cut_short_does_not_stand_in_the_way_of_the_next() {
    let (directory, path) = place();
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&draft, vec![0; 1 << 20]).unwrap();

    drop(Store::open(&path).unwrap());

    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_as_it_is() {
    let (_directory, path) = place();
    fs::write(&path, "somebody's diary").unwrap();

    assert!(matches!(Store::open(&path), Err(StoreError::Engine(_))));

    assert_eq!(fs::read(&path).unwrap(), b"somebody's diary");
}

#[test]
fn a_directory_that_is_not_there_is_told() {
    let (_directory, path) = place();

    assert!(matches!(Store::open(&path.join("below")), Err(StoreError::Engine(_))));

    assert!(!path.exists());
}

#[test]
fn a_store_of_a_newer_schema_is_refused() {
    let (_directory, path) = place();
    made(&path, |tx| tx.put_raw(SCHEMA_KEY.to_vec(), (SCHEMA + 1).to_be_bytes().to_vec()));

    let opened = Store::open(&path);

    assert!(matches!(opened, Err(StoreError::NewerSchema { found }) if found == SCHEMA + 1));
}

#[test]
fn a_schema_number_that_is_none_is_corrupt() {
    for number in [vec![], vec![1], 0_u32.to_be_bytes().to_vec()] {
        let (_directory, path) = place();
        made(&path, move |tx| tx.put_raw(SCHEMA_KEY.to_vec(), number.clone()));

        let opened = Store::open(&path);

        assert!(matches!(opened, Err(StoreError::Corrupt { table: Some("schema"), .. })));
    }
}

/// What every version of the program wrote opens as today's: a store of each schema number, with
/// the rows that were written under it.
#[test]
fn a_store_of_every_schema_so_far_is_brought_to_todays() {
    for number in 1..=SCHEMA {
        let (_directory, path) = place();
        made(&path, move |tx| {
            tx.put_raw(SCHEMA_KEY.to_vec(), number.to_be_bytes().to_vec());
            for sample in samples().into_iter().filter(|sample| sample.schema == number) {
                let frames = golden::stored(&sample);
                for (case, bytes) in sample.cases.iter().zip(frames) {
                    tx.put_raw(case.key(), bytes);
                }
            }
        });

        let now = Store::open(&path).unwrap().read().unwrap();

        assert_eq!(now.raw(SCHEMA_KEY).unwrap(), Some(SCHEMA.to_be_bytes().to_vec()));
        for sample in samples().into_iter().filter(|sample| sample.schema == number) {
            sample.cases.iter().for_each(|case| case.assert_found(&now));
        }
    }
}
