//! Clients that nobody registered, which register themselves or are named by a document; those that are
//! made of the catalogue; and what an operator is told of those that they register.

mod catalogue;
mod decided;
pub(crate) mod documents;
mod habits;
mod managed;
mod notes;
mod registration;
mod statements;
mod tolerated;
mod usage;
