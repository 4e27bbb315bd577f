//! A disk that cannot be written for a while: reads go on, what fails leaves nothing behind, and
//! writes return by themselves.

use std::sync::Arc;

use gatelodge::store::{Store, StoreError, Tx, View, WriteHealth};

use crate::crash::{assert_whole, deed, prepared, runtime};
use crate::disk::{Disk, Faults, Survivors};
use crate::rows::{Counter, Failure, Note, count, counted, key, note, together};

fn read_only() -> Faults {
    Faults { read_only: true, ..Faults::default() }
}

/// A store with more rows than the cache holds, so that reading them all reads the disk.
fn large(disk: &Disk) -> Store {
    let store = disk.open().unwrap();
    for _ in 0..12 {
        let many = |tx: &mut Tx<'_>| {
            for _ in 0..50 {
                let n = count(tx)?;
                tx.put(&format!("large {n}"), note("ada", &"x".repeat(64_000), None))?;
            }
            Ok::<_, Failure>(())
        };
        runtime().block_on(store.write(many)).unwrap();
    }
    store
}

fn rows(view: &impl View) -> usize {
    view.list::<Note>(999).unwrap().len()
}

#[track_caller]
fn assert_unwritable<T>(written: &Result<T, Failure>) {
    assert!(matches!(written, Err(Failure::Store(StoreError::Unwritable(_)))));
}

#[test]
fn what_was_written_is_read_while_nothing_can_be_written() {
    let disk = prepared();
    let (store, runtime) = (large(&disk), runtime());
    let before = store.read().unwrap();

    disk.suffer(read_only());
    for _ in 0..3 {
        assert_unwritable(&runtime.block_on(store.write(count)));
        assert_eq!(rows(&store.read().unwrap()), 600);
    }
    assert_eq!(rows(&before), 600, "a snapshot from before the failure stays valid");
    disk.suffer(Faults::default());
    drop(before);

    assert_eq!(runtime.block_on(store.write(count)).unwrap(), 600);
    assert_eq!(rows(&store.read().unwrap()), 600);
    assert_eq!(counted(&disk.restart(Survivors::None).open().unwrap()), 601);
}

#[test]
fn a_store_that_cannot_be_written_is_opened_and_read() {
    let (prepared, runtime) = (prepared(), runtime());
    let store = prepared.open().unwrap();
    runtime.block_on(store.write(deed)).unwrap();
    // As a kill leaves it.
    let disk = prepared.restart(Survivors::All);

    disk.suffer(read_only());
    let store = disk.open().unwrap();

    assert_whole(&store, 1, 1);
    assert_unwritable(&runtime.block_on(store.write(deed)));
    disk.suffer(Faults::default());
    assert_eq!(runtime.block_on(store.write(deed)).unwrap(), 2);
    drop(store);
    assert_whole(&disk.restart(Survivors::None).open().unwrap(), 2, 2);
}

/// While a snapshot from before the failure is read, nothing overwrites what it reads.
#[test]
fn a_snapshot_from_before_a_failure_is_not_written_over() {
    let (disk, runtime) = (prepared(), runtime());
    let store = large(&disk);
    let before = store.read().unwrap();
    disk.suffer(read_only());
    assert_unwritable(&runtime.block_on(store.write(count)));
    disk.suffer(Faults::default());

    let meanwhile = runtime.block_on(store.write(|tx| {
        (0..600).try_for_each(|n| tx.remove::<Note>(&format!("large {n}")).map(drop))?;
        Ok::<_, Failure>(())
    }));

    assert_unwritable(&meanwhile);
    assert_eq!(rows(&before), 600);
    drop(before);
    assert_eq!(runtime.block_on(store.write(count)).unwrap(), 600);
}

#[test]
fn what_writes_nothing_is_answered_beside_what_cannot_be_written() {
    let (disk, runtime) = (prepared(), runtime());
    let store = Arc::new(disk.open().unwrap());
    runtime.block_on(store.write(count)).unwrap();
    disk.suffer(read_only());

    // The second sees the write of the first, and may not be answered by it.
    let outcomes = runtime.block_on(together(
        &store,
        vec![count, |tx: &mut Tx<'_>| {
            Ok::<_, Failure>(tx.find::<Counter>(&())?.map_or(0, |Counter(n)| n))
        }],
    ));

    let [written, read] = <[_; 2]>::try_from(outcomes).unwrap();
    assert_unwritable(&written);
    assert_eq!(read.unwrap(), 1);
}

/// Small writes find room in a full file for a long time.
#[test]
fn a_probe_tells_of_a_full_disk_before_a_write_does() {
    let (disk, runtime) = (prepared(), runtime());
    let store = disk.open().unwrap();
    runtime.block_on(store.write(deed)).unwrap();
    runtime.block_on(store.probe()).unwrap();
    assert_eq!(store.write_health(), WriteHealth::Writable);
    let length = disk.length();
    disk.suffer(Faults { room: Some(length), ..Faults::default() });

    let probed = runtime.block_on(store.probe());

    assert!(matches!(probed, Err(StoreError::Unwritable(_))));
    let WriteHealth::Unwritable { cause } = store.write_health() else { panic!("it is writable") };
    assert!(cause.contains("storage"), "{cause}");
    assert_eq!(runtime.block_on(store.write(deed)).unwrap(), 2);
    assert_ne!(store.write_health(), WriteHealth::Writable, "there is still no space");
    disk.suffer(Faults::default());
    runtime.block_on(store.probe()).unwrap();
    assert_eq!(store.write_health(), WriteHealth::Writable);
    assert_eq!(disk.length(), length, "a probe leaves the file as long as it was");
}

#[test]
fn a_failed_write_is_remembered_until_a_probe_succeeds() {
    let (disk, runtime) = (prepared(), runtime());
    let store = disk.open().unwrap();
    disk.suffer(Faults { sync_fails: Some(0), ..Faults::default() });

    assert_unwritable(&runtime.block_on(store.write(deed)));
    runtime.block_on(store.write(deed)).unwrap();

    assert_ne!(store.write_health(), WriteHealth::Writable);
    runtime.block_on(store.probe()).unwrap();
    assert_eq!(store.write_health(), WriteHealth::Writable);
}

/// The power may go at any point of the return.
#[test]
fn a_crash_while_writes_return_loses_nothing_that_is_answered() {
    let (prepared, runtime) = (prepared(), runtime());
    let mut points = 0;
    for (fails_at, power_at) in (0..4).flat_map(|fails| (0..8).map(move |power| (fails, power))) {
        for seed in 0..4 {
            let disk = prepared.restart(Survivors::None);
            let store = disk.open().unwrap();
            runtime.block_on(store.write(deed)).unwrap();
            disk.suffer(Faults { sync_fails: Some(fails_at), ..Faults::default() });
            let failed = runtime.block_on(store.write(deed)).is_err();
            let (mut acknowledged, mut started) = (2 - u64::from(failed), 2);
            assert_eq!(counted(&store), acknowledged);

            disk.suffer(Faults { power_ends: Some(power_at), ..Faults::default() });
            while !disk.struck() && started < 9 {
                started += 1;
                acknowledged += u64::from(runtime.block_on(store.write(deed)).is_ok());
            }
            let found = disk.restart(Survivors::Torn(seed)).open().unwrap();

            points += u32::from(failed && disk.struck());
            assert_whole(&found, acknowledged, started);
        }
    }
    assert!(points > 50, "{points}");
}

#[test]
fn a_row_is_found_by_its_key_during_an_outage() {
    let (disk, runtime) = (prepared(), runtime());
    let store = disk.open().unwrap();
    let put = store.write(|tx| Ok::<_, Failure>(tx.put(&key("one"), note("ada", "first", None))?));
    runtime.block_on(put).unwrap();
    disk.suffer(read_only());
    let replace =
        store.write(|tx| Ok::<_, Failure>(tx.put(&key("one"), note("ada", "second", None))?));

    assert_unwritable(&runtime.block_on(replace));

    let found = store.read().unwrap().find::<Note>(&key("one")).unwrap();
    assert_eq!(found.unwrap().text, "first");
}
