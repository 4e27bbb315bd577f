//! Every verb that there is, briefly: the first line of its text, a member of its JSON, and one of
//! its failures, with a server that runs and without.

mod installation;
mod machine;
mod names;
mod people;
mod things;

use serde_json::Value;

use crate::printed;
use crate::program::Home;
use installation::{Installation, Said};

/// One verb. [`Installation::fill`] says what stands in braces.
struct Story {
    /// Its name, as the help has it.
    verb: &'static str,
    /// Its arguments.
    with: &'static str,
    /// A part of the first line of its text.
    says: &'static str,
    /// Where a member of its JSON is, with `*` for every item, and what one of these is, or what it
    /// starts with, before `…`.
    member: (&'static str, &'static str),
    /// How it fails.
    fails: Failing,
}

/// Arguments with which a verb fails: its exit code, its `error`, and a part of what it says.
type Failing = (&'static str, i32, &'static str, &'static str);

/// In this order: some need what others made.
fn stories() -> impl Iterator<Item = &'static Story> {
    [things::STORIES, people::STORIES, machine::STORIES].into_iter().flatten()
}

/// Those that have their stories elsewhere: in `login/verbs.rs`, `damage.rs` and `dev/`, and `serve` at
/// the foot of this file.
const ELSEWHERE: [&str; 13] = [
    "serve",
    "dev",
    "login",
    "credential",
    "whoami",
    "logout",
    "db compact",
    "db repair",
    "restore",
    "healthcheck",
    "service install",
    "service show",
    "service remove",
];

/// What says everything that it can where there is no store.
const WITHOUT_A_STORE: [&str; 10] = [
    "api",
    "config check",
    "config schema",
    "config show",
    "doctor",
    "paths",
    "version",
    "completions",
    "man-pages",
    "manual",
];

/// Whether a value is what a story expects.
fn is(value: &Value, expected: &str) -> bool {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match expected.strip_suffix('…') {
        Some(start) => text.len() > start.len() && text.starts_with(start),
        None => text == expected,
    }
}

/// The values at a place of a document.
fn at<'a>(document: &'a Value, place: &str) -> Vec<&'a Value> {
    place.split('/').skip(1).fold(vec![document], |values, name| {
        let below = |value: &'a Value| match (name, value) {
            ("*", Value::Array(items)) => items.iter().collect(),
            _ => value.pointer(&format!("/{name}")).into_iter().collect::<Vec<_>>(),
        };
        values.into_iter().flat_map(below).collect()
    })
}

/// Asserts that a verb failed, in text and in JSON, as it ought to.
#[track_caller]
fn assert_fails(text: &Said, json: &Said, (_, code, error, part): Failing, verb: &str) {
    assert_eq!((text.code, json.code), (code, code), "{verb}: {} {}", text.err, json.err);
    assert!(text.out.is_empty() && json.out.is_empty(), "{verb}: {} {}", text.out, json.out);
    let by = if text.err.starts_with("error: ") { "error: " } else { "gatelodge: " };
    assert!(text.err.starts_with(by) && text.err.contains(part), "{verb}: {}", text.err);
    let failure: Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!((&failure["error"], &failure["exit"]), (&error.into(), &code.into()), "{verb}");
    let description = failure["error_description"].as_str().unwrap();
    assert!(description.contains(part), "{verb}: {description}");
}

impl Story {
    #[track_caller]
    fn check(&self, installation: &Installation) {
        let Self { verb, with, says, member: (place, expected), fails } = self;
        let text = installation.run(verb, with, 1, false);
        let json = installation.run(verb, with, 2, true);
        let failing = [(1, false), (2, true)]
            .map(|(number, is_json)| installation.run(verb, fails.0, number, is_json));

        assert_eq!((text.code, json.code), (0, 0), "{verb}: {} {}", text.err, json.err);
        let first = text.out.lines().next().unwrap_or_default();
        let says = installation.fill(says, 1);
        assert!(!first.is_empty() && first.contains(&says), "{verb}: {says}: {}", text.out);
        assert!(!text.out.contains('\u{1b}'), "{verb}: colours are for terminals");
        let document: Value = serde_json::from_str(&json.out).unwrap();
        let expected = installation.fill(expected, 2);
        let found = at(&document, place);
        assert!(found.iter().any(|value| is(value, &expected)), "{verb}: {expected} {document}");
        // What was checked already may be JSON in both, and is no output of the command line.
        if *verb == "config check" {
            let [text, json] = failing;
            assert_eq!((text.code, json.code), (fails.1, fails.1));
            assert!(text.out.contains(fails.3) && json.out.contains(fails.3), "{}", json.out);
        } else {
            assert_fails(&failing[0], &failing[1], *fails, verb);
        }
    }
}

#[test]
fn every_verb_of_the_help_has_a_story() {
    let home = Home::new();
    let mut verbs = printed::verbs::alone(&home);
    let mut found: Vec<String> =
        stories().map(|story| story.verb).chain(ELSEWHERE).map(str::to_owned).collect();

    verbs.sort();
    found.sort();

    assert_eq!(found, verbs);
}

#[test]
fn every_verb_does_what_it_says_with_a_server() {
    let installation = Installation::running();

    for story in stories() {
        story.check(&installation);
    }
}

#[test]
fn every_verb_does_what_it_says_without_a_server() {
    let installation = Installation::resting();

    for story in stories().filter(|story| story.verb != "config reload") {
        story.check(&installation);
    }
    let failing = ("", 5, "unavailable", "no server runs at");
    let [text, json] = [false, true].map(|json| installation.run("config reload", "", 1, json));
    assert_fails(&text, &json, failing, "config reload");
}

#[test]
fn without_a_store_every_verb_that_needs_one_says_so_and_makes_none() {
    let installation = Installation::bare();

    for story in stories() {
        let [text, json] = [(1, false), (2, true)]
            .map(|(number, is_json)| installation.run(story.verb, story.with, number, is_json));

        if WITHOUT_A_STORE.contains(&story.verb) {
            assert_eq!((text.code, json.code), (0, 0), "{}: {}", story.verb, text.err);
            serde_json::from_str::<Value>(&json.out).unwrap();
            continue;
        }
        let part = match story.verb {
            "config reload" => "no server runs at",
            _ => "there is no store at",
        };
        assert_fails(&text, &json, ("", 5, "unavailable", part), story.verb);
    }
    assert!(!installation.home.data().exists());
}

#[test]
fn a_device_is_named_only_where_it_has_what_a_verb_is_about() {
    let installation = Installation::resting();
    let known = |verb: &str| -> Value {
        let said = installation.run(verb, "stranger --yes", 1, true);
        serde_json::from_str::<Value>(&said.err).unwrap()["known"].clone()
    };

    // The bridge of ada has a session alone.
    let mut ended: Vec<Value> = known("bridge end").as_array().unwrap().clone();
    ended.sort_by_key(Value::to_string);
    let mut personal: Vec<Value> = known("bridge revoke-pat").as_array().unwrap().clone();
    personal.sort_by_key(Value::to_string);

    assert_eq!(ended, ["bridge", "desk1", "desk2"]);
    assert_eq!(personal, ["desk1", "desk2"]);
    assert_eq!(known("bridge revoke-cert"), Value::Null);
}

#[test]
fn serve_says_in_one_line_where_it_is_and_a_second_one_says_so_too() {
    let home = Home::new();
    let text = home.start(&["serve", "--listen", "127.0.0.1:0"]);
    let issuer = text.issuer().to_owned();
    let installation = Installation { home, server: Some(text) };

    let again = [false, true].map(|json| installation.run("serve", "", 1, json));
    let usage = [false, true].map(|json| installation.run("serve", "extra", 1, json));
    let Installation { home, server } = installation;
    drop(server);
    let json = home.start(&["serve", "--json"]);

    let running = format!("a server runs already: {issuer}");
    let [text, said] = &again;
    assert!(text.err.contains(&running), "{}", text.err);
    assert_fails(text, said, ("", 5, "unavailable", "a server runs already"), "serve");
    assert_fails(
        &usage[0],
        &usage[1],
        ("", 2, "invalid_usage", "unexpected argument 'extra'"),
        "serve",
    );
    assert_eq!((&json.ready["issuer"], &json.ready["ready"]), (&issuer.into(), &true.into()));
}
