//! The pages of the administration.

mod clients;
mod people;
