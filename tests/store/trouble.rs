//! A disk in trouble: what fails returns its error, what was acknowledged is durable, and when the
//! trouble is over the same store serves again.

use gatelodge::store::{Read, Store, StoreError, Tx, View};

use crate::crash::{assert_whole, deed, prepared, runtime};
use crate::disk::{Disk, Faults, Survivors};
use crate::rows::{Failure, Note, count, counted, key, note};

/// Writes `times`, and begins anew from where the store is after a failure. Gives how many
/// failures there were.
async fn write(store: &Store, times: usize) -> usize {
    let mut failures = 0;
    for _ in 0..times {
        match store.write(deed).await {
            Ok(_) => {}
            Err(Failure::Store(StoreError::Unwritable(_))) => failures += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    failures
}

/// What was acknowledged is there after a crash, however late it comes.
fn assert_durable(disk: &Disk, store: Store) {
    let made = counted(&store);
    assert_whole(&store, made, made);
    assert_whole(&disk.restart(Survivors::None).open().unwrap(), made, made);
    drop(store);
    assert_whole(&disk.restart(Survivors::None).open().unwrap(), made, made);
}

#[test]
fn a_full_disk_is_told_and_the_store_serves_again_when_there_is_space() {
    let (disk, runtime) = (prepared(), runtime());
    let store = disk.open().unwrap();
    runtime.block_on(write(&store, 3));
    disk.suffer(Faults { room: Some(disk.length()), ..Faults::default() });

    let mut rows = 0;
    let full = loop {
        let put = store.write(move |tx| {
            count(tx)?;
            tx.put(&format!("large {rows:03}"), note("ada", &"x".repeat(60_000), None))?;
            Ok::<_, Failure>(())
        });
        match runtime.block_on(put) {
            Ok(()) => rows += 1,
            Err(full) => break full,
        }
        assert!(rows < 200, "the disk is never full");
    };

    assert!(matches!(full, Failure::Store(StoreError::Unwritable(_))));
    assert_eq!(counted(&store), 3 + rows);
    assert!(
        store
            .read()
            .unwrap()
            .find::<gatelodge::store::schema::Installation>(&())
            .unwrap()
            .is_none()
    );
    disk.suffer(Faults::default());
    let after = store.write(|tx| tx.put(&key("after"), note("ada", "", None)));
    runtime.block_on(after).unwrap();
    drop(store);
    let store = disk.restart(Survivors::None).open().unwrap();
    assert_eq!(counted(&store), 3 + rows);
    let found = store.read().unwrap().list::<Note>(999).unwrap();
    let large = found.iter().filter(|(key, _)| key.starts_with("large")).count() as u64;
    assert_eq!(large, rows);
}

#[test]
fn space_may_end_at_any_write_and_return() {
    let (prepared, runtime) = (prepared(), runtime());
    for at in 0.. {
        let disk = prepared.restart(Survivors::None);
        let store = disk.open().unwrap();
        runtime.block_on(write(&store, 2));

        disk.suffer(Faults { full_from: Some(at), ..Faults::default() });
        let failures = runtime.block_on(write(&store, 3));
        let filled = disk.filled();
        disk.suffer(Faults::default());

        assert_eq!(counted(&store), 5 - failures as u64, "what failed was not written");
        assert_eq!(runtime.block_on(write(&store, 3)), 0, "it serves again at once");
        assert_eq!(counted(&store), 8 - failures as u64);
        assert_durable(&disk, store);
        if !filled {
            assert!(at > 20, "{at}");
            break;
        }
    }
}

#[test]
fn a_sync_that_fails_once_loses_nothing_that_is_answered() {
    let (prepared, runtime) = (prepared(), runtime());
    for at in 0.. {
        let disk = prepared.restart(Survivors::None);
        let store = disk.open().unwrap();
        runtime.block_on(write(&store, 2));

        disk.suffer(Faults { sync_fails: Some(at), ..Faults::default() });
        let failures = runtime.block_on(write(&store, 6));

        assert!(failures <= 1, "one sync fails one commit, not {failures}");
        assert_eq!(counted(&store), 8 - failures as u64, "what failed was not written");
        let struck = disk.struck();
        assert_durable(&disk, store);
        if !struck {
            assert!(at > 10, "{at}");
            break;
        }
    }
}

#[test]
fn a_disk_that_cannot_be_read_for_a_while_is_told_and_then_forgotten() {
    let (disk, runtime) = (prepared(), runtime());
    // More than the cache holds, so that some of it has to be read.
    let long = |tx: &mut Tx<'_>| {
        for _ in 0..50 {
            let n = count(tx)?;
            tx.put(&format!("long {n}"), note("ada", &"x".repeat(64_000), None))?;
        }
        Ok::<_, Failure>(())
    };
    let all = |view: &Read| view.list::<Note>(999).map(|rows| rows.len());
    let store = disk.open().unwrap();
    (0..12).for_each(|_| runtime.block_on(store.write(long)).unwrap());

    disk.suffer(Faults { unreadable: true, ..Faults::default() });
    let read = store.read().and_then(|now| all(&now));
    let written = runtime.block_on(store.write(|tx| tx.list::<Note>(999)));
    assert!(matches!(read, Err(StoreError::Engine(_))));
    assert!(matches!(written, Err(StoreError::Engine(_))));

    disk.suffer(Faults::default());
    assert_eq!(store.read().and_then(|now| all(&now)).unwrap(), 600);
    runtime.block_on(store.write(long)).unwrap();
    assert_eq!(counted(&disk.restart(Survivors::None).open().unwrap()), 650);
}
