//! `gatelodge events --follow`

use std::collections::{HashSet, VecDeque};
use std::io::{self, Write as _};
use std::time::Duration;

use super::syslog::Syslog;
use super::{EventView, EventsArgs, actor, moment};
use crate::cli::admin_client::AdminClient;
use crate::cli::output::{Exit, Failure, Output, check_written, printable};

/// The time from one look to the next.
const INTERVAL: Duration = Duration::from_secs(1);

/// How far each look goes back. A refused request is written up to a second after it happened, so that
/// its event comes after later ones.
const OVERLAP: &str = "15s";

/// The most events of one look, and the number that are remembered as printed.
const MAX_EVENTS: usize = 10_000;

/// Prints each event as it happens, or sends it to syslog, until the program is ended or nobody reads
/// on. `--since` says from when on; otherwise it begins now.
pub(super) async fn follow(
    args: &EventsArgs,
    json: bool,
    admin: &mut AdminClient,
) -> Result<Output, Failure> {
    let overlap = || moment(OVERLAP).map_err(|why| Failure::new(Exit::Usage, why));
    let mut syslog = args.syslog.as_deref().map(Syslog::connect).transpose()?;
    let (mut since, mut printed) = (args.since, Printed::default());
    // Whoever takes the events may let them wait, so each look goes back to the one before.
    let mut last = overlap()?;
    if since.is_none() {
        for event in args.read(admin, Some(overlap()?), MAX_EVENTS).await? {
            printed.is_new(&event);
        }
    }
    loop {
        // With --since, the first look goes back to there.
        let from = since.take().unwrap_or(last);
        last = overlap()?;
        let mut events = args.read(admin, Some(from), MAX_EVENTS).await?;
        events.reverse();
        events.retain(|event| printed.is_new(event));
        match &mut syslog {
            Some(syslog) => {
                for event in &events {
                    syslog.send(event).await;
                }
            }
            None => {
                if !print(&events, json)? {
                    return Ok(Output::nothing());
                }
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Prints events. Returns whether somebody still reads.
fn print(events: &[EventView], json: bool) -> Result<bool, Failure> {
    let mut out = io::stdout().lock();
    for event in events {
        let written = writeln!(out, "{}", line(event, json));
        let ended = written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        check_written(written)?;
        if ended {
            return Ok(false);
        }
    }
    check_written(out.flush())?;
    Ok(true)
}

/// One event on one line.
fn line(event: &EventView, json: bool) -> String {
    if json {
        return serde_json::to_string(event).expect("views have text for keys");
    }
    let address = event.address.as_deref().unwrap_or("-");
    let parts = [&event.at, &event.id, &event.kind, &actor(&event.actor), address, &event.what()];
    printable(&parts.join("  "))
}

/// The events that were printed lately.
#[derive(Default)]
struct Printed {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Printed {
    /// Whether an event was not printed yet. From then on it was.
    fn is_new(&mut self, event: &EventView) -> bool {
        if !self.ids.insert(event.id.clone()) {
            return false;
        }
        self.order.push_back(event.id.clone());
        if self.order.len() > 2 * MAX_EVENTS
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}
