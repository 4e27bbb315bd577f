//! The pages of the administration.

mod clients;
mod events;
mod people;
