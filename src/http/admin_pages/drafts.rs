//! Forms over which a sign-in grew old, until they come back filled.
//!
//! They are kept in memory, and the address of the page that fills in one has its name alone: what
//! people typed stands in no address, no history and no log. A start forgets them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::flow::Context;
use crate::oauth::params::Params;
use crate::secret::{TokenHash, hex};

/// How long a form is kept.
const LIFETIME: Duration = Duration::from_hours(1);

/// The most forms that are kept. A form has at most 32 KiB.
const MAX_DRAFTS: usize = 64;

/// The forms that are kept, the oldest first.
#[derive(Clone, Default)]
pub(super) struct Drafts(Arc<Mutex<VecDeque<Draft>>>);

/// A form that is kept.
struct Draft {
    at: Timestamp,
    form: Params,
    /// The browser that sent it. Nobody else sees it.
    holder: TokenHash,
    name: String,
    /// The path of its page.
    path: String,
}

impl Drafts {
    /// Keeps a form of a browser, and returns its name.
    pub(super) fn keep(&self, cx: &Context, holder: TokenHash, path: &str, form: Params) -> String {
        let name = hex(&cx.seed.bytes("name of a draft")).split_off(32);
        let mut drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drafts.retain(|draft| !draft.is_over(cx.now));
        if drafts.len() >= MAX_DRAFTS {
            drafts.pop_front();
        }
        let path = path.to_owned();
        drafts.push_back(Draft { at: cx.now, form, holder, name: name.clone(), path });
        name
    }

    /// The form of that name, of this browser and this page.
    pub(super) fn find(
        &self,
        now: Timestamp,
        holder: &TokenHash,
        path: &str,
        name: &str,
    ) -> Option<Params> {
        let drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_page = |draft: &&Draft| draft.is_of(holder, path) && !draft.is_over(now);
        let mut own = drafts.iter().filter(of_page);
        own.find(|draft| draft.name == name).map(|draft| draft.form.clone())
    }

    /// Forgets the forms of a browser at a page, since it sends another one.
    pub(super) fn forget(&self, holder: &TokenHash, path: &str) {
        let mut drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drafts.retain(|draft| !draft.is_of(holder, path));
    }
}

impl Draft {
    fn is_of(&self, holder: &TokenHash, path: &str) -> bool {
        self.holder == *holder && self.path == path
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.at) >= LIFETIME
    }
}
