//! Clients that nobody registered: they register themselves, or are named by a document.

mod decided;
mod documents;
mod habits;
mod managed;
mod registration;
mod statements;
mod usage;
