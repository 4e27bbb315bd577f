//! Admission: what is stored before a person is proven, within the bounds of its [`Pool`].
//!
//! A full pool never refuses the newcomer. It takes from whoever holds most: of the widest networks
//! the one that weighs most, in it the narrower one that weighs most, and there rows of one
//! [`Rank`], the oldest first. It is the first rank that holds at least a third of the rows, so that
//! many rows of a higher rank push out none of a lower one. So a flood takes from itself, wherever it
//! comes from and whatever it brings. Rows that a person holds are not taken for strangers.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use crate::config::Config;
use crate::error::Error;
use crate::flow::Context;
use crate::model::network::Network;
use crate::oauth::client::ClientType;
use crate::oauth::id::UserId;
use crate::store::schema::{self, Client, Origin, Taken, UsedAssertion};
use crate::store::{
    Held, Holder, Holding, Pool, Rank, Row as _, Share, StoreError, Tx, View, Weight, row_key,
};

/// The part of a pool that is freed at once, so that a full one is not searched for each row.
const FREED: u64 = 32;

/// The number of rows of a network that are read at once.
const READ_AT_ONCE: usize = 512;

/// A rank that holds one in so many rows of its network gives up its oldest. Three ranks share a
/// network, so one of them does.
const RANKS: u64 = 3;

/// The most counts of attempts.
const MAX_ATTEMPTS: usize = 20_000;

/// The room for used assertions, for each client that the pool of clients has room for. A client that
/// nobody uses may have so many stored at once.
pub const ASSERTIONS_OF_CLIENT: usize = 16;

/// The most rows of one pool that a person holds. The oldest go first.
const fn limit_of_person(pool: Pool) -> usize {
    match pool {
        Pool::Events => 1000,
        Pool::AnonymousSessions
        | Pool::Attempts
        | Pool::Clients
        | Pool::Devices
        | Pool::Interactions
        | Pool::PushedRequests
        | Pool::UsedAssertions => 64,
    }
}

/// Stores a row that a stranger asks for, or a change that may make it larger, and frees what the
/// bounds of its pool ask for.
pub fn store<R: Held>(tx: &mut Tx<'_>, cx: &Context, key: &R::Key, row: R) -> Result<(), Error> {
    let holding = row.holding();
    tx.put(key, row)?;
    let Some(Holding { holder: Holder::Network(network), .. }) = holding else { return Ok(()) };
    let row = row_key::<R>(key);
    let newcomer = Newcomer { pool: R::POOL, network, weight: tx.weight_of(&row)?, row };
    let whole = bound(&cx.rules.config, R::POOL);
    for within in network.and_wider() {
        free(tx, cx, &newcomer, Some(within), part(whole, share_of(&within)))?;
    }
    free(tx, cx, &newcomer, None, whole)
}

/// Gives a row to the person whose session opened its page. `held` is the row, changed so that they
/// hold it.
pub fn give<R: Held>(tx: &mut Tx<'_>, key: &R::Key, held: R, user: UserId) -> Result<(), Error> {
    tx.put(key, held)?;
    let limit = limit_of_person(R::POOL);
    let rows = tx.held(R::POOL, &Holder::Person(user), limit + 1)?;
    if rows.len() > limit {
        let own = row_key::<R>(key);
        if let Some(oldest) = rows.iter().find(|row| **row != own) {
            remove(tx, oldest)?;
        }
    }
    Ok(())
}

/// The rank of what `client` has stored. Credentials vouch for it, unless a stranger could have
/// them: anybody can register.
pub fn rank(client: &Client) -> Rank {
    match client.metadata.client_type() {
        ClientType::Confidential if !client.is_strangers() => Rank::Vouched,
        ClientType::Confidential | ClientType::Public => Rank::Plain,
    }
}

/// The most that strangers hold of a pool.
///
/// The bytes follow from the rows: most rows are far smaller than their part.
pub fn bound(config: &Config, pool: Pool) -> Weight {
    let policy = &config.policy;
    let (rows, bytes) = match pool {
        Pool::Attempts => (MAX_ATTEMPTS, 128),
        Pool::AnonymousSessions => (policy.anonymous_sessions, 1024),
        Pool::Clients => (config.registration.unused, 8 * 1024),
        Pool::Devices | Pool::Interactions | Pool::PushedRequests => (policy.interactions, 2048),
        Pool::Events => (config.events.refusals, 1024),
        Pool::UsedAssertions => {
            (config.registration.unused.saturating_mul(ASSERTIONS_OF_CLIENT), 256)
        }
    };
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    Weight { rows, bytes: rows.saturating_mul(bytes) }
}

/// How many rows each pool has taken, by the name of the pool.
pub fn taken(view: &impl View) -> Result<Vec<(&'static str, u64)>, StoreError> {
    let taken =
        |pool: Pool| Ok((pool.name(), view.find::<Taken>(&pool)?.map_or(0, |row| row.rows)));
    Pool::ALL.into_iter().map(taken).collect()
}

/// What each pool has taken, of those that were ever full.
pub fn pools_that_took(view: &impl View) -> Result<Vec<(Pool, Taken)>, StoreError> {
    let mut found = Vec::new();
    for pool in Pool::ALL {
        found.extend(view.find::<Taken>(&pool)?.map(|taken| (pool, taken)));
    }
    Ok(found)
}

/// The part of a pool that one network may hold: one in so many. Loopback may hold all of it: there
/// everybody has one address.
fn share_of(network: &Network) -> u64 {
    let prefix = network.prefix().len();
    match (network.is_v6(), prefix) {
        _ if network.is_loopback() => 1,
        (true, 8) => 8,
        (true, 7) | (false, 4) => 4,
        (true, _) | (false, _) => 2,
    }
}

fn part(Weight { rows, bytes }: Weight, of: u64) -> Weight {
    Weight { rows: rows.div_ceil(of), bytes: bytes.div_ceil(of) }
}

/// Removes rows in `within`, or in the whole pool, if what strangers hold there exceeds `bound`.
/// Then it frees a little more, so that the next newcomers find room.
fn free(
    tx: &mut Tx<'_>,
    cx: &Context,
    newcomer: &Newcomer,
    within: Option<Network>,
    bound: Weight,
) -> Result<(), Error> {
    let share = match within {
        Some(network) => Share::Network(newcomer.pool, network),
        None => Share::Pool(newcomer.pool),
    };
    let mut held = tx.weight(&share)?;
    if held.fits(bound) {
        return Ok(());
    }
    let target = bound - part(bound, FREED);
    let mut holders = Holders { newcomer, bound, networks: BTreeMap::new(), rows: BTreeMap::new() };
    let mut taken = tx.find::<Taken>(&newcomer.pool)?.unwrap_or_default();
    while !held.fits(target) {
        let Some((row, weight)) = holders.next(tx, within)? else { break };
        remove(tx, &row)?;
        held = held - weight;
        taken.rows += 1;
    }
    taken.last = cx.now;
    Ok(tx.put(&newcomer.pool, taken)?)
}

/// The row that is being stored.
struct Newcomer {
    pool: Pool,
    network: Network,
    row: Vec<u8>,
    weight: Weight,
}

/// Who holds how much of a pool beside the newcomer, as far as it was read.
struct Holders<'a> {
    newcomer: &'a Newcomer,
    /// The measure of rows and bytes.
    bound: Weight,
    /// What the networks within a wider one hold.
    networks: BTreeMap<Option<Network>, Vec<(Network, Weight)>>,
    /// The rows of a network that go next.
    rows: BTreeMap<Network, VecDeque<Vec<u8>>>,
}

impl Holders<'_> {
    /// The next row to remove of those within a network, and its weight.
    fn next(
        &mut self,
        view: &impl View,
        within: Option<Network>,
    ) -> Result<Option<(Vec<u8>, Weight)>, StoreError> {
        let Some(holder) = self.heaviest(view, within)? else { return Ok(None) };
        let rows = self.rows.entry(holder).or_default();
        if rows.is_empty() {
            rows.extend(next_rows(view, self.newcomer, holder)?);
        }
        let Some(row) = rows.pop_front() else { return Ok(None) };
        let weight = view.weight_of(&row)?;
        for network in holder.and_wider() {
            let siblings = self.networks.get_mut(&network.wider()).into_iter().flatten();
            for (_, held) in siblings.filter(|(sibling, _)| *sibling == network) {
                *held = *held - weight;
            }
        }
        Ok(Some((row, weight)))
    }

    /// The narrowest network that holds most: at each length the heaviest within the one before.
    fn heaviest(
        &mut self,
        view: &impl View,
        within: Option<Network>,
    ) -> Result<Option<Network>, StoreError> {
        let mut heaviest = within;
        while heaviest.is_none_or(|network| network.narrower().is_some()) {
            let bound = self.bound;
            let networks = self.networks_within(view, heaviest)?;
            let held = networks.iter().filter(|(_, held)| held.rows > 0);
            let Some((network, _)) = held.max_by_key(|(_, held)| load(*held, bound)) else {
                return Ok(None);
            };
            heaviest = Some(*network);
        }
        Ok(heaviest)
    }

    fn networks_within(
        &mut self,
        view: &impl View,
        within: Option<Network>,
    ) -> Result<&[(Network, Weight)], StoreError> {
        let networks = match self.networks.entry(within) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let mut networks = view.holders(self.newcomer.pool, within.as_ref())?;
                for (network, held) in &mut networks {
                    if self.newcomer.network.and_wider().any(|own| own == *network) {
                        *held = *held - self.newcomer.weight;
                    }
                }
                unknown.insert(networks)
            }
        };
        Ok(networks)
    }
}

/// The rows of a network that go next, beside the newcomer: what has ended, and then the oldest of the
/// first rank that holds its part.
fn next_rows(
    view: &impl View,
    newcomer: &Newcomer,
    network: Network,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let (pool, holder) = (newcomer.pool, Holder::Network(network));
    let held = view.weight(&Share::Network(pool, network))?.rows;
    let part = usize::try_from(held.div_ceil(RANKS)).unwrap_or(usize::MAX);
    let mut first = Vec::new();
    for rank in Rank::ALL {
        let mut rows = view.held_at(pool, &holder, rank, READ_AT_ONCE)?;
        rows.retain(|row| *row != newcomer.row);
        let goes = rank == Rank::Ended || view.count_held_at(pool, &holder, rank, part)? >= part;
        if goes && !rows.is_empty() {
            return Ok(rows);
        }
        if first.is_empty() {
            first = rows;
        }
    }
    Ok(first)
}

/// How much of `bound` is held, as a number to compare: by rows or by bytes, whichever is more.
fn load(held: Weight, bound: Weight) -> u128 {
    let of = |held: u64, other: u64| u128::from(held) * u128::from(other);
    of(held.rows, bound.bytes).max(of(held.bytes, bound.rows))
}

/// Removes a row that a full pool takes. A client in a pool has no grants, since no person has used
/// it. Its used assertions go with it, unless its id can come back, as that of a document can.
fn remove(tx: &mut Tx<'_>, row: &[u8]) -> Result<(), StoreError> {
    if row.first() != Some(&Client::TABLE.byte) {
        return schema::remove_listed(tx, row);
    }
    let id = tx.listed_key::<Client>(row)?;
    let removed = tx.remove::<Client>(&id)?;
    if removed.is_some_and(|client| matches!(client.origin, Origin::Dynamic { .. })) {
        for (used, _) in tx.list_under::<UsedAssertion, _>(&id, READ_AT_ONCE)? {
            tx.remove::<UsedAssertion>(&used)?;
        }
    }
    Ok(())
}
