//! Pending removals of the rows of ended subjects.

use serde::{Deserialize, Serialize};

use super::{Client, Person, layout};
use crate::clock::Timestamp;
use crate::oauth::id::{ClientId, SessionId, UserId};
use crate::store::{Entries, Key, Reference, References, Row, Tag};

/// An ended subject, which decides the rows to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The consents and grants by which a person authorized a client.
    Authorization(UserId, ClientId),
    /// The grants of a client.
    Client(ClientId),
    /// Everything that belongs to a person.
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

/// What ends with a person or a client is removed in steps, and its rows may name what is gone until
/// then.
impl References {
    /// The person has to be there, or their rows are being removed.
    pub(super) fn person(&mut self, user: UserId) {
        self.of_person::<Person>(&user, user);
    }

    /// The row of `R` under `key`, which ends with the person, has to be there, or the rows of the
    /// person are being removed.
    pub(super) fn of_person<R: Row>(&mut self, key: &R::Key, user: UserId) -> &mut Reference {
        self.to::<R>(key).unless::<Removal>(&Subject::Person(user))
    }

    /// The client has to be there, or its rows are being removed.
    pub(super) fn client(&mut self, id: &ClientId) {
        self.to::<Client>(id).unless::<Removal>(&Subject::Client(id.clone()));
    }
}

/// A pending removal of the rows of an ended subject. It exists until none is left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// The time at which the subject ended. Later rows of the same subject stay.
    pub at: Timestamp,
    /// The key of the last row that was read, if later rows of the same subject can exist.
    pub cursor: Option<[u8; 16]>,
}

layout!(RemovalLayout, Removal);

impl Row for Removal {
    type Key = Subject;
    type Layout = RemovalLayout;
    const TABLE: Tag = Tag { byte: 70, name: "removals" };

    fn entries(&self, _key: &Subject, into: &mut Entries) {
        // It is due at once, wherever the clock went since the subject ended.
        into.expire(Timestamp::default());
    }

    /// What it removes is gone.
    fn references(&self, _key: &Self::Key, _into: &mut References) {}
}
