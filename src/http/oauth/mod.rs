//! The endpoints of OAuth 2.0 and OpenID Connect, one file each.

pub(super) mod anonymous;
pub(super) mod authorize;
pub(super) mod device;
pub(super) mod introspect;
mod json;
pub(super) mod logout;
pub(super) mod metadata;
pub(super) mod par;
pub(super) mod registration;
pub(super) mod revoke;
pub(super) mod token;
pub(super) mod userinfo;
