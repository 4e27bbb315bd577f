//! What each key of a ring does now, for an operator who wants to know.

use super::{KeyRing, SigningKey};
use crate::clock::Timestamp;
use crate::oauth::client::SigningAlg;
use crate::oauth::id::KeyId;

/// A key, and what it does now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStanding {
    /// Its algorithm.
    pub alg: SigningAlg,
    /// The time of its creation, from which it is published.
    pub created: Timestamp,
    /// Its `kid`.
    pub id: KeyId,
    /// The time from which it is no longer published; `None` until it has a successor.
    pub published_until: Option<Timestamp>,
    /// The time at which it is removed; `None` until it has a successor.
    pub removed: Option<Timestamp>,
    /// The time from which it signs.
    pub signs_from: Timestamp,
    /// The time from which its successor signs, if it has one.
    pub signs_until: Option<Timestamp>,
    /// What it does now.
    pub state: KeyState,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It is published and does not sign yet.
    Published,
    /// It is no longer published, and verifies hints alone.
    Retired,
    /// It no longer signs, and is published for as long as what it signed is valid.
    Retiring,
    /// It signs.
    Signing,
}

impl KeyRing {
    /// Every key and what it does at `now`, in the order of the algorithms' names, and for each the
    /// newest key first.
    pub fn standings(&self, now: Timestamp) -> Vec<KeyStanding> {
        let mut keys: Vec<&SigningKey> = self.keys.iter().map(AsRef::as_ref).collect();
        keys.sort_by_key(|key| (key.alg.as_str(), std::cmp::Reverse(key.order())));
        keys.into_iter().map(|key| self.standing(key, now)).collect()
    }

    fn standing(&self, key: &SigningKey, now: Timestamp) -> KeyStanding {
        let later = |other: &&SigningKey| other.alg == key.alg && other.order() > key.order();
        let successors = self.keys.iter().map(AsRef::as_ref).filter(later);
        let signs = self.current(key.alg, now).is_some_and(|current| current.id == key.id);
        let state = if signs {
            KeyState::Signing
        } else if !key.is_published(now) {
            KeyState::Retired
        } else if key.retires.is_none() {
            KeyState::Published
        } else {
            KeyState::Retiring
        };
        KeyStanding {
            alg: key.alg,
            created: key.created,
            id: key.id.clone(),
            published_until: key.retires,
            removed: key.forgotten,
            signs_from: key.active,
            signs_until: successors.map(|successor| successor.active).min(),
            state,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Sealer, generate};
    use crate::secret::{Entropy, RootSecret};
    use crate::store::schema::Retirement;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_key_is_published_then_signs_then_retires_and_its_times_say_so() {
        let sealer = Sealer::new(&RootSecret::generate(&Entropy::seeded(1).seed()));
        let (old, mut old_row) = generate(SigningAlg::EdDsa, &sealer, at(10), at(10)).unwrap();
        old_row.retires = Some(Retirement { at: at(40), forgotten: at(90) });
        let (new, new_row) = generate(SigningAlg::EdDsa, &sealer, at(20), at(30)).unwrap();
        let rows = vec![(old.clone(), old_row), (new.clone(), new_row)];
        let ring = KeyRing::open(rows, &sealer).unwrap();
        let states = |now| {
            let standings = ring.standings(at(now));
            standings.into_iter().map(|key| (key.id, key.state)).collect::<Vec<_>>()
        };

        for (now, newer, older) in [
            (20, KeyState::Published, KeyState::Signing),
            (30, KeyState::Signing, KeyState::Retiring),
            (40, KeyState::Signing, KeyState::Retired),
        ] {
            assert_eq!(states(now), [(new.clone(), newer), (old.clone(), older)], "{now}");
        }
        let [newer, older] = ring.standings(at(20)).try_into().unwrap();
        assert_eq!((older.signs_from, older.signs_until), (at(10), Some(at(30))));
        assert_eq!((older.published_until, older.removed), (Some(at(40)), Some(at(90))));
        assert_eq!((newer.signs_until, newer.published_until), (None, None));
    }

    /// A key that an operator replaces in the second in which it began to sign.
    #[test]
    fn of_two_keys_of_one_second_the_successor_signs() {
        let sealer = Sealer::new(&RootSecret::generate(&Entropy::seeded(1).seed()));
        for _ in 0..8 {
            let (old, mut old_row) = generate(SigningAlg::EdDsa, &sealer, at(10), at(10)).unwrap();
            old_row.retires = Some(Retirement { at: at(40), forgotten: at(90) });
            let (new, new_row) = generate(SigningAlg::EdDsa, &sealer, at(10), at(10)).unwrap();
            let mut rows = vec![(old.clone(), old_row), (new.clone(), new_row)];
            // As the store lists them.
            rows.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
            let ring = KeyRing::open(rows, &sealer).unwrap();

            assert_eq!(ring.current(SigningAlg::EdDsa, at(10)).unwrap().id, new);
            assert_eq!(ring.standings(at(10))[1].state, KeyState::Retiring);
        }
    }
}
