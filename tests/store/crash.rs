//! Crash points: the power goes at any sync. What was acknowledged is there, and nothing is there
//! by halves.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatelodge::store::{Store, Tx, View};
use tokio::runtime::Runtime;

use crate::disk::{Disk, Faults, Survivors};
use crate::rows::{Failure, Note, count, counted, note, together};

/// How many transitions of the work go together, and between which it closes the store.
const GROUPS: &[&[usize]] = &[&[1, 1, 8, 1], &[5, 1, 1]];

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

/// The `n`th transition: it writes or removes two rows that have to agree.
pub(crate) fn deed(tx: &mut Tx<'_>) -> Result<u64, Failure> {
    let n = count(tx)?;
    for (key, row) in twins(n) {
        match row {
            Some(row) => tx.put(&key, row)?,
            None => drop(tx.remove::<Note>(&key)?),
        }
    }
    Ok(n + 1)
}

/// [`deed`], which changes a bit of a long row, too: of that the disk gets what changed.
fn deed_at_length(tx: &mut Tx<'_>) -> Result<u64, Failure> {
    let made = deed(tx)?;
    tx.put(&LONG.to_owned(), long(made))?;
    Ok(made)
}

const LONG: &str = "long";

/// The long row after so many transitions.
fn long(made: u64) -> Note {
    let mut text = "x".repeat(60_000);
    let at = usize::try_from(made * 7919 % 59_000).unwrap();
    text.replace_range(at..at + 8, &format!("{made:08}"));
    note("ada", &text, Some(made))
}

fn twins(n: u64) -> [(String, Option<Note>); 2] {
    let text = format!("{n} {}", "x".repeat(usize::try_from(n * 397 % 3000).unwrap()));
    let row = (n % 7 != 6).then(|| note("ada", &text, Some(n)));
    ["left", "right"].map(|side| (format!("{side} {}", n % 5), row.clone()))
}

/// The store is as `at_least` or more transitions left it, each of them whole, and at most as many
/// as were `started`. Gives how many.
#[track_caller]
pub(crate) fn assert_whole(store: &Store, at_least: u64, started: u64) -> u64 {
    let made = counted(store);
    assert!(
        (at_least..=started).contains(&made),
        "{made} of {started}, and {at_least} were acknowledged"
    );
    let mut expected = BTreeMap::new();
    for (key, row) in (0..made).flat_map(twins) {
        match row {
            Some(row) => drop(expected.insert(key, row)),
            None => drop(expected.remove(&key)),
        }
    }
    let found = store.read().unwrap().list::<Note>(99).unwrap();
    let mut found: BTreeMap<_, _> = found.into_iter().collect();
    if let Some(found) = found.remove(LONG) {
        assert!(found == long(made), "the long row is that of another transition, or none");
    }
    assert_eq!(found, expected);
    made
}

/// Does the work until the power goes. Gives how many transitions were acknowledged, and
/// started.
async fn work(disk: &Disk) -> (u64, u64) {
    let (mut acknowledged, mut started) = (0, 0);
    for groups in GROUPS {
        let Ok(store) = disk.open().map(Arc::new) else { break };
        for group in *groups {
            started += *group as u64;
            for outcome in together(&store, vec![deed_at_length; *group]).await {
                let Ok(made) = outcome else { return (acknowledged, started) };
                acknowledged = made;
            }
        }
    }
    (acknowledged, started)
}

/// A disk with an empty store on it.
pub(crate) fn prepared() -> Disk {
    let disk = Disk::new();
    drop(disk.open().unwrap());
    disk
}

fn power(at: usize) -> Faults {
    Faults { power_ends: Some(at), ..Faults::default() }
}

/// Breaks the power at each sync in turn, and hands over what is found then.
fn at_each_sync(survivors: &[Survivors], found: impl Fn(&Disk, u64, u64)) {
    let prepared = prepared();
    let runtime = runtime();
    let mut points = 0;
    for at in 0.. {
        let disk = prepared.restart(Survivors::None);
        disk.suffer(power(at));
        let (acknowledged, started) = runtime.block_on(work(&disk));
        if !disk.struck() {
            assert_eq!(acknowledged, 18);
            break;
        }
        points += 1;
        for survivors in survivors {
            found(&disk.restart(*survivors), acknowledged, started);
        }
    }
    assert!(points > 20, "{points}");
}

/// The store opens, is whole, and goes on.
fn assert_goes_on(disk: &Disk, acknowledged: u64, started: u64) {
    let store = disk.open().expect("the store opens after a crash");
    let made = assert_whole(&store, acknowledged, started);
    assert_eq!(runtime().block_on(store.write(deed_at_length)).unwrap(), made + 1);
    drop(store);

    assert_whole(&disk.restart(Survivors::None).open().unwrap(), made + 1, made + 1);
}

#[test]
fn an_answered_write_survives_a_crash_that_loses_all_that_was_not_synced() {
    at_each_sync(&[Survivors::None], assert_goes_on);
}

#[test]
fn an_answered_write_survives_a_crash_that_loses_nothing_but_the_answer() {
    at_each_sync(&[Survivors::All], assert_goes_on);
}

#[test]
fn an_answered_write_survives_a_crash_that_keeps_some_of_the_unsynced_writes() {
    at_each_sync(&[1, 2, 3].map(Survivors::Some), assert_goes_on);
}

#[test]
fn an_answered_write_survives_a_crash_that_tears_the_unsynced_writes() {
    at_each_sync(&[1, 2, 3].map(Survivors::Torn), assert_goes_on);
}

#[test]
fn an_answered_write_survives_a_crash_while_the_store_recovers_from_one() {
    at_each_sync(&[Survivors::Torn(4)], |disk, acknowledged, started| {
        for at in 0..4 {
            let again = disk.restart(Survivors::None);
            again.suffer(power(at));
            drop(again.open());
            assert_goes_on(&again.restart(Survivors::Torn(at as u64)), acknowledged, started);
        }
    });
}
