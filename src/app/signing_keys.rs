//! The signing keys of a running installation: which there are, and how they are made and replaced.

use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Semaphore;

use super::{App, WriteHealth};
use crate::error::{Error, Internal, Refusal};
use crate::flow::Context;
use crate::flow::installation::signing::{self, Rotated, Rotation};
use crate::keys::{KeyRing, SigningKey};
use crate::model::actor::Acting;
use crate::oauth::client::SigningAlg;
use crate::oauth::id::KeyId;
use crate::store::Tx;
use crate::store::schema::SigningKeyRow;

/// The most time that a request waits for a key that is being made: an RSA key at the first start.
const KEY_WAIT: Duration = Duration::from_secs(30);

/// The turns of slow signatures: one for each processor.
pub(super) fn turns() -> Arc<Semaphore> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    Arc::new(Semaphore::new(processors))
}

impl App {
    /// The present keys.
    pub fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys.borrow())
    }

    /// Waits until there is a key for every algorithm, and returns the keys.
    ///
    /// # Errors
    ///
    /// [`Refusal::StoreUnwritable`] at once, if a key is missing and cannot be stored.
    pub async fn complete_keys(&self) -> Result<Arc<KeyRing>, Error> {
        let is_complete = |ring: &KeyRing| ring.is_complete(self.clock().now());
        let present = self.keys();
        if is_complete(&present) {
            return Ok(present);
        }
        Box::pin(self.awaited_keys()).await
    }

    async fn awaited_keys(&self) -> Result<Arc<KeyRing>, Error> {
        let is_complete = |ring: &KeyRing| ring.is_complete(self.clock().now());
        let mut keys = self.keys.subscribe();
        let unwritable = || self.write_health() != WriteHealth::Writable;
        let settled = keys.wait_for(|ring| is_complete(ring) || unwritable());
        match tokio::time::timeout(KEY_WAIT, settled).await {
            Ok(Ok(ring)) if is_complete(&ring) => Ok(Arc::clone(&ring)),
            Ok(Ok(_)) => Err(Refusal::StoreUnwritable.into()),
            Ok(Err(_)) | Err(_) => Err(Internal::new("a signing key is still missing").into()),
        }
    }

    /// The key that signs with `alg` now. Waits for it at the first start.
    pub async fn signing_key(&self, alg: SigningAlg) -> Result<Arc<SigningKey>, Error> {
        if let Some(key) = self.keys().current(alg, self.clock().now()) {
            return Ok(Arc::clone(key));
        }
        let ring = self.complete_keys().await?;
        let key = ring.current(alg, self.clock().now()).map(Arc::clone);
        key.ok_or_else(|| Internal::new("no key signs with this algorithm").into())
    }

    /// Signs `claims` as a JWS in compact form, with the header `typ`, by the key that signs with `alg` now.
    ///
    /// A signature by RSA takes the time of a dozen requests, so that it is made on another thread: at most
    /// one for each processor at a time, in the order in which they were asked for. What waits for one holds
    /// up nobody else.
    pub async fn sign(
        &self,
        alg: SigningAlg,
        typ: &str,
        claims: &impl Serialize,
    ) -> Result<String, Error> {
        let key = self.signing_key(alg).await?;
        let unsigned = key.unsigned(typ, claims)?;
        match alg {
            SigningAlg::EdDsa | SigningAlg::Es256 => Ok(key.signed(unsigned)?),
            SigningAlg::Rs256 => {
                let turn = Arc::clone(&self.slow_signatures).acquire_owned().await;
                let turn = turn.map_err(Internal::new)?;
                let signing = move || {
                    let signed = key.signed(unsigned);
                    drop(turn);
                    signed
                };
                Ok(tokio::task::spawn_blocking(signing).await.map_err(Internal::new)??)
            }
        }
    }

    /// Makes every missing key, the fast ones first.
    pub async fn make_missing_keys(self: &Arc<Self>) -> Result<(), Error> {
        let _changing = self.key_changes.lock().await;
        // In the order of `SigningAlg::ALL`, RS256 comes last.
        let missing = signing::missing(&self.read()?)?;
        for alg in missing {
            self.make_key(alg, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Dates the keys that a clock made that was ahead, and makes the successor of every key that is
    /// due for one; it signs after the overlap.
    pub async fn rotate_keys(self: &Arc<Self>) -> Result<(), Error> {
        let _changing = self.key_changes.lock().await;
        if self.write(signing::redate).await? {
            tracing::warn!("signing keys were made by a clock that was ahead; they count from now");
            self.reopen_keys()?;
        }
        let due = signing::due(&self.read()?, &self.context())?;
        for alg in due {
            self.make_key(alg, self.rules().config.lifetimes.key_overlap).await?;
        }
        Ok(())
    }

    /// Replaces the keys of `algs`, as an operator asked, if `proof` still holds then. Returns once the
    /// new keys are durable and published.
    ///
    /// # Errors
    ///
    /// Those of [`signing::rotate`] and of `proof`.
    pub async fn rotate_keys_of(
        self: &Arc<Self>,
        acting: Acting,
        proof: impl Fn(&Tx<'_>, &Context) -> Result<Context, Error> + Send + 'static,
        algs: Vec<SigningAlg>,
        rotation: Rotation,
    ) -> Result<Vec<Rotated>, Error> {
        let app = Arc::clone(self);
        // In a task of its own. If the operator went away after the commit, the ring would not be
        // opened anew, and a revoked key would go on verifying.
        let rotated = tokio::spawn(async move {
            let _changing = app.key_changes.lock().await;
            let mut made = Vec::new();
            for alg in algs {
                made.push(app.generate(alg, Duration::ZERO).await?);
            }
            let rotated = app.write_by(acting, move |tx, cx| {
                let cx = &proof(tx, cx)?;
                signing::redate(tx, cx)?;
                signing::rotate(tx, cx, &made, rotation)
            });
            let rotated = rotated.await?;
            app.reopen_keys()?;
            Ok(rotated)
        });
        rotated.await.map_err(Internal::new)?
    }

    /// Makes a key that signs `ahead` of now. It is not stored yet.
    async fn generate(
        self: &Arc<Self>,
        alg: SigningAlg,
        ahead: Duration,
    ) -> Result<(KeyId, SigningKeyRow), Error> {
        let (app, now) = (Arc::clone(self), self.clock().now());
        let made =
            move || app.key_source.generate(alg, &app.roots.in_force().sealer, now, now + ahead);
        Ok(tokio::task::spawn_blocking(made).await.map_err(Internal::new)??)
    }

    /// Makes and stores a key. The caller holds `key_changes`.
    async fn make_key(self: &Arc<Self>, alg: SigningAlg, ahead: Duration) -> Result<(), Error> {
        let (id, row) = self.generate(alg, ahead).await?;
        let install = move |tx: &mut Tx<'_>, cx: &Context| signing::install(tx, cx, &id, &row);
        if let Err(error) = self.write(install).await {
            // Whoever waits for the key looks whether it can be stored.
            self.keys.send_modify(|_| ());
            return Err(error);
        }
        self.reopen_keys()
    }

    /// Reads the keys anew. The caller holds `key_changes`, so that an older ring replaces no newer one.
    pub(super) fn reopen_keys(&self) -> Result<(), Error> {
        let ring =
            self.key_source.open(signing::list(&self.read()?)?, &self.roots.in_force().sealer)?;
        self.keys.send_replace(Arc::new(ring));
        Ok(())
    }
}
