//! Any sequence of transitions, in batches of any size, beside a map that does the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatelodge::clock::Timestamp;
use gatelodge::store::{Store, StoreError, Tx, View};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::rows::{Failure, NOTES_BY_AUTHOR, Note, note, together};

type Model = BTreeMap<String, Note>;

/// What a transition does to one row.
#[derive(Clone, Debug)]
enum Deed {
    Put(String, Note),
    Remove(String),
}

/// Some deeds, and whether they are refused in the end.
#[derive(Clone, Debug)]
struct Plan {
    deeds: Vec<Deed>,
    refused: bool,
    limit: usize,
}

/// All that a view gives.
#[derive(Debug, PartialEq)]
struct Observed {
    list: Vec<(String, Note)>,
    by: Vec<Vec<String>>,
    expired: Vec<String>,
    one: Vec<Option<Note>>,
}

const AUTHORS: [&str; 3] = ["a", "aa", "b"];
const NAMES: [&str; 6] = ["a", "aa", "ab", "b", "bb", "c"];
const NOW: u64 = 3;

fn observe(view: &impl View, limit: usize) -> Result<Observed, StoreError> {
    let by = |author: &&str| view.by(&NOTES_BY_AUTHOR, &author.parse().ok().unwrap(), limit);
    let name = |key: Vec<u8>| String::from_utf8(key[1..key.len() - 1].to_vec()).unwrap();
    let expired = view.expired(Timestamp::from_millis(NOW), limit)?;
    Ok(Observed {
        list: view.list::<Note>(limit)?,
        by: AUTHORS.iter().map(by).collect::<Result<_, _>>()?,
        expired: expired.into_iter().map(|(_, key)| name(key)).collect(),
        one: NAMES.iter().map(|name| view.find(&(*name).to_owned())).collect::<Result<_, _>>()?,
    })
}

fn expected(model: &Model, limit: usize) -> Observed {
    let under = |author: &&str| {
        let own = model.iter().filter(|(_, row)| row.author.as_str() == *author);
        own.map(|(key, _)| key.clone()).take(limit).collect()
    };
    let mut expired: Vec<_> =
        model.iter().filter_map(|(key, row)| Some((row.until?, key))).collect();
    expired.retain(|(until, _)| until.millis() <= NOW);
    expired.sort();
    Observed {
        list: model.iter().map(|(key, row)| (key.clone(), row.clone())).take(limit).collect(),
        by: AUTHORS.iter().map(under).collect(),
        expired: expired.into_iter().map(|(_, key)| key.clone()).take(limit).collect(),
        one: NAMES.iter().map(|name| model.get(*name).cloned()).collect(),
    }
}

impl Plan {
    fn run(&self, tx: &mut Tx<'_>) -> Result<Observed, Failure> {
        for deed in &self.deeds {
            match deed {
                Deed::Put(key, row) => tx.put(key, row.clone())?,
                Deed::Remove(key) => drop(tx.remove::<Note>(key)?),
            }
        }
        if self.refused { Err(Failure::Refused) } else { Ok(observe(tx, self.limit)?) }
    }

    fn model(&self, model: &mut Model) -> Option<Observed> {
        if self.refused {
            return None;
        }
        for deed in &self.deeds {
            match deed {
                Deed::Put(key, row) => drop(model.insert(key.clone(), row.clone())),
                Deed::Remove(key) => drop(model.remove(key)),
            }
        }
        Some(expected(model, self.limit))
    }
}

fn batches() -> impl Strategy<Value = Vec<Vec<Plan>>> {
    let name = prop::sample::select(&NAMES).prop_map(str::to_owned);
    let row = (prop::sample::select(&AUTHORS), any::<bool>(), prop::option::of(0..6_u64));
    let row = row.prop_map(|(author, long, until)| {
        note(author, if long { "a longer text" } else { "" }, until)
    });
    let deed = prop_oneof![
        3 => (name.clone(), row).prop_map(|(name, row)| Deed::Put(name, row)),
        1 => name.prop_map(Deed::Remove),
    ];
    let plan = (vec(deed, 0..6), prop::bool::weighted(0.2), 1..8_usize);
    let plan = plan.prop_map(|(deeds, refused, limit)| Plan { deeds, refused, limit });
    vec(vec(plan, 1..12), 1..5)
}

fn agrees(open: fn() -> Store, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(cases) });
    let outcome = runner.run(&batches(), |batches| {
        runtime.block_on(async {
            let (store, mut model) = (Arc::new(open()), Model::new());
            for batch in batches {
                let before = store.read().unwrap();
                let stood = expected(&model, 9);
                let expected_of_each: Vec<_> =
                    batch.iter().map(|plan| plan.model(&mut model)).collect();
                let transitions = batch.into_iter().map(|plan| move |tx: &mut Tx<'_>| plan.run(tx));

                let outcomes = together(&store, transitions.collect()).await;

                let outcomes: Vec<_> = outcomes.into_iter().map(Result::ok).collect();
                prop_assert_eq!(outcomes, expected_of_each);
                prop_assert_eq!(observe(&store.read().unwrap(), 9).unwrap(), expected(&model, 9));
                prop_assert_eq!(observe(&before, 9).unwrap(), stood);
            }
            Ok(())
        })
    });
    outcome.unwrap();
}

mod memory {
    #[test]
    fn every_view_tells_what_a_map_would() {
        super::agrees(crate::exam::memory, 200);
    }
}

mod file {
    #[test]
    fn every_view_tells_what_a_map_would() {
        super::agrees(crate::exam::file, 30);
    }
}

mod over {
    #[test]
    fn every_view_tells_what_a_map_would() {
        super::agrees(crate::exam::over, 50);
    }
}
