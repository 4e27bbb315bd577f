//! What OpenID Connect adds.

mod backchannel;
mod claims;
mod core;
mod form_post;
mod listed;
mod membership;
mod pairwise;
mod people;
