//! What fuzzing knows, replayed on stable: every committed input, through the target it is for.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use gatelodge::fuzzing::{TARGETS, redirect_uri};

fn fuzz(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(path)
}

/// The entries of a directory, in order.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("the directory is there");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("its entries can be listed").path()).collect();
    paths.sort();
    paths
}

fn stems(directory: &Path) -> BTreeSet<String> {
    let stem = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    entries(directory).iter().filter_map(stem).collect()
}

fn targets() -> BTreeSet<String> {
    TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect()
}

#[test]
fn every_input_of_every_corpus_keeps_what_its_target_asserts() {
    let mut failed = Vec::new();

    for (name, target) in TARGETS {
        let inputs = entries(&fuzz("corpus").join(name));
        assert!(!inputs.is_empty(), "the corpus of {name} is empty");
        for input in inputs {
            let bytes = fs::read(&input).expect("an input is a file");
            if catch_unwind(|| target(&bytes)).is_err() {
                failed.push(input);
            }
        }
    }

    assert!(failed.is_empty(), "{failed:#?}");
}

/// What differs in a port or in the `/` of an empty path, in every combination: chance seldom finds those.
#[test]
fn every_pair_of_loopback_uris_keeps_what_its_target_asserts() {
    let mut uris = Vec::new();
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        for port in ["", ":80", ":300", ":8080", ":08"] {
            for rest in ["", "/", "//", "?", "/?", "?x=1", "/?x=1", "//?x=1", "/a", "/a/", "/a?x=1"]
            {
                uris.push(format!("http://{host}{port}{rest}"));
            }
        }
    }

    for registered in &uris {
        for requested in &uris {
            redirect_uri(format!("{registered}\n{requested}").as_bytes());
        }
    }
}

#[test]
fn every_target_has_a_corpus_and_every_corpus_a_target() {
    assert_eq!(stems(&fuzz("corpus")), targets());
}

#[test]
fn every_target_is_a_binary_of_one_line() {
    let manifest = fs::read_to_string(fuzz("Cargo.toml")).expect("fuzz/ is a crate");
    let manifest: toml::Table = manifest.parse().expect("its manifest is TOML");
    let bins = manifest.get("bin").and_then(toml::Value::as_array).expect("it has binaries");
    let text = |bin: &toml::Value, key| {
        bin.get(key)
            .and_then(toml::Value::as_str)
            .expect("a binary has a name and a path")
            .to_owned()
    };

    let named: BTreeSet<String> = bins.iter().map(|bin| text(bin, "name")).collect();

    assert_eq!(named, targets());
    assert_eq!(stems(&fuzz("targets")), targets());
    for bin in bins {
        let name = text(bin, "name");
        let source = fs::read_to_string(fuzz(&text(bin, "path"))).expect("its path is a file");
        assert!(source.contains(&format!("|bytes: &[u8]| gatelodge::fuzzing::{name}(bytes)")));
    }
}
