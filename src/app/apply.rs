//! The application of a file: the secrets are compared and hashed, everything is written in one
//! transaction, and the rules take the scopes and roles that follow. And the import of an export,
//! likewise.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::App;
use crate::error::{Error, Internal};
use crate::flow::Context;
use crate::flow::apply::{self, Changed, Chosen, Manifest};
use crate::flow::exchange::{self, Faults, File, Imported, Wanted};
use crate::model::actor::Acting;
use crate::oauth::client::ClientSecret;
use crate::oauth::id::ClientId;
use crate::store::schema::{Client, ClientProof};
use crate::store::{Tx, View as _};

/// A file that is to be applied.
pub struct Application {
    /// Whether it is only tried out, and nothing is written.
    pub dry_run: bool,
    /// Whether it is of another server, so that nothing that is there changes and what is new has no mark.
    pub import: bool,
    /// What it says.
    pub manifest: Manifest,
    /// Whether everything is removed that a file made and this one does not name.
    pub prune: bool,
    /// The secrets of its clients.
    pub secrets: BTreeMap<ClientId, ClientSecret>,
}

impl App {
    /// Applies a file for whoever brings it, if `proof` still holds then. Returns what has changed, or
    /// would.
    ///
    /// # Errors
    ///
    /// Those of [`apply::run`] and of `proof`.
    pub async fn apply(
        self: &Arc<Self>,
        acting: Acting,
        proof: impl Fn(&Tx<'_>, &Context) -> Result<Context, Error> + Send + 'static,
        application: Application,
    ) -> Result<Vec<Changed>, Error> {
        let Application { dry_run, import, mut manifest, prune, secrets } = application;
        for (id, secret) in secrets {
            let chosen = self.compare(&id, &secret).await?;
            manifest.clients.entry(id).or_default().secret = Some(chosen);
        }
        let transition = move |tx: &mut Tx<'_>, cx: &Context| {
            let cx = proof(tx, cx)?;
            match import {
                true => apply::import(tx, &cx, &manifest),
                false => apply::run(tx, &cx, &manifest, prune),
            }
        };
        if dry_run {
            return self.try_out(transition).await;
        }
        let app = Arc::clone(self);
        // In a task of its own. If the operator went away after the commit, the scopes and roles would
        // be stored and not in force.
        let applied = tokio::spawn(async move {
            let changes = app.write_by(acting, transition).await?;
            app.take_definitions()?;
            Ok(changes)
        });
        applied.await.map_err(Internal::new)?
    }

    /// Imports a file for whoever brings it, if `proof` still holds then, or tries it out.
    ///
    /// # Errors
    ///
    /// Those of [`exchange::run`] and of `proof`.
    pub async fn import(
        self: &Arc<Self>,
        acting: Acting,
        proof: impl Fn(&Tx<'_>, &Context) -> Result<Context, Error> + Send + 'static,
        file: File,
        wanted: Wanted,
        dry_run: bool,
    ) -> Result<Result<Imported, Faults>, Error> {
        let transition = move |tx: &mut Tx<'_>, cx: &Context| {
            let cx = proof(tx, cx)?;
            exchange::run(tx, &cx, &file, wanted)
        };
        if dry_run {
            return self.try_out(transition).await;
        }
        let app = Arc::clone(self);
        // In a task of its own, as a file that is applied: whoever goes away after the commit leaves
        // no scopes and roles that are stored and not in force.
        let imported = tokio::spawn(async move {
            let imported = app.write_by(acting, transition).await?;
            app.take_definitions()?;
            Ok(imported)
        });
        imported.await.map_err(Internal::new)?
    }

    /// Compares a chosen secret with that of the client, and hashes another one.
    async fn compare(&self, id: &ClientId, secret: &ClientSecret) -> Result<Chosen, Error> {
        let proof = self.read()?.find::<Client>(id)?.and_then(|client| client.proof);
        let stored = match proof {
            Some(ClientProof::Chosen(phc)) => Some(phc),
            Some(ClientProof::Devices | ClientProof::Made(_)) | None => None,
        };
        let passwords = self.passwords();
        if let Some(phc) = &stored {
            let mut matched = passwords.remembered(phc, secret.expose());
            if matched.is_none() {
                let turn = passwords.turn(None).await?;
                matched = passwords.verify(&turn, phc, secret.expose()).await?;
            }
            if matched.is_some() {
                return Ok(Chosen::Same(phc.clone()));
            }
        }
        let hash = passwords.hash(secret.expose(), &self.context().seed).await?;
        Ok(Chosen::Another(hash, stored))
    }
}
