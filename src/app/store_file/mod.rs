//! The file of the store while no process has it open: checked, and made anew.

pub mod sizes;

use std::path::PathBuf;

use super::OpenError;
use crate::clock::Clock;
use crate::config::Places;
use crate::store::{StoreError, check, migrate, rewrite};

pub use crate::store::check::Checked;
pub use crate::store::migrate::{SCHEMA, Standing};
pub use crate::store::rewrite::{Rewritten, Upgraded};

/// Checks the pages and the rows. Nothing is written.
pub fn check(places: &Places) -> Result<Checked, OpenError> {
    let store = existing(places)?;
    check::check(&store).map_err(|error| failed(places, error))
}

/// Makes the file anew without the space that no row uses.
pub fn compact(places: &Places) -> Result<Rewritten, OpenError> {
    let store = existing(places)?;
    rewrite::compact(&store).map_err(|error| failed(places, error))
}

/// Makes the file anew of the rows that can be read. Returns where the file before it is.
pub fn repair(places: &Places) -> Result<(Rewritten, PathBuf), OpenError> {
    let store = existing(places)?;
    let now = Clock::System.now().seconds();
    let aside = store.with_added_extension(format!("before-repair-{now}"));
    let rewritten = rewrite::repair(&store, &aside).map_err(|error| failed(places, error))?;
    Ok((rewritten, aside))
}

/// How the store stands to this program. Nothing is written.
pub fn standing(places: &Places) -> Result<Standing, OpenError> {
    let store = existing(places)?;
    migrate::look(&store).map_err(|error| failed(places, error))
}

/// Upgrades the store, if it has an older schema.
pub fn upgrade(places: &Places) -> Result<Option<Upgraded>, OpenError> {
    let store = existing(places)?;
    rewrite::upgrade(&store).map_err(|error| failed(places, error))
}

fn existing(places: &Places) -> Result<PathBuf, OpenError> {
    let store = places.store();
    // A link to a file elsewhere stays one.
    store.canonicalize().map_err(|_| OpenError::NoStore(store.display().to_string()))
}

fn failed(places: &Places, error: StoreError) -> OpenError {
    OpenError::Store(places.store().display().to_string(), error)
}
