//! The vocabulary of the protocol as types: pure and total parsers and printers.
//!
//! Every parser takes text or bytes, returns a value or a [`Refusal`](crate::error::Refusal), and
//! uses nothing else: no clock, no randomness, no store. This room is the fuzz surface, and may
//! import only the crate's foundations (`clock`, `error`, `secret`).

pub mod authorize;
pub mod claims;
pub mod client;
pub mod display_name;
pub mod group;
pub mod id;
pub mod introspection;
pub mod issuer;
pub mod jwt;
pub mod logout;
pub mod metadata;
pub mod params;
pub mod pkce;
mod private_host;
pub mod redirect_uri;
pub mod resource;
pub mod scope;
pub mod state;
pub mod token;
pub(crate) mod visible;
pub mod web_uri;
