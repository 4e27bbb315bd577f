//! Tidying: rows that say nothing any more are removed. Nothing depends on it, since expiry is
//! judged whenever a row is read.

use crate::error::Error;
use crate::flow::Context;
use crate::store::schema::{
    Ceremony, Code, Grant, Interaction, Refresh, Session, SetupLink, SigningKeyRow,
};
use crate::store::{Row, StoreError, Tx, View};

/// The most rows that one transaction removes.
const MOST: usize = 500;

/// Removes some of what has expired, and tells whether there may be more.
pub fn run(tx: &mut Tx<'_>, cx: &Context) -> Result<bool, Error> {
    let expired = tx.expired(cx.now, MOST)?;
    for (table, key) in &expired {
        remove(tx, *table, key)?;
    }
    Ok(expired.len() == MOST)
}

fn remove(tx: &mut Tx<'_>, table: u8, key: &[u8]) -> Result<(), StoreError> {
    macro_rules! in_tables {
        ($($row:ty),*) => {
            $(if table == <$row as Row>::TABLE.byte { return tx.remove_expired::<$row>(key); })*
        };
    }
    in_tables!(Ceremony, Code, Grant, Interaction, Refresh, Session, SetupLink, SigningKeyRow);
    Ok(())
}
