//! `/api/v1/store`: what the store has, and whether it is as it should be.

use std::sync::Arc;

use axum::Json;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::Failed;
use super::by::{All, By, Read};
use crate::app::App;
use crate::error::{Error, Internal};
use crate::store::Read as Snapshot;
use crate::store::check::{self, Checked, Flaw, TableSize};

/// What the store has, by table.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct StoreView {
    /// The tables and indices that are not empty, the largest first.
    pub(crate) tables: Vec<TableView>,
}

/// The size of a table or an index.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct TableView {
    /// The bytes of its rows with their keys. In the file they take somewhat more.
    pub(crate) bytes: u64,
    /// Whether it is an index, which is made of the rows of tables.
    pub(crate) index: bool,
    /// How many rows it has.
    pub(crate) rows: u64,
    /// Its name.
    pub(crate) table: String,
}

impl TableView {
    fn new(size: TableSize) -> Self {
        let TableSize { bytes, is_index, rows, table } = size;
        Self { bytes, index: is_index, rows, table: table.to_owned() }
    }
}

/// What a check found.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct CheckView {
    /// The index entries that were read.
    pub(crate) entries: u64,
    /// What is wrong, the first thousand.
    pub(crate) flaws: Vec<FlawView>,
    /// How many more flaws there are.
    pub(crate) more: u64,
    /// Whether the pages of the file were checked too, which needs the server stopped.
    pub(crate) pages: bool,
    /// The rows that were read.
    pub(crate) rows: u64,
}

/// What is wrong with the store.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct FlawView {
    /// The key of the row in hexadecimal digits.
    pub(crate) key: Option<String>,
    /// What it is.
    pub(crate) kind: FlawKind,
    /// What mends it.
    pub(crate) remedy: String,
    /// The sentence.
    pub(crate) sentence: String,
    /// The table of the row.
    pub(crate) table: Option<String>,
}

/// The kinds of flaws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(crate) enum FlawKind {
    /// Index entries that no row declares.
    EntriesStray,
    /// An index entry that a row declares and that is not there.
    EntryMissing,
    /// Pages of the file that are not as they were written.
    Pages,
    /// A row that names another one, which is not there.
    Reference,
    /// A row that cannot be read.
    Row,
    /// A sum that is not that of its rows.
    Sum,
    /// A row of no table.
    Unknown,
    /// The rest of the store cannot be read.
    Unreadable,
}

impl CheckView {
    /// The view of a check; `pages` if it read the pages of the file too.
    pub(crate) fn new(checked: Checked, pages: bool) -> Self {
        let Checked { rows, entries, flaws, more } = checked;
        Self { entries, flaws: flaws.into_iter().map(FlawView::new).collect(), more, pages, rows }
    }
}

impl FlawView {
    fn new(flaw: Flaw) -> Self {
        let (remedy, sentence) = (flaw.remedy().to_owned(), flaw.to_string());
        let (kind, table, key) = match flaw {
            Flaw::EntriesStray(_) => (FlawKind::EntriesStray, None, None),
            Flaw::EntryMissing { table, key } => (FlawKind::EntryMissing, Some(table), Some(key)),
            Flaw::Pages => (FlawKind::Pages, None, None),
            Flaw::Reference { table, key, .. } => (FlawKind::Reference, Some(table), Some(key)),
            Flaw::Row { table, key } => (FlawKind::Row, Some(table), Some(key)),
            Flaw::Sum { key } => (FlawKind::Sum, None, Some(key)),
            Flaw::Unknown { key } => (FlawKind::Unknown, None, Some(key)),
            Flaw::Unreadable(_) => (FlawKind::Unreadable, None, None),
        };
        Self { key, kind, remedy, sentence, table: table.map(str::to_owned) }
    }
}

/// One look at a time: it reads the whole store, and its snapshot keeps pages from being used again.
pub(super) static LOOKS: Semaphore = Semaphore::const_new(1);

/// What `look` returns, away from the threads that answer, once no other look goes on.
async fn in_turn<T: Send + 'static>(look: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    // Whoever goes away while they wait starts none.
    let turn = LOOKS.acquire().await.map_err(Internal::new)?;
    let seen = tokio::task::spawn_blocking(move || {
        let seen = look();
        drop(turn);
        seen
    });
    Ok(seen.await.map_err(Internal::new)?)
}

/// What `look` sees of a snapshot.
async fn seen<T: Send + 'static>(
    app: &Arc<App>,
    look: impl FnOnce(&Snapshot) -> T + Send + 'static,
) -> Result<T, Error> {
    let app = Arc::clone(app);
    in_turn(move || Ok(look(&app.read()?))).await?
}

/// Shows what the store has.
pub(super) async fn show(app: By<Read>) -> Result<Json<StoreView>, Failed> {
    let sizes = seen(&app, check::sizes).await??;
    Ok(Json(StoreView { tables: sizes.into_iter().map(TableView::new).collect() }))
}

/// Checks every row and every index entry of a snapshot.
pub(super) async fn examine(app: By<All>) -> Result<Json<CheckView>, Failed> {
    Ok(Json(CheckView::new(seen(&app, check::check_rows).await?, false)))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Its snapshot is there as long as it looks, whoever waits for it.
    #[tokio::test]
    async fn one_look_goes_on_at_a_time_even_if_nobody_waits_for_it_any_more() {
        let (started, has_started) = tokio::sync::oneshot::channel();
        let (end, may_end) = mpsc::channel();
        let first = tokio::spawn(in_turn(move || {
            started.send(()).unwrap();
            may_end.recv().unwrap();
        }));
        has_started.await.unwrap();

        let during = LOOKS.try_acquire().is_ok();
        first.abort();
        let left = first.await.is_err_and(|error| error.is_cancelled());
        let without_it = LOOKS.try_acquire().is_ok();
        end.send(()).unwrap();
        let second = in_turn(|| "the second").await;

        assert!(!during && left && !without_it, "{during} {left} {without_it}");
        assert_eq!(second.ok(), Some("the second"));
    }
}
