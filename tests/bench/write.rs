//! Durable writes: one row a transition, by callers that each wait for their commit, beside the
//! engine's own commit of one such row under the same settings.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatelodge::clock::Timestamp;
use gatelodge::oauth::id::{ClientId, UserId};
use gatelodge::store::schema::Consent;
use gatelodge::store::{Store, StoreError, Tx};
use redb::{Builder, Database, Durability, TableDefinition};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::measure::{Row, WINDOW, rates, window};

/// The table of the bare engine.
const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");

pub(crate) fn rows() -> Vec<Row> {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&directory.path().join("store")).unwrap());
    let engine = engine(&directory.path().join("engine"));
    let runtime = Runtime::new().unwrap();

    let grouped = |callers: usize| runtime.block_on(write(&store, callers, WINDOW));
    let mut bare = || window(|| commit(&engine, Care::QuickRepair));
    let mut unprepared = || window(|| commit(&engine, Care::TwoPhases));
    let mut careless = || window(|| commit(&engine, Care::OnePhase));
    let (mut one, mut some, mut many) = (|| grouped(1), || grouped(16), || grouped(256));
    let [bare, unprepared, careless, one, some, many] =
        rates([&mut bare, &mut unprepared, &mut careless, &mut one, &mut some, &mut many]);

    let whole = "the bare engine's commit";
    let grouped = [(1, one), (16, some), (256, many)].map(|(callers, rate)| {
        Row::new(format!("write a row durably, {callers} at a time"), rate).beside(whole, bare)
    });
    let less = [("that needs long to repair", unprepared), ("in one phase too", careless)]
        .map(|(what, rate)| Row::new(format!("a commit {what}"), rate).beside(whole, bare));
    grouped.into_iter().chain(less).collect()
}

/// Writes rows for this time, each durably before the next of the same caller. Says how many.
pub(crate) async fn write(store: &Arc<Store>, callers: usize, time: Duration) -> u64 {
    let own = Arc::clone(store);
    let write = move || {
        let (store, key, row) = (Arc::clone(&own), key(), row());
        async move { store.write(move |tx| tx.put(&key, row.clone())).await }
    };
    again(callers, time, write).await
}

/// Has so many callers do this again and again for this time. Says how often it was done.
async fn again<F>(
    callers: usize,
    time: Duration,
    write: impl Fn() -> F + Clone + Send + 'static,
) -> u64
where
    F: Future<Output = Result<(), StoreError>> + Send,
{
    let until = Instant::now() + time;
    let callers: Vec<_> = (0..callers)
        .map(|_| {
            let write = write.clone();
            tokio::spawn(async move {
                let mut done = 0;
                while Instant::now() < until {
                    write().await.map_err(|error| error.to_string()).unwrap();
                    done += 1;
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for caller in callers {
        done += caller.await.unwrap();
    }
    done
}

/// What a transition writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Written {
    /// The bytes of all of it, keys and rows.
    pub(crate) bytes: f64,
    /// Index entries.
    pub(crate) entries: f64,
    pub(crate) rows: f64,
    /// Rows that nearly every transition of its kind writes.
    pub(crate) sums: f64,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} + {:.1} + {:.1}", self.rows, self.entries, self.sums)
    }
}

/// Commits as much as the transition of this number writes, in a batch with those who do so meanwhile. Rows lie
/// under keys of chance, as ids are, entries behind each other, as times are, and sums in the same places.
pub(crate) async fn commit_like(
    store: &Store,
    written: Written,
    number: u64,
) -> Result<(), StoreError> {
    let pairs = pairs(written, number);
    let put = move |tx: &mut Tx<'_>| {
        pairs.iter().for_each(|(key, row)| tx.put_raw(key.clone(), row.clone()));
        Ok(())
    };
    store.write(put).await
}

/// Writes as much as so many transitions write, with a few commits.
pub(crate) async fn fill(
    store: &Store,
    written: Written,
    transitions: u64,
) -> Result<(), StoreError> {
    for first in (0..transitions).step_by(AT_ONCE) {
        let end = transitions.min(first + AT_ONCE as u64);
        let put = move |tx: &mut Tx<'_>| {
            let pairs = (first..end).flat_map(|number| pairs(written, number));
            pairs.for_each(|(key, row)| tx.put_raw(key, row));
            Ok::<(), StoreError>(())
        };
        store.write(put).await?;
    }
    Ok(())
}

/// How many transitions [`fill`] has in one commit.
const AT_ONCE: usize = 10_000;

/// The keys and rows that the transition of this number writes: of a part of one, it writes one in that
/// part of the cases.
fn pairs(written: Written, number: u64) -> Vec<(Vec<u8>, Vec<u8>)> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "small numbers"
    )]
    let whole = |part: f64| {
        ((part * (number + 1) as f64) as u64 - (part * number as f64) as u64).min(50) as u8
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
    let row = ((written.bytes - KEY * (written.rows + written.entries + written.sums))
        / written.rows.max(1.0)) as usize;
    let rows = (0..whole(written.rows)).map(|table| {
        let mut key = vec![table; 17];
        aws_lc_rs::rand::fill(key.get_mut(1..).unwrap_or_default()).unwrap();
        (key, vec![7; row])
    });
    let entries = (0..whole(written.entries)).map(|table| {
        let key = [&[100 + table], number.to_be_bytes().as_slice(), &[7; 16]].concat();
        (key, Vec::new())
    });
    let sums = (0..whole(written.sums)).map(|share| (vec![200 + share; 17], vec![7; 4]));
    rows.chain(entries).chain(sums).collect()
}

/// The bytes of a key of a row; that of an entry has some more.
const KEY: f64 = 20.0;

/// As `store/engine` opens its own.
fn engine(path: &Path) -> Database {
    Builder::new().set_cache_size(16 * 1024 * 1024).create(path).unwrap()
}

/// What a commit does for the time after a kill.
#[derive(Clone, Copy, PartialEq)]
enum Care {
    /// One sync, behind which a checksum says whether the commit is whole.
    OnePhase,
    /// A second sync, before which the commit does not count.
    TwoPhases,
    /// That, and the state of the allocator, without which the file is read whole at the next start. As
    /// `store/engine` commits.
    QuickRepair,
}

/// Commits one row of the same size.
fn commit(engine: &Database, care: Care) {
    let mut transaction = engine.begin_write().unwrap();
    transaction.set_durability(Durability::Immediate).unwrap();
    transaction.set_two_phase_commit(care != Care::OnePhase);
    transaction.set_quick_repair(care == Care::QuickRepair);
    {
        let (user, client, host) = key();
        let key = [user.uuid().as_bytes(), client.as_str().as_bytes(), host.as_bytes()].concat();
        let mut rows = transaction.open_table(ROWS).unwrap();
        rows.insert(key.as_slice(), [7; 50].as_slice()).unwrap();
    }
    transaction.commit().unwrap();
}

fn key() -> (UserId, ClientId, String) {
    let mut random = [0; 16];
    aws_lc_rs::rand::fill(&mut random).unwrap();
    (Uuid::from_bytes(random).into(), "shop".parse().unwrap(), "app.example".to_owned())
}

fn row() -> Consent {
    Consent {
        given: Timestamp::from_seconds(1_767_225_600),
        allowed: vec![("http://localhost:7455/".to_owned(), "openid profile".parse().unwrap())],
    }
}
