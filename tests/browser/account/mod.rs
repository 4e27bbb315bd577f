//! How people change the ways by which they sign in.

mod page;
mod passkeys;
mod recovery;
