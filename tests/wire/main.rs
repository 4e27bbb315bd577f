//! The built program as an operator meets it: how it starts and refuses to, what it leaves on
//! disk, how it stops, and what its command line prints.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a story that cannot go on ends here, in whichever function it is"
)]

mod apply;
mod asked;
#[cfg(target_os = "linux")]
mod clocks;
mod commands;
mod config;
mod connection;
mod crowd;
mod dev;
mod doctor;
mod exchange;
mod healthcheck;
#[cfg(target_os = "linux")]
mod log;
mod login;
mod logout;
mod manual;
mod namespace;
mod operator;
#[cfg(target_os = "linux")]
mod person;
mod preloaded;
mod printed;
mod program;
mod refused;
mod secrets;
mod secure;
mod ship;
mod start;
mod stop;
mod store;
mod terminal;
mod tls;
mod verbs;
