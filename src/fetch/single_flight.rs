//! Shared fetches: at most one at a time of each document, whose outcome concurrent callers share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::asker::Lane;
use super::{FetchError, Fetched};
use crate::model::named_by::NamedBy;

type Outcome = Result<Fetched, FetchError>;

/// A URL, who named it, the limit of its body in bytes, and the lane in which its fetch waits.
pub(super) type Key = (String, NamedBy, usize, Lane);

type UnderWay = Mutex<HashMap<Key, watch::Receiver<Option<Outcome>>>>;

/// The fetches in progress.
#[derive(Default)]
pub(super) struct SingleFlight(Arc<UnderWay>);

impl SingleFlight {
    /// The outcome of the fetch of `key` that is in progress, or of `fetch`, which starts now.
    ///
    /// The fetch runs in its own task, so it continues if the caller that started it goes away.
    pub(super) async fn share(
        &self,
        key: Key,
        fetch: impl Future<Output = Outcome> + Send + 'static,
    ) -> Outcome {
        let mut outcome = self.join(key, fetch);
        let outcome = outcome.wait_for(Option::is_some).await;
        outcome.ok().and_then(|outcome| outcome.clone()).unwrap_or(Err(FetchError::Broken))
    }

    fn join(
        &self,
        key: Key,
        fetch: impl Future<Output = Outcome> + Send + 'static,
    ) -> watch::Receiver<Option<Outcome>> {
        let mut under_way = lock(&self.0);
        if let Some(receiver) = under_way.get(&key) {
            return receiver.clone();
        }
        let (sender, receiver) = watch::channel(None);
        under_way.insert(key.clone(), receiver.clone());
        let entry = Entry { key, under_way: Arc::clone(&self.0) };
        tokio::spawn(async move {
            let outcome = fetch.await;
            // Removed before the outcome is sent, so that a later caller starts a new fetch.
            drop(entry);
            sender.send_replace(Some(outcome));
        });
        receiver
    }
}

/// The entry of a fetch in progress. Dropping it removes the entry, even if the fetch panics.
struct Entry {
    key: Key,
    under_way: Arc<UnderWay>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        lock(&self.under_way).remove(&self.key);
    }
}

fn lock(under_way: &UnderWay) -> MutexGuard<'_, HashMap<Key, watch::Receiver<Option<Outcome>>>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}
