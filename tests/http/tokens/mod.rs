//! Tokens: how they are had, what they say, what ends them.

mod access;
mod audience;
mod codes;
mod endings;
mod introspection;
mod issued;
mod refresh;
mod resources;
mod restore;
mod revocation;
mod scopes;
mod userinfo;
