//! Root secrets, and the generations of keys that are derived from them.
//!
//! An installation has one root secret. A rotation puts a new one before it; the earlier ones stay in
//! force, so that what was made under them still opens, until an operator forgets them. Each has a
//! number, the *generation*, which stands in every hash, refresh token and sealed key.

use std::str::FromStr;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Seed, hex};

/// The most generations that are in force at once: each costs a hash at every look-up.
pub const MAX_GENERATIONS: usize = 4;

/// The most root secrets that are read from one place: those in force, and some that a rotation left
/// behind.
const MAX_SECRETS: usize = 16;

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
        derive(&self.0, label)
    }

    /// The value by which a store recognises it.
    pub fn check(&self) -> [u8; 32] {
        let mac = Hmac::<Sha256>::new_from_slice(self.derive("store check").as_slice());
        mac.expect("HMAC takes keys of any length").finalize().into_bytes().into()
    }

    /// Whether both are the same, in constant time.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(other.0.as_slice()).into()
    }

    /// The lasting key of an installation that was never rotated.
    pub fn lasting_key(&self) -> LastingKey {
        LastingKey(self.derive("pairwise subjects 1"))
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

fn derive(secret: &[u8; 32], label: &str) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(b"gatelodge"), secret)
        .expand(label.as_bytes(), key.as_mut_slice())
        .expect("32 bytes are within the 255 blocks that HKDF gives");
    key
}

/// The key of what has to stay the same in every generation: pairwise subjects, and the marks of
/// values that are no secrets. It is derived from the first root secret, and a rotation seals it.
#[derive(Clone)]
pub struct LastingKey(Zeroizing<[u8; 32]>);

impl LastingKey {
    /// The key of these bytes.
    pub fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be sealed.
    pub fn expose(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_vec())
    }

    /// The key of pairwise subjects.
    pub(super) fn of_subjects(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The key of marks.
    pub(super) fn of_marks(&self) -> Zeroizing<[u8; 32]> {
        derive(&self.0, "marks 1")
    }
}

/// The root secrets of one place, a key file or a setting: the newest first, with white space between
/// them.
#[derive(Clone)]
pub struct RootSecrets(Vec<RootSecret>);

impl RootSecrets {
    /// These secrets, the newest first.
    pub fn of(secrets: Vec<RootSecret>) -> Self {
        Self(secrets)
    }

    /// Each of them, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &RootSecret> {
        self.0.iter()
    }

    /// The form in a key file: a line each.
    pub fn expose(&self) -> Zeroizing<String> {
        let mut lines = Zeroizing::new(String::new());
        for secret in &self.0 {
            lines.push_str(&secret.expose());
            lines.push('\n');
        }
        lines
    }
}

impl From<RootSecret> for RootSecrets {
    fn from(only: RootSecret) -> Self {
        Self(vec![only])
    }
}

impl FromStr for RootSecrets {
    type Err = &'static str;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let secrets = s.split_whitespace().map(RootSecret::from_str);
        let secrets = secrets.collect::<Result<Vec<_>, _>>()?;
        if secrets.len() > MAX_SECRETS {
            return Err("at most 16 root secrets are read");
        }
        let mut distinct: Vec<RootSecret> = Vec::new();
        for secret in secrets {
            if distinct.iter().any(|known| known.is(&secret)) {
                return Err("a root secret is there twice");
            }
            distinct.push(secret);
        }
        if distinct.is_empty() {
            return Err("a root secret is 64 hex characters, 32 bytes");
        }
        Ok(Self(distinct))
    }
}

/// A root secret in force.
#[derive(Clone)]
pub struct Generation {
    /// Its number, by which what was made under it names it.
    pub number: u8,
    /// The secret.
    pub root: RootSecret,
}

/// The root secrets in force, the newest first. There is one at least.
#[derive(Clone)]
pub struct Generations {
    newest: Generation,
    earlier: Vec<Generation>,
}

impl Generations {
    /// Those of an installation that begins with `root`.
    pub fn first(root: RootSecret) -> Self {
        Self { newest: Generation { number: 1, root }, earlier: Vec::new() }
    }

    /// These, the newest first; `None` if there is none.
    pub fn of(generations: Vec<Generation>) -> Option<Self> {
        let mut generations = generations.into_iter();
        Some(Self { newest: generations.next()?, earlier: generations.collect() })
    }

    /// The newest, under which everything new is made.
    pub fn newest(&self) -> &Generation {
        &self.newest
    }

    /// Those before the newest, which still open what was made under them.
    pub fn earlier(&self) -> &[Generation] {
        &self.earlier
    }

    /// All, the newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Generation> {
        std::iter::once(&self.newest).chain(&self.earlier)
    }

    /// Whether `root` is one of them.
    pub fn has(&self, root: &RootSecret) -> bool {
        self.iter().any(|own| own.root.is(root))
    }

    /// These and `root` before them; `None` if so many are in force already. Numbers go round: a
    /// number that comes again was forgotten hundreds of rotations ago. None is 0.
    pub fn succeeded_by(&self, root: RootSecret) -> Option<Self> {
        if self.earlier.len() + 1 >= MAX_GENERATIONS {
            return None;
        }
        let number = self.newest.number.checked_add(1).unwrap_or(1);
        Some(Self { newest: Generation { number, root }, earlier: self.iter().cloned().collect() })
    }

    /// The newest without those before it.
    pub fn newest_alone(&self) -> Self {
        Self { newest: self.newest.clone(), earlier: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Entropy;

    fn root(seed: u64) -> RootSecret {
        RootSecret::generate(&Entropy::seeded(seed).seed())
    }

    fn numbers(generations: &Generations) -> Vec<u8> {
        generations.iter().map(|generation| generation.number).collect()
    }

    #[test]
    fn a_root_secret_survives_its_key_file() {
        let own = root(2);

        let read: RootSecret = format!("{}\n", *own.expose()).parse().ok().unwrap();

        assert_eq!(*read.expose(), *own.expose());
        assert!(read.is(&own) && !read.is(&root(3)));
        assert!("abc".parse::<RootSecret>().is_err());
        assert!(format!("{}00", *own.expose()).parse::<RootSecret>().is_err());
    }

    #[test]
    fn root_secrets_are_read_in_their_order_with_any_space_between_them() {
        let (new, old) = (root(2).expose(), root(1).expose());

        for written in [format!("{}\n{}\n", *new, *old), format!(" {} {}", *new, *old)] {
            let read: RootSecrets = written.parse().ok().unwrap();
            assert_eq!(*read.expose(), format!("{}\n{}\n", *new, *old));
        }
        for (wrong, why) in [
            (String::new(), "64 hex"),
            (format!("{} abc", *new), "64 hex"),
            (format!("{}\n{}\n{}\n", *new, *old, *new), "twice"),
        ] {
            let refused = wrong.parse::<RootSecrets>().err().unwrap();
            assert!(refused.contains(why), "{refused}");
        }
        let many: Vec<_> = (0..17).map(|seed| root(seed).expose().to_string()).collect();
        assert!(many[..16].join("\n").parse::<RootSecrets>().is_ok());
        assert!(many.join("\n").parse::<RootSecrets>().is_err());
    }

    #[test]
    fn generations_are_numbered_round_and_none_is_zero() {
        let mut generations = Generations::first(root(0));
        for seed in 1..4 {
            generations = generations.succeeded_by(root(seed)).unwrap();
        }
        assert_eq!(numbers(&generations), [4, 3, 2, 1]);
        assert!(generations.succeeded_by(root(9)).is_none());
        assert!(generations.has(&root(0)) && !generations.has(&root(9)));

        let alone = generations.newest_alone();
        assert_eq!(numbers(&alone), [4]);
        let last = Generations::of(vec![Generation { number: 255, root: root(1) }]).unwrap();
        assert_eq!(numbers(&last.succeeded_by(root(2)).unwrap()), [1, 255]);
    }

    #[test]
    fn each_root_secret_has_a_check_value_of_its_own() {
        assert_eq!(root(1).check(), root(1).check());
        assert_ne!(root(1).check(), root(2).check());
    }
}
