//! The pages of the administration.

mod clients;
