//! Golden rows: the bytes of every layout that was ever released.
//!
//! `golden/TABLE.vN.bin` holds the rows of one layout variant, each behind its length in four
//! big-endian bytes, in the order of the samples. A layout is frozen: what is there never changes.
//! A row that a file lacks is a failure, unless `GATELODGE_BLESS=1` is set, which appends it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs};

use gatelodge::oauth::client::{
    AssertionProfile, AuthMethod, ClaimsPlace, GrantType, PkcePolicy, RefreshPolicy, SigningAlg,
};
use gatelodge::store::{Store, StoreError, View};

use crate::crash::runtime;
use crate::samples::{self, Sample, samples};

fn file(sample: &Sample) -> PathBuf {
    let name = format!("{}.v{}.bin", sample.table, sample.variant);
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/golden").join(name)
}

/// The rows that are kept of a layout.
pub(crate) fn stored(sample: &Sample) -> Vec<Vec<u8>> {
    let bytes = fs::read(file(sample)).unwrap_or_default();
    let (mut rest, mut frames) = (bytes.as_slice(), Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap();
        let (frame, after) = after.split_at(length);
        frames.push(frame.to_vec());
        rest = after;
    }
    frames
}

/// The bytes that the store writes for each case today.
fn written(sample: &Sample) -> Vec<Vec<u8>> {
    let store = Store::memory().unwrap();
    for case in &sample.cases {
        let case = Arc::clone(case);
        runtime().block_on(store.write(move |tx| case.put(tx))).unwrap();
    }
    let now = store.read().unwrap();
    sample.cases.iter().map(|case| now.raw(&case.key()).unwrap().unwrap()).collect()
}

fn newest() -> BTreeMap<&'static str, u32> {
    let mut newest = BTreeMap::new();
    for sample in samples() {
        let variant: &mut u32 = newest.entry(sample.row).or_default();
        *variant = sample.variant.max(*variant);
    }
    newest
}

#[test]
fn every_row_is_written_in_the_bytes_that_are_kept_of_its_newest_layout() {
    let newest = newest();
    for sample in samples().iter().filter(|sample| newest[sample.row] == sample.variant) {
        let written = written(sample);
        let stored = stored(sample);
        let same = written.iter().zip(&stored).all(|(written, stored)| written == stored);
        assert!(same, "{}: a layout is frozen; a change of it is a new variant", sample.row);

        if stored.len() < written.len() && env::var_os("GATELODGE_BLESS").is_some() {
            let frame = |row: &Vec<u8>| {
                [&u32::try_from(row.len()).unwrap().to_be_bytes()[..], row].concat()
            };
            fs::write(file(sample), written.iter().flat_map(frame).collect::<Vec<u8>>()).unwrap();
        } else {
            assert_eq!(stored.len(), written.len(), "{}: GATELODGE_BLESS=1 keeps it", sample.row);
        }
    }
}

#[test]
fn every_kept_row_decodes_to_what_it_meant() {
    for sample in samples() {
        let stored = stored(&sample);
        assert_eq!(stored.len(), sample.cases.len(), "{}", sample.row);
        for (case, bytes) in sample.cases.iter().zip(stored) {
            let store = Store::memory().unwrap();
            let key = case.key();
            let written = store.write(move |tx| {
                tx.put_raw(key.clone(), bytes.clone());
                Ok::<_, StoreError>(())
            });
            runtime().block_on(written).unwrap();

            case.assert_found(&store.read().unwrap());
        }
    }
}

#[test]
fn every_layout_of_every_row_is_kept() {
    let mut declared = BTreeSet::new();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/schema");
    let files = fs::read_dir(schema).unwrap().map(|entry| entry.unwrap().path());
    for file in files.filter(|path| path.is_file()) {
        declared.extend(layouts(&fs::read_to_string(file).unwrap()));
    }

    let stored: BTreeSet<_> =
        samples().iter().map(|sample| (sample.row.to_owned(), sample.variant)).collect();

    assert_eq!(stored, declared);
}

/// Every row that a file of the schema declares, with each variant of its layout.
fn layouts(source: &str) -> Vec<(String, u32)> {
    let mut layouts = Vec::new();
    for row in source.lines().filter_map(|line| line.strip_prefix("impl Row for ")) {
        let row = row.trim_end_matches(" {");
        if source.contains(&format!("Layout, {row});")) {
            layouts.push((row.to_owned(), 1));
            continue;
        }
        if source.contains(&format!("Layout, {row}V1, {row});")) {
            layouts.extend([(row.to_owned(), 1), (row.to_owned(), 2)]);
            continue;
        }
        let layout = source.split(&format!("pub enum {row}Layout {{")).nth(1);
        let variants = layout.and_then(|rest| rest.split('}').next()).unwrap_or_default();
        let variants = variants.split("V").skip(1).filter_map(|rest| rest.split('(').next());
        layouts.extend(variants.filter_map(|number| Some((row.to_owned(), number.parse().ok()?))));
    }
    layouts
}

#[test]
fn a_layout_without_its_bytes_would_be_noticed() {
    let one = "layout!(ALayout, A);\nimpl Row for A {\n}\n";
    let second = "second_layout!(ALayout, AV1, A);\nimpl Row for A {\n}\n";
    let two = "pub enum BLayout {\n  /// V.\n  V1(BV1),\n  V2(B),\n}\nimpl Row for B {\n}\n";

    assert_eq!(layouts(one), [("A".to_owned(), 1)]);
    assert_eq!(layouts(second), [("A".to_owned(), 1), ("A".to_owned(), 2)]);
    assert_eq!(layouts(two), [("B".to_owned(), 1), ("B".to_owned(), 2)]);
}

/// A row is positional to its innermost enum: a variant has to be added at the end of each, and
/// has to be among the samples.
#[test]
fn every_word_that_a_row_can_hold_is_among_the_samples() {
    assert_eq!(samples::GRANT_TYPES.len(), GrantType::ALL.len());
    assert_eq!(samples::AUTH_METHODS.len(), AuthMethod::ALL.len());
    assert_eq!(samples::SIGNING_ALGS.len(), SigningAlg::ALL.len());
    assert_eq!(samples::REFRESH_POLICIES.len(), RefreshPolicy::ALL.len());
    assert_eq!(samples::PKCE_POLICIES.len(), PkcePolicy::ALL.len());
    assert_eq!(samples::ASSERTION_PROFILES.len(), AssertionProfile::ALL.len());
    assert_eq!(samples::CLAIMS_PLACES.len(), ClaimsPlace::ALL.len());
}
