//! Endings whose rows are still to be removed.

use serde::{Deserialize, Serialize};

use super::layout;
use crate::clock::Timestamp;
use crate::oauth::id::{ClientId, SessionId, UserId};
use crate::store::{Entries, Key, Row, Tag};

/// What ended, and so which rows are to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// What a person authorized a client to do: consents and grants.
    Authorization(UserId, ClientId),
    /// The grants of a client.
    Client(ClientId),
    /// Everything of a person.
    Person(UserId),
    /// The grants of a browser session.
    Session(SessionId),
    /// The browser sessions of a person.
    Sessions(UserId),
}

impl Key for Subject {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Authorization(user, client) => {
                out.push(0);
                user.write(out);
                client.write(out);
            }
            Self::Client(client) => {
                out.push(1);
                client.write(out);
            }
            Self::Person(user) => {
                out.push(2);
                user.write(out);
            }
            Self::Session(session) => {
                out.push(3);
                session.write(out);
            }
            Self::Sessions(user) => {
                out.push(4);
                user.write(out);
            }
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        *bytes = rest;
        Some(match kind {
            0 => Self::Authorization(UserId::read(bytes)?, ClientId::read(bytes)?),
            1 => Self::Client(ClientId::read(bytes)?),
            2 => Self::Person(UserId::read(bytes)?),
            3 => Self::Session(SessionId::read(bytes)?),
            4 => Self::Sessions(UserId::read(bytes)?),
            _ => return None,
        })
    }
}

/// Rows to be removed because their subject ended. The row exists until none is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// When the subject ended. Later rows of the same subject stay.
    pub at: Timestamp,
    /// The last row that was looked at, if later rows of the same subject can exist.
    pub cursor: Option<[u8; 16]>,
}

layout!(RemovalLayout, Removal);

impl Row for Removal {
    type Key = Subject;
    type Layout = RemovalLayout;
    const TABLE: Tag = Tag { byte: 70, name: "removals" };

    fn entries(&self, _key: &Subject, into: &mut Entries) {
        into.expire(self.at);
    }
}
