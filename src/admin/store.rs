//! `/api/v1/store`: what the store has, and whether it is as it should be.

use std::sync::Arc;

use axum::Json;
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{All, By, Read};
use crate::app::store_file::sizes::{self, Before};
use crate::store::check::{self, Checked, Flaw, TableSize};
use crate::store::schema::Sizes;

/// What the store has, by table.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct StoreView {
    /// The tables and indices that are not empty, or were not, the largest first.
    pub(crate) tables: Vec<TableView>,
}

/// The size of a table or an index.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct TableView {
    /// The bytes of its rows with their keys. In the file they take somewhat more.
    pub(crate) bytes: u64,
    /// What it grew by in about a day: since the newest sizes that are a day old, or the first.
    pub(crate) day: Option<GrowthView>,
    /// Whether it is an index, which is made of the rows of tables.
    pub(crate) index: bool,
    /// The same in about 30 days; null where there are no older sizes than those of `day`.
    pub(crate) month: Option<GrowthView>,
    /// How many rows it has.
    pub(crate) rows: u64,
    /// Its name.
    pub(crate) table: String,
}

/// What a table grew by since some moment. What became smaller has negative numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct GrowthView {
    /// In bytes.
    pub(crate) bytes: i64,
    /// In rows.
    pub(crate) rows: i64,
    /// The moment, in the form of RFC 3339.
    pub(crate) since: String,
}

impl GrowthView {
    fn new(size: &TableSize, before: &Sizes) -> Self {
        let then = before.tables.iter().find(|(tag, ..)| *tag == size.tag);
        let (_, rows, bytes) = then.copied().unwrap_or_default();
        Self {
            bytes: size.bytes.wrapping_sub(bytes).cast_signed(),
            rows: size.rows.wrapping_sub(rows).cast_signed(),
            since: before.at.rfc3339(),
        }
    }
}

impl StoreView {
    fn new(mut sizes: Vec<TableSize>, before: &Before) -> Self {
        // What is empty by now became smaller, too.
        let then = before.day.iter().chain(&before.month).flat_map(|sizes| &sizes.tables);
        for (tag, ..) in then {
            if sizes.iter().all(|size| size.tag != *tag) {
                sizes.push(check::empty(*tag));
            }
        }
        let view = |size: TableSize| {
            let since = |before: &Option<Sizes>| {
                before.as_ref().map(|before| GrowthView::new(&size, before))
            };
            let (day, month) = (since(&before.day), since(&before.month));
            let TableSize { bytes, is_index, rows, table, .. } = size;
            TableView { bytes, day, index: is_index, month, rows, table: table.to_owned() }
        };
        Self { tables: sizes.into_iter().map(view).collect() }
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

/// Shows what the store has, and how it grew.
pub(super) async fn show(app: By<Read>) -> Result<Json<StoreView>, Failed> {
    let own = Arc::clone(&app);
    let (sizes, before) = app.seen(move |read| sizes::growth(&own, read)).await??;
    Ok(Json(StoreView::new(sizes, &before)))
}

/// Checks every row and every index entry of a snapshot.
pub(super) async fn examine(app: By<All>) -> Result<Json<CheckView>, Failed> {
    Ok(Json(CheckView::new(app.seen(check::check_rows).await?, false)))
}
