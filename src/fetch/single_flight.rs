//! One fetch at a time of each document: concurrent callers share its outcome.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::{FetchError, Fetched};

type Outcome = Result<Fetched, FetchError>;

/// A URL, and how many bytes are read of it.
pub(super) type Key = (String, usize);

type UnderWay = Mutex<HashMap<Key, watch::Receiver<Option<Outcome>>>>;

/// The fetches that are under way.
#[derive(Default)]
pub(super) struct SingleFlight(Arc<UnderWay>);

impl SingleFlight {
    /// The outcome of the flight that is under way, or of `fetch`, which becomes one.
    ///
    /// It flies on its own, so that a caller that goes away takes nothing from the others.
    pub(super) async fn share(
        &self,
        key: Key,
        fetch: impl Future<Output = Outcome> + Send + 'static,
    ) -> Outcome {
        let mut landed = self.join(key, fetch);
        let outcome =
            landed.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        outcome.unwrap_or(Err(FetchError::Broken))
    }

    fn join(
        &self,
        key: Key,
        fetch: impl Future<Output = Outcome> + Send + 'static,
    ) -> watch::Receiver<Option<Outcome>> {
        let mut under_way = lock(&self.0);
        if let Some(single_flight) = under_way.get(&key) {
            return single_flight.clone();
        }
        let (tell, landed) = watch::channel(None);
        under_way.insert(key.clone(), landed.clone());
        let listing = Listing { key, under_way: Arc::clone(&self.0) };
        tokio::spawn(async move {
            let outcome = fetch.await;
            // Removed before anyone gets the outcome, so that a later caller starts a new fetch.
            drop(listing);
            tell.send_replace(Some(outcome));
        });
        landed
    }
}

/// A flight's place among those under way, given up however it ends.
struct Listing {
    key: Key,
    under_way: Arc<UnderWay>,
}

impl Drop for Listing {
    fn drop(&mut self) {
        lock(&self.under_way).remove(&self.key);
    }
}

fn lock(under_way: &UnderWay) -> MutexGuard<'_, HashMap<Key, watch::Receiver<Option<Outcome>>>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}
