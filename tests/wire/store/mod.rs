//! The file of the store, and the disk that it lies on.

mod damage;
mod outage;
pub(crate) mod rollback;
mod root_key;
