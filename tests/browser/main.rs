//! The pages as people use them: the built program on an empty directory, a real browser without
//! a window, passkeys in its virtual authenticator, and an application that is signed in to.
//!
//! What every page looks like lies in `target/screenshots/` afterwards.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a story that cannot go on ends here, in whichever function it is"
)]

mod account;
mod admin_pages;
mod application;
mod authenticator;
mod bridge;
mod callback_server;
mod chromium;
mod complaints;
mod consent;
mod craft;
mod device;
mod errors;
mod form_post;
mod keyboard;
mod logout;
mod pages;
#[path = "../wire/program.rs"]
mod program;
mod relying_party;
mod restart;
mod session_key;
mod setup;
mod sign_in;
mod tls;
mod ways;
mod window;
