//! The criteria, and the table.

use std::time::Duration;
use std::{fs, thread};

use gatelodge::config::Config;
use gatelodge::flow::admission;
use gatelodge::store::Pool;

use crate::arguments::Arguments;
use crate::floods::Flood;
use crate::run::{Attempts, Outcome};

/// The time within which a person gets in, and a client its tokens.
const IN_TIME: Duration = Duration::from_secs(1);
/// The least part of all attempts that succeed in time.
const MIN_IN_TIME: f64 = 0.8;

/// The most memory of the server, in KiB.
const MAX_MEMORY: u64 = 200_000_000 / 1024;

/// What the person and the client store, in bytes.
const MAX_OF_PERSON: u64 = 4 << 20;

/// What `outcome` breaks.
pub(crate) fn faults(arguments: &Arguments, flood: &Flood, outcome: &Outcome) -> Vec<String> {
    let mut faults = Vec::new();
    let statuses = &outcome.tally.statuses;
    if !flood.provoked.iter().all(|status| statuses.contains_key(status)) {
        faults.push("it did not come as far as it was meant to".to_owned());
    }
    let expected = |status: &u16| flood.provoked.contains(status) || flood.limited.contains(status);
    if !statuses.keys().all(expected) {
        faults.push("it was answered in another way".to_owned());
    }
    if let Err(fault) = &outcome.afterwards {
        faults.push(format!("after it: {fault}"));
    }
    let (grown, bound) = (outcome.grown(), bound(flood));
    if grown > bound {
        faults.push(format!("the file grew by {}, and {} is its bound", mib(grown), mib(bound)));
    }
    if outcome.peak > MAX_MEMORY {
        faults.push(format!("its memory was {}", mib(outcome.peak * 1024)));
    }
    if arguments.brief {
        return faults;
    }
    if outcome.rate() < flood.min_rate {
        faults.push(format!("{:.0} requests a second are no flood", outcome.rate()));
    }
    for (who, attempts) in [("person", &outcome.sign_ins), ("client", &outcome.refreshes)] {
        if attempts.in_time() < MIN_IN_TIME {
            faults.push(format!("the {who} had to wait"));
        }
    }
    faults
}

/// How much the file may grow: by the bytes of the bounds, as they stand; any flood may be refused now
/// and then. The floods' rows are ordinary
/// ones, far smaller than their part of a bound, which leaves room for the entries of indices, for
/// pages that are half full and for the steps in which redb lengthens a file. Rows that are larger than
/// a page of redb would take up to twice their bytes, since a page is a power of two.
fn bound(flood: &Flood) -> u64 {
    let config = Config::at("/nowhere");
    let others = flood.pools.iter().filter(|pool| **pool != Pool::Events);
    let pools = others.chain([&Pool::Events]).map(|pool| admission::bound(&config, *pool).bytes);
    pools.sum::<u64>() + MAX_OF_PERSON
}

impl Outcome {
    fn rate(&self) -> f64 {
        count(self.tally.requests) / self.seconds
    }

    fn grown(&self) -> u64 {
        self.file.1.saturating_sub(self.file.0)
    }
}

impl Attempts {
    fn all(&self) -> usize {
        self.succeeded.len() + self.failed.len()
    }

    /// The part that succeeded in time.
    fn in_time(&self) -> f64 {
        let in_time = self.succeeded.iter().filter(|took| **took <= IN_TIME).count();
        count(in_time as u64) / count(self.all().max(1) as u64)
    }

    /// The time within which so many of a hundred of those that succeeded did.
    fn quantile(&self, percent: usize) -> Duration {
        let mut sorted = self.succeeded.clone();
        sorted.sort();
        let at = sorted.len() * percent / 100;
        sorted.get(at).or(sorted.last()).copied().unwrap_or_default()
    }

    fn cells(&self) -> String {
        let percent = 100.0 * self.in_time();
        let [median, late] = [50, 99].map(|percent| self.quantile(percent).as_millis());
        let (succeeded, all) = (self.succeeded.len(), self.all());
        format!("{succeeded}/{all} | {percent:.0} % | {median} | {late}")
    }
}

/// Says what the figures are taken on, and begins the table.
pub(crate) fn tell_machine(arguments: &Arguments) {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let seconds = arguments.duration.as_secs_f32();
    let admission = if arguments.without_admission { ", without admission" } else { "" };
    println!(
        "{cores} cores, {seconds} s each{admission}. Load: of the whole machine, at the end\n"
    );
    println!(
        "| flood | source | requests/s | statuses | closed | sign-ins | in 1 s | median ms | p99 ms \
         | refreshes | in 1 s | median ms | p99 ms | server's cores | load | peak | anonymous | file \
         | |\n|{}",
        "---|".repeat(19)
    );
}

fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("?").to_owned()
}

/// Prints the row of a run, and what it breaks.
pub(crate) fn tell(outcome: &Outcome, faults: &[String]) {
    let tally = &outcome.tally;
    let statuses: Vec<_> =
        tally.statuses.iter().map(|(status, count)| format!("{count} × {status}")).collect();
    println!(
        "| {} | {} | {:.0} | {} | {} | {} | {} | {:.2} | {} | {} | {} | {} → {} | {} |",
        outcome.flood,
        outcome.source.name(),
        outcome.rate(),
        statuses.join(", "),
        tally.closed,
        outcome.sign_ins.cells(),
        outcome.refreshes.cells(),
        outcome.processor,
        load(),
        mib(outcome.peak * 1024),
        mib(outcome.anonymous * 1024),
        mib(outcome.file.0),
        mib(outcome.file.1),
        if faults.is_empty() { "ok".to_owned() } else { faults.join("; ") },
    );
    if let (count @ 1.., Some(reason)) = &tally.unconnected {
        println!("  {count} connections were not made: {reason}");
    }
    if let Some(body) = &tally.unexpected {
        println!("  unexpected: {}", text(body));
    }
    for attempts in [&outcome.sign_ins, &outcome.refreshes] {
        if let Some(fault) = attempts.failed.first() {
            println!("  first failure of {}: {}", attempts.failed.len(), text(fault));
        }
    }
    for complaint in &outcome.complaints {
        println!("  log: {complaint:.300}");
    }
}

/// The beginning of the text of a page, or of anything else.
fn text(html: &str) -> String {
    let body = html.split_once("<main").map_or(html, |(_, main)| main);
    let body = body
        .split('<')
        .filter_map(|part| part.split_once('>').map_or(Some(part), |(_, text)| Some(text)));
    body.flat_map(str::split_whitespace).take(60).collect::<Vec<_>>().join(" ")
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", count(bytes) / f64::from(1 << 20))
}

#[expect(clippy::cast_precision_loss, reason = "counts and bytes of a minute are small")]
fn count(count: u64) -> f64 {
    count as f64
}
