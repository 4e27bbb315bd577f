//! The file of the store: what the program says of one that is damaged, and how it makes it anew.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use gatelodge::oauth::id::UserId;
use gatelodge::store::Store;
use gatelodge::store::schema::HostPreference;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::program::Home;
use crate::store::rollback::stop;

fn run(home: &Home, arguments: &str) -> Output {
    home.command(&arguments.split(' ').collect::<Vec<_>>()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A home in which people live, and its store. No server runs.
fn inhabited() -> (Home, PathBuf) {
    let home = Home::new();
    let server = home.serve_with_setup();
    for person in 0..30 {
        home.json(&format!("user add person{person}"));
    }
    stop(server);
    let store = home.data().join("gatelodge.redb");
    (home, store)
}

#[test]
fn a_damaged_store_is_told_by_every_command_and_left_as_it_is() {
    let (home, store) = inhabited();
    let file = fs::OpenOptions::new().write(true).open(&store).unwrap();
    for page in 1..file.metadata().unwrap().len() / 4096 {
        file.write_all_at(&[0xa5; 64], page * 4096).unwrap();
    }
    let damaged = fs::read(&store).unwrap();

    for command in
        ["serve --listen 127.0.0.1:0", "user list", "doctor", "db check", "db stats", "db compact"]
    {
        let output = run(&home, command);

        let text = format!("{}{}", said(&output), String::from_utf8_lossy(&output.stdout));
        assert_eq!(output.status.code(), Some(1), "{command}: {text}");
        assert!(text.contains("damaged") || text.contains("cannot be read"), "{command}: {text}");
        assert!(text.contains("gatelodge db repair"), "{command}: {text}");
        assert!(!text.contains("panicked"), "{command}: {text}");
        assert!(fs::read(&store).unwrap() == damaged, "{command} changed the file");
    }
}

#[test]
fn a_copy_of_a_store_in_use_is_never_a_panic() {
    let home = Home::new();
    let server = home.serve_with_setup();
    let store = home.data().join("gatelodge.redb");
    let done = AtomicBool::new(false);
    let copies: Vec<PathBuf> = thread::scope(|scope| {
        for writer in 0..3 {
            let (home, done) = (&home, &done);
            scope.spawn(move || {
                for person in 0..40 {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    home.json(&format!("user add p{writer}-{person}"));
                }
            });
        }
        let copies = (0..10).map(|number| {
            let copy = home.path(&format!("copy{number}"));
            fs::create_dir(&copy).unwrap();
            for name in ["gatelodge.redb", "gatelodge.key"] {
                fs::copy(home.data().join(name), copy.join(name)).unwrap();
            }
            copy
        });
        let copies = copies.collect();
        done.store(true, Ordering::Relaxed);
        copies
    });
    stop(server);
    assert!(store.exists());

    for copy in copies {
        let data = copy.display();
        for command in ["db check", "user list"] {
            let output = run(&home, &format!("--data {data} {command}"));
            let text = said(&output);
            assert!(!text.contains("panicked"), "{command}: {text}");
            assert!(output.status.code().is_some_and(|code| code < 2), "{command}: {text}");
        }
    }
}

#[test]
fn a_store_is_made_smaller_and_anew_and_nobody_notices() {
    let (home, store) = inhabited();
    let people = || home.json("user list")["users"].as_array().unwrap().len();
    let before = people();

    let compacted: Value = home.json("db compact");
    let listed = people();
    let repaired = home.json("db repair");

    assert_eq!((listed, people()), (before, before));
    assert!(compacted["bytes"].as_u64() < compacted["bytes_before"].as_u64(), "{compacted}");
    let aside = repaired["aside"].as_str().unwrap();
    assert!(aside.starts_with(&format!("{}.before-repair-", store.display())), "{aside}");
    assert!(fs::metadata(aside).is_ok());
    let text = String::from_utf8(run(&home, "db check").stdout).unwrap();
    assert!(text.starts_with("every page, "), "{text}");
    let server = home.serve();
    assert_eq!(people(), before);
    for command in ["db compact", "db repair"] {
        let refused = run(&home, command);
        assert_eq!(refused.status.code(), Some(5));
        assert!(said(&refused).contains("another process has the store"), "{refused:?}");
    }
    stop(server);
    let empty = Home::new();
    for command in ["db check", "db compact", "db repair"] {
        let refused = run(&empty, command);
        assert_eq!(refused.status.code(), Some(5));
        assert!(said(&refused).contains("there is no store at"), "{refused:?}");
    }
}

/// Stores what a person prefers of whom nobody knows, past all transitions.
fn prefer_as_nobody(store: &Path) {
    let store = Store::open(store).unwrap();
    let nobody = "00000000-0000-4000-8000-000000000001".parse::<UserId>().unwrap();
    let written = store.write(move |tx| {
        let key = (nobody, "cowork".parse().unwrap());
        tx.put(&key, HostPreference::default())
    });
    Runtime::new().unwrap().block_on(written).unwrap();
}

#[test]
fn a_row_that_names_what_is_not_there_is_told_and_left_out_by_a_repair() {
    let (home, store) = inhabited();
    prefer_as_nobody(&store);

    let stopped = run(&home, "db check");
    let server = home.serve();
    let served = run(&home, "db check");
    let view: Value = serde_json::from_slice(&run(&home, "db check --json").stdout).unwrap();
    stop(server);
    let repaired = run(&home, "db repair");
    let whole = run(&home, "db check");

    for found in [&stopped, &served] {
        let text = String::from_utf8_lossy(&found.stdout);
        assert_eq!(found.status.code(), Some(1), "{text}");
        let sentence = "8000000000000001636f776f726b00 of table host_preferences names row \
                        0d00000000000040008000000000000001 of table people, which is not there";
        assert!(text.contains(sentence), "{text}");
        assert!(said(found).contains("opens nothing, and `gatelodge db repair` leaves it out"));
    }
    let flaw = &view["flaws"][0];
    assert_eq!((&flaw["kind"], &flaw["table"]), (&"reference".into(), &"host_preferences".into()));
    let text = String::from_utf8_lossy(&repaired.stdout);
    assert!(text.contains("left out") && text.contains("which is not there"), "{text}");
    assert_eq!(whole.status.code(), Some(0));
}
