//! Keyed hashes: how a secret is stored and found, and what is derived from it for a page.
//!
//! What is made is made under the key of the newest generation. What is presented is hashed under
//! each generation in force, since it may have been stored under any of them.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::root::MAX_GENERATIONS;
use super::{Generation, Generations, LastingKey, Purpose, RootSecret, Token};

/// The generation of what is made under the lasting key, which no root secret has.
pub const LASTING: u8 = 0;

/// The HMAC-SHA-256 of a secret under the key of a generation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Form {
    generation: u8,
    mac: [u8; 32],
}

/// The stored form of a secret: its HMAC-SHA-256 under the pepper, with the generation of the
/// pepper's key.
///
/// The hash of a secret that was presented knows its earlier forms, too: those under the other keys in
/// force. They are never stored, and do not count for equality: [`TokenHash::matches`] asks whether
/// two hashes are of one secret, and the store finds a row by each of them.
#[derive(Clone, Copy)]
pub struct TokenHash {
    form: Form,
    earlier: [Option<Form>; MAX_GENERATIONS - 1],
}

impl TokenHash {
    const fn of(form: Form) -> Self {
        Self { form, earlier: [None; MAX_GENERATIONS - 1] }
    }

    /// The 33 bytes in the key of a row.
    pub fn to_bytes(self) -> [u8; 33] {
        let mut bytes = [self.form.generation; 33];
        for (to, from) in bytes.iter_mut().skip(1).zip(self.form.mac) {
            *to = from;
        }
        bytes
    }

    /// The hash of the bytes that [`TokenHash::to_bytes`] wrote.
    pub fn from_bytes(bytes: [u8; 33]) -> Self {
        let [generation, mac @ ..] = bytes;
        Self::of(Form { generation, mac })
    }

    /// The generation of its key.
    pub fn generation(&self) -> u8 {
        self.form.generation
    }

    /// It without its earlier forms.
    #[must_use]
    pub fn newest_alone(&self) -> Self {
        Self::of(self.form)
    }

    /// Its earlier forms, the newest first.
    pub fn earlier(&self) -> impl Iterator<Item = Self> {
        self.earlier.into_iter().flatten().map(Self::of)
    }

    fn forms(&self) -> impl Iterator<Item = &Form> {
        std::iter::once(&self.form).chain(self.earlier.iter().flatten())
    }

    /// Whether both are hashes of one secret, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        let mut same = Choice::from(0);
        for own in self.forms() {
            for theirs in other.forms() {
                same |= own.generation.ct_eq(&theirs.generation) & own.mac.ct_eq(&theirs.mac);
            }
        }
        same.into()
    }

    /// What to store instead of this hash, once `presented` has matched it: that, if it is of a newer
    /// key.
    #[must_use]
    pub fn anew(&self, presented: &Self) -> Option<Self> {
        (self != presented).then_some(*presented)
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.form == other.form
    }
}

impl Eq for TokenHash {}

impl PartialOrd for TokenHash {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TokenHash {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.form.cmp(&other.form)
    }
}

impl std::hash::Hash for TokenHash {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.form.hash(state);
    }
}

impl Serialize for TokenHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.form.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TokenHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Form::deserialize(deserializer).map(Self::of)
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// The keys that are derived from one root secret.
pub(super) struct Keys {
    check: [u8; 32],
    pub(super) generation: u8,
    lookup: Hmac<Sha256>,
    pub(super) refresh: Hmac<Sha256>,
    forgery: Hmac<Sha256>,
}

impl Keys {
    fn of(generation: &Generation) -> Self {
        let keyed = |label| keyed(generation.root.derive(label).as_slice());
        Self {
            check: generation.root.check(),
            generation: generation.number,
            lookup: keyed("lookup 1"),
            refresh: keyed("refresh tokens 1"),
            forgery: keyed("csrf 1"),
        }
    }

    fn form(&self, label: &str, secret: &[u8]) -> Form {
        Form { generation: self.generation, mac: hashed(&self.lookup, label, secret) }
    }

    fn csrf(&self, label: &str, holder: &[u8]) -> String {
        let mac = self.forgery.clone().chain_update(label).chain_update(holder);
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn hashed(key: &Hmac<Sha256>, label: &str, secret: &[u8]) -> [u8; 32] {
    let mac = key.clone().chain_update(label).chain_update([0]).chain_update(secret);
    mac.finalize().into_bytes().into()
}

/// The label of the anti-forgery tokens of sessions that are keys.
const SESSION_KEY: &str = "session key";

/// The keys of every keyed hash.
pub struct Pepper {
    pub(super) newest: Keys,
    earlier: Vec<Keys>,
    marks: Hmac<Sha256>,
    pairwise: Hmac<Sha256>,
}

impl Pepper {
    /// The keys of an installation that was never rotated.
    pub fn new(root: &RootSecret) -> Self {
        Self::of(&Generations::first(root.clone()), &root.lasting_key())
    }

    /// The keys of these generations.
    pub fn of(generations: &Generations, lasting: &LastingKey) -> Self {
        Self {
            newest: Keys::of(generations.newest()),
            earlier: generations.earlier().iter().map(Keys::of).collect(),
            marks: keyed(lasting.of_marks().as_slice()),
            pairwise: keyed(lasting.of_subjects()),
        }
    }

    /// The keys of each generation in force, the newest first.
    pub(super) fn generations(&self) -> impl Iterator<Item = &Keys> {
        std::iter::once(&self.newest).chain(&self.earlier)
    }

    /// The value by which a store recognises the newest root secret.
    pub fn check(&self) -> [u8; 32] {
        self.newest.check
    }

    /// The values by which the keys of stored hashes are recognised, by their generation: those of the
    /// root secrets in force, and that of the lasting key.
    pub fn checks(&self) -> Vec<(u8, [u8; 32])> {
        let lasting = (LASTING, hashed(&self.marks, "check", &[]));
        let in_force = self.generations().map(|keys| (keys.generation, keys.check));
        std::iter::once(lasting).chain(in_force).collect()
    }

    /// The newest generation, under which everything new is made.
    pub fn generation(&self) -> u8 {
        self.newest.generation
    }

    /// Whether a stored hash opens nothing once the earlier generations are forgotten.
    pub fn is_outdated(&self, stored: &TokenHash) -> bool {
        ![self.newest.generation, LASTING].contains(&stored.generation())
    }

    /// The hash by which `token` is found.
    pub fn hash<P: Purpose>(&self, token: &Token<P>) -> TokenHash {
        self.hash_parts(P::PREFIX, token.bytes())
    }

    /// The hash of a secret without a fixed form. `label` separates the kinds.
    pub fn hash_parts(&self, label: &str, secret: &[u8]) -> TokenHash {
        let mut hash = TokenHash::of(self.newest.form(label, secret));
        for (to, keys) in hash.earlier.iter_mut().zip(&self.earlier) {
            *to = Some(keys.form(label, secret));
        }
        hash
    }

    /// The mark of a value that is no secret, by which the store remembers it: it stays the same
    /// through every rotation. `label` separates the kinds.
    pub fn mark(&self, label: &str, value: &[u8]) -> TokenHash {
        TokenHash::of(Form { generation: LASTING, mac: hashed(&self.marks, label, value) })
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
        self.newest.csrf(P::PREFIX, holder.bytes())
    }

    /// The anti-forgery token of the session whose key has the hash `key`.
    pub fn csrf_of_key(&self, key: &TokenHash) -> String {
        self.newest.csrf(SESSION_KEY, &key.to_bytes())
    }

    /// Whether `presented` is an anti-forgery token of `holder`, in constant time.
    pub fn csrf_matches<P: Purpose>(&self, holder: &Token<P>, presented: &str) -> bool {
        let own = self.generations().map(|keys| keys.csrf(P::PREFIX, holder.bytes()));
        is_one_of(own, presented)
    }

    /// Whether `presented` is an anti-forgery token of the session whose key has the hash `key`, in
    /// constant time.
    pub fn csrf_of_key_matches(&self, key: &TokenHash, presented: &str) -> bool {
        let forms: Vec<_> = std::iter::once(*key).chain(key.earlier()).collect();
        let own = self.generations().flat_map(|keys| {
            forms.iter().map(move |form| keys.csrf(SESSION_KEY, &form.to_bytes()))
        });
        is_one_of(own, presented)
    }
}

fn is_one_of(own: impl Iterator<Item = String>, presented: &str) -> bool {
    let same = own.map(|own| own.as_bytes().ct_eq(presented.as_bytes()));
    same.fold(Choice::from(0), |any, same| any | same).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{Entropy, SessionSecret};

    fn root(seed: u64) -> RootSecret {
        RootSecret::generate(&Entropy::seeded(seed).seed())
    }

    /// The peppers of an installation before a rotation, after it, and once the earlier key is
    /// forgotten.
    fn rotated() -> [Pepper; 3] {
        let (first, lasting) = (Generations::first(root(1)), root(1).lasting_key());
        let both = first.succeeded_by(root(2)).unwrap();
        let alone = both.newest_alone();
        [first, both, alone].map(|generations| Pepper::of(&generations, &lasting))
    }

    #[test]
    fn the_same_bytes_hash_apart_under_each_purpose() {
        let pepper = Pepper::new(&root(1));

        let one = pepper.hash_parts("gl_ac_", &[7; 32]);
        let two = pepper.hash_parts("gl_ss_", &[7; 32]);

        assert!(!one.matches(&two));
        assert!(one.matches(&TokenHash::from_bytes(one.to_bytes())));
    }

    #[test]
    fn what_is_presented_matches_what_any_generation_in_force_stored() {
        let [before, both, alone] = rotated();
        let token: SessionSecret = Entropy::seeded(3).seed().token();
        let stored = |pepper: &Pepper| TokenHash::from_bytes(pepper.hash(&token).to_bytes());

        let presented = both.hash(&token);

        assert!(stored(&before).matches(&presented) && stored(&both).matches(&presented));
        assert!(!stored(&before).matches(&alone.hash(&token)));
        assert_eq!(stored(&before).anew(&presented), Some(stored(&alone)));
        assert_eq!(stored(&both).anew(&presented), None);
        assert!(both.is_outdated(&stored(&before)) && !both.is_outdated(&presented));
        let other: SessionSecret = Entropy::seeded(4).seed().token();
        assert!(!stored(&before).matches(&both.hash(&other)));
    }

    #[test]
    fn subjects_and_marks_are_the_same_in_every_generation() {
        let peppers = rotated();
        let user = Uuid::from_u128(7);
        let made = |pepper: &Pepper| {
            (
                pepper.pairwise("app.example", user),
                pepper.mark("jti", b"a"),
                pepper.pairwise_sids("a"),
            )
        };

        let [first, ..] = &peppers;
        for pepper in &peppers {
            assert!(made(pepper) == made(first) && !pepper.is_outdated(&pepper.mark("jti", b"a")));
        }
        assert_eq!(made(first), made(&Pepper::new(&root(1))));
        assert_ne!(made(first), made(&Pepper::new(&root(2))));
    }

    #[test]
    fn an_anti_forgery_token_counts_as_long_as_its_generation_is_in_force() {
        let [before, both, alone] = rotated();
        let token: SessionSecret = Entropy::seeded(3).seed().token();
        let key = |pepper: &Pepper| pepper.hash_parts("session key", b"key");

        let (of_cookie, of_key) = (before.csrf(&token), before.csrf_of_key(&key(&before)));

        assert!(both.csrf_matches(&token, &of_cookie));
        assert!(both.csrf_of_key_matches(&key(&both), &of_key));
        assert!(!alone.csrf_matches(&token, &of_cookie));
        assert!(!alone.csrf_of_key_matches(&key(&alone), &of_key));
        assert!(both.csrf_matches(&token, &both.csrf(&token)));
        assert!(!both.csrf_matches(&token, "") && !both.csrf_matches(&token, &of_key));
        let other = both.hash_parts("session key", b"other");
        assert!(!both.csrf_of_key_matches(&other, &of_key));
    }
}
