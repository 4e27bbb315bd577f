//! The family of a grant: its refresh tokens, none of which has a row.
//!
//! A token names its grant and its generation, and proves both by its MAC ([`RefreshToken`]). The
//! row of the grant holds the generation of the newest token and the last spendings, by which every
//! older generation is known to be inside or outside the replay grace. A rotation replaces that row and
//! leaves nothing else behind, and a replay is recognised by one comparison, however old it is.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Refusal};
use crate::flow::installation::restore;
use crate::flow::{Context, Present};
use crate::oauth::id::GrantId;
use crate::secret::{RefreshSalt, RefreshToken};
use crate::store::schema::{Family, Grant, Spending};
use crate::store::{StoreError, View};

/// The number of windows in a grace.
const WINDOWS: u64 = 8;

/// The most spendings that are kept, one a window: that of the window that has begun, and those of the
/// eight before it, which are a grace long. Eight in all would forget the oldest inside its grace.
const MAX_SPENDINGS: usize = 9;

/// A family whose first token is issued now.
pub fn create(cx: &Context) -> Family {
    let salt = RefreshSalt::from_seed(&cx.seed);
    let key = cx.rules.pepper.generation();
    Family { ahead: false, key, spendings: Vec::new(), newest: 0, salt }
}

/// The newest token of a family.
pub fn newest(cx: &Context, id: GrantId, family: &Family) -> RefreshToken {
    cx.rules.pepper.refresh_token(&family.salt, id.uuid(), family.newest)
}

/// A refresh token that this server made.
pub struct KnownToken {
    /// The id of its grant.
    pub id: GrantId,
    /// Its grant.
    pub grant: Arc<Grant>,
    /// Its family.
    pub family: Family,
    /// Its generation.
    pub generation: u64,
}

/// The place of a token in its family.
#[derive(Debug, PartialEq, Eq)]
pub enum Place {
    /// It is newer than any that the store knows of.
    Ahead,
    /// It is the newest.
    Newest,
    /// It was spent: at this time or up to a window earlier, or longer ago than any grace.
    Spent(Option<Timestamp>),
}

/// Reads a token, if this server made it and its grant was not removed.
pub fn find(
    view: &impl View,
    cx: &Present,
    token: &RefreshToken,
) -> Result<Option<KnownToken>, StoreError> {
    let id = GrantId::from(token.grant());
    let Some(grant) = view.find_shared::<Grant>(&id)? else { return Ok(None) };
    let Some(family) = grant.family.clone() else { return Ok(None) };
    let generation = cx.rules.pepper.generation_of(&family.salt, token);
    Ok(generation.map(|generation| KnownToken { id, grant, family, generation }))
}

impl KnownToken {
    /// Its place in its family.
    pub fn place(&self) -> Place {
        place(&self.family, self.generation)
    }

    /// The time at which the newest token of its family expires if it is not used.
    pub fn expires(&self, view: &impl View, cx: &Present) -> Result<Timestamp, StoreError> {
        let idle = cx.rules.config.lifetimes.refresh_idle;
        let issued = self.family.spendings.last().map_or(self.grant.created, |last| last.at);
        let expires = restore::idle_expiry(view, cx, issued + idle, idle)?;
        Ok(expires.min(self.grant.expires))
    }

    /// Checks that a token ahead of the store may be taken, and returns whether a recorded restore
    /// explains it. Without such a record the store is a copy or was rolled back, and one is taken
    /// in the life of a grant.
    ///
    /// # Errors
    ///
    /// [`Refusal::RefreshAhead`] if one was taken before.
    pub fn check_ahead(&self, view: &impl View, cx: &Present) -> Result<bool, Error> {
        let idle = cx.rules.config.lifetimes.refresh_idle;
        let restored = restore::explains(view, cx, self.grant.created, idle)?;
        if !restored && self.family.ahead {
            return Err(Refusal::RefreshAhead.into());
        }
        Ok(restored)
    }
}

fn place(family: &Family, generation: u64) -> Place {
    match generation.cmp(&family.newest) {
        Ordering::Less => {
            let spending = family.spendings.iter().rfind(|own| own.first <= generation);
            Place::Spent(spending.map(|own| own.at))
        }
        Ordering::Equal => Place::Newest,
        Ordering::Greater => Place::Ahead,
    }
}

/// Spends `generation`, and with it every one before it that was not spent yet. The next is the
/// newest then.
///
/// What is spent in one window counts as spent at the time of the last. So the grace of a generation
/// lasts `grace`, and up to a window longer.
pub fn spend(family: &mut Family, generation: u64, now: Timestamp, grace: Duration) {
    let window = |at: Timestamp| at.millis() / window_millis(grace);
    family.spendings.retain(|own| now.apart(own.at) <= grace);
    match family.spendings.last_mut() {
        Some(last) if window(last.at) == window(now) => last.at = last.at.max(now),
        Some(_) | None => family.spendings.push(Spending { first: family.newest, at: now }),
    }
    if family.spendings.len() > MAX_SPENDINGS {
        family.spendings.remove(0);
    }
    family.newest = generation.saturating_add(1);
}

/// The length of a window: an eighth of the grace, in whole seconds.
fn window_millis(grace: Duration) -> u64 {
    grace.as_secs().div_ceil(WINDOWS).max(1) * 1000
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::Entropy;

    fn family() -> Family {
        let salt = RefreshSalt::from_seed(&Entropy::seeded(1).seed());
        Family { ahead: false, key: 1, spendings: Vec::new(), newest: 0, salt }
    }

    /// Spends a generation after each of `pauses`, in milliseconds, and checks every generation
    /// after each.
    fn check(grace: Duration, pauses: impl IntoIterator<Item = u64>) {
        let window = Duration::from_millis(window_millis(grace));
        let (mut family, mut spent) = (family(), Vec::new());
        let mut now = Timestamp::from_seconds(1_767_225_600);
        for pause in pauses {
            now = now + Duration::from_millis(pause);
            let newest = family.newest;
            spend(&mut family, newest, now, grace);
            spent.push(now);

            assert!(family.spendings.len() <= MAX_SPENDINGS);
            for (generation, spent) in (0..).zip(&spent) {
                let Place::Spent(judged) = place(&family, generation) else {
                    panic!("{generation} was spent");
                };
                let inside = judged.is_some_and(|judged| now.since(judged) <= grace);
                let age = now.since(*spent);
                assert!(inside || age > grace, "{generation} is forgotten after {age:?}");
                assert!(!inside || age <= grace + window, "{generation} lives for {age:?}");
            }
        }
        assert_eq!(place(&family, family.newest), Place::Newest);
        assert_eq!(place(&family, family.newest + 1), Place::Ahead);
    }

    #[test]
    fn the_default_grace_lasts_60_to_68_seconds() {
        let grace = Duration::from_mins(1);

        assert_eq!(window_millis(grace), 8_000);
        for pause in [100, 999, 1_000, 3_999, 4_001, 7_999, 8_000, 8_001, 60_000, 60_001] {
            check(grace, std::iter::repeat_n(pause, 400));
        }
    }

    proptest! {
        #[test]
        fn every_spent_generation_is_known_to_be_inside_or_outside_the_grace(
            grace in 1..=600_u64,
            pauses in prop_oneof![
                proptest::collection::vec(0..3_000_u64, 1..150),
                proptest::collection::vec(0..20_000_u64, 1..100),
                proptest::collection::vec(prop_oneof![0..9_u64, 7_000..9_000_u64, 50_000..70_000_u64], 1..100),
            ],
        ) {
            check(Duration::from_secs(grace), pauses);
        }
    }

    #[test]
    fn what_was_lost_with_the_store_counts_as_spent_when_a_later_token_returns() {
        let (mut family, now) = (family(), Timestamp::from_seconds(1_767_225_600));

        spend(&mut family, 7, now, Duration::from_mins(1));

        assert_eq!(family.newest, 8);
        for generation in 0..=7 {
            assert_eq!(place(&family, generation), Place::Spent(Some(now)));
        }
    }

    #[test]
    fn a_rotation_now_and_then_keeps_one_spending() {
        let (mut family, mut now) = (family(), Timestamp::from_seconds(1_767_225_600));

        for generation in 0..100 {
            now = now + Duration::from_mins(15);
            spend(&mut family, generation, now, Duration::from_mins(1));
        }

        assert_eq!(family.spendings, [Spending { first: 99, at: now }]);
    }
}
