//! Finds names that are not of the field's words, in the sources and in the tests.

use super::scan;

/// Words that no name is made of: each stands for a term of the field that a reader would look for.
const BANNED: &[(&str, &str)] = &[
    ("agent", "user_agent"),
    ("answer", "response, output"),
    ("answered", "responded"),
    ("barred", "tokens_valid_after"),
    ("bears", "tolerates"),
    ("begin", "start, create"),
    ("begun", "started"),
    ("comer", "entry"),
    ("door", "admin_client, presented"),
    ("fitting", "match"),
    ("flight", "single_flight"),
    ("fresh", "seed, refreshed, freshness"),
    ("gate", "pages"),
    ("kept", "stored, retained"),
    ("landing", "redirect"),
    ("longest", "MAX_"),
    ("looked", "lookup"),
    ("meet", "ensure_current"),
    ("most", "limit, MAX_"),
    ("nobodys", "client_claims"),
    ("onward", "redirect"),
    ("patience", "timeout"),
    ("shortest", "MIN_"),
    ("shown", "view, presented"),
    ("told", "response, settings"),
    ("words", "description"),
];

/// Where one of them is right: in the field's own term, in the path `/gate/`, in a foreign name.
const RIGHT: &[(&str, &str)] = &[
    ("begin", "read"),
    ("begin", "write"),
    ("single", "flight"),
    ("under", "gate"),
    ("user", "agent"),
];

/// A name of more parts is a sentence, as tests have.
const SENTENCE: usize = 5;

/// The names in `source` that are made of a banned word.
pub(crate) fn misnamed(source: &str) -> Vec<String> {
    let wrong = |name: &String| {
        let parts = scan::parts(name);
        let right = RIGHT.iter().any(|(a, b)| parts.windows(2).any(|pair| pair == [*a, *b]));
        let banned = |part: &String| BANNED.iter().any(|(word, _)| word == part);
        parts.len() < SENTENCE && !right && parts.iter().any(banned)
    };
    let mut names = scan::identifiers(source);
    names.retain(wrong);
    names.sort();
    names.dedup();
    names
}

mod tests {
    use super::*;

    #[test]
    fn a_banned_word_is_caught_in_any_name_and_in_no_text() {
        assert_eq!(
            misnamed("fn f(kept: Kept) {} const MOST_ROWS: u8 = 1;"),
            ["Kept", "MOST_ROWS", "kept"]
        );
        for right in [
            "/// kept\nlet user_agent = \"told\"; db.begin_read();",
            "fn what_was_told_once_is_told_again() {}",
        ] {
            assert_eq!(misnamed(right), [""; 0], "{right}");
        }
    }
}
