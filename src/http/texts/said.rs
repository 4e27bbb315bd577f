//! What the server says in English everywhere, said in the language of a page: what happened, why a
//! request was refused, what can be done, and what there is to know of a client or an application.
//!
//! The English stands where the command line and the API have it from. A language has it once more, by
//! the name of the event, the refusal, the note or the entry, and what it lacks is said in English.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::value::ToValue as _;
use super::{Texts, capital};
use crate::admin::catalogue::SetupView;
use crate::admin::client::ClientNoteView;
use crate::error::{Refusal, Resolution, for_client};
use crate::flow::events::UNFIT;
use crate::model::catalogue::{ApplicationOption, KnownApplication};

/// What is said in the language of the page, or, without a translation, in English.
pub(in crate::http) struct Said {
    pub(in crate::http) is_english: bool,
    pub(in crate::http) text: String,
}

/// The catalogue of applications in a language: their names are those of the entries.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalogue {
    /// What applications are for.
    pub(super) kinds: BTreeMap<String, String>,
    /// The notes of each entry, in its order.
    pub(super) notes: BTreeMap<String, Vec<String>>,
    /// What the options of each entry mean.
    pub(super) options: BTreeMap<String, BTreeMap<String, String>>,
    /// Where settings belong, if that is said in words.
    pub(super) places: BTreeMap<String, String>,
}

impl Said {
    fn as_it_is(translated: Option<String>, english: &str) -> Self {
        let is_english = translated.is_none();
        Self { is_english, text: translated.unwrap_or_else(|| english.to_owned()) }
    }
}

impl Texts {
    /// What happened, as a sentence begins, by the kind of an event and what is said of it in English.
    pub(in crate::http) fn event(&self, kind: &str, summary: &str) -> Said {
        let translated = self.events.get(kind).map(|phrase| phrase.filled(Vec::new()).plain());
        let said = Said::as_it_is(translated, summary);
        Said { text: capital(&said.text), ..said }
    }

    /// Why a request was refused, by the name of the refusal and the reason in English, whose values it
    /// has.
    pub(in crate::http) fn reason(&self, refusal: &str, reason: &str) -> Said {
        let translated = Refusal::named(refusal).and_then(|own| {
            let phrase = self.refusals.get(own.name())?;
            let nothing_named = own.parameters().is_empty();
            let values = if nothing_named { Vec::new() } else { own.values_in(reason)? };
            let values = values.into_iter().map(|(name, value)| (name, value.to_value()));
            Some(phrase.filled(values.collect()).plain())
        });
        // A translated reason begins as a sentence, or with the name of a parameter.
        Said::as_it_is(translated, &capital(reason))
    }

    /// What can be done about a refusal of a client, by its name and what can be done in English.
    pub(in crate::http) fn remedy(
        &self,
        refusal: Option<&str>,
        client: Option<&str>,
        english: &str,
    ) -> Said {
        let translated = refusal.and_then(|refusal| self.remedies.get(refusal));
        Said::as_it_is(translated.map(|remedy| for_client(remedy, client).into_owned()), english)
    }

    /// Why no command lets a request pass, as it is said in English.
    pub(in crate::http) fn no_command(&self, english: &str) -> Said {
        let mut resolutions = Resolution::ALL.into_iter();
        let resolution = match english {
            UNFIT => Some(Resolution::Command),
            _ => resolutions.find(|own| own.without_command() == Some(english)),
        };
        let translated = resolution.and_then(|own| self.no_command.get(own.name()));
        Said::as_it_is(translated.cloned(), english)
    }

    /// What an operator should know of a client.
    pub(in crate::http) fn note(&self, note: &ClientNoteView) -> Said {
        let translated = self.notes.get(note.note.name()).map(|phrase| {
            let value = |name: &&'static str| {
                (*name, note.values.get(*name).map(String::as_str).unwrap_or_default().to_value())
            };
            phrase.filled(note.note.values().iter().map(value).collect()).plain()
        });
        Said::as_it_is(translated, &note.sentence)
    }

    /// What an application is for.
    pub(in crate::http) fn kind_of(&self, application: &KnownApplication) -> Said {
        Said::as_it_is(self.catalogue.kinds.get(&application.kind).cloned(), &application.kind)
    }

    /// What else the operator of an application should know, by the name of its entry.
    pub(in crate::http) fn notes_of(&self, entry: &str, english: &[String]) -> Vec<Said> {
        let own = self.catalogue.notes.get(entry);
        let note = |(at, english): (usize, &String)| {
            Said::as_it_is(own.and_then(|own| own.get(at)).cloned(), english)
        };
        english.iter().enumerate().map(note).collect()
    }

    /// What an option of an application is, by the name of its entry.
    pub(in crate::http) fn meaning(
        &self,
        entry: &str,
        name: &str,
        option: &ApplicationOption,
    ) -> Said {
        let translated = self.catalogue.options.get(entry).and_then(|own| own.get(name));
        Said::as_it_is(translated.cloned(), &option.meaning)
    }

    /// Where settings of an application belong. Files and menus have the same name everywhere.
    pub(in crate::http) fn place(&self, english: &str) -> Said {
        Said::as_it_is(self.catalogue.places.get(english).cloned(), english)
    }

    /// The notes of the entry that a client was made of.
    pub(in crate::http) fn notes_of_setup(&self, setup: &SetupView) -> Vec<Said> {
        self.notes_of(&setup.name, &setup.notes)
    }
}
