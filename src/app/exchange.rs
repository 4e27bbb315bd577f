//! The import of an export: in one transaction, after which the rules take the scopes and roles
//! that follow.

use std::sync::Arc;

use super::App;
use crate::error::{Error, Internal};
use crate::flow::Context;
use crate::flow::exchange::{self, Faults, File, Imported, Wanted};
use crate::model::actor::Acting;
use crate::store::Tx;

impl App {
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
}
