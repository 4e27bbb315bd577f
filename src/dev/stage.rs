//! The state of a development server beside its installation, which a reset replaces.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::faults::Faults;
use super::installation::{Installation, Place};
use super::journal::Journal;
use super::plan::Plan;
use crate::event::DroppedLines;
use crate::model::person::Username;
use crate::oauth::issuer::Issuer;
use crate::secret::{Entropy, hex};
use crate::serve::{Loopback, Stop};

/// The state.
pub(super) struct Stage {
    approves: Mutex<Option<Username>>,
    current: RwLock<Arc<Installation>>,
    /// The faults that were asked for.
    pub(super) faults: Faults,
    /// The requests that were received.
    pub(super) journal: Journal,
    /// Where the server is.
    pub(super) place: Place,
    /// What it is to be.
    pub(super) plan: Plan,
    /// What the control API asks for. It is never made of the seed, which a page may guess.
    pub(super) token: String,
    /// Held while the installation is made anew.
    turn: tokio::sync::Mutex<()>,
}

impl Stage {
    /// Makes the first installation.
    ///
    /// # Errors
    ///
    /// Those of [`Installation::new`].
    pub(super) async fn new(
        plan: Plan,
        ports: &Loopback,
        dropped: DroppedLines,
    ) -> Result<Self, Stop> {
        let (addresses, issuer) = (ports.addresses(), Issuer::localhost(ports.port()));
        let place = Place { addresses, dropped, issuer };
        let current = Installation::new(&plan, &place).await?;
        Ok(Self {
            approves: Mutex::new(plan.approves.clone()),
            current: RwLock::new(Arc::new(current)),
            faults: Faults::default(),
            journal: Journal::default(),
            place,
            plan,
            token: format!("gl_dev_{}", hex(&Entropy::System.seed().bytes("control token"))),
            turn: tokio::sync::Mutex::default(),
        })
    }

    /// The present installation.
    pub(super) fn installation(&self) -> Arc<Installation> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who approves each request without a page.
    pub(super) fn approves(&self) -> Option<Username> {
        self.approves.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets who approves.
    pub(super) fn set_approves(&self, username: Option<Username>) {
        *self.approves.lock().unwrap_or_else(PoisonError::into_inner) = username;
    }

    /// Goes back to the first state: another installation, no fault, no request, who approved then.
    ///
    /// # Errors
    ///
    /// Those of [`Installation::new`].
    pub(super) async fn reset(&self) -> Result<(), Stop> {
        let _turn = self.turn.lock().await;
        let installation = Arc::new(Installation::new(&self.plan, &self.place).await?);
        self.faults.release_all();
        let before = {
            let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, installation)
        };
        before.end();
        self.set_approves(self.plan.approves.clone());
        self.journal.clear();
        Ok(())
    }

    /// Whether `host` is a name of this server on this machine.
    pub(super) fn is_own_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        host == self.place.issuer.authority() || self.place.addresses.contains(&host)
    }
}
