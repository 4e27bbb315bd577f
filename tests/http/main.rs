//! The server as its peers meet it: whole requests through the real routers, with nothing real
//! behind them but the code. Time is moved by hand, chance is the same each time.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a story that cannot go on ends here, in whichever function it is"
)]

mod admin;
mod admin_pages;
mod administration;
mod admission;
mod anonymous;
mod apply;
mod bridge;
mod client_auth;
mod clients;
mod clocks;
mod devices;
mod doctor;
mod endings;
mod events;
mod exchange;
mod forward_auth;
mod host;
mod keys;
mod limits;
mod links;
mod listings;
mod look;
mod metadata;
mod metrics;
mod model;
mod named;
mod openid;
mod origins;
mod outage;
mod pages;
mod races;
mod redirects;
mod refusals;
mod requests;
mod responses;
mod root_key;
mod routes;
mod sentences;
mod support;
mod tokens;
mod usage;
mod ways;
