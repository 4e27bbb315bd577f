//! What a share weighs, beside what its rows say.

use std::sync::Arc;

use gatelodge::clock::Timestamp;
use gatelodge::secret::TokenHash;
use gatelodge::store::{Entries, Key as _, Row, Share, Store, StoreError, Tag, Tx, View, Weight};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rows::{Failure, key, one_layout, together};

/// A row that may weigh on any share, or on none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Parcel {
    on: usize,
    text: String,
    until: Option<Timestamp>,
}

one_layout!(ParcelLayout, Parcel);

impl Row for Parcel {
    type Key = String;
    type Layout = ParcelLayout;
    const TABLE: Tag = Tag { byte: 203, name: "parcels" };

    fn entries(&self, _key: &String, into: &mut Entries) {
        if let Some(until) = self.until {
            into.expire(until);
        }
        if let Some(share) = shares().into_iter().nth(self.on) {
            into.weigh_on(share);
        }
    }
}

/// A row of another table, that weighs on a share by its key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Letter(String);

one_layout!(LetterLayout, Letter);

impl Row for Letter {
    type Key = (String, String);
    type Layout = LetterLayout;
    const TABLE: Tag = Tag { byte: 204, name: "letters" };

    fn entries(&self, (to, _): &(String, String), into: &mut Entries) {
        into.weigh_on(network(to));
    }
}

/// The network whose hash ends in `name`.
fn network(name: &str) -> Share {
    let mut hash = [1; 33];
    hash[33 - name.len()..].copy_from_slice(name.as_bytes());
    Share::Network(TokenHash::from_bytes(hash))
}

/// Four shares, of which three differ in the last bytes of their keys.
fn shares() -> [Share; 4] {
    [network("a"), network("ab"), network("b"), Share::Person(Uuid::from_u128(7).into())]
}

/// What a transition does.
#[derive(Clone, Debug)]
enum Deed {
    Put(String, Parcel),
    Remove(String),
    Send((String, String), Letter),
    Destroy((String, String)),
    /// Removes what has expired by then.
    Sweep(u64),
}

fn run(tx: &mut Tx<'_>, deeds: &[Deed]) -> Result<(), StoreError> {
    for deed in deeds {
        match deed {
            Deed::Put(key, row) => tx.put(key, row.clone())?,
            Deed::Remove(key) => drop(tx.remove::<Parcel>(key)?),
            Deed::Send(key, row) => tx.put(key, row.clone())?,
            Deed::Destroy(key) => drop(tx.remove::<Letter>(key)?),
            Deed::Sweep(now) => {
                for (_, key) in tx.expired(at(*now), 9)? {
                    tx.remove_expired::<Parcel>(&key)?;
                }
            }
        }
    }
    Ok(())
}

/// What weighs on each share, read off the rows and their bytes.
fn truth(view: &impl View) -> Vec<Weight> {
    let mut sums = vec![Weight::default(); shares().len()];
    let mut count = |on: usize, at: Vec<u8>| {
        if let Some(sum) = sums.get_mut(on) {
            let bytes = at.len() + view.raw(&at).unwrap().unwrap().len();
            sum.rows += 1;
            sum.bytes += u64::try_from(bytes).unwrap();
        }
    };
    for (key, row) in view.list::<Parcel>(usize::MAX).unwrap() {
        count(row.on, place::<Parcel>(&key));
    }
    for (key, _) in view.list::<Letter>(usize::MAX).unwrap() {
        count(key.0.len() - 1, place::<Letter>(&key));
    }
    sums
}

/// Where a row lies.
fn place<R: Row>(key: &R::Key) -> Vec<u8> {
    let mut at = vec![R::TABLE.byte];
    key.write(&mut at);
    at
}

fn weights(view: &impl View) -> Vec<Weight> {
    shares().iter().map(|share| view.weight(share).unwrap()).collect()
}

fn deed() -> impl Strategy<Value = Deed> {
    let name = || prop::sample::select(&["a", "b", "c", "dd"]).prop_map(key);
    let letter = || (prop::sample::select(&["a", "ab"]).prop_map(key), name());
    let parcel = (0..6_usize, "[a-z]{0,200}", prop::option::of((0..6_u64).prop_map(at)));
    let parcel = parcel.prop_map(|(on, text, until)| Parcel { on, text, until });
    prop_oneof![
        4 => (name(), parcel).prop_map(|(key, row)| Deed::Put(key, row)),
        1 => name().prop_map(Deed::Remove),
        3 => (letter(), "[a-z]{0,9}").prop_map(|(key, text)| Deed::Send(key, Letter(text))),
        1 => letter().prop_map(Deed::Destroy),
        1 => (0..6_u64).prop_map(Deed::Sweep),
    ]
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Runs each list of deeds as a transition, all of one batch. A list that is refused does nothing.
async fn perform(store: &Arc<Store>, batch: Vec<(Vec<Deed>, bool)>) {
    let transitions = batch.into_iter().map(|(deeds, refused)| {
        move |tx: &mut Tx<'_>| {
            run(tx, &deeds)?;
            assert_eq!(weights(tx), truth(tx));
            if refused { Err(Failure::Refused) } else { Ok(()) }
        }
    });
    for outcome in together(store, transitions.collect()).await {
        assert!(!matches!(outcome, Err(Failure::Store(_))));
    }
}

#[test]
fn a_share_weighs_what_its_rows_weigh_whatever_happened_to_them() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(200) });
    let batch = vec((vec(deed(), 0..8), prop::bool::weighted(0.2)), 1..6);
    let outcome = runner.run(&vec(batch, 1..5), |batches| {
        runtime.block_on(async {
            let store = Arc::new(Store::memory().unwrap());
            for batch in batches {
                perform(&store, batch).await;

                let view = store.read().unwrap();
                prop_assert_eq!(weights(&view), truth(&view));
                let weighing = truth(&view).iter().any(|weight| weight.rows > 0);
                prop_assert_eq!(view.raw_count(&[2], &[3], 1).unwrap() > 0, weighing);
            }
            Ok(())
        })
    });
    outcome.unwrap();
}

#[tokio::test]
async fn rows_of_one_share_count_in_many_shards() {
    let store = Store::memory().unwrap();
    let put = |tx: &mut Tx<'_>| {
        for n in 0..500_u128 {
            let row = Parcel { on: 3, text: String::new(), until: None };
            tx.put(&Uuid::from_u128(n * 0x9e37_79b9_7f4a_7c15).to_string(), row)?;
        }
        Ok::<_, StoreError>(())
    };

    store.write(put).await.unwrap();

    let view = store.read().unwrap();
    assert_eq!(view.weight(&shares()[3]).unwrap().rows, 500);
    assert_eq!(view.raw_count(&[2], &[3], usize::MAX).unwrap(), 16);
}

/// Nothing is written but the row.
#[tokio::test]
async fn a_row_that_weighs_on_nothing_costs_nothing() {
    let store = Store::memory().unwrap();

    let written = store.write(|tx| {
        tx.put(&key("a"), Parcel { on: 9, text: String::new(), until: None })?;
        Ok::<_, StoreError>(tx.written())
    });

    assert_eq!(written.await.unwrap(), 1);
}
