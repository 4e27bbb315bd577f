//! Who does something.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::oauth::id::{ClientId, UserId};
use crate::oauth::scope::Scope;

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
    /// An administrator, by an access token or at the pages of the administration.
    Administrator {
        /// The client that sent the token; `None`: the person is at the pages.
        client: Option<ClientId>,
        /// The person who allowed it or is at the pages; `None`: the client acts for itself.
        person: Option<UserId>,
    },
    /// A person, at a page or with a credential of theirs.
    Person(UserId),
    /// A client.
    Client(ClientId),
    /// Nobody is proven.
    Stranger,
}

impl Actor {
    /// The person who does it, alone or by a client.
    pub const fn person(&self) -> Option<UserId> {
        match self {
            Self::Administrator { person, .. } => *person,
            Self::Person(person) => Some(*person),
            Self::Client(_) | Self::Operator { .. } | Self::Server | Self::Stranger => None,
        }
    }
}

/// Who does something, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acting {
    /// Who.
    pub actor: Actor,
    /// The address of the request; `None` of the socket, of a command and of the server by itself.
    pub address: Option<IpAddr>,
    /// The scopes of the administration that an administrator has here; empty for anybody else.
    pub scope: Scope,
}

/// The scope that has every right of the administration.
pub const WHOLE_ADMINISTRATION: &str = "admin";

impl Acting {
    /// A request from `address`, before anybody is proven.
    pub const fn stranger(address: IpAddr) -> Self {
        Self { actor: Actor::Stranger, address: Some(address), scope: Scope::EMPTY }
    }

    /// As [`Acting::stranger`], from an address as text.
    pub fn stranger_at(address: &str) -> Self {
        Self { actor: Actor::Stranger, address: address.parse().ok(), scope: Scope::EMPTY }
    }

    /// A request of `person` from `address`.
    pub const fn person(person: UserId, address: IpAddr) -> Self {
        Self { actor: Actor::Person(person), address: Some(address), scope: Scope::EMPTY }
    }

    /// Whoever reaches the socket as the user `uid` of the operating system.
    pub const fn operator(uid: Option<u32>) -> Self {
        Self { actor: Actor::Operator { uid }, address: None, scope: Scope::EMPTY }
    }

    /// Whether an operation of the administration that needs one of `scopes` is open to them.
    pub fn may(&self, scopes: &[&str]) -> bool {
        match &self.actor {
            Actor::Operator { .. } | Actor::Server => true,
            Actor::Administrator { .. } => {
                self.scope.has(WHOLE_ADMINISTRATION)
                    || scopes.iter().any(|scope| self.scope.has(scope))
            }
            Actor::Client(_) | Actor::Person(_) | Actor::Stranger => false,
        }
    }

    /// What an administrator lacks of `scope`, which are scopes of the administration. Nobody else is
    /// bounded by such scopes: an operator has them all, and a person or a client acts only on what is
    /// theirs.
    #[must_use]
    pub fn lacks(&self, scope: &Scope) -> Scope {
        match &self.actor {
            Actor::Administrator { .. } if !self.scope.has(WHOLE_ADMINISTRATION) => {
                scope.minus(&self.scope)
            }
            Actor::Administrator { .. }
            | Actor::Client(_)
            | Actor::Operator { .. }
            | Actor::Person(_)
            | Actor::Server
            | Actor::Stranger => Scope::EMPTY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn administrator(scope: &str) -> Acting {
        let client = "robot".parse().ok();
        let actor = Actor::Administrator { client, person: None };
        Acting { actor, address: None, scope: scope.parse().unwrap() }
    }

    #[test]
    fn an_administrator_may_what_one_of_their_scopes_says_and_with_admin_everything() {
        assert!(administrator("admin:people").may(&["admin:read", "admin:people"]));
        assert!(!administrator("admin:people").may(&["admin:clients"]));
        assert!(administrator("admin").may(&["admin:clients"]));
        assert!(!administrator("").may(&[]));
        assert!(Acting::operator(None).may(&["admin"]));
        assert!(!Acting::stranger(IpAddr::from([127, 0, 0, 1])).may(&["admin:read"]));
    }

    #[test]
    fn only_an_administrator_lacks_scopes() {
        let touched: Scope = "admin admin:people".parse().unwrap();

        assert_eq!(administrator("admin:people").lacks(&touched).to_string(), "admin");
        assert!(administrator("admin").lacks(&touched).is_empty());
        assert!(Acting::operator(None).lacks(&touched).is_empty());
    }
}
