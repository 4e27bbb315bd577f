//! Tokens: the grants of the token endpoint, and what becomes of a token afterwards.

pub mod access;
pub mod client_credentials;
pub mod code;
pub mod grant;
pub mod introspect;
pub mod issue;
pub mod refresh;
pub mod revoke;
pub mod userinfo;
