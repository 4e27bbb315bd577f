//! One transition: what it writes, and what it leaves behind where it fails.

use gatelodge::clock::Timestamp;
use gatelodge::store::{Key as _, Row as _, Store, StoreError, View};

use super::exam;
use crate::rows::{Counter, Failure, NOTES_BY_AUTHOR, Note, count, counted, key, note};

exam! {
    a_row_is_found_as_it_was_put_until_it_is_removed,
    index_entries_are_replaced_with_their_row,
    what_is_refused_leaves_nothing_behind,
    a_transition_reads_what_it_wrote,
    a_transition_that_panics_leaves_nothing_and_the_writer_goes_on,
    a_snapshot_stands_still,
    a_transition_that_writes_nothing_is_answered,
    a_row_that_does_not_decode_is_named,
    a_key_that_does_not_decode_is_named,
}

async fn a_row_is_found_as_it_was_put_until_it_is_removed(open: fn() -> Store) {
    let store = open();
    let row = note("ada", "hello", Some(7));
    let put = row.clone();

    store.write(move |tx| tx.put(&key("a"), put.clone())).await.unwrap();
    assert_eq!(store.read().unwrap().find::<Note>(&key("a")).unwrap(), Some(row.clone()));
    assert_eq!(store.read().unwrap().find::<Note>(&key("b")).unwrap(), None);

    let removed = store.write(|tx| tx.remove::<Note>(&key("a"))).await;
    assert_eq!(removed.unwrap(), Some(row));
    assert_eq!(store.read().unwrap().find::<Note>(&key("a")).unwrap(), None);
    assert_eq!(store.write(|tx| tx.remove::<Note>(&key("a"))).await.unwrap(), None);
}

async fn index_entries_are_replaced_with_their_row(open: fn() -> Store) {
    let store = open();
    let by = |author: &str| {
        let author = author.parse().ok().unwrap();
        store.read().unwrap().by(&NOTES_BY_AUTHOR, &author, 9).unwrap()
    };
    let expired = || store.read().unwrap().expired(Timestamp::from_millis(100), 9).unwrap().len();

    store.write(|tx| tx.put(&key("a"), note("ada", "", Some(7)))).await.unwrap();
    assert_eq!((by("ada"), by("bob"), expired()), (vec![key("a")], vec![], 1));

    store.write(|tx| tx.put(&key("a"), note("bob", "", Some(8)))).await.unwrap();
    assert_eq!((by("ada"), by("bob"), expired()), (vec![], vec![key("a")], 1));

    store.write(|tx| tx.put(&key("a"), note("bob", "", None))).await.unwrap();
    assert_eq!((by("ada"), by("bob"), expired()), (vec![], vec![key("a")], 0));

    store.write(|tx| tx.remove::<Note>(&key("a"))).await.unwrap();
    assert_eq!((by("ada"), by("bob"), expired()), (vec![], vec![], 0));
}

async fn what_is_refused_leaves_nothing_behind(open: fn() -> Store) {
    let store = open();
    store.write(|tx| tx.put(&key("a"), note("ada", "old", None))).await.unwrap();

    let refused = store.write(|tx| {
        count(tx)?;
        tx.put(&key("a"), note("ada", "new", Some(1)))?;
        tx.put(&key("b"), note("bob", "", Some(1)))?;
        tx.remove::<Note>(&key("a"))?;
        Err::<(), _>(Failure::Refused)
    });

    assert!(matches!(refused.await, Err(Failure::Refused)));
    let now = store.read().unwrap();
    assert_eq!(now.list::<Note>(9).unwrap(), [(key("a"), note("ada", "old", None))]);
    assert_eq!(now.expired(Timestamp::from_millis(100), 9).unwrap(), []);
    assert_eq!(counted(&store), 0);
}

async fn a_transition_reads_what_it_wrote(open: fn() -> Store) {
    let store = open();

    let seen = store.write(|tx| {
        tx.put(&key("a"), note("ada", "one", None))?;
        tx.put(&key("a"), note("ada", "two", None))?;
        tx.put(&key("b"), note("ada", "", None))?;
        tx.remove::<Note>(&key("b"))?;
        let author = "ada".parse().ok().unwrap();
        Ok::<_, StoreError>((tx.list::<Note>(9)?, tx.by(&NOTES_BY_AUTHOR, &author, 9)?))
    });

    let seen = seen.await.unwrap();
    assert_eq!(seen, (vec![(key("a"), note("ada", "two", None))], vec![key("a")]));
}

async fn a_transition_that_panics_leaves_nothing_and_the_writer_goes_on(open: fn() -> Store) {
    let store = open();

    let panicked = store.write(|tx| -> Result<(), StoreError> {
        tx.put(&key("a"), note("ada", "", None))?;
        std::panic::resume_unwind(Box::new("a transition's own fault"));
    });

    assert!(matches!(panicked.await, Err(StoreError::Panicked)));
    store.write(count).await.unwrap();
    assert_eq!(counted(&store), 1);
    assert_eq!(store.read().unwrap().count::<Note>(9).unwrap(), 0);
}

async fn a_snapshot_stands_still(open: fn() -> Store) {
    let store = open();
    store.write(|tx| tx.put(&key("a"), note("ada", "then", None))).await.unwrap();
    let then = store.read().unwrap();

    store.write(|tx| tx.put(&key("a"), note("bob", "now", None))).await.unwrap();
    store.write(|tx| tx.put(&key("b"), note("bob", "now", None))).await.unwrap();

    assert_eq!(then.list::<Note>(9).unwrap(), [(key("a"), note("ada", "then", None))]);
    assert_eq!(store.read().unwrap().count::<Note>(9).unwrap(), 2);
}

async fn a_transition_that_writes_nothing_is_answered(open: fn() -> Store) {
    let store = open();
    store.write(count).await.unwrap();

    let found = store.write(|tx| tx.find::<Counter>(&())).await;

    assert_eq!(found.unwrap(), Some(Counter(1)));
}

async fn a_row_that_does_not_decode_is_named(open: fn() -> Store) {
    let store = open();
    let mut at = vec![Note::TABLE.byte];
    key("ab").write(&mut at);
    let rows = [vec![], vec![9], vec![0xff; 40], [0, 3, b'a', b'd', b'a', 0, 0, 0].to_vec()];

    for bytes in rows {
        let (at, put) = (at.clone(), bytes.clone());
        let written = store.write(move |tx| {
            tx.put_raw(at.clone(), put.clone());
            Ok::<_, StoreError>(())
        });
        written.await.unwrap();

        let found = store.read().unwrap().find::<Note>(&key("ab"));
        let listed = store.read().unwrap().list::<Note>(9).map(|_| None);
        let replaced = store.write(|tx| tx.put(&key("ab"), note("ada", "", None))).await;
        let removed = store.write(|tx| tx.remove::<Note>(&key("ab"))).await;

        for outcome in [found, listed, replaced.map(|()| None), removed] {
            let Err(StoreError::Corrupt { table: Some(table), key }) = outcome else {
                panic!("{bytes:?}")
            };
            assert_eq!((table, key.as_str()), ("notes", "c8616200"));
        }
    }
}

async fn a_key_that_does_not_decode_is_named(open: fn() -> Store) {
    let store = open();
    let row = store.write(|tx| {
        tx.put(&key("a"), note("ada", "", None))?;
        let found = tx.raw(&[Note::TABLE.byte, b'a', 0])?.unwrap();
        // Behind the key's end there is more.
        tx.put_raw(vec![Note::TABLE.byte, b'a', 0, 1], found);
        Ok::<_, StoreError>(())
    });
    row.await.unwrap();

    let listed = store.read().unwrap().list::<Note>(9);

    assert!(
        matches!(&listed, Err(StoreError::Corrupt { table: Some("notes"), key }) if key == "c8610001")
    );
}
