//! The program is killed at a hundred of the calls by which it changes its files, and finds the disk
//! full from a hundred of them on: in a compaction, an upgrade, a restore and a backup.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;

use crate::preloaded;
use crate::program::Home;
use crate::store::rollback::stop;

/// How many calls are tried, the last ones among them: those around the rename.
const POINTS: usize = 100;
const LAST: usize = 30;

const SIGKILL: i32 = 9;

fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| preloaded::library("store/kills/disk.c"))
}

/// A command that changes files of a home, and how they are put back before the next try.
struct Story {
    arguments: Vec<String>,
    home: Home,
    /// The files that it starts with, by their names in the data directory.
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Story {
    fn reset(&self) {
        let data = self.home.data();
        fs::remove_dir_all(&data).unwrap();
        fs::create_dir(&data).unwrap();
        for (name, bytes) in &self.files {
            fs::write(data.join(name), bytes).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(data.join(name), mode).unwrap();
        }
    }

    fn run(&self, variable: &str, value: &str) -> Output {
        let mut command = self.home.command(&self.arguments);
        command.env("LD_PRELOAD", library()).env(variable, value).output().unwrap()
    }

    /// The number of its calls.
    fn calls(&self) -> usize {
        let file = self.home.path("calls");
        self.reset();
        let output = self.run("DISK_CALLS", file.to_str().unwrap());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read_to_string(file).unwrap().parse().unwrap()
    }

    /// Some of the calls: the last ones, and others spread over all.
    fn points(&self) -> Vec<usize> {
        let calls = self.calls();
        assert!(calls > 10, "{calls} calls");
        let first = calls.saturating_sub(LAST);
        let spread = POINTS - LAST;
        let mut points: Vec<usize> =
            (0..spread).map(|n| n * first / spread).chain(first..calls).collect();
        points.dedup();
        points
    }

    /// Kills it at each point. `check` looks at what is there then.
    fn killed(&self, check: impl Fn(usize)) {
        for point in self.points() {
            self.reset();
            let output = self.run("DISK_KILL_AT", &point.to_string());
            assert_eq!(output.status.signal(), Some(SIGKILL), "at {point}");
            check(point);
        }
    }

    /// Fills the disk at each point. `check` looks at what is there then.
    fn full(&self, check: impl Fn(usize)) {
        for point in self.points() {
            self.reset();
            let output = self.run("DISK_FULL_FROM", &point.to_string());
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!said.contains("panicked"), "at {point}: {said}");
            if !output.status.success() {
                assert!(said.contains("No space left"), "at {point}: {said}");
            }
            check(point);
        }
    }

    fn store(&self) -> PathBuf {
        self.home.data().join("gatelodge.redb")
    }

    /// Whether the store has the client that every store here has, and is whole.
    fn assert_whole(&self, point: usize) {
        let client = self.home.command(&["client", "show", "job"]).output().unwrap();
        let said = String::from_utf8_lossy(&client.stderr);
        assert!(client.status.success(), "at {point}: {said}");
        let checked = self.home.command(&["db", "check"]).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "at {point}: {said}");
    }
}

/// A store of the present schema, its key, and a backup of it.
fn made() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    static MADE: OnceLock<(Vec<u8>, Vec<u8>, Vec<u8>)> = OnceLock::new();
    MADE.get_or_init(|| {
        let home = Home::new();
        let server = home.serve();
        home.json("client add Job --id job --grant client_credentials");
        for person in 0..20 {
            home.json(&format!("user add person{person}"));
        }
        let backup = home.path("backup");
        home.json(&format!("backup {}", backup.display()));
        stop(server);
        let read = |name: &str| fs::read(home.data().join(name)).unwrap();
        (read("gatelodge.redb"), read("gatelodge.key"), fs::read(backup).unwrap())
    })
    .clone()
}

fn story(arguments: &[&str], files: Vec<(&'static str, Vec<u8>)>) -> Story {
    let home = Home::new();
    fs::create_dir(home.data()).unwrap();
    fs::write(home.path("backup"), made().2).unwrap();
    let path = |name: &str| home.path(name).display().to_string();
    let arguments = arguments.iter().map(|word| match word.strip_prefix('@') {
        Some(name) => path(name),
        None => (*word).to_owned(),
    });
    Story { arguments: arguments.collect(), home, files }
}

fn compaction() -> Story {
    let (store, key, _) = made();
    story(&["db", "compact"], vec![("gatelodge.redb", store), ("gatelodge.key", key)])
}

fn upgrade() -> Story {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/store/fixtures/schema-1");
    let read = |name: &'static str| (name, fs::read(fixture.join(name)).unwrap());
    story(&["upgrade"], vec![read("gatelodge.redb"), read("gatelodge.key")])
}

fn restore() -> Story {
    story(&["restore", "@backup"], vec![("gatelodge.key", made().1)])
}

fn replacement() -> Story {
    let (store, key, _) = made();
    let files = vec![("gatelodge.redb", store), ("gatelodge.key", key)];
    story(&["restore", "@backup", "--replace"], files)
}

#[test]
fn a_compaction_that_is_killed_leaves_a_whole_store() {
    let story = compaction();
    story.killed(|point| story.assert_whole(point));
}

#[test]
fn an_upgrade_that_is_killed_leaves_the_old_store_or_the_new() {
    let story = upgrade();
    // Whatever is there is upgraded now, if it was not.
    story.killed(|point| story.assert_whole(point));
}

#[test]
fn a_restore_that_is_killed_leaves_no_store_or_a_whole_one() {
    let story = restore();
    story.killed(|point| {
        if story.store().exists() {
            story.assert_whole(point);
        } else {
            let again = story.home.command(&story.arguments).output().unwrap();
            assert!(again.status.success(), "at {point}");
            story.assert_whole(point);
        }
    });
}

#[test]
fn a_replacement_that_is_killed_leaves_the_old_store_or_the_new() {
    let story = replacement();
    story.killed(|point| story.assert_whole(point));
}

#[test]
fn a_full_disk_leaves_what_was_there_and_is_said() {
    for story in [compaction(), upgrade(), replacement()] {
        story.full(|point| story.assert_whole(point));
    }
    let story = restore();
    story.full(|point| {
        if story.store().exists() {
            story.assert_whole(point);
        }
    });
}

#[test]
fn a_full_disk_leaves_no_half_backup() {
    let (store, key, _) = made();
    let files = vec![("gatelodge.redb", store), ("gatelodge.key", key)];
    let story = story(&["backup", "@new"], files);
    let new = story.home.path("new");
    let clear = || drop(fs::remove_file(&new));
    clear();
    let calls = {
        let calls = story.calls();
        clear();
        calls
    };
    let mut refused = 0;
    for point in 0..calls {
        story.reset();
        let output = story.run("DISK_FULL_FROM", &point.to_string());
        if output.status.success() {
            clear();
            continue;
        }
        refused += 1;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("No space left"), "at {point}: {said}");
        assert!(!new.exists() && !new.with_added_extension("new").exists(), "at {point}");
    }
    assert!(refused > 0);
}
