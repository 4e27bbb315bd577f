//! The house rules: which room may name which, where each foreign crate lives, that no two files
//! need each other, how long a file may be, where a `Location` is written, and which words no name
//! is made of.

#![expect(clippy::unwrap_used, reason = "a test that cannot read the tree has failed")]
#![expect(clippy::indexing_slicing, reason = "a test that reads past the end has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use places::PLACES;

#[path = "rooms/circles.rs"]
mod circles;
#[path = "rooms/location.rs"]
mod location;
#[path = "rooms/names.rs"]
mod names;
#[path = "rooms/places.rs"]
mod places;
#[path = "rooms/scan.rs"]
mod scan;

/// Every room and the rooms that it may name. A room stands below all that it names.
const ROOMS: &[(&str, &[&str])] = &[
    // The foundations.
    ("error", &[]),
    ("clock", &[]),
    ("private_file", &[]),
    ("secret", &["error"]),
    ("event", &["clock", "error", "secret"]),
    ("lanes", &[]),
    ("metrics", &[]),
    // The vocabulary.
    ("oauth", &["clock", "error", "secret"]),
    ("model", &["error", "oauth", "secret"]),
    ("fetch", &["error", "lanes", "model"]),
    ("password", &["error", "lanes", "model", "secret"]),
    ("fuzzing", &["error", "model", "oauth", "secret"]),
    ("tls", &["clock", "error", "model", "private_file", "secret"]),
    (
        "config",
        &["clock", "error", "event", "fetch", "model", "oauth", "private_file", "secret", "tls"],
    ),
    ("contain", &["config", "private_file"]),
    // What is stored, and what happens to it.
    ("store", &["clock", "error", "event", "metrics", "model", "oauth", "private_file", "secret"]),
    ("keys", &["clock", "error", "oauth", "secret", "store"]),
    ("passkey", &["error", "model", "oauth", "secret", "store"]),
    (
        "flow",
        &[
            "clock", "config", "error", "event", "keys", "model", "oauth", "passkey", "password",
            "secret", "store",
        ],
    ),
    (
        "app",
        &[
            "clock",
            "config",
            "error",
            "event",
            "fetch",
            "flow",
            "keys",
            "metrics",
            "model",
            "oauth",
            "passkey",
            "password",
            "private_file",
            "secret",
            "store",
            "tls",
        ],
    ),
    // What others come in by. The operations of the administration are served at the ports, too.
    (
        "admin",
        &[
            "app", "clock", "config", "error", "event", "flow", "keys", "metrics", "model",
            "oauth", "passkey", "password", "secret", "store", "tls",
        ],
    ),
    (
        "http",
        &[
            "admin", "app", "clock", "config", "error", "event", "fetch", "flow", "keys",
            "metrics", "model", "oauth", "passkey", "password", "secret", "store", "tls",
        ],
    ),
    // What runs them.
    (
        "serve",
        &[
            "admin", "app", "clock", "config", "error", "event", "fetch", "flow", "http",
            "metrics", "model", "oauth", "secret", "tls",
        ],
    ),
    (
        "dev",
        &[
            "admin", "app", "clock", "config", "error", "event", "flow", "http", "keys", "model",
            "oauth", "secret", "serve", "store",
        ],
    ),
    ("oauth_client", &["clock", "fetch", "oauth", "private_file", "secret"]),
    (
        "cli",
        &[
            "admin",
            "app",
            "clock",
            "config",
            "contain",
            "dev",
            "error",
            "event",
            "fetch",
            "model",
            "oauth",
            "oauth_client",
            "private_file",
            "secret",
            "serve",
            "tls",
        ],
    ),
    ("testing", &["cli", "clock", "config", "dev", "event", "model"]),
    ("main", &["cli"]),
];

/// The crates that any room may name.
const ANYWHERE: &[&str] =
    &["base64", "serde", "serde_json", "subtle", "tracing", "uuid", "zeroize"];

/// The most lines of a file and of `main.rs`, files of a folder, and folders within each other.
const LINES: usize = 500;
const MAIN_LINES: usize = 60;
const FILES: usize = 20;
const DEPTH: usize = 4;

/// What the file at `path` below `src/` breaks by what it names.
fn named_amiss(path: &str, source: &str) -> Vec<String> {
    let module: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    let inside = match module.as_slice() {
        ["lib" | "main"] => &[],
        [folder @ .., "mod"] => folder,
        whole => whole,
    };
    let room = module[0];
    let allowed = ROOMS.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed);
    let mut broken = Vec::new();
    for named in scan::paths(inside, source) {
        let segments: Vec<&str> = named.iter().map(String::as_str).collect();
        match segments.as_slice() {
            // `lib.rs` names the rooms only to declare them.
            _ if room == "lib" => {}
            ["crate" | "gatelodge", other, ..] => {
                if *other != room && !allowed.is_some_and(|allowed| allowed.contains(other)) {
                    broken.push(format!("{path}: the room `{room}` names `{}`", named.join("::")));
                }
            }
            [foreign, ..] => {
                let places = PLACES.iter().find(|(name, _)| name == foreign);
                if let Some((_, places)) = places
                    && !places.iter().any(|place| path.starts_with(place))
                {
                    broken.push(format!("{path}: the crate `{foreign}` lives in {places:?}"));
                }
            }
            [] => {}
        }
    }
    broken
}

/// What the files of a tree break by their length, number and depth.
fn sized_amiss(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut broken = Vec::new();
    let mut folders = BTreeMap::<&str, usize>::new();
    for (path, source) in files {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        *folders.entry(folder).or_default() += 1;
        let limit = if path == "src/main.rs" { MAIN_LINES } else { LINES };
        let lines = source.lines().count();
        if lines > limit {
            broken.push(format!("{path} has {lines} lines, and {limit} are the most"));
        }
    }
    for (folder, files) in &folders {
        let inside =
            folders.keys().filter(|other| other.starts_with(&format!("{folder}/"))).count();
        if folder.starts_with("src/") && files + inside < 2 {
            broken.push(format!("{folder} has one file"));
        }
        if *files > FILES {
            broken.push(format!("{folder} has {files} files, and {FILES} are the most"));
        }
        if folder.split('/').count() > DEPTH {
            broken.push(format!("{folder} lies deeper than {DEPTH}"));
        }
    }
    broken
}

/// The Rust files below `folder`, by their path.
fn sources(folder: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                waiting.push(path);
            } else if path.ends_with(".rs") {
                found.insert(path, fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    found
}

#[track_caller]
fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn every_file_names_only_rooms_above_its_own_and_crates_in_their_place() {
    let sources = sources("src");

    let amiss =
        sources.iter().flat_map(|(path, source)| named_amiss(&path["src/".len()..], source));

    assert_none(&amiss.collect::<Vec<_>>());
}

#[test]
fn no_file_or_folder_grows_beyond_what_a_reader_takes_in() {
    let both = [sources("src"), sources("tests")].into_iter().flatten().collect();

    assert_none(&sized_amiss(&both));
}

#[test]
fn no_two_files_need_each_other() {
    let sources = sources("src").into_iter();
    let files = sources.map(|(path, source)| (path["src/".len()..].to_owned(), source)).collect();

    let circles = circles::circles(&files);

    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn a_location_is_written_in_one_file() {
    let mut amiss = sources("src");

    amiss.retain(|path, source| location::written_amiss(&path["src/".len()..], source));

    assert_none(&amiss.into_keys().collect::<Vec<_>>());
}

#[test]
fn names_are_of_the_fields_words() {
    let mut broken = Vec::new();
    for (path, source) in ["src", "tests"].map(sources).into_iter().flatten() {
        broken.extend(names::misnamed(&source).into_iter().map(|name| format!("{path}: {name}")));
    }

    assert_none(&broken);
}

#[test]
fn every_room_stands_in_the_table_below_all_that_it_may_name() {
    for (at, (room, allowed)) in ROOMS.iter().enumerate() {
        let above: Vec<&str> = ROOMS[..at].iter().map(|(room, _)| *room).collect();
        assert!(allowed.iter().all(|name| above.contains(name)), "{room}");
    }
    for path in sources("src").keys() {
        let room = path.split('/').nth(1).unwrap().trim_end_matches(".rs");
        assert!(room == "lib" || ROOMS.iter().any(|(name, _)| *name == room), "{path}");
    }
}

#[test]
fn every_dependency_has_its_place_in_the_table() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    let (_, dependencies) = manifest.split_once("\n[dependencies]\n").unwrap();
    let (dependencies, _) = dependencies.split_once("\n[").unwrap();

    let declared = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    for line in dependencies.lines().filter(declared) {
        let name = line.split([' ', '.', '=']).next().unwrap().replace('-', "_");
        let placed = PLACES.iter().any(|(placed, _)| *placed == name);
        assert!(placed != ANYWHERE.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn an_upward_import_is_caught_however_it_is_written() {
    for (path, source) in [
        ("oauth/id.rs", "use crate::store::Row;"),
        ("oauth/id.rs", "use crate::config::Config;"),
        ("oauth/id.rs", "use crate::model::person::Role;"),
        ("oauth/id.rs", "use crate::{error::Refusal, event::EventId};"),
        ("store/tx.rs", "fn f(x: crate::flow::Context) {}"),
        ("store/schema/client.rs", "use super::super::super::http::router;"),
        ("flow/code.rs", "pub use crate::app as a;"),
        ("flow/cimd.rs", "use crate::fetch::Fetcher;"),
        ("flow/mod.rs", "use super::*;"),
        ("http/mod.rs", "mod tests { use crate::serve; }"),
        ("admin/mod.rs", "use crate::http::router;"),
        ("config/mod.rs", "use crate::store::Store;"),
        ("clock/mod.rs", "use crate::error::Error;"),
        ("main.rs", "fn main() { gatelodge::serve::run() }"),
        ("unheard_of.rs", "use crate::error::Error;"),
    ] {
        assert_eq!(named_amiss(path, source).len(), 1, "{path}: {source}");
    }
    assert_none(&named_amiss("flow/code.rs", "use crate::store::Tx; use super::grant;"));
    assert_none(&named_amiss("main.rs", "fn main() { gatelodge::cli::run() }"));
}

#[test]
fn a_crate_outside_its_place_is_caught_however_it_is_written() {
    for (path, source) in [
        ("store/tx.rs", "use redb::Database;"),
        ("store/tx.rs", "let x = ::postcard::to_stdvec(&y);"),
        ("flow/login.rs", "fn f(x: webauthn_rs::prelude::Passkey) {}"),
        ("flow/mod.rs", "use tokio::sync::watch;"),
        ("flow/mod.rs", "#[derive(askama::Template)] struct Page;"),
        ("http/token.rs", "use jsonwebtoken as jwt;"),
        ("http/mod.rs", "use hyper::body::Body;"),
        ("cli/user.rs", "use hyper_util::rt::TokioIo;"),
        ("serve/mod.rs", "tracing_subscriber::fmt().init()"),
        ("oauth/token.rs", "use {serde::Serialize, sha2::Sha256};"),
        ("app/mod.rs", "rand::rng()"),
    ] {
        assert_eq!(named_amiss(path, source).len(), 1, "{path}: {source}");
    }
    assert_none(&named_amiss("store/engine/mod.rs", "use redb::Database; use std::io;"));
    assert_none(&named_amiss("config/keys.rs", "strsim::osa_distance(a, b)"));
}

#[test]
fn a_file_too_long_and_a_folder_too_full_too_empty_or_too_deep_are_caught() {
    let amiss = |files: Vec<(String, usize)>| {
        let files = files.into_iter().map(|(path, lines)| (path, "x\n".repeat(lines))).collect();
        sized_amiss(&files)
    };
    let file = |path: &str, lines| vec![(path.to_owned(), lines)];
    let folder = |files| (0..files).map(|n| (format!("src/a/{n}.rs"), 1)).collect();

    assert_eq!(amiss(file("src/a.rs", 500)), [""; 0]);
    assert_eq!(amiss(file("src/a/b.rs", 1)), ["src/a has one file"]);
    assert_eq!(amiss(file("src/a.rs", 501)), ["src/a.rs has 501 lines, and 500 are the most"]);
    assert_eq!(amiss(file("src/main.rs", 61)), ["src/main.rs has 61 lines, and 60 are the most"]);
    assert_eq!(amiss(file("tests/a/b/c/d/e.rs", 1)), ["tests/a/b/c/d lies deeper than 4"]);
    assert_eq!(amiss(folder(20)), [""; 0]);
    assert_eq!(amiss(folder(21)), ["src/a has 21 files, and 20 are the most"]);
}

#[test]
fn files_that_need_each_other_are_caught_and_a_folder_is_one() {
    let found = |files: &[(&str, &str)]| {
        let own = |(path, source): &(&str, &str)| ((*path).to_owned(), (*source).to_owned());
        circles::circles(&files.iter().map(own).collect())
    };
    let (a, b) = (("flow/a.rs", "use super::b;"), ("flow/b.rs", "use crate::flow::a::f;"));

    assert_eq!(found(&[a, b]).len(), 1);
    assert_eq!(
        found(&[a, ("flow/b.rs", "use crate::flow::c;"), ("flow/c.rs", "use super::a;")]).len(),
        1
    );
    assert!(
        found(&[a, ("flow/b.rs", "#[cfg(test)] mod tests { use crate::flow::a; }")]).is_empty()
    );
    assert!(found(&[("flow/mod.rs", "use a::f;"), ("flow/a.rs", "use super::g;")]).is_empty());
}
