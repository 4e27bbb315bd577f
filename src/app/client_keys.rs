//! The keys of clients that register a `jwks_uri`: fetched at first use, and cached as their HTTP
//! headers say, within bounds.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::App;
use super::documents::{asker, refused_as};
use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::throttle::Guessed;
use crate::model::named_by::NamedBy;
use crate::oauth::client::jwks::JwkSet;
use crate::oauth::web_uri::WebUri;

/// The most bytes of a key set.
pub(super) const MAX_KEY_SET: usize = 64 * 1024;
/// The most key sets in the cache.
const MAX_ENTRIES: usize = 1_000;

/// The shortest time that a key set is cached, whatever its server says.
const MIN_LIFETIME: Duration = Duration::from_mins(5);
/// The longest time that a key set is cached, whatever its server says.
const MAX_LIFETIME: Duration = Duration::from_hours(24);

/// The minimum time between two fetches that signatures by unknown keys cause, since anybody can
/// send such signatures.
const MIN_REFETCH_INTERVAL: Duration = Duration::from_mins(1);

/// The cached key sets by their URI and who named it: a stranger learns nothing of what lies at the
/// addresses of an operator.
#[derive(Default)]
pub(super) struct KeyCache(Mutex<BTreeMap<Location, Entry>>);

type Location = (NamedBy, WebUri);

#[derive(Clone)]
struct Entry {
    keys: Arc<JwkSet>,
    stale: Timestamp,
    /// The time of the last fetch, successful or not.
    tried: Timestamp,
}

impl KeyCache {
    fn find(&self, location: &Location) -> Option<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(location).cloned()
    }

    fn insert(&self, location: &Location, entry: Entry) {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.len() >= MAX_ENTRIES && !cached.contains_key(location) {
            let oldest = cached.iter().min_by_key(|(_, entry)| entry.tried);
            if let Some(oldest) = oldest.map(|(location, _)| location.clone()) {
                cached.remove(&oldest);
            }
        }
        cached.insert(location.clone(), entry);
    }
}

impl App {
    /// The keys at `uri`, fetched if the cached ones are stale.
    ///
    /// A failure is not cached: the next request fetches again, within the limit of the network of
    /// `from`.
    pub async fn client_keys(
        &self,
        named_by: NamedBy,
        uri: &WebUri,
        from: IpAddr,
    ) -> Result<Arc<JwkSet>, Error> {
        let location = (named_by, uri.clone());
        let now = self.clock().now();
        // The clock may have gone back since an entry was made.
        let is_current = |entry: &Entry| now < entry.stale && entry.tried <= now;
        match self.client_keys.find(&location).filter(is_current) {
            Some(entry) => Ok(entry.keys),
            None => self.fetch_client_keys(&location, from).await,
        }
    }

    /// Fetches the keys at `uri` again, because no cached key verifies a signature: at most once a
    /// minute. If the fetch fails, the cached keys stay in use.
    pub async fn newer_client_keys(
        &self,
        named_by: NamedBy,
        uri: &WebUri,
        from: IpAddr,
    ) -> Option<Arc<JwkSet>> {
        let location = (named_by, uri.clone());
        let now = self.clock().now();
        let tried_lately = |entry: &Entry| now.apart(entry.tried) < MIN_REFETCH_INTERVAL;
        let entry = self.client_keys.find(&location).filter(|entry| !tried_lately(entry))?;
        self.client_keys.insert(&location, Entry { tried: now, ..entry });
        self.fetch_client_keys(&location, from).await.ok()
    }

    async fn fetch_client_keys(
        &self,
        location: &Location,
        from: IpAddr,
    ) -> Result<Arc<JwkSet>, Error> {
        let unavailable = Refusal::ClientKeysUnavailable;
        let (named_by, uri) = location;
        let url = uri.url().ok_or(unavailable)?;
        let known = self.client_keys.find(location).is_some();
        // What fails at an address for a stranger is no failure of an operator's client.
        let counted = format!("{} {url}", named_by.as_str());
        let fetch = self.count_fetch(Guessed::ClientKeys, from, &counted, known).await?;
        let fetched = self.fetcher.json(asker(from), *named_by, &url, MAX_KEY_SET).await;
        let read = fetched.map_err(|error| refused_as(error, unavailable)).and_then(|fetched| {
            let read = serde_json::from_slice(&fetched.body).map_err(|_| unavailable)?;
            let keys = JwkSet::from_value(&read).map_err(|_| unavailable)?;
            Ok((Arc::new(keys), fetched.freshness_lifetime))
        });
        let (keys, lifetime) = self.count_failure(fetch, read).await?;
        let lasts = lifetime.unwrap_or(MIN_LIFETIME).clamp(MIN_LIFETIME, MAX_LIFETIME);
        let now = self.clock().now();
        let entry = Entry { keys: Arc::clone(&keys), stale: now + lasts, tried: now };
        self.client_keys.insert(location, entry);
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_the_oldest_goes_first() {
        let cached = KeyCache::default();
        let uri = |n: usize| {
            (NamedBy::Stranger, format!("https://c{n}.example/jwks").parse::<WebUri>().unwrap())
        };
        let key = br#"{"keys": [{"kty": "OKP", "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
        let keys = Arc::new(JwkSet::parse(key).unwrap());

        for n in 0..=MAX_ENTRIES {
            let tried = Timestamp::from_seconds(n as u64);
            cached.insert(&uri(n), Entry { keys: Arc::clone(&keys), stale: tried, tried });
        }

        assert!(cached.find(&uri(0)).is_none());
        assert!(cached.find(&uri(1)).is_some() && cached.find(&uri(MAX_ENTRIES)).is_some());
    }
}
