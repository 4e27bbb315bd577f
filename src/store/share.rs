//! Shares: whom rows weigh on. Pools: rows that strangers may have stored.

use serde::{Deserialize, Serialize};

use crate::model::network::Network;
use crate::oauth::id::UserId;
use crate::store::key::Key;

/// Rows of one kind that strangers may have stored, within bounds of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pool {
    /// Anonymous sessions.
    AnonymousSessions = 1,
    /// Clients that registered or named themselves, until a person uses them.
    Clients = 2,
    /// Device authorizations.
    Devices = 3,
    /// Interactions.
    Interactions = 4,
    /// Pushed authorization requests.
    PushedRequests = 5,
    /// Counts of attempts.
    Attempts = 6,
    /// Used assertions of clients in their pool. One that is taken could be used again until it
    /// expires, by whoever stored the most of them.
    UsedAssertions = 7,
    /// Events that strangers and clients cause, and those of people.
    Events = 8,
}

impl Pool {
    /// Every pool.
    pub const ALL: [Self; 8] = [
        Self::AnonymousSessions,
        Self::Attempts,
        Self::Clients,
        Self::Devices,
        Self::Events,
        Self::Interactions,
        Self::PushedRequests,
        Self::UsedAssertions,
    ];

    /// Its name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnonymousSessions => "anonymous sessions",
            Self::Attempts => "counts of attempts",
            Self::Clients => "clients",
            Self::Devices => "device authorizations",
            Self::Events => "events",
            Self::Interactions => "interactions",
            Self::PushedRequests => "pushed requests",
            Self::UsedAssertions => "used assertions",
        }
    }
}

/// Who holds a row of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Holder {
    /// A network of strangers, the narrowest of the address.
    Network(Network),
    /// A person. Strangers cannot take the row.
    Person(UserId),
}

/// How long a row of a pool is left to its holder: a full pool takes the rows of the first rank that
/// holds its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rank {
    /// It is of no use any more.
    Ended = 0,
    /// Anybody could have it stored.
    Plain = 1,
    /// The request brought a proof: the credentials of a client, or an ID token as a hint.
    Vouched = 2,
    /// A page was opened for it.
    Opened = 3,
}

/// The place of a row in its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Who holds it.
    pub holder: Holder,
    /// Its rank.
    pub rank: Rank,
}

impl Rank {
    /// Every rank, from the first.
    pub const ALL: [Self; 4] = [Self::Ended, Self::Plain, Self::Vouched, Self::Opened];
}

impl Holding {
    /// A row that strangers hold.
    pub const fn strangers(network: Network, rank: Rank) -> Self {
        Self { holder: Holder::Network(network), rank }
    }

    /// A row that a person holds.
    pub const fn persons(user: UserId) -> Self {
        Self { holder: Holder::Person(user), rank: Rank::Opened }
    }
}

/// Whom a row weighs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Share {
    /// All strangers together, in one pool.
    Pool(Pool),
    /// A network of strangers, in one pool.
    Network(Pool, Network),
    /// A person.
    Person(UserId),
    /// The deliveries of events that wait.
    EventDeliveries,
}

impl Share {
    /// The shares that a row of `pool` weighs on.
    pub(super) fn of(pool: Pool, holder: &Holder) -> Vec<Self> {
        match holder {
            Holder::Person(user) => vec![Self::Person(*user)],
            Holder::Network(network) => {
                let networks = network.and_wider().map(|network| Self::Network(pool, network));
                std::iter::once(Self::Pool(pool)).chain(networks).collect()
            }
        }
    }
}

impl Key for Pool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let byte = read_byte(bytes)?;
        Self::ALL.into_iter().find(|pool| *pool as u8 == byte)
    }
}

impl Key for Rank {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let byte = read_byte(bytes)?;
        Self::ALL.into_iter().find(|rank| *rank as u8 == byte)
    }
}

/// Appends the first bytes of the shares of the networks of one version and length. The bytes of
/// the prefix follow, so that the networks within a wider one are neighbours.
pub(super) fn write_networks(pool: Pool, v6: bool, length: u8, out: &mut Vec<u8>) {
    out.push(1);
    pool.write(out);
    out.extend([u8::from(v6), length]);
}

impl Key for Network {
    fn write(&self, out: &mut Vec<u8>) {
        let prefix = self.prefix();
        out.extend([u8::from(self.is_v6()), u8::try_from(prefix.len()).unwrap_or(u8::MAX)]);
        out.extend_from_slice(prefix);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (v6, length) = (read_byte(bytes)?, read_byte(bytes)?);
        let (prefix, rest) = bytes.split_at_checked(length.into())?;
        *bytes = rest;
        Self::from_parts(v6 == 1, prefix)
    }
}

impl Key for Holder {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Network(network) => {
                out.push(0);
                network.write(out);
            }
            Self::Person(user) => {
                out.push(1);
                user.write(out);
            }
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        match read_byte(bytes)? {
            0 => Some(Self::Network(Network::read(bytes)?)),
            1 => Some(Self::Person(UserId::read(bytes)?)),
            _ => None,
        }
    }
}

impl Key for Share {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Pool(pool) => {
                out.push(0);
                pool.write(out);
            }
            Self::Network(pool, network) => {
                let prefix = network.prefix();
                let length = u8::try_from(prefix.len()).unwrap_or(u8::MAX);
                write_networks(*pool, network.is_v6(), length, out);
                out.extend_from_slice(prefix);
            }
            Self::Person(user) => {
                out.push(2);
                user.write(out);
            }
            Self::EventDeliveries => out.push(3),
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        match read_byte(bytes)? {
            0 => Some(Self::Pool(Pool::read(bytes)?)),
            1 => Some(Self::Network(Pool::read(bytes)?, Network::read(bytes)?)),
            2 => Some(Self::Person(UserId::read(bytes)?)),
            3 => Some(Self::EventDeliveries),
            _ => None,
        }
    }
}

fn read_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (byte, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*byte)
}
