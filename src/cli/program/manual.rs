//! `gatelodge manual`: the pages of `assets/manual/`, which the program has with it.

use serde::Serialize;

use crate::cli::output::{Exit, Failure, Output, fields, printable};
use crate::model::near::nearest;

/// The name of a page, and its text.
macro_rules! page {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../assets/manual/", $name, ".md")))
    };
}

/// Every page, in the order in which a reader needs them.
const PAGES: [(&str, &str); 18] = [
    page!("first-minute"),
    page!("command-line"),
    page!("configuration"),
    page!("clients"),
    page!("people"),
    page!("mcp"),
    page!("app"),
    page!("proxy"),
    page!("bridge"),
    page!("edge"),
    page!("lan"),
    page!("ci"),
    page!("backup"),
    page!("upgrade"),
    page!("security"),
    page!("administration"),
    page!("speed"),
    page!("troubleshooting"),
];

/// The names of the pages, and what each is about.
#[derive(Serialize)]
struct PagesView {
    pages: Vec<EntryView>,
}

#[derive(Serialize)]
struct EntryView {
    /// Its one sentence.
    about: String,
    name: &'static str,
}

#[derive(Serialize)]
struct PageView {
    page: &'static str,
    /// Markdown.
    text: &'static str,
}

/// Runs `gatelodge manual`.
pub(in crate::cli) fn manual(page: Option<&str>) -> Result<Output, Failure> {
    match page {
        None => Ok(list()),
        Some(name) => show(name),
    }
}

fn list() -> Output {
    let rows = PAGES.map(|(name, text)| (name, about(text)));
    let entry = |(name, about): &(&'static str, String)| EntryView { about: about.clone(), name };
    let view = PagesView { pages: rows.iter().map(entry).collect() };
    Output::new(fields(&rows), &view)
}

fn show(written: &str) -> Result<Output, Failure> {
    // What stands in a link is a name, too.
    let name = written.strip_suffix(".md").unwrap_or(written);
    if let Some((page, text)) = PAGES.into_iter().find(|(page, _)| *page == name) {
        return Ok(Output::new(text, &PageView { page, text }));
    }
    let near = nearest(name, PAGES.map(|(page, _)| page.to_owned()), 1).concat();
    let why = format!("the manual has no page {}; gatelodge manual lists them", printable(written));
    let remedy = format!("gatelodge manual {near}");
    Err(Failure::new(Exit::NotFound, why).with_remedy(Some(remedy)))
}

/// The sentence below the title of a page, on one line.
fn about(text: &str) -> String {
    let lines = text.lines().skip(2).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_program_has_every_page_that_there_is() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/manual");
        let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
        let mut files: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
        files.sort();

        let mut names = PAGES.map(|(name, _)| format!("{name}.md"));
        names.sort();

        assert_eq!(files, names);
    }

    #[test]
    fn every_page_begins_with_a_title_and_one_sentence() {
        for (name, text) in PAGES {
            let about = about(text);

            assert!(text.starts_with("# "), "{name}");
            assert!(text.lines().nth(1).unwrap().is_empty(), "{name}");
            assert!(about.ends_with('.') && !about.contains(". "), "{name}: {about}");
            assert!(about.chars().count() <= 100, "{name}: {about}");
        }
    }

    #[test]
    fn a_page_is_found_by_its_name_and_by_that_of_its_file() {
        for name in ["edge", "edge.md"] {
            let output = manual(Some(name)).unwrap();
            let (_, text, json, _) = output.parts();

            assert!(text.starts_with("# "), "{text}");
            assert_eq!(json["page"], "edge");
            assert!(text.starts_with(json["text"].as_str().unwrap().trim_end()), "{text}");
        }
    }

    #[test]
    fn an_unknown_name_gets_the_nearest() {
        let failure = manual(Some("bakcup")).err().unwrap();

        assert_eq!(failure.exit, Exit::NotFound);
        assert_eq!(failure.remedy(), Some("gatelodge manual backup"));
    }
}
