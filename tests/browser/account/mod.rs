//! How people change the ways by which they sign in.

mod passkeys;
mod recovery;
