//! Clients that nobody registered, which register themselves or are named by a document; and what an
//! operator is told of those that they register.

mod decided;
pub(crate) mod documents;
mod habits;
mod managed;
mod notes;
mod registration;
mod statements;
mod tolerated;
mod usage;
