//! The extension of the client credentials grant for hook tokens: `audience=hook` and `plugin_id`.

use std::fmt;
use std::str::FromStr;

use crate::error::Refusal;

/// The audience of a hook token.
pub const HOOK_AUDIENCE: &str = "hook";

/// The scope of a hook client.
pub const HOOK_SCOPE: &str = "hook:govern hook:track";

/// The id of the plugin that a hook token is for: 1 to 128 characters of `[A-Za-z0-9._:/@-]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginId(Box<str>);

impl FromStr for PluginId {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/@-".contains(&byte);
        if !(1..=128).contains(&s.len()) || !s.bytes().all(allowed) {
            return Err(Refusal::PluginIdMalformed);
        }
        Ok(Self(s.into()))
    }
}

impl fmt::Display for PluginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
