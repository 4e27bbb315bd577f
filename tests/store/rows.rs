//! Tables of our own, with every kind of thing that a table can have, and the ways to use them.

use std::sync::Arc;

use gatelodge::clock::Timestamp;
use gatelodge::model::person::Username;
use gatelodge::store::{Entries, Index, References, Row, Store, StoreError, Tag, Tx, View};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

macro_rules! one_layout {
    ($layout:ident, $row:ident) => {
        #[derive(Serialize, Deserialize)]
        pub(crate) enum $layout {
            V1($row),
        }

        impl From<$row> for $layout {
            fn from(row: $row) -> Self {
                Self::V1(row)
            }
        }

        impl From<$layout> for $row {
            fn from($layout::V1(row): $layout) -> Self {
                row
            }
        }
    };
}

pub(crate) use one_layout;

/// A row with an index and an end, by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) author: Username,
    pub(crate) text: String,
    pub(crate) until: Option<Timestamp>,
}

pub(crate) const NOTES_BY_AUTHOR: Index<Username, String> = Index::new(202, "notes_by_author");

one_layout!(NoteLayout, Note);

impl Row for Note {
    type Key = String;
    type Layout = NoteLayout;
    const TABLE: Tag = Tag { byte: 200, name: "notes" };

    fn entries(&self, key: &String, into: &mut Entries) {
        into.add(&NOTES_BY_AUTHOR, &self.author, key);
        if let Some(until) = self.until {
            into.expire(until);
        }
    }

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// A row that there is one of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counter(pub(crate) u64);

one_layout!(CounterLayout, Counter);

impl Row for Counter {
    type Key = ();
    type Layout = CounterLayout;
    const TABLE: Tag = Tag { byte: 201, name: "counters" };

    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}

/// Why a transition of a test gave nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused,
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

pub(crate) fn note(author: &str, text: &str, until: Option<u64>) -> Note {
    let author = author.parse().ok().unwrap();
    Note { author, text: text.to_owned(), until: until.map(Timestamp::from_millis) }
}

pub(crate) fn key(name: &str) -> String {
    name.to_owned()
}

/// Raises the counter, and gives what it was.
pub(crate) fn count(tx: &mut Tx<'_>) -> Result<u64, Failure> {
    let Counter(before) = tx.find::<Counter>(&())?.unwrap_or_default();
    tx.put(&(), Counter(before + 1))?;
    Ok(before)
}

pub(crate) fn counted(store: &Store) -> u64 {
    store.read().unwrap().find::<Counter>(&()).unwrap().unwrap_or_default().0
}

/// Queues every transition behind one that holds the writer up, so that they share a commit. Wants
/// a runtime of one thread.
pub(crate) async fn together<T: Send + 'static>(
    store: &Arc<Store>,
    transitions: Vec<impl Fn(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static>,
) -> Vec<Result<T, Failure>> {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (entered, began) = oneshot::channel();
    let entered = std::sync::Mutex::new(Some(entered));
    let blocker = spawn(store, move |_| {
        if let Some(entered) = entered.lock().unwrap().take() {
            entered.send(()).unwrap();
        }
        held.recv().map_err(|_| Failure::Refused)
    });
    began.await.unwrap();
    let waiting: Vec<_> =
        transitions.into_iter().map(|transition| spawn(store, transition)).collect();
    // Each is queued when it is polled first, in the order in which it was spawned.
    tokio::task::yield_now().await;
    release.send(()).unwrap();
    blocker.await.unwrap().unwrap();
    let mut outcomes = Vec::new();
    for outcome in waiting {
        outcomes.push(outcome.await.unwrap());
    }
    outcomes
}

/// A write that nobody needs to wait for.
pub(crate) fn spawn<T: Send + 'static>(
    store: &Arc<Store>,
    transition: impl Fn(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
) -> JoinHandle<Result<T, Failure>> {
    let store = Arc::clone(store);
    tokio::spawn(async move { store.write(transition).await })
}
