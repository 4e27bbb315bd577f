//! Rows that name others: the check says which of those are not there, and a repair leaves out what
//! opens nothing without them.

use std::collections::BTreeSet;

use gatelodge::clock::Timestamp;
use gatelodge::model::actor::Actor;
use gatelodge::store::check::{Flaw, check, check_disk, check_rows};
use gatelodge::store::rewrite::repair;
use gatelodge::store::schema::{
    self, ClockRecord, Invitation, Person, Removal, SetupLink, Subject,
};
use gatelodge::store::{Row as _, Store, StoreError, Tx, View, row_key};

use crate::crash::runtime;
use crate::disk::{Disk, Survivors};
use crate::samples::{self, samples};

/// Which table names rows of which.
const NAMED: [(&str, &str); 17] = [
    ("bridge_sessions", "linked_devices"),
    ("bridge_sessions", "people"),
    ("client_logos", "clients"),
    ("clients", "people"),
    ("consents", "people"),
    ("deliveries", "sessions"),
    ("device_certificates", "linked_devices"),
    ("device_certificates", "people"),
    ("grants", "clients"),
    ("grants", "people"),
    ("host_preferences", "people"),
    ("invitations", "people"),
    ("linked_devices", "people"),
    ("passkeys", "people"),
    ("recovery_codes", "people"),
    ("sessions", "people"),
    ("setup_links", "people"),
];

fn written(
    store: &Store,
    transition: impl Fn(&mut Tx<'_>) -> Result<(), StoreError> + Send + 'static,
) {
    runtime().block_on(store.write(transition)).unwrap();
}

/// Every sample but those that excuse what is gone, and what ada made for others.
fn fill(store: &Store) {
    for sample in samples().into_iter().filter(|own| !["Removal", "ClockRecord"].contains(&own.row))
    {
        for case in sample.cases {
            written(store, move |tx| case.put(tx));
        }
    }
    written(store, |tx| {
        let made_by = Actor::Administrator { client: None, person: Some(samples::ada()) };
        for (id, row) in tx.list::<SetupLink>(usize::MAX)? {
            if row.ended.is_none() {
                let purpose = schema::SetupPurpose::First;
                tx.put(&id, SetupLink { made_by: made_by.clone(), purpose, ..row })?;
            }
        }
        for (id, row) in tx.list::<Invitation>(usize::MAX)? {
            tx.put(&id, Invitation { made_by: made_by.clone(), ..row })?;
        }
        Ok(())
    });
}

fn filled() -> Disk {
    let disk = Disk::new();
    fill(&disk.open().unwrap());
    disk
}

/// Which table names what is not there.
fn dangling(flaws: &[Flaw]) -> BTreeSet<(&'static str, &'static str)> {
    let pair = |flaw: &Flaw| match flaw {
        Flaw::Reference { table, to, .. } => (*table, *to),
        other => panic!("{other}"),
    };
    flaws.iter().map(pair).collect()
}

fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_row_that_names_what_is_not_there_is_found_in_every_table_that_names_any() {
    let disk = filled();
    let tables =
        [schema::Client::TABLE, schema::LinkedDevice::TABLE, Person::TABLE, schema::Session::TABLE];
    let rows = disk.open().unwrap().read().unwrap().raw_range(&[], &[u8::MAX], usize::MAX).unwrap();
    let mut found = BTreeSet::new();

    for (key, _) in rows.into_iter().filter(|(key, _)| tables.iter().any(|own| own.byte == key[0]))
    {
        let disk = disk.restart(Survivors::All);
        let gone = key.clone();
        written(&disk.open().unwrap(), move |tx| schema::remove_listed(tx, &gone));
        let flaws = check_disk(disk.clone()).unwrap().flaws;
        for flaw in &flaws {
            assert!(matches!(flaw, Flaw::Reference { named, .. } if *named == hex(&key)), "{flaw}");
        }
        assert_eq!(check_rows(&disk.open().unwrap().read().unwrap()).flaws, flaws);
        found.extend(dangling(&flaws));
    }

    assert_eq!(found, BTreeSet::from(NAMED));
    assert_eq!(check_disk(disk).unwrap().flaws, []);
}

#[test]
fn what_is_being_removed_or_about_to_be_is_no_flaw() {
    let disk = filled();
    let store = disk.open().unwrap();
    let ada = samples::ada();
    written(&store, move |tx| tx.remove::<Person>(&ada).map(drop));
    let found = |store: &Store| dangling(&check_rows(&store.read().unwrap()).flaws);
    let all = found(&store);

    written(&store, move |tx| {
        let removal = Removal { at: Timestamp::default(), cursor: None };
        tx.put(&Subject::Person(ada), removal)
    });
    let being_removed = found(&store);
    written(&store, move |tx| {
        tx.remove::<Removal>(&Subject::Person(ada))?;
        let removed_up_to = Timestamp::from_seconds(10_000_000_000);
        tx.put(&(), ClockRecord { removed_up_to, ..ClockRecord::default() })
    });
    let expired = found(&store);

    let at_once = [("clients", "people"), ("invitations", "people"), ("setup_links", "people")];
    assert!(all.len() > 10, "{all:?}");
    assert_eq!(being_removed, BTreeSet::from(at_once));
    let without_expiry = ["clients", "consents", "host_preferences", "passkeys", "recovery_codes"];
    assert_eq!(expired, without_expiry.map(|table| (table, "people")).into());
}

#[test]
fn a_repair_leaves_out_what_names_nothing_and_what_names_that() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let person = row_key::<Person>(&samples::ada());
    {
        let store = Store::open(&path).unwrap();
        fill(&store);
        written(&store, move |tx| {
            tx.put_raw(person.clone(), vec![1, 2, 3]);
            Ok(())
        });
    }
    let before = check(&path).unwrap();

    let repaired = repair(&path, &path.with_extension("aside")).unwrap();

    let unreadable = |flaw: &Flaw| matches!(flaw, Flaw::Row { table: "people", .. });
    assert!(before.flaws.iter().any(unreadable), "{:?}", before.flaws);
    assert_eq!(dangling_of(&before.flaws), BTreeSet::new());
    let left_out = dangling_of(&repaired.left_out.flaws);
    // The client was hers, and the logo the client's.
    assert!(left_out.contains(&("client_logos", "clients")), "{left_out:?}");
    assert!(left_out.contains(&("deliveries", "sessions")), "{left_out:?}");
    assert!(left_out.iter().all(|pair| NAMED.contains(pair)), "{left_out:?}");
    assert_eq!(check(&path).unwrap().flaws, []);
    let left = Store::open(&path).unwrap().read().unwrap().list::<Person>(10).unwrap();
    assert_eq!(left.len(), 3, "the others stay");
}

/// As [`dangling`], where there are other flaws, too.
fn dangling_of(flaws: &[Flaw]) -> BTreeSet<(&'static str, &'static str)> {
    let of = |flaw: &&Flaw| matches!(flaw, Flaw::Reference { .. });
    dangling(&flaws.iter().filter(of).cloned().collect::<Vec<_>>())
}
