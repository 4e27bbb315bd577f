//! What every page that is looked at has to be: open to everybody as axe-core judges it, valid
//! HTML, without a shift, and light. Every page has to be looked at.

mod checks;
mod contrast;
mod dressed;
mod media;
mod source;
mod tools;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use media::suits_everybody;
pub(crate) use source::Source;

use crate::window::Window;

/// The most bytes of a page with everything that it loads, as they are transferred.
const MAX_WEIGHT: u64 = 60 * 1024;

/// What axe-core finds wrong on a page, one line a rule. Some rules are off by default.
const FOUND: &str = "axe.run(document, { resultTypes: ['violations'], \
     rules: { 'target-size': { enabled: true } } }).then(({ violations }) => \
     violations.map(it => `${it.id}: ${it.help} (${it.nodes.map(node => \
     `${node.html} ${node.failureSummary}`).join('; ')})`))";

/// What moved on a page before a person did anything, by itself.
const SHIFTED: &str = "new Promise(resolve => { const found = []; \
     const name = it => it?.id || it?.className || it?.nodeName || ''; \
     new PerformanceObserver(list => list.getEntries() \
     .filter(it => !it.hadRecentInput && it.lastInputTime === 0 && it.startTime > (globalThis.looked ?? 0)) \
     .forEach(it => found.push(`${it.value}: ${it.sources.map(of => name(of.node)).join(', ')}`))) \
     .observe({ type: 'layout-shift', buffered: true }); \
     const frame = then => requestAnimationFrame(() => setTimeout(then)); \
     frame(() => frame(() => frame(() => resolve(found)))); })";

/// Forgets what moved while the page was looked at in other media.
const FORGET_SHIFTS: &str = "new Promise(resolve => { const frame = then => requestAnimationFrame(() => setTimeout(then)); \
     frame(() => frame(() => { globalThis.looked = performance.now(); resolve(true); })); })";

/// The bytes of a page and of what it loads, compressed as they come.
const WEIGHED: &str = "[...performance.getEntriesByType('navigation'), \
     ...performance.getEntriesByType('resource')] \
     .reduce((sum, it) => sum + it.encodedBodySize, 0)";

/// Asserts what does not depend on how the page is looked at.
pub(crate) async fn is_well_made(window: &Window, name: &str) {
    let shifted: Vec<String> = window.ask(SHIFTED).await.unwrap();
    // What a browser lacks, only a script can say, once the page is there.
    assert!(shifted.is_empty() || name == "login-no-passkeys", "{name} shifts: {shifted:?}");
    let weight: u64 = window.ask(WEIGHED).await.unwrap();
    assert!(weight < MAX_WEIGHT, "{name} weighs {weight} bytes");
    for html in window.source.unread(&window.page).await {
        tools::validate(name, &html);
    }
}

/// Ends a look.
pub(crate) async fn forget_shifts(window: &Window) {
    window.ask::<bool>(FORGET_SHIFTS).await.unwrap();
}

/// Asserts that axe-core finds nothing, in the colours and the size that the window has.
pub(crate) async fn is_open_to_everybody(window: &Window, name: &str) {
    tools::bring_axe(window).await;
    let found: Vec<String> = window.ask(FOUND).await.unwrap();
    assert!(found.is_empty(), "{name}: {found:#?}");
}

/// The files with the ending `ending` below `folder`.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() { files(&path, ending) } else { vec![path] };
    let ends = |path: &PathBuf| path.to_string_lossy().ends_with(ending);
    entries.flat_map(below).filter(ends).collect()
}

/// A look is named after the template of its page: `device_confirm.html` is `device-confirm`, and
/// may have a word behind it. That of a folder begins with the folder: `admin-keys`.
#[test]
fn every_page_is_looked_at() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stories: String = files(&root.join("tests/browser"), ".rs")
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let looks: BTreeSet<&str> = stories
        .split("look(&")
        .filter_map(|call| call.split_once(", \"")?.1.split_once('"'))
        .map(|(name, _)| name)
        // Those of a table of pages, each with its name.
        .chain(stories.split('"').filter(|word| word.starts_with("admin-")))
        .collect();
    let templates = root.join("assets/templates");
    let texts: Vec<(PathBuf, String)> = files(&templates, ".html")
        .into_iter()
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    let frames: BTreeSet<PathBuf> = texts
        .iter()
        .filter_map(|(_, text)| text.split_once("{% extends \"")?.1.split_once('"'))
        .map(|(frame, _)| templates.join(frame))
        .collect();
    let name = |path: &PathBuf| {
        let name = path.strip_prefix(&templates).unwrap().with_extension("");
        name.to_string_lossy().replace(['/', '_'], "-")
    };
    // What a page is made of extends nothing, and the page of a hidden frame neither.
    let pages: Vec<String> = texts
        .iter()
        .filter(|(path, text)| text.contains("{% extends") && !frames.contains(path))
        .map(|(path, _)| name(path))
        .collect();
    // That of `link-code` is none of `link`.
    let page_of = |look: &&str| {
        let is_of = |page: &&String| {
            let end = look.strip_prefix(page.as_str());
            end.is_some_and(|end| end.is_empty() || end.starts_with('-'))
        };
        pages.iter().filter(is_of).max_by_key(|page| page.len())
    };
    let seen: BTreeSet<&String> = looks.iter().filter_map(page_of).collect();

    let unseen: Vec<&String> = pages.iter().filter(|page| !seen.contains(page)).collect();

    assert!(pages.len() > 15, "{pages:?} are all pages");
    assert!(unseen.is_empty(), "nobody looks at {unseen:?}: look(&window, \"NAME\")");
}
