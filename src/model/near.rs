//! Names near to one that somebody wrote, for whoever mistyped it.

use crate::model::folding::folded;

/// The most characters of a text that are compared.
const MAX_COMPARED: usize = 128;

/// At most `limit` of `known`, the nearest to `written` first.
pub fn nearest(
    written: &str,
    known: impl IntoIterator<Item = String>,
    limit: usize,
) -> Vec<String> {
    let by_distance = sorted(written, known);
    by_distance.into_iter().take(limit).map(|(_, name)| name).collect()
}

/// At most `limit` of `known` that a typing error or two take for `written`, the nearest first.
pub fn alike(written: &str, known: impl IntoIterator<Item = String>, limit: usize) -> Vec<String> {
    let bound = (written.chars().count().min(MAX_COMPARED) / 3).max(1);
    let by_distance = sorted(written, known);
    let near = by_distance.into_iter().take_while(|(distance, _)| *distance <= bound);
    near.take(limit).map(|(_, name)| name).collect()
}

/// Each name once with its distance from `written`, the nearest first, then by the alphabet.
fn sorted(written: &str, known: impl IntoIterator<Item = String>) -> Vec<(usize, String)> {
    let compared = |text: &str| folded(text).chars().take(MAX_COMPARED).collect::<String>();
    let written = compared(written);
    let distance = |name: &str| strsim::osa_distance(&written, &compared(name));
    let mut all: Vec<_> = known.into_iter().map(|name| (distance(&name), name)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str]) -> Vec<String> {
        all.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_nearest_name_goes_first() {
        let known = names(&["user", "admin", "editor"]);

        assert_eq!(nearest("Admn", known.clone(), 3), ["admin", "user", "editor"]);
        assert_eq!(nearest("Admn", known, 1), ["admin"]);
    }

    #[test]
    fn what_is_nothing_alike_is_left_out() {
        let known = names(&["shop", "shop", "chop", "billing"]);

        assert_eq!(alike("shpo", known.clone(), 9), ["shop"]);
        assert_eq!(alike("zzz", known, 9), [""; 0]);
    }
}
