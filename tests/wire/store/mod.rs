//! The file of the store, and the disk that it lies on.

mod backup;
mod damage;
mod kills;
mod outage;
pub(crate) mod rollback;
mod root_key;
