//! Operations over a store with many rows, beside the same over one with few: what each costs the server,
//! and what its commits write. And over the one with many: the start after a crash, memory, what other
//! work does to whoever asks meanwhile, and the size of the file.

mod beside;
pub(super) mod disk;
pub(super) mod fill;
mod restart;

use std::cell::RefCell;
use std::fmt;
use std::fs;
use std::ops::Range;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use self::disk::{PAGE, Shape};
use super::flow::Flow;
use super::place::{Place, Seeds, Stock};
use super::written::Counts;
use super::{Asked, MEASURED, OPERATIONS, Operation, measure};

const CALLERS: [usize; 2] = [1, 16];

/// As many as are used up.
const EXCHANGE_CODES: usize = 30_000;

/// The operations that other work runs beside: one that only reads, and one that writes.
const BESIDE: [&str; 2] = ["introspect a refresh token", "refresh, no ID token"];

/// A server, and what its callers need.
struct Side {
    place: Place,
    seeds: Seeds,
    shape: Shape,
}

/// What one operation cost.
struct Figures {
    /// Commits by operation.
    commits: f64,
    /// Pages by commit: as many as its bytes fill, and as the system counts them. The system may count
    /// several as one, and then counts them all where one is changed.
    pages: [f64; 2],
    processor: Duration,
    /// How long the slowest hundredth took at least.
    slow: Duration,
}

/// Prints it all, or what `asked.only` names: an operation, `start`, `beside` or `compact`.
pub(super) fn tell(asked: &Asked) {
    let runtime = Runtime::new().unwrap();
    let [few, mut many] = [0, asked.grants].map(|grants| Side::new(&runtime, grants));
    println!("\nfew:  {}\nmany: {}", few.shape, many.shape);
    let idle = many.place.settled();
    println!("idle memory: {} MiB, mark 64", idle);

    compare(&runtime, asked, [&few, &many]);
    let [small, large] = [&few, &many].map(|side| side.place.memory());
    println!("memory after that: few {small} MiB, many {large} MiB, mark 64");
    drop(few);
    if asked.has("start") {
        let times = restart::first_responses(&runtime, &mut many.place);
        let millis: Vec<_> =
            times.iter().map(|time| format!("{:.1}", time.as_secs_f64() * 1e3)).collect();
        println!(
            "\nms from exec to the first response, each after a kill at work: {}; mark 20; idle memory {} MiB",
            millis.join(" "),
            many.place.settled()
        );
    }
    if asked.has("beside") {
        println!(
            "\n{:<28} {:<22} {:>8} {:>8} {:>8} {:>8} {:>9} {:>6}  mark  by {} callers",
            "operation",
            "beside",
            "per s",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "CPU µs",
            "×",
            beside::CALLERS
        );
        for operation in OPERATIONS.iter().filter(|own| BESIDE.contains(&own.name)) {
            // Others than before, whose tokens are spent.
            let flows = many.flows(operation, max_callers()..max_callers() + beside::CALLERS);
            beside::tell(&runtime, &mut many.place, operation, flows);
        }
    }
    if asked.has("compact") {
        compact(&mut many);
    }
}

impl Side {
    fn new(runtime: &Runtime, grants: u32) -> Self {
        let callers = max_callers() + beside::CALLERS;
        let started = Instant::now();
        let stock = Stock { callers, exchange_codes: EXCHANGE_CODES, grants };
        let (mut place, seeds) = runtime.block_on(Place::new(stock));
        println!("{grants} grants were made in {} s", started.elapsed().as_secs());
        place.kill();
        let store = place.config().places.store();
        disk::shrink(&store);
        let shape = Shape::of(&store);
        place.start();
        Self { place, seeds, shape }
    }

    fn flows(&self, operation: &Operation, callers: Range<usize>) -> Vec<Flow> {
        callers.map(|n| (operation.flow)(&self.seeds, n)).collect()
    }

    /// Lets the callers go on for a while.
    fn figures(&self, runtime: &Runtime, flows: Vec<Flow>) -> (Figures, Vec<Flow>) {
        let written = RefCell::new(Vec::new());
        let measuring = measure(
            self.place.address(),
            || {
                // The counts cost processor time themselves: the first are read before, the last after.
                let is_first = written.borrow().is_empty();
                let time = if is_first { Duration::ZERO } else { self.place.processor_time() };
                written.borrow_mut().push((Counts::read(&self.place), self.place.written()));
                if is_first { self.place.processor_time() } else { time }
            },
            flows,
            MEASURED,
        );
        let (measured, back, _) = runtime.block_on(measuring);
        let written = written.into_inner();
        let (first, last) = (written.first().unwrap(), written.last().unwrap());
        let count = |number: u64| f64::from(u32::try_from(number).unwrap());
        let commits = last.0.commits_since(&first.0);
        let pages = [0, 1].map(|at| {
            let [bytes, before] = [last, first].map(|own| own.1.get(at).copied().unwrap());
            count((bytes - before) / PAGE) / commits.max(1.0)
        });
        let figures = Figures {
            commits: commits / count(measured.times.len() as u64),
            pages,
            processor: measured.processor,
            slow: measured.at(0.99),
        };
        (figures, back)
    }
}

fn max_callers() -> usize {
    CALLERS.into_iter().max().unwrap_or_default()
}

/// Prints a line for each operation, by one caller and by some.
fn compare(runtime: &Runtime, asked: &Asked, sides: [&Side; 2]) {
    let columns = "CPU µs   p99 ms  commits  pages  counted";
    println!(
        "\n{:<36} {:>7} | few: {columns} | many: {columns} |  CPU ×  mark",
        "operation", "callers"
    );
    for operation in OPERATIONS.iter().filter(|operation| asked.has(operation.name)) {
        let callers = CALLERS.into_iter().filter(|own| asked.callers.is_none_or(|one| one == *own));
        let mut flows = sides.map(|side| side.flows(operation, 0..max_callers()));
        for callers in callers {
            let mut figures = Vec::new();
            for (side, flows) in sides.iter().zip(&mut flows) {
                let (own, mut back) = side.figures(runtime, flows.drain(..callers).collect());
                flows.append(&mut back);
                figures.push(own);
            }
            let times: Vec<_> = figures.iter().map(|own| own.processor.as_secs_f64()).collect();
            let [few, many] = [0, 1].map(|at| figures.get(at).unwrap());
            println!(
                "{:<36} {callers:>7} | {few} | {many} | {:>6.2}  1.5",
                operation.name,
                times.iter().rev().copied().reduce(|many, few| many / few).unwrap()
            );
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { commits, pages, processor, slow } = self;
        let (micros, millis) = (processor.as_secs_f64() * 1e6, slow.as_secs_f64() * 1e3);
        write!(f, "{micros:>11.1} {millis:>8.2} ")?;
        // What only reads leaves its log and what is counted.
        if *commits < 0.05 {
            return write!(f, "{:>8} {:>6} {:>8}", "", "", "");
        }
        let [bytes, counted] = pages;
        write!(f, "{commits:>8.2} {bytes:>6.1} {counted:>8.1}")
    }
}

/// Makes the file anew, and says how large it was.
fn compact(side: &mut Side) {
    side.place.kill();
    let store = side.place.config().places.store();
    let megabytes = || fs::metadata(&store).unwrap().len() / 1_000_000;
    let (before, started) = (megabytes(), Instant::now());
    let compacted = side.place.command(&["db", "compact"]).output().unwrap();
    assert!(compacted.status.success(), "{}", String::from_utf8_lossy(&compacted.stderr));
    let took = started.elapsed().as_secs();
    println!(
        "\nthe file: {before} MB, and {} MB after a compaction of {took} s; mark 600 for a million grants\n{}",
        megabytes(),
        Shape::of(&store)
    );
}
