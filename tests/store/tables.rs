//! The list of tables: what is read off it holds for every row there is.

use std::collections::BTreeSet;

use gatelodge::app::{App, Sources};
use gatelodge::clock::{Clock, Timestamp};
use gatelodge::config::Config;
use gatelodge::flow::installation::sweep;
use gatelodge::oauth::issuer::Issuer;
use gatelodge::secret::Entropy;
use gatelodge::store::View;
use gatelodge::store::schema::TABLES;

use crate::samples::samples;

/// Long after the expiry of every sample.
const LATE: Timestamp = Timestamp::from_seconds(9_000_000_000);

/// The samples have one of every row that the schema declares.
#[test]
fn every_row_of_the_schema_is_in_the_list() {
    let rows: BTreeSet<&str> = samples().iter().map(|sample| sample.table).collect();

    let listed: BTreeSet<&str> = TABLES.iter().map(|table| table.name).collect();

    assert_eq!((listed.len(), listed), (TABLES.len(), rows));
}

#[tokio::test]
async fn the_sweep_removes_the_rows_of_every_table_that_expire() {
    let sources =
        Sources { clock: Clock::manual(LATE), entropy: Entropy::seeded(7), ..Sources::default() };
    let app = App::memory(Config::at("/nowhere"), Issuer::localhost(7455), sources).await;
    let app = app.ok().unwrap();
    for case in samples().into_iter().flat_map(|sample| sample.cases) {
        app.write(move |tx, _| Ok(case.put(tx)?)).await.ok().unwrap();
    }
    let expired = app.read().unwrap().expired(LATE, usize::MAX).unwrap();
    assert!(expired.len() > TABLES.len() / 2);

    loop {
        let swept = app.write(sweep::run).await.ok().unwrap();
        assert!(swept.unreadable.is_empty(), "{:?}", swept.unreadable);
        if !swept.more {
            break;
        }
    }

    assert!(app.read().unwrap().expired(LATE, 1).unwrap().is_empty());
}
