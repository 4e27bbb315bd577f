//! Secrets that cannot be printed, compared or stored by accident, and randomness as a value.
//!
//! A secret type has no `Debug`, `Display`, `Serialize` or `PartialEq`. It can only be exposed
//! explicitly ([`Token::expose`]) and looked up by its keyed hash ([`Pepper::hash`]), or proven by its
//! MAC ([`Pepper::generation_of`]).

mod bridge;
mod recovery;
mod refresh;
mod webhook;

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng, TryRng};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::{Zeroize, Zeroizing};

pub use bridge::{ExchangeCode, PersonalToken};
pub use recovery::RecoveryCode;
pub use refresh::{RefreshSalt, RefreshToken};
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

/// The stored form of a secret: its HMAC-SHA-256 under the pepper, with the generation of the
/// pepper's key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TokenHash {
    generation: u8,
    mac: [u8; 32],
}

impl TokenHash {
    /// The 33 bytes in the key of a row.
    pub fn to_bytes(self) -> [u8; 33] {
        let mut bytes = [self.generation; 33];
        for (to, from) in bytes.iter_mut().skip(1).zip(self.mac) {
            *to = from;
        }
        bytes
    }

    /// The hash of the bytes that [`TokenHash::to_bytes`] wrote.
    pub fn from_bytes(bytes: [u8; 33]) -> Self {
        let [generation, mac @ ..] = bytes;
        Self { generation, mac }
    }

    /// Whether both are equal, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        bool::from(self.mac.ct_eq(&other.mac)) && self.generation == other.generation
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// The installation's root secret: 32 random bytes from which every other key is derived.
#[derive(Clone)]
pub struct RootSecret(Zeroizing<[u8; 32]>);

impl RootSecret {
    /// Makes a new root secret.
    pub fn generate(seed: &Seed) -> Self {
        Self(Zeroizing::new(seed.bytes("root secret")))
    }

    /// The form in a key file: 64 lower-case hex characters.
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(self.0.as_slice()))
    }

    /// Derives the key for `label` (HKDF, RFC 5869). Each use has a label of its own.
    pub fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(b"gatelodge"), self.0.as_slice())
            .expand(label.as_bytes(), key.as_mut_slice())
            .expect("32 bytes are within the 255 blocks that HKDF gives");
        key
    }
}

impl FromStr for RootSecret {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let mut digits = s.trim().bytes().map(|b| (b as char).to_digit(16));
        let mut bytes = Zeroizing::new([0; 32]);
        for byte in bytes.iter_mut() {
            let (high, low) = (digits.next().flatten(), digits.next().flatten());
            let value = high.zip(low).map(|(high, low)| high * 16 + low);
            *byte = value
                .and_then(|v| u8::try_from(v).ok())
                .ok_or("a root secret is 64 hex characters, 32 bytes")?;
        }
        match digits.next() {
            None => Ok(Self(bytes)),
            Some(_) => Err("a root secret is 64 hex characters, 32 bytes"),
        }
    }
}

/// Encodes `bytes` in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The keys of every keyed hash.
pub struct Pepper {
    lookup: Hmac<Sha256>,
    refresh: Hmac<Sha256>,
    forgery: Hmac<Sha256>,
    pairwise: Hmac<Sha256>,
    check: [u8; 32],
}

/// The present generation of the key of hashes.
const GENERATION: u8 = 1;

impl Pepper {
    /// Derives the keys from `root`.
    pub fn new(root: &RootSecret) -> Self {
        let keyed = |label: &str| {
            Hmac::new_from_slice(root.derive(label).as_slice())
                .expect("HMAC takes keys of any length")
        };
        Self {
            lookup: keyed("lookup 1"),
            refresh: keyed("refresh tokens 1"),
            forgery: keyed("csrf 1"),
            pairwise: keyed("pairwise subjects 1"),
            check: keyed("store check").finalize().into_bytes().into(),
        }
    }

    /// The value by which a store recognises its own root secret.
    pub fn check(&self) -> [u8; 32] {
        self.check
    }

    /// The hash by which `token` is found.
    pub fn hash<P: Purpose>(&self, token: &Token<P>) -> TokenHash {
        self.hash_parts(P::PREFIX, token.0.as_slice())
    }

    /// The hash of a secret without a fixed form. `label` separates the kinds.
    pub fn hash_parts(&self, label: &str, secret: &[u8]) -> TokenHash {
        let mac = self.lookup.clone().chain_update(label).chain_update([0]).chain_update(secret);
        TokenHash { generation: GENERATION, mac: mac.finalize().into_bytes().into() }
    }

    /// The pairwise `sub` of `user` in `sector` (OpenID Connect Core §8.1): always the same, and
    /// unrelated to that of another sector.
    pub fn pairwise(&self, sector: &str, user: Uuid) -> String {
        let mac = self.pairwise.clone().chain_update(sector).chain_update([0]);
        URL_SAFE_NO_PAD.encode(mac.chain_update(user.as_bytes()).finalize().into_bytes())
    }

    /// The key of the `sid` values of a sector.
    pub fn pairwise_sids(&self, sector: &str) -> Zeroizing<[u8; 32]> {
        let mac = self.pairwise.clone().chain_update(sector).chain_update([0]);
        Zeroizing::new(mac.chain_update("sid").finalize().into_bytes().into())
    }

    /// The anti-forgery token of the browser with the cookie `holder`.
    pub fn csrf<P: Purpose>(&self, holder: &Token<P>) -> String {
        let mac = self.forgery.clone().chain_update(P::PREFIX).chain_update(holder.0.as_slice());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    /// The anti-forgery token of the session whose key has the hash `key`.
    pub fn csrf_of_key(&self, key: &TokenHash) -> String {
        let mac = self.forgery.clone().chain_update("session key").chain_update(key.to_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    /// Whether `presented` is the anti-forgery token of `holder`, in constant time.
    pub fn csrf_matches<P: Purpose>(&self, holder: &Token<P>, presented: &str) -> bool {
        self.csrf(holder).as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

/// A seed: randomness as a value, from which a transition derives each id and token by a name.
///
/// The same name gives the same bytes, so a transition that runs twice makes the same ids and
/// tokens.
#[derive(Clone)]
pub struct Seed(Zeroizing<[u8; 32]>);

impl Seed {
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

/// The source of seeds: the operating system, or a fixed sequence for tests.
pub enum Entropy {
    /// A fixed sequence.
    Seeded(Mutex<Box<StdRng>>),
    /// The operating system's generator.
    System,
}

impl Entropy {
    /// The fixed sequence of `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Mutex::new(Box::new(StdRng::seed_from_u64(seed))))
    }

    /// Draws a new seed.
    pub fn seed(&self) -> Seed {
        let mut bytes = [0; 32];
        match self {
            Self::Seeded(rng) => {
                rng.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).fill_bytes(&mut bytes);
            }
            Self::System => {
                SysRng.try_fill_bytes(&mut bytes).expect("the system gives random bytes");
            }
        }
        let seed = Seed(Zeroizing::new(bytes));
        bytes.zeroize();
        seed
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
    fn the_same_bytes_hash_apart_under_each_purpose() {
        let root = RootSecret::generate(&Entropy::seeded(1).seed());
        let pepper = Pepper::new(&root);

        let one = pepper.hash_parts("gl_ac_", &[7; 32]);
        let two = pepper.hash_parts("gl_ss_", &[7; 32]);

        assert!(!one.matches(&two));
        assert!(one.matches(&TokenHash::from_bytes(one.to_bytes())));
    }

    #[test]
    fn a_root_secret_survives_its_key_file() {
        let root = RootSecret::generate(&Entropy::seeded(2).seed());

        let read: RootSecret = format!("{}\n", *root.expose()).parse().ok().unwrap();

        assert_eq!(*read.expose(), *root.expose());
        assert!("abc".parse::<RootSecret>().is_err());
        assert!(format!("{}00", *root.expose()).parse::<RootSecret>().is_err());
    }

    #[test]
    fn a_seed_gives_each_name_its_own_bytes_and_the_same_twice() {
        let seed = Entropy::seeded(3).seed();

        assert_eq!(seed.uuid("grant"), seed.uuid("grant"));
        assert_ne!(seed.uuid("grant"), seed.uuid("session"));
    }
}
