//! Tokens: the grant types of the token endpoint, introspection, revocation and userinfo.

pub mod access;
pub mod client_credentials;
pub mod code;
pub mod connection;
pub mod device;
pub mod family;
pub mod grant;
pub mod introspect;
pub mod issue;
pub mod operator;
pub mod refresh;
pub mod revoke;
pub mod userinfo;
