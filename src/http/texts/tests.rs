//! Every file of a language, held against what the pages and their scripts need.

use std::collections::{BTreeMap, BTreeSet};

use rust_embed::RustEmbed;

use super::*;
use crate::admin::catalogue::{self, EntryView};
use crate::admin::client::{ClientNoteView, NoteKind};
use crate::config::Config;
use crate::error::Resolution;
use crate::event::Kind;
use crate::flow::events::UNFIT;

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

/// The English stands in the table. The reason of this one is all that the place of the fault says.
#[test]
fn every_language_says_why_a_request_was_refused_and_what_can_be_done() {
    let given = ["MemberMalformed"];
    for language in Language::all().filter(|language| language.tag() != "en") {
        let texts = read(language);
        let own = Refusal::ALL.iter().filter(|own| !given.contains(&own.name()));
        let missing: Vec<_> = own.filter(|own| !texts.refusals.contains_key(own.name())).collect();
        assert!(missing.is_empty(), "{} has no reason for {missing:#?}", language.tag());
        for refusal in Refusal::ALL {
            let name = refusal.name();
            let remedy = texts.remedies.get(name);
            let remedy =
                remedy.unwrap_or_else(|| panic!("{}: no remedy of {name}", language.tag()));
            assert_eq!(commands(remedy), commands(refusal.remedy()), "{}: {name}", language.tag());
        }
        assert_eq!(texts.remedies.len(), Refusal::ALL.len(), "{}", language.tag());
        let named = Resolution::ALL.map(Resolution::name);
        assert!(texts.no_command.keys().eq(&named), "{}", language.tag());
        let why = Resolution::ALL.into_iter().filter_map(Resolution::without_command);
        for why in why.chain([UNFIT]) {
            assert!(!texts.no_command(why).is_english, "{}: {why}", language.tag());
        }
    }
}

/// The commands that a sentence names.
fn commands(text: &str) -> Vec<&str> {
    let commands = crate::http::commands::parts(text).into_iter().map(|(_, command)| command);
    commands.filter(|command| !command.is_empty()).collect()
}

#[test]
fn every_language_has_the_notes_about_a_client() {
    let of_kind = |kind: &NoteKind| {
        let values = kind.values().iter().map(|name| ((*name).to_owned(), format!("{name}-1")));
        ClientNoteView {
            note: *kind,
            sentence: kind.sentence().to_owned(),
            values: values.collect(),
        }
    };
    for language in Language::all().filter(|language| language.tag() != "en") {
        let texts = read(language);
        for kind in NoteKind::ALL {
            let name = kind.name();
            let phrase = texts.notes.get(name);
            let phrase = phrase.unwrap_or_else(|| panic!("{}: no note {name}", language.tag()));
            let values: BTreeSet<&str> = kind.values().iter().copied().collect();
            assert_eq!(phrase.names(), values, "{}: {name}", language.tag());

            let note = of_kind(kind);
            let said = texts.note(&note);
            let mut english = note.sentence.clone();
            for (name, value) in &note.values {
                english = english.replace(&format!("{{{name}}}"), value);
            }
            assert!(!said.is_english);
            assert_eq!(commands(&said.text), commands(&english), "{}: {name}", language.tag());
        }
        assert_eq!(texts.notes.len(), NoteKind::ALL.len(), "{}", language.tag());
    }
}

/// A place that begins with a word is told in words. Another is the name of a file or of a menu.
#[test]
fn every_language_says_what_the_entries_of_the_catalogue_say() {
    let is_phrase = |place: &&str| {
        let first = place.split(' ').next().unwrap_or_default();
        first.bytes().all(|b| b.is_ascii_lowercase())
    };
    let entries: Vec<_> =
        catalogue::names().iter().map(|name| catalogue::entry(name).unwrap()).collect();
    let of = |entry: &EntryView| entry.application.clone();
    let kinds: BTreeSet<String> = entries.iter().map(|entry| of(entry).kind).collect();
    let places = entries.iter().flat_map(|entry| &entry.application.settings);
    let places: BTreeSet<&str> = places.map(|own| own.place.as_str()).filter(is_phrase).collect();
    assert!(places.contains("environment") && !places.contains("grafana.ini"));
    let options = entries.iter().map(|entry| (&entry.name, &entry.application.options));
    let options = options.filter(|(_, options)| !options.is_empty());
    let options: BTreeMap<_, Vec<_>> =
        options.map(|(name, options)| (name, options.keys().collect())).collect();
    let notes = entries.iter().filter(|entry| !entry.application.notes.is_empty());
    let notes: BTreeMap<_, Vec<_>> = notes
        .map(|entry| {
            (&entry.name, entry.application.notes.iter().map(|own| commands(own)).collect())
        })
        .collect();
    for language in Language::all().filter(|language| language.tag() != "en") {
        let own = read(language).catalogue;
        let tag = language.tag();

        assert!(own.kinds.keys().eq(&kinds), "{tag}: {:?}", own.kinds.keys());
        assert_eq!(own.places.keys().map(String::as_str).collect::<BTreeSet<_>>(), places, "{tag}");
        let named = own.options.iter().map(|(name, own)| (name, own.keys().collect()));
        assert_eq!(named.collect::<BTreeMap<_, Vec<_>>>(), options, "{tag}");
        let said = own.notes.iter();
        let said = said.map(|(name, own)| (name, own.iter().map(|own| commands(own)).collect()));
        assert_eq!(said.collect::<BTreeMap<_, Vec<_>>>(), notes, "{tag}");
    }
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
    let other = german.reason("Refused once", "the code returned");
    let named = |reason| german.reason("ParameterTooLong", reason);
    let long = named("state is longer than 8 KiB, or than 16 KiB for a whole token");
    let former = named("state is much too long");
    let remedy = german.remedy(Some("ClientDisabled"), Some("my shop"), "x");
    let happened = german.event("user.added", "a person was added");

    assert_eq!((&*said.text, said.is_english), ("Diese Seite gibt es nicht.", false));
    assert_eq!((&*other.text, other.is_english), ("The code returned", true));
    let begins = "state ist länger als 8 KiB, ";
    assert_eq!((long.text.get(..begins.len()), long.is_english), (Some(begins), false));
    assert_eq!((&*former.text, former.is_english), ("State is much too long", true));
    assert_eq!(remedy.text, "gatelodge client enable 'my shop'");
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
fn a_refusal_is_said_in_the_language_of_the_page() {
    let german = read(Language::of(["de"]).unwrap());
    let said = |refusal: Refusal| german.sentence(&refusal.into());

    assert_eq!(said(Refusal::PageNotFound), "Diese Seite gibt es nicht.");
    assert_eq!(said(Refusal::ParameterRepeated("state")), "state kam mehr als einmal.");
    assert_eq!(said(Refusal::InteractionExpired), said(Refusal::InteractionUnknown));
    let english = read(Language::default());
    assert_eq!(english.sentence(&Refusal::PageNotFound.into()), "There is no such page.");
    assert_eq!(english.sentence(&Refusal::ClientIdMissing.into()), "client_id is missing.");
}
