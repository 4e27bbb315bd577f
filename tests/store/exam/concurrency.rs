//! Many transitions at once: each sees those before it, and none sees half of another.

use std::sync::Arc;

use gatelodge::store::{Store, StoreError, Tx, View};
use tokio::sync::oneshot;

use super::exam;
use crate::rows::{Counter, Failure, Note, count, counted, key, note, spawn, together};

exam! {
    sixty_four_writers_at_once_see_each_other,
    of_a_batch_only_what_refused_or_panicked_is_missing,
    a_write_that_nobody_waits_for_is_still_made,
    readers_never_see_half_a_transition,
    a_reader_does_not_wait_for_a_writer,
    a_batch_larger_than_one_commit_is_answered_whole,
}

async fn sixty_four_writers_at_once_see_each_other(open: fn() -> Store) {
    let store = Arc::new(open());

    let outcomes = together(&store, vec![count; 64]).await;

    let seen: Vec<u64> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(seen, (0..64).collect::<Vec<_>>());
    assert_eq!(counted(&store), 64);
}

async fn of_a_batch_only_what_refused_or_panicked_is_missing(open: fn() -> Store) {
    let store = Arc::new(open());
    let transitions = (0..30_u64).map(|n| {
        move |tx: &mut Tx<'_>| {
            let before = count(tx)?;
            tx.put(&format!("{n:02}"), note("ada", "", None))?;
            match n % 3 {
                0 => Ok(before),
                1 => Err(Failure::Refused),
                _ => std::panic::resume_unwind(Box::new("a transition's own fault")),
            }
        }
    });

    let outcomes = together(&store, transitions.collect()).await;

    for (n, outcome) in (0..30_u64).zip(outcomes) {
        match (n % 3, outcome) {
            (0, Ok(before)) => assert_eq!(before, n / 3),
            (1, Err(Failure::Refused)) | (2, Err(Failure::Store(StoreError::Panicked))) => {}
            (_, outcome) => panic!("{n}: {outcome:?}"),
        }
    }
    let left: Vec<String> = (0..30).step_by(3).map(|n| format!("{n:02}")).collect();
    let rows = store.read().unwrap().list::<Note>(99).unwrap();
    assert_eq!(rows.into_iter().map(|(key, _)| key).collect::<Vec<_>>(), left);
    assert_eq!(counted(&store), 10);
}

async fn a_write_that_nobody_waits_for_is_still_made(open: fn() -> Store) {
    let store = Arc::new(open());
    let (entered, began) = oneshot::channel();
    let entered = std::sync::Mutex::new(Some(entered));

    let abandoned = spawn(&store, move |tx| {
        if let Some(entered) = entered.lock().unwrap().take() {
            entered.send(()).unwrap();
        }
        count(tx)
    });
    began.await.unwrap();
    abandoned.abort();

    // The next transition comes after it.
    assert_eq!(store.write(count).await.unwrap(), 1);
}

async fn readers_never_see_half_a_transition(open: fn() -> Store) {
    let store = Arc::new(open());
    let writers: Vec<_> = (0..50_u64)
        .map(|_| {
            spawn(&store, |tx| {
                let before = count(tx)?;
                tx.put(&key("twin"), note("ada", &(before + 1).to_string(), None))
                    .map_err(Failure::from)
            })
        })
        .collect();

    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let now = store.read().unwrap();
        let counter = now.find::<Counter>(&()).unwrap().map_or(0, |Counter(n)| n);
        let twin = now.find::<Note>(&key("twin")).unwrap();
        assert_eq!(twin.map_or(0, |twin| twin.text.parse().unwrap()), counter);
        tokio::task::yield_now().await;
    }

    assert_eq!(counted(&store), 50);
}

async fn a_reader_does_not_wait_for_a_writer(open: fn() -> Store) {
    let store = Arc::new(open());
    let (release, held) = std::sync::mpsc::channel::<()>();
    let writer = spawn(&store, move |tx| {
        count(tx)?;
        held.recv().map_err(|_| Failure::Refused)
    });
    tokio::task::yield_now().await;

    assert_eq!(counted(&store), 0);
    release.send(()).unwrap();
    writer.await.unwrap().unwrap();

    assert_eq!(counted(&store), 1);
}

async fn a_batch_larger_than_one_commit_is_answered_whole(open: fn() -> Store) {
    let store = Arc::new(open());

    let outcomes = together(&store, vec![count; 1500]).await;

    assert!(outcomes.into_iter().map(Result::unwrap).eq(0..1500));
    assert_eq!(counted(&store), 1500);
}
