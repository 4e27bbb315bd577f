//! Who does something.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::oauth::id::{ClientId, UserId};

/// Who does something, as far as it is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// The server by itself.
    #[default]
    Server,
    /// Whoever reaches the socket, or runs a command in the data directory.
    Operator {
        /// The id of the user of the operating system; `None` if the system does not say it.
        uid: Option<u32>,
    },
    /// An administrator, by an access token.
    Administrator {
        /// The client that sent the token.
        client: ClientId,
        /// The person who allowed it; `None`: the client acts for itself.
        person: Option<UserId>,
    },
    /// A person, at a page or with a credential of theirs.
    Person(UserId),
    /// A client.
    Client(ClientId),
    /// Nobody is proven.
    Stranger,
}

/// Who does something, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acting {
    /// Who.
    pub actor: Actor,
    /// The address of the request; `None` of the socket, of a command and of the server by itself.
    pub address: Option<IpAddr>,
}

impl Acting {
    /// A request from `address`, before anybody is proven.
    pub const fn stranger(address: IpAddr) -> Self {
        Self { actor: Actor::Stranger, address: Some(address) }
    }

    /// As [`Acting::stranger`], from an address as text.
    pub fn stranger_at(address: &str) -> Self {
        Self { actor: Actor::Stranger, address: address.parse().ok() }
    }

    /// A request of `person` from `address`.
    pub const fn person(person: UserId, address: IpAddr) -> Self {
        Self { actor: Actor::Person(person), address: Some(address) }
    }
}
