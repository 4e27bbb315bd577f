//! Finds files that need each other.

use std::collections::{BTreeMap, BTreeSet};

use super::scan;

/// The groups of modules that reach each other by what they name, each in order. `files` holds the
/// sources by their path below `src/`.
///
/// A folder's `mod.rs` and the files below it may name each other: together they are the folder.
/// Unit tests at the foot of a file do not count.
pub(crate) fn circles(files: &BTreeMap<String, String>) -> BTreeSet<Vec<String>> {
    let modules: BTreeMap<Vec<String>, &String> =
        files.iter().map(|(path, source)| (module(path), source)).collect();
    let named: BTreeMap<&Vec<String>, BTreeSet<&Vec<String>>> = modules
        .iter()
        .filter(|(own, _)| !own.is_empty())
        .map(|(own, source)| (own, neighbours(&modules, own, source)))
        .collect();
    let reached: BTreeMap<_, _> = named.keys().map(|own| (*own, reach(&named, own))).collect();
    let mut found = BTreeSet::new();
    for (own, reaches) in &reached {
        let back =
            |other: &&&Vec<String>| reached.get(**other).is_some_and(|own_| own_.contains(own));
        let mut circle: Vec<String> = reaches.iter().filter(back).map(|m| m.join("::")).collect();
        if circle.len() > 1 {
            circle.sort();
            found.insert(circle);
        }
    }
    found
}

/// The module that the file at `path` is.
pub(crate) fn module(path: &str) -> Vec<String> {
    let mut names: Vec<String> =
        path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if matches!(names.last().map(String::as_str), Some("lib" | "main" | "mod")) {
        names.pop();
    }
    names
}

/// The modules that `source` names, but for those above and below it.
fn neighbours<'a>(
    modules: &'a BTreeMap<Vec<String>, &String>,
    own: &[String],
    source: &str,
) -> BTreeSet<&'a Vec<String>> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let inside: Vec<&str> = own.iter().map(String::as_str).collect();
    let paths = scan::paths(&inside, source).into_iter();
    let own_crate = paths.filter(|path| path.first().is_some_and(|first| first == "crate"));
    let named = own_crate.filter_map(|path| {
        let prefixes = (2..=path.len()).rev().map(|end| path[1..end].to_vec());
        prefixes.into_iter().find_map(|path| modules.get_key_value(&path)).map(|(module, _)| module)
    });
    named.filter(|other| !own.starts_with(other) && !other.starts_with(own)).collect()
}

/// Every module that can be reached from `from`.
fn reach<'a>(
    named: &BTreeMap<&'a Vec<String>, BTreeSet<&'a Vec<String>>>,
    from: &Vec<String>,
) -> BTreeSet<&'a Vec<String>> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&Vec<String>> = named.get(from).into_iter().flatten().copied().collect();
    while let Some(next) = waiting.pop() {
        if reached.insert(next) {
            waiting.extend(named.get(next).into_iter().flatten());
        }
    }
    reached
}
