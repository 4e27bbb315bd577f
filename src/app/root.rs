//! The root secrets of a running installation: their rotation, what is hashed anew after it, and the
//! end of what was never used since.
//!
//! A rotation writes the new secret to the key file, then into the store, in one transaction with all
//! that is sealed, and takes it. Killed before the transaction, the next start goes on with what the
//! file has; killed after it, there is nothing left to do.

use std::collections::BTreeSet;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::App;
use super::open::OpenError;
use super::open::key_file::{self, KeyPlace, Matched};
use crate::error::{Error, Internal, Refusal};
use crate::flow::Context;
use crate::flow::client::authentication::AuthenticatedClient;
use crate::flow::installation::{self, root};
use crate::flow::session;
use crate::keys::Sealer;
use crate::model::actor::Acting;
use crate::secret::{Generations, LastingKey, Pepper, RootSecret, RootSecrets, TokenHash};
use crate::store::schema::RootKey;
use crate::store::{Tx, View};

pub use crate::flow::installation::root::{Ended, Used};

/// The most rows that one transaction ends.
const MAX_ENDED_AT_ONCE: usize = 500;

/// The root secrets in force, and what is derived from them.
pub(super) struct RootKeys {
    in_force: RwLock<Arc<InForce>>,
    place: KeyPlace,
    /// What was presented and is stored under an earlier root secret.
    used: Mutex<BTreeSet<Used>>,
}

/// What is in force at a time.
pub(super) struct InForce {
    generations: Generations,
    lasting: LastingKey,
    pub(super) sealer: Sealer,
}

impl InForce {
    fn of(generations: Generations, lasting: LastingKey) -> Self {
        Self { sealer: Sealer::of(&generations), generations, lasting }
    }

    /// What a store has in force, whose root secrets are `written`.
    ///
    /// # Errors
    ///
    /// A store that needs another secret.
    pub(super) fn in_store(view: &impl View, written: &RootSecrets) -> Result<Self, Error> {
        let found = installation::find(view)?;
        let Matched { generations, .. } = key_file::matched(found.as_ref(), written)
            .map_err(|_| Internal::new("the store was made with another root secret"))?;
        let sealer = Sealer::of(&generations);
        let lasting = match root::lasting_key(view)? {
            Some(row) => sealer.open_lasting(&row.sealed)?,
            None => generations.newest().root.lasting_key(),
        };
        Ok(Self { generations, lasting, sealer })
    }

    pub(super) fn pepper(&self) -> Pepper {
        Pepper::of(&self.generations, &self.lasting)
    }

    /// What is stored sealed and not under the newest root secret, sealed under it.
    fn seal_anew(&self, view: &impl View) -> Result<root::SealedAnew, Error> {
        let root::SealedKeys { bridge, lasting, signing } = root::sealed(view)?;
        let bridge = match bridge {
            Some(row) => self.sealer.bridge_key_anew(&row)?,
            None => None,
        };
        let lasting = match lasting {
            Some(row) if self.sealer.is_newest(&row.sealed) => None,
            Some(_) | None => Some(self.sealer.seal_lasting(&self.lasting)?),
        };
        let mut anew = Vec::new();
        for (id, row) in signing {
            anew.extend(self.sealer.signing_key_anew(&id, &row)?.map(|sealed| (id, sealed)));
        }
        Ok(root::SealedAnew { bridge, lasting, signing: anew })
    }
}

impl RootKeys {
    pub(super) fn new(in_force: InForce) -> Self {
        Self {
            in_force: RwLock::new(Arc::new(in_force)),
            place: KeyPlace::Process,
            used: Mutex::default(),
        }
    }

    pub(super) fn at(self, place: KeyPlace) -> Self {
        Self { place, ..self }
    }

    pub(super) fn in_force(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What came of a request for a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootRotation {
    /// The new root secret is in force. Whether an earlier rotation had begun with it.
    Done {
        /// Whether it was there already.
        went_on: bool,
        /// Those in force, the newest first.
        in_force: Vec<RootKey>,
    },
    /// The root secret is in a setting, and only the operator can put a new one there.
    InSetting(Vec<RootKey>),
}

/// How the root secrets stand, for `doctor`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RootStanding {
    /// Whether a rotation was begun and is not finished.
    pub is_unfinished: bool,
    /// Whether the place of the root secrets has one that opens nothing.
    pub has_others: bool,
    /// Those in force, the newest first.
    pub in_force: Vec<RootKey>,
}

impl App {
    /// The root keys in force, the newest first.
    pub fn root_keys(&self) -> Result<Vec<RootKey>, Error> {
        let found = installation::find(&self.read()?)?;
        Ok(found.map(|found| found.roots).unwrap_or_default())
    }

    /// How the root secrets stand. A place that cannot be read is not judged here.
    pub fn root_standing(&self) -> Result<RootStanding, Error> {
        let in_force = self.root_keys()?;
        let matched = self.matched().ok().flatten();
        let (is_unfinished, has_others) = matched
            .map(|(_, matched)| (!matched.pending.is_empty(), matched.has_others))
            .unwrap_or_default();
        Ok(RootStanding { is_unfinished, has_others, in_force })
    }

    /// What the place of the root secrets has; `None` if that is the memory of this process.
    fn matched(&self) -> Result<Option<(RootSecrets, Matched)>, Error> {
        if matches!(self.roots.place, KeyPlace::Process) {
            return Ok(None);
        }
        let written = key_file::read(&self.rules().configured).map_err(|error| unusable(&error))?;
        let found = installation::find(&self.read()?)?;
        let matched =
            key_file::matched(found.as_ref(), &written).map_err(|_| Refusal::RootKeyFileDiffers)?;
        Ok(Some((written, matched)))
    }

    /// Goes on with a rotation that was begun before this process opened the store: its new root secrets
    /// are in their place, and not in the store.
    pub(super) async fn go_on_with_rotation(&self) -> Result<(), Error> {
        let _changing = self.key_changes.lock().await;
        let pending = self.matched()?.map(|(_, matched)| matched.pending).unwrap_or_default();
        if pending.is_empty() {
            return Ok(());
        }
        self.adopt(Acting::default(), |_, cx| Ok(cx.clone()), pending).await?;
        tracing::warn!("the root key was rotated: a new one was there and not yet in force");
        Ok(())
    }

    /// Rotates the root secret, as an operator asked, if `proof` still holds then. A rotation that was
    /// begun goes on, with the secret that is there.
    ///
    /// # Errors
    ///
    /// [`Refusal::RootKeysTooMany`] and [`Refusal::RootKeyFileDiffers`].
    pub async fn rotate_root_key(
        self: &Arc<Self>,
        acting: Acting,
        proof: impl Fn(&Tx<'_>, &Context) -> Result<Context, Error> + Send + 'static,
    ) -> Result<RootRotation, Error> {
        let app = Arc::clone(self);
        // In a task of its own: what the store has in force has to be in force here as well.
        let rotated = tokio::spawn(async move {
            let _changing = app.key_changes.lock().await;
            if matches!(app.roots.place, KeyPlace::Setting) {
                return Ok(RootRotation::InSetting(app.root_keys()?));
            }
            let matched = app.matched()?;
            let pending = matched.as_ref().map(|(_, matched)| matched.pending.clone());
            let mut new = pending.unwrap_or_default();
            let went_on = !new.is_empty();
            if !went_on {
                let made = RootSecret::generate(&app.entropy.seed());
                let generations = &app.roots.in_force().generations;
                generations.succeeded_by(made.clone()).ok_or(Refusal::RootKeysTooMany)?;
                if let (KeyPlace::File(path), Some((written, _))) = (&app.roots.place, &matched) {
                    let all = std::iter::once(&made).chain(written.iter()).cloned();
                    key_file::write(path, &RootSecrets::of(all.collect()))
                        .map_err(|error| unusable(&error))?;
                }
                new.push(made);
            }
            app.adopt(acting, proof, new).await?;
            Ok(RootRotation::Done { went_on, in_force: app.root_keys()? })
        });
        rotated.await.map_err(Internal::new)?
    }

    /// Takes new root secrets, the newest first. The caller holds `key_changes`, so that no key is sealed
    /// meanwhile.
    async fn adopt(
        &self,
        acting: Acting,
        proof: impl Fn(&Tx<'_>, &Context) -> Result<Context, Error> + Send + 'static,
        new: Vec<RootSecret>,
    ) -> Result<(), Error> {
        let before = self.roots.in_force();
        let (mut generations, mut added) = (before.generations.clone(), Vec::new());
        for root in new.into_iter().rev() {
            let check = root.check();
            generations = generations.succeeded_by(root).ok_or(Refusal::RootKeysTooMany)?;
            added.insert(0, (generations.newest().number, check));
        }
        let after = InForce::of(generations, before.lasting.clone());
        let sealed = after.seal_anew(&self.read()?)?;
        let adopted = self.write_by(acting, move |tx, cx| {
            let cx = &proof(tx, cx)?;
            root::adopt(tx, cx, &added, &sealed)
        });
        adopted.await?;
        self.take(after)
    }

    /// Uses these root secrets from now on. The caller holds `key_changes`.
    fn take(&self, in_force: InForce) -> Result<(), Error> {
        let pepper = in_force.pepper();
        *self.roots.in_force.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(in_force);
        self.configuration.take_pepper(pepper);
        self.reopen_keys()
    }

    /// What would end if the earlier root secrets were forgotten now.
    pub async fn forgettable(&self) -> Result<Ended, Error> {
        self.write_used().await?;
        let outdated = root::outdated(&self.read()?, &self.context())?;
        Ok(Ended::of(&outdated))
    }

    /// Ends what was never used since the last rotation, and forgets the earlier root secrets, as an
    /// operator asked, if `proof` still holds then. It can be interrupted anywhere, and asked for again.
    ///
    /// # Errors
    ///
    /// [`Refusal::RootKeyFileDiffers`].
    pub async fn forget_root_keys(
        self: &Arc<Self>,
        acting: Acting,
        proof: impl Fn(&Tx<'_>, &Context) -> Result<Context, Error> + Clone + Send + 'static,
    ) -> Result<Ended, Error> {
        let app = Arc::clone(self);
        let forgotten = tokio::spawn(async move {
            let _changing = app.key_changes.lock().await;
            let matched = app.matched()?;
            app.write_used().await?;
            let outdated = root::outdated(&app.read()?, &app.context())?;
            let mut ended = Vec::new();
            for some in outdated.chunks(MAX_ENDED_AT_ONCE) {
                let (some, proof) = (some.to_vec(), proof.clone());
                let step = app.write_by(acting.clone(), move |tx, cx| {
                    let cx = &proof(tx, cx)?;
                    root::end(tx, cx, &some)
                });
                ended.extend(step.await?);
            }
            let before = app.roots.in_force();
            if !before.generations.earlier().is_empty() {
                let sealed = before.seal_anew(&app.read()?)?;
                let forgot = app.write_by(acting, move |tx, cx| {
                    let cx = &proof(tx, cx)?;
                    root::forget(tx, cx, &sealed)
                });
                forgot.await?;
                let alone = before.generations.newest_alone();
                app.take(InForce::of(alone, before.lasting.clone()))?;
            }
            // What a rotation has begun stays, and is in force next.
            if let (KeyPlace::File(path), Some((_, matched))) = (&app.roots.place, matched) {
                let newest = before.generations.newest().root.clone();
                let remaining = matched.pending.into_iter().chain([newest]).collect();
                key_file::write(path, &RootSecrets::of(remaining))
                    .map_err(|error| unusable(&error))?;
            }
            Ok(Ended::of(&ended))
        });
        forgotten.await.map_err(Internal::new)?
    }

    /// Notes that something was presented that is stored under an earlier root secret. It is hashed anew
    /// soon ([`App::write_used`]).
    pub fn note_used(&self, used: Used) {
        self.roots.used.lock().unwrap_or_else(PoisonError::into_inner).insert(used);
    }

    /// Notes a session that is found by `holder`, if it is stored under an earlier root secret. A store
    /// that cannot be read fails the request by itself.
    pub fn note_used_session(&self, holder: &TokenHash) {
        if holder.earlier().next().is_none() {
            return;
        }
        let live = self.read().and_then(|view| session::live(&view, &self.present(), holder));
        if let Ok(Some(live)) = live
            && let Some(anew) = live.holder_anew(holder)
        {
            self.note_used(Used::Session(live.id(), anew));
        }
    }

    /// Notes the secret that a client brought, if it is stored under an earlier root secret.
    pub(super) fn note_used_secret(&self, client: &AuthenticatedClient) {
        if let Some(hash) = client.anew() {
            self.note_used(match client.device() {
                Some(device) => Used::Hook(device.to_owned(), hash),
                None => Used::Client(client.id().clone(), hash),
            });
        }
    }

    /// Hashes anew what was presented since the last time. If that fails, it stays noted.
    pub async fn write_used(&self) -> Result<(), Error> {
        let used = || self.roots.used.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = Arc::new(mem::take(&mut *used()));
        if noted.is_empty() {
            return Ok(());
        }
        let own = Arc::clone(&noted);
        let written = self.write(move |tx, cx| {
            own.iter().try_for_each(|used| Ok(root::hash_anew(tx, cx, used)?))
        });
        let written = written.await;
        if written.is_err() {
            used().extend(noted.iter().cloned());
        }
        written
    }
}

/// The error of a key file that cannot be read or written while the store is open.
fn unusable(error: &OpenError) -> Error {
    Internal::new(error.to_string()).into()
}
