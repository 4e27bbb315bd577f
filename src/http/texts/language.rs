//! The languages of the pages: one file each, found by its name.

use std::fmt;
use std::sync::{LazyLock, OnceLock};

use rust_embed::RustEmbed;

use super::Texts;

#[derive(RustEmbed)]
#[folder = "assets/texts/"]
struct Files;

/// The language of whoever asks for none that there is, and of what no person reads.
const DEFAULT: &str = "en";

/// The languages, the default one first.
static LANGUAGES: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let tags = Files::iter().filter_map(|file| file.strip_suffix(".toml").map(str::to_owned));
    let mut known: Vec<_> = tags.map(|tag| Known { tag, texts: OnceLock::new() }).collect();
    known.sort_unstable_by(|a, b| (a.tag != DEFAULT, &a.tag).cmp(&(b.tag != DEFAULT, &b.tag)));
    known
});

struct Known {
    /// The tag of the language (RFC 5646), which is the name of its file.
    tag: String,
    /// Its texts, once somebody has asked for them.
    texts: OnceLock<Texts>,
}

/// A language in which there are pages.
#[derive(Clone, Copy)]
pub(in crate::http) struct Language(&'static Known);

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

impl Default for Language {
    fn default() -> Self {
        Self(LANGUAGES.first().expect("the default language has a file"))
    }
}

impl Language {
    /// Every language, the default one first.
    pub(in crate::http) fn all() -> impl Iterator<Item = Self> {
        LANGUAGES.iter().map(Self)
    }

    /// The first language of `wanted` in which there are pages.
    pub(in crate::http) fn of<'a>(wanted: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        wanted.into_iter().find_map(Self::like)
    }

    /// The language of a tag, or the one nearest to it: RFC 4647 §3.4 cuts a tag down from its end
    /// (`de-AT` finds `de`). If that finds nothing, it is the first one that begins with the tag (`pt`
    /// finds `pt-BR`).
    fn like(tag: &str) -> Option<Self> {
        let mut cut = tag;
        loop {
            if let Some(found) = Self::all().find(|known| known.tag().eq_ignore_ascii_case(cut)) {
                return Some(found);
            }
            let Some((shorter, _)) = cut.rsplit_once('-') else { break };
            cut = shorter;
        }
        let longer = |known: &Self| {
            let (start, rest) = known.tag().split_at_checked(tag.len()).unwrap_or_default();
            !tag.is_empty() && start.eq_ignore_ascii_case(tag) && rest.starts_with('-')
        };
        Self::all().find(longer)
    }

    /// Its tag.
    pub(in crate::http) fn tag(self) -> &'static str {
        &self.0.tag
    }

    /// Its texts. They are read when they are first asked for.
    pub(in crate::http) fn texts(self) -> &'static Texts {
        let read = || self.read().expect("a test reads the file of every language");
        self.0.texts.get_or_init(read)
    }

    /// Reads its file.
    pub(super) fn read(self) -> Result<Texts, String> {
        Texts::of(self.table()?)
    }

    /// Its file.
    pub(super) fn table(self) -> Result<toml::Table, String> {
        self.source().parse().map_err(|error: toml::de::Error| error.to_string())
    }

    /// The text of its file.
    fn source(self) -> String {
        let file = Files::get(&format!("{}.toml", self.0.tag)).map(|file| file.data);
        String::from_utf8_lossy(&file.unwrap_or_default()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_finds_the_nearest_language() {
        for (wanted, found) in [
            (vec!["de"], Some("de")),
            (vec!["DE-at"], Some("de")),
            (vec!["de-Latn-DE-1996"], Some("de")),
            (vec!["tlh", "de", "en"], Some("de")),
            (vec!["en-GB", "de"], Some("en")),
            (vec!["e"], None),
            (vec!["", "-", "*", "tlh", "d", "deu"], None),
            (vec!["\u{e9}\u{e9}"], None),
            (vec![], None),
        ] {
            let language = Language::of(wanted.iter().copied());
            assert_eq!(language.map(Language::tag), found, "{wanted:?}");
        }
    }

    #[test]
    fn english_stands_first() {
        assert_eq!(Language::default().tag(), "en");
        assert_eq!(Language::all().next().unwrap().tag(), "en");
    }
}
