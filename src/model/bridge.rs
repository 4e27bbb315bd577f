//! The messages and names of bridges. A bridge is a program on a person's machine that carries
//! their identity to local agents; its contract fixes every name here.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{ErrorCode, Refusal};
use crate::oauth::params::form_encode;
use crate::oauth::redirect_uri::{Kind, RedirectUri};
use crate::secret::Seed;

/// The audience of bridge tokens: the server's own bridge endpoints, and MCP servers behind a
/// bridge.
pub const AUDIENCE: [&str; 2] = ["bridge", "mcp"];

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $refusal:ident, $limit:literal, $also:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// As it is written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(s: &str) -> Result<Self, Refusal> {
                let fits = |b: u8| b.is_ascii_alphanumeric() || $also.contains(&b);
                if (1..=$limit).contains(&s.len()) && s.bytes().all(fits) {
                    Ok(Self(s.into()))
                } else {
                    Err(Refusal::$refusal)
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = Cow<'static, str>;

            fn try_from(written: String) -> Result<Self, Self::Error> {
                written.parse().map_err(Refusal::reason)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// The id of a bridge session: 1 to 128 characters of `[A-Za-z0-9._-]`, which the bridge may
    /// choose.
    BridgeSessionId, BridgeSessionMalformed, 128, b"._-";
    /// A host of agents, such as `claude-code`: 1 to 64 characters of `[A-Za-z0-9._-]`.
    HostId, HostIdUnknown, 64, b"._-";
}

impl BridgeSessionId {
    /// The prefix of ids that this server generates. A bridge may use such an id only while its
    /// session is live.
    const OWN: &str = "gls-";

    /// Derives an id from `seed`.
    pub fn from_seed(seed: &Seed) -> Self {
        Self(format!("{}{}", Self::OWN, seed.uuid("bridge session")).into())
    }

    /// Whether it has the form of an id that this server generates.
    pub fn is_generated(&self) -> bool {
        self.0.starts_with(Self::OWN)
    }
}

impl HostId {
    /// The built-in hosts.
    pub const KNOWN: [&str; 8] = [
        "claude-code",
        "claude-desktop",
        "codex",
        "codex-cli",
        "cowork",
        "hermes",
        "opencode",
        "opencode-cli",
    ];
}

/// The redirect URI of a device link: `http` on loopback with a port, without user name or
/// fragment. Its query is kept.
///
/// A program on the person's own machine listens there. No other redirect is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRedirect(RedirectUri);

impl LinkRedirect {
    /// The host and port, for display.
    pub fn host(&self) -> String {
        self.0.host()
    }

    /// The URL with a code.
    pub fn with_code(&self, code: &str) -> String {
        self.0.with_query(&form_encode([("code", code)]))
    }

    /// The URL with an error code (RFC 6749 §4.1.2.1).
    pub fn with_error(&self, code: ErrorCode) -> String {
        self.0.with_query(&form_encode([("error", code.as_str())]))
    }
}

impl FromStr for LinkRedirect {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let uri: RedirectUri = s.parse()?;
        match uri.kind() {
            Kind::Loopback { port: Some(_), .. } => Ok(Self(uri)),
            Kind::Https { .. } | Kind::Loopback { port: None, .. } | Kind::PrivateUse { .. } => {
                Err(Refusal::LinkRedirectUnfit)
            }
        }
    }
}

/// The ways in which a bridge gets access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `pat`: by a personal access token.
    Pat,
    /// `session`: by an exchange code.
    Session,
    /// `session-pat`: a personal access token by an exchange code.
    SessionPat,
    /// `mtls`: by a device certificate.
    Mtls,
    /// `oauth-client`: by a hook client of the person.
    OauthClient,
}

impl Mode {
    /// All modes, in the order of the contract.
    pub const ALL: &[Self] =
        &[Self::Pat, Self::Session, Self::SessionPat, Self::Mtls, Self::OauthClient];

    /// The name of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pat => "pat",
            Self::Session => "session",
            Self::SessionPat => "session-pat",
            Self::Mtls => "mtls",
            Self::OauthClient => "oauth-client",
        }
    }

    /// The mode of that name.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|mode| mode.as_str() == word)
    }
}

/// A protocol between agents and models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelProtocol {
    /// `anthropic`
    Anthropic,
    /// `backend`
    Backend,
    /// `claude`
    Claude,
    /// `gemini`
    Gemini,
    /// `openai`
    Openai,
}

impl ModelProtocol {
    /// All protocols.
    pub const ALL: &[Self] =
        &[Self::Anthropic, Self::Backend, Self::Claude, Self::Gemini, Self::Openai];

    /// The name of the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Backend => "backend",
            Self::Claude => "claude",
            Self::Gemini => "gemini",
            Self::Openai => "openai",
        }
    }
}

impl FromStr for ModelProtocol {
    type Err = Refusal;

    fn from_str(s: &str) -> Result<Self, Refusal> {
        let known = Self::ALL.iter().copied().find(|protocol| protocol.as_str() == s);
        known.ok_or(Refusal::ModelProtocolUnknown)
    }
}

/// The message that a bridge sends every 30 seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Its session.
    pub session: BridgeSessionId,
    /// Its version.
    pub version: String,
    /// The operating system.
    pub os: String,
    /// The machine's name.
    pub hostname: String,
    /// The time of its last use by an agent, in the bridge's own format.
    pub last_activity: Option<String>,
    /// The number of forwarded requests.
    pub forwarded_total: u64,
    /// The number of incoming tokens.
    pub tokens_in_total: u64,
    /// The number of outgoing tokens.
    pub tokens_out_total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Entropy;

    #[test]
    fn a_session_id_is_short_and_plain() {
        for good in ["a", "A.b_c-9", &"x".repeat(128)] {
            assert!(good.parse::<BridgeSessionId>().is_ok(), "{good}");
        }
        for wrong in ["", " a", "a b", "a/b", "é", &"x".repeat(129)] {
            let refused = wrong.parse::<BridgeSessionId>();
            assert_eq!(refused, Err(Refusal::BridgeSessionMalformed), "{wrong}");
        }
    }

    #[test]
    fn an_id_that_was_drawn_here_is_known_as_such() {
        let drawn = BridgeSessionId::from_seed(&Entropy::seeded(1).seed());

        assert!(drawn.is_generated());
        assert_eq!(drawn.as_str().parse(), Ok(drawn.clone()));
        assert!(!"mine".parse::<BridgeSessionId>().unwrap().is_generated());
    }

    #[test]
    fn a_link_leads_to_a_port_of_this_machine_and_nowhere_else() {
        let link = "http://127.0.0.1:8767/cb?x=1".parse::<LinkRedirect>().unwrap();

        assert_eq!(link.with_code("c"), "http://127.0.0.1:8767/cb?x=1&code=c");
        assert_eq!(
            link.with_error(ErrorCode::AccessDenied),
            "http://127.0.0.1:8767/cb?x=1&error=access_denied"
        );
        for good in ["http://[::1]:1/", "http://localhost:65535/a"] {
            assert!(good.parse::<LinkRedirect>().is_ok(), "{good}");
        }
        for wrong in [
            "http://127.0.0.1/cb",
            "https://127.0.0.1:8767/cb",
            "http://192.0.2.1:8767/",
            "http://localhost.evil.example:8767/",
            "http://u@127.0.0.1:8767/",
            "http://127.0.0.1:8767/#f",
            "cursor://x",
            "//127.0.0.1:8767/",
            "",
        ] {
            assert!(wrong.parse::<LinkRedirect>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_protocol_is_one_of_five_words() {
        for protocol in ModelProtocol::ALL {
            assert_eq!(protocol.as_str().parse(), Ok(*protocol));
        }
        assert_eq!("OpenAI".parse::<ModelProtocol>(), Err(Refusal::ModelProtocolUnknown));
    }
}
