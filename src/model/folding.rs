//! When two texts are one to people.

use icu_normalizer::ComposingNormalizerBorrowed;

/// The text in NFKC and lower case. Texts that differ only in case or in their Unicode form fold to
/// one.
pub fn folded(text: &str) -> String {
    // It is in upper case between, since some letters have one upper case and several lower ones;
    // and in lower case before, since one upper case has another.
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    let lower: String = nfkc.normalize(text).chars().flat_map(char::to_lowercase).collect();
    let lower: String = lower.to_uppercase().chars().flat_map(char::to_lowercase).collect();
    nfkc.normalize(&lower).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_take_for_one_fold_to_one() {
        for (one, other) in [("Shop", "shop"), ("CAF\u{c9}", "cafe\u{301}"), ("\u{ff21}da", "ada")]
        {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("shop"), folded("shop "));
    }
}
