//! Changes of lists: what replaces one, what is added to it and what is taken away from it.

use std::fmt::Display;

use crate::error::{Error, Refusal};
use crate::model::near::nearest;

/// The most items that stand beside a refusal.
const MAX_KNOWN: usize = 20;

/// A change of a list. The default changes nothing.
#[derive(Clone, Debug)]
pub struct ListChange<T> {
    /// What is added behind the others, unless it is there.
    pub add: Vec<T>,
    /// What is taken away.
    pub remove: Vec<T>,
    /// What takes the place of the whole list, before something is added or taken away.
    pub replace: Option<Vec<T>>,
}

impl<T> Default for ListChange<T> {
    fn default() -> Self {
        Self { add: Vec::new(), remove: Vec::new(), replace: None }
    }
}

impl<T: Clone + Display + PartialEq> ListChange<T> {
    /// The list `old` after the change. `member` is its name.
    ///
    /// # Errors
    ///
    /// [`Refusal::MemberMalformed`] if something is both added and taken away, and
    /// [`Refusal::NotListed`] with the items of the list, if one that is to be taken away is not
    /// there: who takes away a right by a mistyped name would leave it.
    pub fn applied(&self, member: &'static str, old: &[T]) -> Result<Vec<T>, Error> {
        if self.add.iter().any(|item| self.remove.contains(item)) {
            let why = "something is both added and taken away";
            return Err(Refusal::MemberMalformed(member, why).into());
        }
        let mut list = self.replace.clone().unwrap_or_else(|| old.to_vec());
        for item in &self.add {
            if !list.contains(item) {
                list.push(item.clone());
            }
        }
        for item in &self.remove {
            if !list.contains(item) {
                let there = list.iter().map(ToString::to_string);
                let there = nearest(&item.to_string(), there, MAX_KNOWN);
                return Err(Error::with_known(Refusal::NotListed(member), there));
            }
            list.retain(|other| other != item);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(add: &[&'static str], remove: &[&'static str]) -> ListChange<&'static str> {
        ListChange { add: add.to_vec(), remove: remove.to_vec(), replace: None }
    }

    #[test]
    fn what_is_added_stands_once_and_what_is_taken_away_is_gone() {
        let list = change(&["c", "a"], &["b"]).applied("groups", &["a", "b"]).unwrap();
        let replaced = ListChange { replace: Some(vec!["d"]), ..change(&["e"], &[]) };

        assert_eq!(list, ["a", "c"]);
        assert_eq!(replaced.applied("groups", &["a"]).unwrap(), ["d", "e"]);
        assert_eq!(ListChange::default().applied("groups", &["a"]).unwrap(), ["a"]);
    }

    #[test]
    fn nothing_is_both_added_and_taken_away() {
        let refused = change(&["c"], &["c"]).applied("roles", &["a"]).unwrap_err();

        assert!(
            matches!(refused.refusal(), Some(Refusal::MemberMalformed("roles", _))),
            "{refused}"
        );
    }

    #[test]
    fn what_is_not_there_is_not_taken_away_and_the_list_is_named() {
        let refused = change(&[], &["amdin"]).applied("roles", &["user", "admin"]).unwrap_err();

        let Error::Choice(refusal, choices) = refused else { panic!("{refused}") };
        assert_eq!(refusal, Refusal::NotListed("roles"));
        assert_eq!(choices.known, ["admin", "user"]);
    }
}
