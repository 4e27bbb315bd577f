//! Clocks that are wrong, and are corrected.

mod doubt;
mod evidence;
mod keys;
mod order;

use std::time::Duration;

use gatelodge::clock::Timestamp;
use gatelodge::flow::installation::sweep;
use gatelodge::store::schema::ClockRecord;
use gatelodge::store::{Row, View as _};

use crate::support::{BEGINNING, Server};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Sets the clock, while no time passes. The server looks at it, as it does every two seconds.
fn set(server: &Server, now: Timestamp) {
    server.app.clock().set(now);
    server.app.clock_jump();
}

/// Removes everything that the sweep removes now.
pub(crate) async fn sweep_all(server: &Server) {
    while server.app.write(sweep::run).await.unwrap().more {}
}

/// The number of rows of a table, at most 100.
fn stored<R: Row>(server: &Server) -> usize {
    server.app.read().unwrap().list::<R>(100).unwrap().len()
}

/// What the store knows of the clock.
fn recorded(server: &Server) -> ClockRecord {
    server.app.read().unwrap().find::<ClockRecord>(&()).unwrap().unwrap_or_default()
}

/// An installation whose first day passes under a clock that is `ahead`.
async fn started_ahead(ahead: Duration) -> Server {
    let server = Server::new().await;
    set(&server, BEGINNING + ahead);
    server
}
