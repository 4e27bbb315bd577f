//! What a person meets: links, sign-in, questions, sign-out.

mod account;
mod consent;
mod devices;
mod email;
mod forgery;
mod hinted_logout;
mod languages;
mod logout;
mod own_passkeys;
mod passkey_pages;
pub(crate) mod passkeys;
pub(crate) mod prompts;
mod recovery_codes;
mod session_key;
mod sessions;
mod setup;
mod sign_in;
mod signed_out;
mod unproven;
