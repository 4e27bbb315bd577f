//! Ranges: by table, by the beginning of a key, by index, by expiry.

use std::sync::Arc;

use gatelodge::clock::Timestamp;
use gatelodge::model::person::Username;
use gatelodge::store::{Store, StoreError, Tx, View};

use super::exam;
use crate::rows::{Failure, NOTES_BY_AUTHOR, Note, key, note, together};

exam! {
    a_list_is_in_order_and_as_long_as_asked,
    an_index_gives_only_what_is_under_the_whole_of_its_key,
    an_index_gives_and_counts_what_lies_beyond_a_key,
    a_range_merges_what_is_stored_what_the_batch_holds_and_what_is_its_own,
    what_has_expired_comes_by_its_moment_and_no_sooner,
}

fn names(rows: Vec<(String, Note)>) -> Vec<String> {
    rows.into_iter().map(|(key, _)| key).collect()
}

async fn a_list_is_in_order_and_as_long_as_asked(open: fn() -> Store) {
    let store = open();
    let written = store.write(|tx| {
        for name in ["b", "a", "ab", "c", ""] {
            tx.put(&key(name), note("ada", "", None))?;
        }
        Ok::<_, StoreError>(())
    });
    written.await.unwrap();

    let now = store.read().unwrap();

    assert_eq!(names(now.list::<Note>(9).unwrap()), ["", "a", "ab", "b", "c"]);
    assert_eq!(names(now.list::<Note>(2).unwrap()), ["", "a"]);
    assert_eq!(names(now.list::<Note>(0).unwrap()), [""; 0]);
    assert_eq!(names(now.list_under::<Note, _>(&key("a"), 9).unwrap()), ["a"]);
    assert_eq!((now.count::<Note>(9).unwrap(), now.count::<Note>(3).unwrap()), (5, 3));
}

async fn an_index_gives_only_what_is_under_the_whole_of_its_key(open: fn() -> Store) {
    let store = open();
    let written = store.write(|tx| {
        for (name, author) in [("1", "ada"), ("2", "adam"), ("3", "ada"), ("4", "ad")] {
            tx.put(&key(name), note(author, "", None))?;
        }
        Ok::<_, StoreError>(())
    });
    written.await.unwrap();

    let now = store.read().unwrap();
    let by = |author: &str, limit| {
        now.by(&NOTES_BY_AUTHOR, &author.parse().ok().unwrap(), limit).unwrap()
    };

    assert_eq!(by("ada", 9), ["1", "3"]);
    assert_eq!(by("ada", 1), ["1"]);
    assert_eq!(by("adam", 9), ["2"]);
    assert_eq!(by("eve", 9), [""; 0]);
}

async fn an_index_gives_and_counts_what_lies_beyond_a_key(open: fn() -> Store) {
    let store = open();
    let written = store.write(|tx| {
        for (name, author) in [("1", "ada"), ("2", "adam"), ("3", "ada"), ("4", "eve")] {
            tx.put(&key(name), note(author, "", None))?;
        }
        Ok::<_, StoreError>(())
    });
    written.await.unwrap();

    let now = store.read().unwrap();
    let name = |written: &str| -> Username { written.parse().ok().unwrap() };
    let beyond = |last: &str, limit| now.beyond(&NOTES_BY_AUTHOR, &name(last), limit).unwrap();
    let count =
        |last: &str, limit| now.count_beyond(&NOTES_BY_AUTHOR, &(), &name(last), limit).unwrap();

    assert_eq!(beyond("ad", 9), ["1", "3", "2", "4"]);
    assert_eq!(beyond("ada", 9), ["2", "4"]);
    assert_eq!(beyond("ada", 1), ["2"]);
    assert_eq!(beyond("eve", 9), [""; 0]);
    assert_eq!((count("ad", 9), count("ada", 9), count("ada", 1), count("eve", 9)), (4, 2, 1, 0));
    let within = now.count_beyond(&NOTES_BY_AUTHOR, &name("ada"), &name("ada"), 9).unwrap();
    assert_eq!(within, 0);
}

async fn a_range_merges_what_is_stored_what_the_batch_holds_and_what_is_its_own(
    open: fn() -> Store,
) {
    let store = Arc::new(open());
    let stored = store.write(|tx| {
        for name in ["a", "c", "e", "g"] {
            tx.put(&key(name), note("ada", "stored", None))?;
        }
        Ok::<_, StoreError>(())
    });
    stored.await.unwrap();

    let mut outcomes = together(&store, vec![of_the_batch as fn(&mut Tx<'_>) -> _, own]).await;

    let ([seen, first_two], counts) = outcomes.pop().unwrap().unwrap();
    let texts: Vec<(&str, &str)> =
        seen.iter().map(|(key, row)| (key.as_str(), row.text.as_str())).collect();
    assert_eq!(texts, [("a", "stored"), ("c", "own"), ("d", "batch"), ("e", "own"), ("f", "own")]);
    assert_eq!(names(first_two), ["a", "c"]);
    assert_eq!(counts, [5, 5, 4, 0]);
    assert_eq!(store.read().unwrap().list::<Note>(9).unwrap(), seen);
}

/// Two lists, and how many rows there were, counted up to nine, five, four and none.
type Seen = ([Vec<(String, Note)>; 2], [usize; 4]);

fn of_the_batch(tx: &mut Tx<'_>) -> Result<Seen, Failure> {
    tx.put(&key("b"), note("ada", "batch", None))?;
    tx.put(&key("c"), note("ada", "batch", None))?;
    tx.put(&key("d"), note("ada", "batch", None))?;
    tx.remove::<Note>(&key("e"))?;
    tx.remove::<Note>(&key("g"))?;
    Ok(([vec![], vec![]], [0; 4]))
}

fn own(tx: &mut Tx<'_>) -> Result<Seen, Failure> {
    tx.put(&key("c"), note("ada", "own", None))?;
    tx.put(&key("e"), note("ada", "own", None))?;
    tx.put(&key("f"), note("ada", "own", None))?;
    tx.remove::<Note>(&key("b"))?;
    let count = |limit| tx.count::<Note>(limit);
    let counts = [count(9)?, count(5)?, count(4)?, count(0)?];
    Ok(([tx.list(9)?, tx.list(2)?], counts))
}

async fn what_has_expired_comes_by_its_moment_and_no_sooner(open: fn() -> Store) {
    let store = open();
    let written = store.write(|tx| {
        for (name, until) in [
            ("a", Some(300)),
            ("b", Some(100)),
            ("c", Some(200)),
            ("d", None),
            ("e", Some(u64::MAX)),
        ] {
            tx.put(&key(name), note("ada", "", until))?;
        }
        Ok::<_, StoreError>(())
    });
    written.await.unwrap();

    let now = store.read().unwrap();
    let expired = |at, limit| -> Vec<char> {
        let rows = now.expired(Timestamp::from_millis(at), limit).unwrap();
        rows.into_iter()
            .map(|(_, key)| {
                assert_eq!((key[0], key[2]), (200, 0));
                char::from(key[1])
            })
            .collect()
    };

    assert_eq!(expired(99, 9), ['x'; 0]);
    assert_eq!(expired(100, 9), ['b']);
    assert_eq!(expired(299, 9), ['b', 'c']);
    assert_eq!(expired(300, 2), ['b', 'c']);
    assert_eq!(expired(u64::MAX - 1, 9), ['b', 'c', 'a']);
    assert_eq!(expired(u64::MAX, 9), ['b', 'c', 'a', 'e']);

    let (since, first) = now.expired(Timestamp::from_millis(199), 9).unwrap().remove(0);
    assert_eq!(since, Timestamp::from_millis(100));
    store.write(move |tx| tx.remove_listed::<Note>(&first)).await.unwrap();
    assert_eq!(store.read().unwrap().expired(Timestamp::from_millis(299), 9).unwrap().len(), 1);
    assert_eq!(store.read().unwrap().find::<Note>(&key("b")).unwrap(), None);
}
