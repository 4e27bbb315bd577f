//! Every file of a language, held against what the pages and their scripts need.

use std::collections::{BTreeMap, BTreeSet};

use rust_embed::RustEmbed;

use super::*;
use crate::config::Config;
use crate::event::Kind;

#[derive(RustEmbed)]
#[folder = "assets/static/"]
struct Scripts;

/// The files of refusals whose sentences people read.
const FOR_PEOPLE: [&str; 3] = [
    include_str!("../../error/refusal/authorization.rs"),
    include_str!("../../error/refusal/person.rs"),
    include_str!("../../error/refusal/request.rs"),
];

/// The refusals of other files that a page displays: of a client that is met at the authorization
/// endpoint, of a form of the account page, of a setup.
pub(in crate::http) fn is_on_a_page(refusal: Refusal) -> bool {
    let name = refusal.name();
    let others = [
        "ClientIdMalformed",
        "EmailMalformed",
        "EmailTaken",
        "LinkedDeviceNotFound",
        "NameMalformed",
        "PersonalTokenNotFound",
        "SessionNotFound",
        "UserExists",
        "UsernameMalformed",
    ];
    let row = |rest: &str| format!("\n    {name}{rest}");
    let of_file = |file: &&str| file.contains(&row(" =>")) || file.contains(&row("("));
    let of_client = ["Document", "RedirectUri"].iter().any(|start| name.starts_with(start));
    let elsewhere = ["RedirectUriDiffers", "RedirectUrisUnfit"].contains(&name);
    FOR_PEOPLE.iter().any(of_file) || others.contains(&name) || of_client && !elsewhere
}

fn read(language: Language) -> Texts {
    language.read().unwrap_or_else(|fault| panic!("assets/texts/{}.toml: {fault}", language.tag()))
}

#[test]
fn every_language_has_every_text_with_its_values_and_marks() {
    let english = read(Language::default());
    for language in Language::all() {
        let texts = read(language);
        for ((name, text, values), (_, of_english, _)) in
            texts.declared().into_iter().zip(english.declared())
        {
            let named: BTreeSet<&str> = values.iter().copied().collect();
            assert_eq!(text.names(), named, "{}: {name}", language.tag());
            assert_eq!(text.marks(), of_english.marks(), "{}: {name}", language.tag());
            assert!(!name.starts_with("script_") || text.marks().is_empty(), "{name}");
        }
    }
}

#[test]
fn every_language_has_a_sentence_for_each_refusal_on_a_page() {
    let names = |refusal: &Refusal| [refusal.sentence_name(), refusal.name()];
    let by_name = Refusal::ALL.iter().flat_map(|own| names(own).map(|name| (name, *own)));
    let by_name: BTreeMap<&str, Refusal> = by_name.collect();
    for language in Language::all() {
        let texts = read(language);
        for (name, phrase) in &texts.refusals {
            let refusal = by_name.get(name.as_str());
            let refusal = refusal.unwrap_or_else(|| panic!("{}: {name}", language.tag()));
            let names = refusal.parameters().into_iter().map(|(name, _)| name).collect();
            assert_eq!(phrase.names(), names, "{}: {name}", language.tag());
        }
        // The table of refusals is in English.
        let translated = |refusal: &&&Refusal| {
            language.tag() == "en" || texts.refusals.contains_key(refusal.sentence_name())
        };
        let needed = Refusal::ALL.iter().filter(|refusal| is_on_a_page(**refusal));
        let missing: BTreeMap<_, _> = needed
            .filter(|refusal| !translated(&refusal))
            .map(|refusal| (refusal.sentence_name(), refusal.sentence()))
            .collect();
        assert!(missing.is_empty(), "{} has no sentence for {missing:#?}", language.tag());
    }
}

/// The refusals of operators, with their precise reason. The sentence of these two is a reason that the
/// place of the fault gives, which is in English.
#[test]
fn every_language_has_a_sentence_for_each_refusal_of_the_administration() {
    let operators = include_str!("../../error/refusal/operator.rs");
    let given = ["ClientMetadataContradictory", "MemberMalformed"];
    let rows = |refusal: &&Refusal| {
        let row = |rest: &str| operators.contains(&format!("\n    {}{rest}", refusal.name()));
        (row(" =>") || row("(")) && !given.contains(&refusal.name())
    };
    for language in Language::all().filter(|language| language.tag() != "en") {
        let texts = read(language);
        let translated = |own: &&Refusal| texts.refusals.contains_key(own.name());
        let missing: Vec<_> =
            Refusal::ALL.iter().filter(rows).filter(|own| !translated(own)).collect();

        assert!(missing.is_empty(), "{} has no sentence for {missing:#?}", language.tag());
    }
    assert!(Refusal::ALL.iter().filter(rows).count() > 70);
}

#[test]
fn every_language_says_what_happened() {
    let kinds: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    for language in Language::all().filter(|language| language.tag() != "en") {
        let texts = read(language);
        let said: BTreeSet<&str> = texts.events.keys().map(String::as_str).collect();

        assert_eq!(said, kinds, "{}", language.tag());
    }
}

#[test]
fn a_reason_without_a_translation_is_in_english() {
    let german = read(Language::of(["de"]).unwrap());

    let said = german.reason("PageNotFound", "there is no such page");
    let other = german.reason("CodeReplayed", "the code returned");
    let happened = german.event("user.added", "a person was added");

    assert_eq!((&*said.text, said.is_english), ("Diese Seite gibt es nicht.", false));
    assert_eq!((&*other.text, other.is_english), ("The code returned", true));
    assert_eq!((&*happened.text, happened.is_english), ("Eine Person wurde hinzugefügt", false));
}

#[test]
fn every_language_describes_the_scopes_of_every_installation() {
    let known = Config::at("/data").scopes;
    for language in Language::all() {
        let texts = read(language);
        assert!(known.keys().map(|token| token.as_str()).eq(texts.scopes.keys()), "{language:?}");
    }
    for (token, entry) in known {
        assert_eq!(read(Language::default()).scope(token.as_str()), Some(entry.description));
    }
}

/// What a script calls: `text("section.name", { value, … })`.
fn called(script: &str) -> Vec<(String, BTreeSet<String>)> {
    let calls = script.split("text(\"").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once('"')?;
        let values = rest.strip_prefix(", {").and_then(|rest| rest.split_once(" }"));
        let values = values.map_or("", |(values, _)| values).split(", ");
        let values = values.map(|value| value.split(':').next().unwrap_or_default().trim());
        let values = values.filter(|value| !value.is_empty()).map(str::to_owned).collect();
        Some((format!("script_{name}"), values))
    });
    calls.collect()
}

#[test]
fn scripts_use_every_text_of_theirs_with_its_values_and_no_other() {
    let english = read(Language::default());
    let mut declared = BTreeMap::new();
    for (name, _, values) in english.declared() {
        if name.starts_with("script_") {
            declared.insert(name, values.iter().map(|value| (*value).to_owned()).collect());
        }
    }
    let scripts = Scripts::iter().filter_map(|name| Scripts::get(&name));
    let scripts = scripts.map(|file| String::from_utf8(file.data.into_owned()).unwrap());

    let used: BTreeMap<_, BTreeSet<_>> = scripts.flat_map(|script| called(&script)).collect();

    assert_eq!(used, declared);
}

/// What a sentence looks like: a string that starts with a capital and has a space.
#[test]
fn no_script_has_a_sentence_of_its_own() {
    for name in Scripts::iter().filter(|name| name.ends_with(".js")) {
        let script = String::from_utf8(Scripts::get(&name).unwrap().data.into_owned()).unwrap();
        let code = script.lines().filter(|line| !line.trim_start().starts_with(['/', '*']));
        for line in code {
            for text in line.split(['"', '`']).skip(1).step_by(2) {
                let sentence = text.starts_with(|c: char| c.is_ascii_uppercase());
                assert!(!(sentence && text.trim().contains(' ')), "{name}: {line}");
            }
        }
    }
}

#[test]
fn a_refusal_is_said_in_the_language_and_in_english_where_no_person_meets_it() {
    let german = read(Language::of(["de"]).unwrap());
    let said = |refusal: Refusal| german.sentence(&refusal.into());

    assert_eq!(said(Refusal::PageNotFound), "Diese Seite gibt es nicht.");
    assert_eq!(said(Refusal::ParameterRepeated("state")), "state kam mehr als einmal.");
    assert_eq!(said(Refusal::InteractionExpired), said(Refusal::InteractionUnknown));
    assert_eq!(
        said(Refusal::SoftwareStatementUnapproved).get(..22),
        Some("software_statement was")
    );
    let english = read(Language::default());
    assert_eq!(english.sentence(&Refusal::PageNotFound.into()), "There is no such page.");
    assert_eq!(english.sentence(&Refusal::ClientIdMissing.into()), "client_id is missing.");
}
