//! Signing keys: generation, encryption at rest, publication and use.
//!
//! A key is parsed once, when it is opened, so that signing costs only the signature. The private
//! key is stored encrypted (AES-256-GCM) under a key derived from the root secret, with its `kid`
//! as associated data, behind the generation of that key.

mod block;
mod pair;
mod source;
mod standing;
mod verification;
mod verified;

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::verify;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::error::Internal;
use crate::oauth::client::SigningAlg;
use crate::oauth::client::jwks::Jwk;
use crate::oauth::id::KeyId;
use crate::oauth::jwt::Compact;
use crate::secret::{Generation, Generations, LastingKey, RootSecret};
use crate::store::schema::{BridgeKey, SigningKeyRow};

use pair::{Pair, drawn};
use verified::VerifiedTokens;

pub use block::BlockKey;
pub use source::{Development, KeySource};
pub use standing::{KeyStanding, KeyState};
pub use verification::{Examined, JwtKind, Signature, VerifiedAccess, VerifiedHint};

/// The name under which the key of bridges is sealed.
const BRIDGE: &str = "bridge";

/// The name under which the lasting key is sealed.
const LASTING: &str = "lasting key";

/// The keys that encrypt the private keys in the store, one for each generation in force.
pub struct Sealer {
    newest: (u8, LessSafeKey),
    earlier: Vec<(u8, LessSafeKey)>,
}

impl Sealer {
    /// The sealer of an installation that was never rotated.
    pub fn new(root: &RootSecret) -> Self {
        Self::of(&Generations::first(root.clone()))
    }

    /// Derives the sealer from the root secrets in force.
    pub fn of(generations: &Generations) -> Self {
        let key = |generation: &Generation| {
            let key = generation.root.derive("signing keys at rest 1");
            let key = UnboundKey::new(&AES_256_GCM, key.as_slice());
            (generation.number, LessSafeKey::new(key.expect("AES-256 takes 32 bytes")))
        };
        let earlier = generations.earlier().iter().map(key).collect();
        Self { newest: key(generations.newest()), earlier }
    }

    /// Seals under the newest key: its generation, the nonce, and what is encrypted.
    fn seal(&self, id: &KeyId, mut document: Vec<u8>) -> Result<Vec<u8>, Internal> {
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).map_err(Internal::new)?;
        let aad = Aad::from(id.as_str().as_bytes());
        let (generation, key) = &self.newest;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut document)
            .map_err(Internal::new)?;
        Ok([&[*generation], nonce.as_slice(), &document].concat())
    }

    fn open(&self, id: &KeyId, sealed: &[u8]) -> Result<zeroize::Zeroizing<Vec<u8>>, Internal> {
        let broken = || Internal::new(format!("key {} does not open", id.as_str()));
        let (generation, sealed) = sealed.split_first().ok_or_else(broken)?;
        let mut keys = std::iter::once(&self.newest).chain(&self.earlier);
        let (_, key) = keys.find(|(own, _)| own == generation).ok_or_else(broken)?;
        let (nonce, document) = sealed.split_at_checked(NONCE_LEN).ok_or_else(broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        let mut document = zeroize::Zeroizing::new(document.to_vec());
        let aad = Aad::from(id.as_str().as_bytes());
        let length = key.open_in_place(nonce, aad, &mut document).map_err(|_| broken())?.len();
        document.truncate(length);
        Ok(document)
    }

    /// Whether it is sealed under the newest key.
    pub fn is_newest(&self, sealed: &[u8]) -> bool {
        sealed.first() == Some(&self.newest.0)
    }

    fn seal_anew(&self, id: &KeyId, sealed: &[u8]) -> Result<Option<Vec<u8>>, Internal> {
        if self.is_newest(sealed) {
            return Ok(None);
        }
        let document = self.open(id, sealed)?;
        self.seal(id, document.to_vec()).map(Some)
    }

    /// A signing key sealed under the newest key, unless it is.
    pub fn signing_key_anew(
        &self,
        id: &KeyId,
        row: &SigningKeyRow,
    ) -> Result<Option<Vec<u8>>, Internal> {
        self.seal_anew(id, &row.sealed)
    }

    /// The key of bridges sealed under the newest key, unless it is.
    pub fn bridge_key_anew(&self, row: &BridgeKey) -> Result<Option<Vec<u8>>, Internal> {
        self.seal_anew(&KeyId::new(BRIDGE), &row.sealed)
    }

    /// Seals the lasting key.
    pub fn seal_lasting(&self, key: &LastingKey) -> Result<Vec<u8>, Internal> {
        self.seal(&KeyId::new(LASTING), key.expose().to_vec())
    }

    /// Opens the lasting key.
    pub fn open_lasting(&self, sealed: &[u8]) -> Result<LastingKey, Internal> {
        let opened = self.open(&KeyId::new(LASTING), sealed)?;
        let bytes = opened.as_slice().try_into().map_err(Internal::new)?;
        Ok(LastingKey::from_bytes(zeroize::Zeroizing::new(bytes)))
    }
}

/// The RFC 7638 thumbprint of a key's required members, which [`Pair::public_members`] writes in
/// the lexicographic order of §3.3.
fn thumbprint(members: &Value) -> KeyId {
    KeyId::new(&URL_SAFE_NO_PAD.encode(Sha256::digest(members.to_string())))
}

/// Makes a key that is published from `now` and signs from `active`. An RSA key takes up to a
/// second.
pub fn generate(
    alg: SigningAlg,
    sealer: &Sealer,
    now: Timestamp,
    active: Timestamp,
) -> Result<(KeyId, SigningKeyRow), Internal> {
    sealed(alg, drawn(alg)?, sealer, now, active)
}

/// The row of a key.
fn sealed(
    alg: SigningAlg,
    document: Vec<u8>,
    sealer: &Sealer,
    now: Timestamp,
    active: Timestamp,
) -> Result<(KeyId, SigningKeyRow), Internal> {
    let id = thumbprint(&Pair::open(alg, &document)?.public_members());
    let sealed = sealer.seal(&id, document)?;
    Ok((id, SigningKeyRow { alg, created: now, active, retires: None, sealed }))
}

/// Makes the key that bridges pin: Ed25519 (RFC 8032).
pub fn generate_for_bridges(sealer: &Sealer, now: Timestamp) -> Result<BridgeKey, Internal> {
    sealed_for_bridges(drawn(SigningAlg::EdDsa)?, sealer, now)
}

fn sealed_for_bridges(
    document: Vec<u8>,
    sealer: &Sealer,
    now: Timestamp,
) -> Result<BridgeKey, Internal> {
    let pair = Ed25519KeyPair::from_pkcs8(&document).map_err(Internal::new)?;
    let public = pair.public_key().as_ref().try_into().map_err(Internal::new)?;
    let sealed = sealer.seal(&KeyId::new(BRIDGE), document)?;
    Ok(BridgeKey { created: now, public, sealed })
}

/// A decrypted and parsed key.
pub struct SigningKey {
    active: Timestamp,
    alg: SigningAlg,
    created: Timestamp,
    decoding: DecodingKey,
    forgotten: Option<Timestamp>,
    id: KeyId,
    jwk: Value,
    pair: Pair,
    retires: Option<Timestamp>,
}

impl SigningKey {
    #[cfg(test)]
    fn open(id: KeyId, row: &SigningKeyRow, sealer: &Sealer) -> Result<Self, Internal> {
        Self::with(id, row, sealer, Pair::open)
    }

    fn with(
        id: KeyId,
        row: &SigningKeyRow,
        sealer: &Sealer,
        read: fn(SigningAlg, &[u8]) -> Result<Pair, Internal>,
    ) -> Result<Self, Internal> {
        let pair = read(row.alg, &sealer.open(&id, &row.sealed)?)?;
        let mut jwk = pair.public_members();
        if let Value::Object(members) = &mut jwk {
            members.insert("alg".to_owned(), row.alg.as_str().into());
            members.insert("kid".to_owned(), id.as_str().into());
            members.insert("use".to_owned(), "sig".into());
        }
        let parsed = serde_json::from_value(jwk.clone()).map_err(Internal::new)?;
        let decoding = DecodingKey::from_jwk(&parsed).map_err(Internal::new)?;
        Ok(Self {
            active: row.active,
            alg: row.alg,
            created: row.created,
            decoding,
            forgotten: row.retires.map(|retires| retires.forgotten),
            id,
            jwk,
            pair,
            retires: row.retires.map(|retires| retires.at),
        })
    }

    /// What orders the keys of an algorithm: the time from which each signs. Of two that sign from
    /// the same second, one is the successor of the other, and has none itself.
    fn order(&self) -> (Timestamp, bool) {
        (self.active, self.retires.is_none())
    }

    /// Whether it is in the published JWK Set: it has not retired.
    fn is_published(&self, now: Timestamp) -> bool {
        self.retires.is_none_or(|retires| now < retires)
    }

    /// Its algorithm.
    pub fn alg(&self) -> SigningAlg {
        self.alg
    }

    /// Signs `claims` as a JWS in compact form (RFC 7515 §7.1), with the header `typ`.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, Internal> {
        self.signed(self.unsigned(typ, claims)?)
    }

    /// What [`Self::signed`] signs: `claims` with the header `typ` (RFC 7515 §7.1, JWS Signing Input).
    pub fn unsigned(&self, typ: &str, claims: &impl Serialize) -> Result<String, Internal> {
        let header = Header { typ, alg: algorithm(self.alg), kid: self.id.as_str() };
        let header = serde_json::to_vec(&header).map_err(Internal::new)?;
        let claims = serde_json::to_vec(claims).map_err(Internal::new)?;
        // With room for the signature.
        let length = (header.len() + claims.len()) * 4 / 3;
        let mut token = String::with_capacity(length + MAX_SIGNATURE);
        URL_SAFE_NO_PAD.encode_string(header, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        Ok(token)
    }

    /// The whole JWS, of its signing input.
    pub fn signed(&self, unsigned: String) -> Result<String, Internal> {
        let mut token = unsigned;
        let signature = self.pair.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

/// The most characters of a signature, and of what parts a token: RSA with 2048 bits.
const MAX_SIGNATURE: usize = 350;

/// The header of what is signed (RFC 7515 §4.1).
#[derive(Serialize)]
struct Header<'a> {
    typ: &'a str,
    alg: Algorithm,
    kid: &'a str,
}

const fn algorithm(alg: SigningAlg) -> Algorithm {
    match alg {
        SigningAlg::EdDsa => Algorithm::EdDSA,
        SigningAlg::Es256 => Algorithm::ES256,
        SigningAlg::Rs256 => Algorithm::RS256,
    }
}

/// Whether the key of a client signed `token`. The algorithm is that of the key, not that of the
/// header.
pub fn signed_by(key: &Jwk, token: &Compact<'_>) -> bool {
    let Ok(parsed) = serde_json::from_value(key.members().clone()) else { return false };
    let Ok(decoding) = DecodingKey::from_jwk(&parsed) else { return false };
    let input = token.signing_input().as_bytes();
    matches!(verify(token.signature(), input, &decoding, algorithm(key.alg)), Ok(true))
}

/// The stored keys: current, future, and retired but still needed to verify.
#[derive(Default)]
pub struct KeyRing {
    keys: Vec<Arc<SigningKey>>,
    /// The set that was published last.
    published: Mutex<Option<Published>>,
    verified: VerifiedTokens,
}

/// A JWK Set, and when it is the one to publish.
struct Published {
    during: Range<Timestamp>,
    jwks: Arc<[u8]>,
}

impl KeyRing {
    /// Opens the keys of the store.
    pub fn open(rows: Vec<(KeyId, SigningKeyRow)>, sealer: &Sealer) -> Result<Self, Internal> {
        Self::with(rows, sealer, Pair::open)
    }

    /// As [`KeyRing::open`], for a development server: no signature has chance in it.
    fn steady(rows: Vec<(KeyId, SigningKeyRow)>, sealer: &Sealer) -> Result<Self, Internal> {
        Self::with(rows, sealer, Pair::steady)
    }

    fn with(
        rows: Vec<(KeyId, SigningKeyRow)>,
        sealer: &Sealer,
        read: fn(SigningAlg, &[u8]) -> Result<Pair, Internal>,
    ) -> Result<Self, Internal> {
        let open = |(id, row)| SigningKey::with(id, &row, sealer, read).map(Arc::new);
        let keys = rows.into_iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { keys, ..Self::default() })
    }

    /// The key that signs with `alg` at `now`. If all were made by a clock that was ahead, it is the
    /// first of them: there is nothing to wait for.
    pub fn current(&self, alg: SigningAlg, now: Timestamp) -> Option<&Arc<SigningKey>> {
        let own = || self.keys.iter().filter(|key| key.alg == alg);
        let active = own().filter(|key| key.active <= now).max_by_key(|key| key.order());
        active.or_else(|| own().min_by_key(|key| key.order()))
    }

    /// Whether there is a key for every algorithm.
    pub fn is_complete(&self, now: Timestamp) -> bool {
        SigningAlg::ALL.iter().all(|alg| self.current(*alg, now).is_some())
    }

    /// The JWK Set (RFC 7517 §5) at `now`. It is made anew only when a key has retired.
    pub fn jwks(&self, now: Timestamp) -> Arc<[u8]> {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let current = published.take().filter(|published| published.during.contains(&now));
        Arc::clone(&published.insert(current.unwrap_or_else(|| self.publish(now))).jwks)
    }

    fn publish(&self, now: Timestamp) -> Published {
        let published = self.keys.iter().filter(|key| key.is_published(now));
        let keys: Vec<&Value> = published.clone().map(|key| &key.jwk).collect();
        let end = published.filter_map(|key| key.retires).min();
        let during = now..end.unwrap_or(Timestamp::from_millis(u64::MAX));
        Published { during, jwks: json!({ "keys": keys }).to_string().into_bytes().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Refusal;
    use crate::secret::Entropy;
    use crate::store::schema::Retirement;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn ring() -> (Sealer, KeyRing) {
        let sealer = Sealer::new(&RootSecret::generate(&Entropy::seeded(1).seed()));
        let rows = SigningAlg::ALL.iter().map(|alg| generate(*alg, &sealer, NOW, NOW).unwrap());
        let ring = KeyRing::open(rows.collect(), &sealer).unwrap();
        (sealer, ring)
    }

    #[test]
    fn each_algorithm_signs_what_it_verifies() {
        let (_, ring) = ring();

        for alg in SigningAlg::ALL {
            let token = ring.current(*alg, NOW).unwrap().sign("at+jwt", &json!({"a": 1})).unwrap();

            let examined = ring.examine(&token, NOW).unwrap();
            assert_eq!((examined.claims, examined.kind), (json!({"a": 1}), JwtKind::Access));
            assert_eq!(examined.signature, Signature::Valid);
            let (head, signature) = token.rsplit_once('.').unwrap();
            let other = if signature.starts_with('A') { "B" } else { "A" };
            let forged = format!("{head}.{other}{}", &signature[1..]);
            assert_eq!(ring.examine(&forged, NOW).unwrap().signature, Signature::Wrong);
        }
    }

    /// A retired key may have leaked: it verifies no access token, but still an old hint.
    #[test]
    fn a_retired_key_verifies_hints_and_no_access_token() {
        let (sealer, _) = ring();
        let (id, mut row) = generate(SigningAlg::Es256, &sealer, NOW, NOW).unwrap();
        let at = Timestamp::from_seconds(2_000);
        row.retires = Some(Retirement { at, forgotten: Timestamp::from_seconds(9_000) });
        let ring = KeyRing::open(vec![(id, row)], &sealer).unwrap();
        let key = ring.current(SigningAlg::Es256, NOW).unwrap();
        let access = json!({"iss": "i", "sub": "s", "aud": "a", "exp": 9, "iat": 1, "nbf": 1,
                            "jti": "j", "client_id": "c", "scope": "openid"});
        let hint = json!({"iss": "i", "sub": "s", "aud": "a", "azp": "a", "exp": 9, "iat": 1, "auth_time": 1,
                          "acr": "phr", "amr": ["hwk"], "sid": "d"});
        let (access, hint) =
            (key.sign("at+jwt", &access).unwrap(), key.sign("JWT", &hint).unwrap());

        let early = Timestamp::from_seconds(1_999);

        assert!(ring.verify_access(&access, early).is_ok());
        let late = ring.verify_access(&access, at).map(drop);
        assert_eq!(late, Err(Refusal::BearerTokenKeyRetired));
        assert_eq!(ring.verify_access(&hint, early).map(drop), Err(Refusal::BearerTokenMalformed));
        assert_eq!(ring.verify_hint(&hint, at).unwrap().claims().sub, "s");
        assert_eq!(ring.verify_hint(&access, at).map(drop), Err(Refusal::IdTokenHintMalformed));
        assert_eq!(ring.examine(&access, at).unwrap().signature, Signature::Retired(at));
    }

    #[test]
    fn a_sealed_key_opens_only_under_its_own_root_and_name() {
        let (sealer, _) = ring();
        let (id, row) = generate(SigningAlg::EdDsa, &sealer, NOW, NOW).unwrap();
        let other = Sealer::new(&RootSecret::generate(&Entropy::seeded(2).seed()));

        assert!(SigningKey::open(id.clone(), &row, &other).is_err());
        assert!(SigningKey::open(KeyId::new("other"), &row, &sealer).is_err());
        assert!(SigningKey::open(id, &row, &sealer).is_ok());
    }

    #[test]
    fn a_key_is_sealed_anew_under_the_newest_root_and_then_needs_no_other() {
        let root = |seed| RootSecret::generate(&Entropy::seeded(seed).seed());
        let first = Generations::first(root(1));
        let both = first.succeeded_by(root(2)).unwrap();
        let [old, both, new] = [&first, &both, &both.newest_alone()].map(Sealer::of);
        let (id, row) = generate(SigningAlg::EdDsa, &old, NOW, NOW).unwrap();
        let bridge = generate_for_bridges(&old, NOW).unwrap();
        let lasting = old.seal_lasting(&root(1).lasting_key()).unwrap();

        let sealed = both.signing_key_anew(&id, &row).unwrap().unwrap();
        let anew = SigningKeyRow { sealed, ..row.clone() };

        assert!(SigningKey::open(id.clone(), &row, &both).is_ok());
        assert!(SigningKey::open(id.clone(), &row, &new).is_err());
        assert!(SigningKey::open(id.clone(), &anew, &new).is_ok());
        assert!(SigningKey::open(id.clone(), &anew, &old).is_err());
        assert_eq!(both.signing_key_anew(&id, &anew).unwrap(), None);
        let sealed = both.bridge_key_anew(&bridge).unwrap().unwrap();
        assert_eq!(new.bridge_key_anew(&BridgeKey { sealed, ..bridge }).unwrap(), None);
        assert!(both.open_lasting(&lasting).is_ok() && new.open_lasting(&lasting).is_err());
    }

    #[test]
    fn a_key_signs_from_its_hour_and_is_published_until_it_retires() {
        let (sealer, _) = ring();
        let later = Timestamp::from_seconds(2_000);
        let (old, mut old_row) = generate(SigningAlg::Es256, &sealer, NOW, NOW).unwrap();
        let at = Timestamp::from_seconds(3_000);
        old_row.retires = Some(Retirement { at, forgotten: Timestamp::from_seconds(9_000) });
        let (new, new_row) = generate(SigningAlg::Es256, &sealer, NOW, later).unwrap();
        let rows = vec![(old.clone(), old_row), (new.clone(), new_row)];
        let ring = KeyRing::open(rows, &sealer).unwrap();
        let published = |at| {
            let jwks: Value = serde_json::from_slice(&ring.jwks(at)).unwrap();
            jwks["keys"].as_array().unwrap().len()
        };

        assert_eq!(ring.current(SigningAlg::Es256, NOW).unwrap().id, old);
        assert_eq!(ring.current(SigningAlg::Es256, later).unwrap().id, new);
        let times = [NOW, Timestamp::from_millis(2_999_999), Timestamp::from_seconds(3_000), NOW];
        assert_eq!(times.map(published), [2, 2, 1, 2]);
    }
}
