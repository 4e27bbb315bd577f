//! Secrets that cannot be printed, compared or stored by accident, and randomness as a value.
//!
//! A secret type has no `Debug`, `Display`, `Serialize` or `PartialEq`. It can only be exposed
//! explicitly ([`Token::expose`]) and looked up by its keyed hash ([`Pepper::hash`]), or proven by its
//! MAC ([`Pepper::generation_of`]).

mod bridge;
mod entropy;
mod memory;
mod pepper;
mod recovery;
mod refresh;
mod root;
mod webhook;

use std::marker::PhantomData;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

pub use bridge::{ExchangeCode, PersonalToken};
pub use entropy::{Entropy, drawing};
pub use memory::{MemoryDigest, MemoryKey};
pub use pepper::{LASTING, Pepper, TokenHash};
pub use recovery::RecoveryCode;
pub use refresh::{RefreshSalt, RefreshToken};
pub use root::{Generation, Generations, LastingKey, MAX_GENERATIONS, RootSecret, RootSecrets};
pub use webhook::WebhookSecret;

/// The purpose of a token. Its prefix is also the label that separates its hashes from those of
/// other tokens.
pub trait Purpose {
    /// The prefix by which people and secret scanners recognise the kind.
    const PREFIX: &'static str;
}

macro_rules! purposes {
    ($($(#[$doc:meta])* $name:ident, $marker:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        pub type $name = Token<$marker>;

        #[doc = concat!("Marks the tokens that begin with `", $prefix, "`.")]
        pub struct $marker;

        impl Purpose for $marker {
            const PREFIX: &'static str = $prefix;
        }
    )*};
}

purposes! {
    /// The cookie value by which an anonymous session is merged.
    AnonymousSecret, AnonymousPurpose = "gl_as_";
    /// The code that carries a sign-in to the host of an application behind a proxy.
    AppCodeSecret, AppCodePurpose = "gl_pc_";
    /// The cookie value that proves a session at an application behind a proxy.
    AppSecret, AppPurpose = "gl_ps_";
    /// The cookie value that binds a sign-in to the browser that began it on such a host.
    AppStart, AppStartPurpose = "gl_pb_";
    /// The authorization code of RFC 6749 §4.1.2.
    AuthorizationCode, CodePurpose = "gl_ac_";
    /// The anti-forgery cookie that a browser holds before it has a session.
    BrowserSecret, BrowserPurpose = "gl_bs_";
    /// The device code of RFC 8628 §3.2.
    DeviceCode, DevicePurpose = "gl_dc_";
    /// The secret of an invitation, with which several people make their accounts.
    InvitationToken, InvitationPurpose = "gl_in_";
    /// A client secret that this server made (RFC 6749 §2.3.1).
    MadeClientSecret, ClientSecretPurpose = "gl_cs_";
    /// The reference to a pushed request (RFC 9126 §2.2).
    PushedReference, PushedPurpose = "gl_pr_";
    /// The registration access token of RFC 7592 §3.
    RegistrationToken, RegistrationPurpose = "gl_ra_";
    /// The cookie value that proves a browser session.
    SessionSecret, SessionPurpose = "gl_ss_";
    /// The secret of a setup link, with which a person enrols a passkey once.
    SetupToken, SetupPurpose = "gl_st_";
}

/// A token: a prefix and 32 random bytes in base64url.
pub struct Token<P>(Zeroizing<[u8; 32]>, PhantomData<fn() -> P>);

impl<P: Purpose> Token<P> {
    /// The token in the clear.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}{}", P::PREFIX, URL_SAFE_NO_PAD.encode(*self.0)))
    }

    /// The bytes that are hashed.
    fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl<P> Clone for Token<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

/// The error of a text that is no token. The caller decides its meaning, mostly that the token is
/// unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAToken;

impl<P: Purpose> FromStr for Token<P> {
    type Err = NotAToken;

    fn from_str(s: &str) -> Result<Self, NotAToken> {
        let encoded = s.strip_prefix(P::PREFIX).ok_or(NotAToken)?;
        let mut bytes = Zeroizing::new([0; 32]);
        match URL_SAFE_NO_PAD.decode_slice(encoded, bytes.as_mut_slice()) {
            Ok(32) => Ok(Self(bytes, PhantomData)),
            Ok(_) | Err(_) => Err(NotAToken),
        }
    }
}

/// Encodes `bytes` in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A seed: randomness as a value, from which a transition derives each id and token by a name.
///
/// The same name gives the same bytes, so a transition that runs twice makes the same ids and
/// tokens.
#[derive(Clone)]
pub struct Seed(Zeroizing<[u8; 32]>);

impl Seed {
    /// The seed that a text names, the same each time: whoever knows the text knows everything that
    /// is made of it.
    pub fn of_text(text: &str) -> Self {
        Self(Zeroizing::new(Sha256::digest(text).into()))
    }

    /// Derives 32 bytes for `name`.
    pub fn bytes(&self, name: &str) -> [u8; 32] {
        let mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice());
        let mac = mac.expect("HMAC takes keys of any length").chain_update(name);
        mac.finalize().into_bytes().into()
    }

    /// Derives a random UUID (RFC 9562 §5.4) for `name`.
    pub fn uuid(&self, name: &str) -> Uuid {
        let bytes = self.bytes(name);
        let half = bytes.first_chunk().copied().unwrap_or_default();
        uuid::Builder::from_random_bytes(half).into_uuid()
    }

    /// Derives another seed for `name`: what a transition makes many of has one each.
    #[must_use]
    pub fn derived(&self, name: &str) -> Self {
        Self(Zeroizing::new(self.bytes(&format!("seed of {name}"))))
    }

    /// Derives a token. A seed gives one token of each purpose.
    pub fn token<P: Purpose>(&self) -> Token<P> {
        Token(Zeroizing::new(self.bytes(P::PREFIX)), PhantomData)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_as_it_was_written() {
        let token: SessionSecret = Entropy::seeded(1).seed().token();
        let written = token.expose();

        let read: SessionSecret = written.parse().ok().unwrap();

        assert_eq!(*read.expose(), *written);
        assert_eq!(written.len(), "gl_ss_".len() + 43);
    }

    #[test]
    fn a_token_of_another_kind_or_length_is_refused() {
        let code: AuthorizationCode = Entropy::seeded(1).seed().token();
        let written = code.expose();

        assert!(written.parse::<SessionSecret>().is_err());
        assert!(format!("{}A", *written).parse::<AuthorizationCode>().is_err());
        assert!(written[..written.len() - 1].parse::<AuthorizationCode>().is_err());
    }

    #[test]
    fn a_seed_gives_each_name_its_own_bytes_and_the_same_twice() {
        let seed = Entropy::seeded(3).seed();

        assert_eq!(seed.uuid("grant"), seed.uuid("grant"));
        assert_ne!(seed.uuid("grant"), seed.uuid("session"));
    }
}
