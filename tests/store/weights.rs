//! What a share weighs, beside what its rows say.

use std::collections::BTreeSet;
use std::sync::Arc;

use gatelodge::clock::Timestamp;
use gatelodge::model::network::Network;
use gatelodge::oauth::id::UserId;
use gatelodge::store::{
    Entries, Held, Holder, Holding, Pool, Rank, References, Row, Share, Store, StoreError, Tag, Tx,
    View, Weight, row_key,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rows::{Failure, key, one_layout, together};

/// A row that may be in the pool of interactions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Parcel {
    holding: Option<Holding>,
    stored_at: Timestamp,
    text: String,
    until: Option<Timestamp>,
}

one_layout!(ParcelLayout, Parcel);

impl Held for Parcel {
    const POOL: Pool = Pool::Interactions;

    fn holding(&self) -> Option<Holding> {
        self.holding
    }

    fn stored_at(&self) -> Timestamp {
        self.stored_at
    }
}

impl Row for Parcel {
    type Key = String;
    type Layout = ParcelLayout;
    const TABLE: Tag = Tag { byte: 203, name: "parcels" };

    fn entries(&self, _key: &String, into: &mut Entries) {
        if let Some(until) = self.until {
            into.expire(until);
        }
        into.hold(self);
    }

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// A row of another table, that weighs on a person by its key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Letter(String);

one_layout!(LetterLayout, Letter);

impl Row for Letter {
    type Key = (String, String);
    type Layout = LetterLayout;
    const TABLE: Tag = Tag { byte: 204, name: "letters" };

    fn entries(&self, _: &(String, String), into: &mut Entries) {
        into.weigh_on(Share::Person(person()));
    }

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

fn person() -> UserId {
    Uuid::from_u128(7).into()
}

const ADDRESSES: [&str; 5] =
    ["192.0.2.1", "192.0.2.2", "198.51.100.1", "2001:db8::1", "2001:db8:0:1::1"];

fn networks() -> Vec<Network> {
    ADDRESSES.map(|address| Network::of(address.parse().unwrap())).into()
}

/// The pool, every network and the person.
fn shares() -> Vec<Share> {
    let wide = networks().into_iter().flat_map(Network::and_wider).collect::<BTreeSet<_>>();
    let networks = wide.into_iter().map(|network| Share::Network(Pool::Interactions, network));
    let others = [Share::Pool(Pool::Interactions), Share::Person(person())];
    others.into_iter().chain(networks).collect()
}

fn weighs_on(parcel: &Parcel, share: &Share) -> bool {
    match (parcel.holding.map(|holding| holding.holder), share) {
        (None, _)
        | (Some(Holder::Network(_)), Share::Person(_))
        | (Some(_), Share::EventDeliveries) => false,
        (Some(Holder::Person(_)), share) => *share == Share::Person(person()),
        (Some(Holder::Network(_)), Share::Pool(pool)) => *pool == Pool::Interactions,
        (Some(Holder::Network(network)), Share::Network(_, around)) => {
            network.and_wider().any(|network| network == *around)
        }
    }
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
                    tx.remove_listed::<Parcel>(&key)?;
                }
            }
        }
    }
    Ok(())
}

/// What weighs on each share, read off the rows and their bytes.
fn truth(view: &impl View) -> Vec<Weight> {
    let weigh = |at: Vec<u8>| view.weight_of(&at).unwrap();
    let mut weights: Vec<_> = Vec::new();
    for (key, row) in view.list::<Parcel>(usize::MAX).unwrap() {
        let on = shares().iter().map(|share| weighs_on(&row, share)).collect::<Vec<_>>();
        weights.push((on, weigh(row_key::<Parcel>(&key))));
    }
    for (key, _) in view.list::<Letter>(usize::MAX).unwrap() {
        let on = shares().iter().map(|share| *share == Share::Person(person())).collect();
        weights.push((on, weigh(row_key::<Letter>(&key))));
    }
    let sum = |share: usize| {
        let on = weights.iter().filter(|(on, _)| on[share]).map(|(_, weight)| *weight);
        on.fold(Weight::default(), |sum, weight| sum + weight)
    };
    (0..shares().len()).map(sum).collect()
}

/// The rows of a holder in the order in which a full pool takes them.
fn order(view: &impl View, holder: &Holder) -> Vec<Vec<u8>> {
    let rows = view.list::<Parcel>(usize::MAX).unwrap().into_iter().filter_map(|(key, row)| {
        let holding = row.holding.filter(|holding| holding.holder == *holder)?;
        Some((holding.rank, row.stored_at, row_key::<Parcel>(&key)))
    });
    let rows: BTreeSet<_> = rows.collect();
    rows.into_iter().map(|(_, _, row)| row).collect()
}

fn assert_consistent(view: &impl View) {
    let weights: Vec<Weight> = shares().iter().map(|share| view.weight(share).unwrap()).collect();
    assert_eq!(weights, truth(view));
    for network in networks() {
        let holder = Holder::Network(network);
        assert_eq!(view.held(Pool::Interactions, &holder, 99).unwrap(), order(view, &holder));
        // Each network is found from the widest one around it, with its weight.
        let mut within = None;
        let around: Vec<Network> = network.and_wider().collect();
        for around in around.into_iter().rev() {
            let weight = view.weight(&Share::Network(Pool::Interactions, around)).unwrap();
            let found = view.holders(Pool::Interactions, within.as_ref()).unwrap();
            let found = found.into_iter().find(|(found, _)| *found == around);
            assert_eq!(found.map_or(Weight::default(), |(_, weight)| weight), weight);
            within = Some(around);
        }
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    let name = || prop::sample::select(&["a", "b", "c", "dd"]).prop_map(key);
    let letter = || (prop::sample::select(&["a", "ab"]).prop_map(key), name());
    let until = prop::option::of((0..6_u64).prop_map(at));
    let parcel = (holding(), (0..3_u64).prop_map(at), "[a-z]{0,200}", until);
    let parcel = parcel.prop_map(|(holding, stored_at, text, until)| Parcel {
        holding,
        stored_at,
        text,
        until,
    });
    prop_oneof![
        4 => (name(), parcel).prop_map(|(key, row)| Deed::Put(key, row)),
        1 => name().prop_map(Deed::Remove),
        3 => (letter(), "[a-z]{0,9}").prop_map(|(key, text)| Deed::Send(key, Letter(text))),
        1 => letter().prop_map(Deed::Destroy),
        1 => (0..6_u64).prop_map(Deed::Sweep),
    ]
}

fn holding() -> impl Strategy<Value = Option<Holding>> {
    let rank = prop::sample::select(&Rank::ALL);
    let network = prop::sample::select(networks());
    let strangers = (network, rank).prop_map(|(network, rank)| Holding::strangers(network, rank));
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(Holding::persons(person()))),
        5 => strangers.prop_map(Some),
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
            assert_consistent(tx);
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
                assert_consistent(&view);
                let weighing = truth(&view).iter().any(|weight| weight.rows > 0);
                prop_assert_eq!(view.raw_count(&[2], &[3], 1).unwrap() > 0, weighing);
            }
            Ok(())
        })
    });
    outcome.unwrap();
}

fn parcel(holding: Option<Holding>) -> Parcel {
    Parcel { holding, stored_at: at(1), text: String::new(), until: None }
}

#[tokio::test]
async fn rows_of_one_share_count_in_one_sum() {
    let store = Store::memory().unwrap();
    let put = |tx: &mut Tx<'_>| {
        for n in 0..500_u128 {
            tx.put(
                &Uuid::from_u128(n * 0x9e37_79b9_7f4a_7c15).to_string(),
                parcel(Some(Holding::persons(person()))),
            )?;
        }
        Ok::<_, StoreError>(())
    };

    store.write(put).await.unwrap();

    let view = store.read().unwrap();
    assert_eq!(view.weight(&Share::Person(person())).unwrap().rows, 500);
    assert_eq!(view.raw_count(&[2], &[3], usize::MAX).unwrap(), 1);
}

/// Nothing is written but the row.
#[tokio::test]
async fn a_row_that_weighs_on_nothing_costs_nothing() {
    let store = Store::memory().unwrap();

    let written = store.write(|tx| {
        tx.put(&key("a"), parcel(None))?;
        Ok::<_, StoreError>(tx.written())
    });

    assert_eq!(written.await.unwrap(), 1);
}
