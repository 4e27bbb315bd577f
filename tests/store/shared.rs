//! Rows that are read again and again: whoever shares them reads what the snapshot has, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use gatelodge::store::{Read, Store, Tx, View};

use crate::crash::{prepared, runtime};
use crate::disk::{Disk, Faults};
use crate::rows::{Counter, Failure, Note, count, key, note};

/// Writes one text into both notes.
fn both(store: &Store, text: &str) {
    let text = text.to_owned();
    let write = move |tx: &mut Tx<'_>| {
        tx.put(&key("one"), note("ada", &text, None))?;
        tx.put(&key("other"), note("ada", &text, None))?;
        Ok::<_, Failure>(())
    };
    runtime().block_on(store.write(write)).unwrap();
}

fn text(view: &impl View, name: &str) -> Option<String> {
    view.find_shared::<Note>(&key(name)).unwrap().map(|note| note.text.clone())
}

fn stored(view: &impl View, name: &str) -> Option<String> {
    view.find::<Note>(&key(name)).unwrap().map(|note| note.text)
}

#[test]
fn a_shared_row_is_that_of_its_snapshot() {
    let store = Disk::new().open().unwrap();
    let empty = store.read().unwrap();
    assert_eq!(text(&empty, "one"), None);
    both(&store, "a");
    let first = store.read().unwrap();
    assert_eq!(text(&first, "one").as_deref(), Some("a"));

    both(&store, "b");
    let second = store.read().unwrap();
    assert_eq!(text(&second, "one").as_deref(), Some("b"));
    // The snapshots from before read on, and leave the newer ones nothing.
    for _ in 0..2 {
        for name in ["one", "other"] {
            assert_eq!(text(&empty, name), None);
            assert_eq!(text(&first, name).as_deref(), Some("a"));
            assert_eq!(text(&second, name).as_deref(), Some("b"));
        }
    }

    let removed = runtime().block_on(store.write(|tx| {
        let own = |tx: &Tx<'_>| (text(tx, "one"), text(tx, "other"));
        let before = own(tx);
        tx.remove::<Note>(&key("one"))?;
        tx.put(&key("other"), note("ada", "c", None))?;
        Ok::<_, Failure>((before, own(tx)))
    }));
    let b = Some("b".to_owned());
    assert_eq!(removed.unwrap(), ((b.clone(), b), (None, Some("c".to_owned()))));
    let third = store.read().unwrap();
    assert_eq!((text(&third, "one"), text(&second, "one").as_deref()), (None, Some("b")));
    assert_eq!(text(&third, "other").as_deref(), Some("c"));
}

#[test]
fn transitions_of_one_batch_share_what_those_before_them_wrote() {
    let store = Arc::new(Disk::new().open().unwrap());
    both(&store, "0");
    let step = |tx: &mut Tx<'_>| {
        let before: u32 = text(tx, "one").unwrap().parse().unwrap();
        tx.put(&key("one"), note("ada", &(before + 1).to_string(), None))?;
        Ok(before)
    };

    let outcomes = runtime().block_on(crate::rows::together(&store, vec![step; 5]));

    let outcomes: Vec<u32> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes, [0, 1, 2, 3, 4]);
    assert_eq!(text(&store.read().unwrap(), "one").as_deref(), Some("5"));
}

#[test]
fn readers_beside_a_writer_never_mix_two_commits() {
    let store = Disk::new().open().unwrap();
    both(&store, "0");
    let is_over = AtomicBool::new(false);
    let whole = |view: &Read| {
        let (one, other) = (text(view, "one"), text(view, "other"));
        assert_eq!(one, other, "two rows that are always written together");
        assert_eq!(one, stored(view, "one"));
        one.unwrap().parse::<u32>().unwrap()
    };

    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut old = store.read().unwrap();
                let mut newest = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let view = store.read().unwrap();
                    let read = whole(&view);
                    assert!(read >= newest, "{read} after {newest}");
                    newest = read;
                    // One that is read again later, in the middle of newer ones.
                    whole(&old);
                    if read % 7 == 0 {
                        old = view;
                    }
                }
            });
        }
        for round in 1..400 {
            both(&store, &round.to_string());
        }
        is_over.store(true, Ordering::Relaxed);
    });

    assert_eq!(whole(&store.read().unwrap()), 399);
}

#[test]
fn what_a_commit_that_failed_would_have_written_is_shared_with_nobody() {
    let disk = prepared();
    let (store, runtime) = (disk.open().unwrap(), runtime());
    let counted = |view: &Read| {
        let row = view.find_shared::<Counter>(&()).unwrap().unwrap();
        assert_eq!(Some(&*row), view.find::<Counter>(&()).unwrap().as_ref());
        row.0
    };
    let shared = |store: &Store| counted(&store.read().unwrap());
    runtime.block_on(store.write(count)).unwrap();
    let before = shared(&store);

    for sync in 0..3 {
        let held = store.read().unwrap();
        let started = counted(&held);
        disk.suffer(Faults { sync_fails: Some(sync), ..Faults::default() });
        let failed = runtime.block_on(store.write(count)).is_err();
        let now = if failed { started } else { started + 1 };
        assert_eq!((shared(&store), counted(&held)), (now, started));
        disk.suffer(Faults::default());
        // A write waits until nobody reads what was given up.
        drop(held);
        runtime.block_on(store.probe()).unwrap();
        assert_eq!(shared(&store), now);
        runtime.block_on(store.write(count)).unwrap();
        assert_eq!(shared(&store), now + 1);
    }

    assert!(shared(&store) >= before + 3);
}
