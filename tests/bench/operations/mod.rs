//! Operations over HTTP by the built program, a process of its own, at several numbers of callers.
//!
//! Beside each stands its limit, taken in the same run by the same callers: a bare axum server, another
//! process, that gets the same bytes and gives the same bytes, makes the signatures that the operation needs,
//! and commits as many rows as it writes, in commits that are shared, to a store of the same size
//! (`limit.rs`). What is compared is the processor time of the server, which a busy machine changes least, at
//! the same pace; what the limit takes when it goes as fast as it can stands beside. What grants and rotations
//! leave in the file stands below.

mod apart;
mod caller;
mod flow;
mod growth;
mod limit;
mod place;
mod scale;
mod written;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

pub(crate) use self::limit::{is_limit, serve as serve_limit};

use self::caller::{Caller, Recorded};
use self::flow::Flow;
use self::limit::Limit;
use self::place::{Place, Seeds, Stock};
use self::written::Counts;
use crate::write::Written;

/// How many callers there are at one time.
const CALLERS: [usize; 4] = [1, 16, 64, 256];

/// As many as they all use up.
const EXCHANGE_CODES: usize = 120_000;

/// The time of one measurement, after that of warming up. A build for tests is slow, and its figures say
/// nothing.
const MEASURED: Duration = Duration::from_millis(if cfg!(debug_assertions) { 300 } else { 2000 });
const WARM: Duration = Duration::from_millis(if cfg!(debug_assertions) { 100 } else { 300 });

/// How often an operation and its limit take turns. The round whose ratio is the median counts.
const ROUNDS: usize = 3;

/// An operation, and what it cannot do without.
struct Operation {
    name: &'static str,
    /// Durable commits that somebody waits for.
    commits: usize,
    es256: u32,
    rs256: u32,
    /// The most that it may cost, as a multiple of its limit.
    mark: f64,
    /// What one caller does; each has a seed of its own.
    flow: fn(&Seeds, usize) -> Flow,
}

const OPERATIONS: [Operation; 14] = [
    Operation { name: "metadata", commits: 0, es256: 0, rs256: 0, mark: 1.3, flow: flow::metadata },
    Operation { name: "jwks", commits: 0, es256: 0, rs256: 0, mark: 1.3, flow: flow::jwks },
    Operation {
        name: "style sheet",
        commits: 0,
        es256: 0,
        rs256: 0,
        mark: 1.3,
        flow: flow::style_sheet,
    },
    Operation {
        name: "client credentials",
        commits: 0,
        es256: 1,
        rs256: 0,
        mark: 1.5,
        flow: flow::client_credentials,
    },
    Operation {
        name: "introspect a JWT",
        commits: 0,
        es256: 0,
        rs256: 0,
        mark: 2.0,
        flow: flow::introspect_jwt,
    },
    Operation {
        name: "introspect a refresh token",
        commits: 0,
        es256: 0,
        rs256: 0,
        mark: 2.0,
        flow: flow::introspect_refresh_token,
    },
    Operation { name: "userinfo", commits: 0, es256: 0, rs256: 0, mark: 2.0, flow: flow::userinfo },
    Operation {
        name: "forward-auth",
        commits: 0,
        es256: 0,
        rs256: 0,
        mark: 2.0,
        flow: flow::verify,
    },
    Operation {
        name: "exchange code to bridge access",
        commits: 1,
        es256: 1,
        rs256: 0,
        mark: 1.5,
        flow: flow::exchange,
    },
    Operation {
        name: "refresh, no ID token",
        commits: 1,
        es256: 1,
        rs256: 0,
        mark: 1.5,
        flow: flow::refresh_quiet,
    },
    Operation {
        name: "refresh, ES256 ID token",
        commits: 1,
        es256: 2,
        rs256: 0,
        mark: 1.5,
        flow: flow::refresh_es256,
    },
    Operation {
        name: "refresh, RS256 ID token",
        commits: 1,
        es256: 1,
        rs256: 1,
        mark: 1.5,
        flow: flow::refresh_rs256,
    },
    Operation {
        name: "pushed request",
        commits: 1,
        es256: 0,
        rs256: 0,
        mark: 1.5,
        flow: flow::pushed_request,
    },
    Operation {
        name: "code with PKCE, authorize to token",
        commits: 2,
        es256: 2,
        rs256: 0,
        mark: 1.5,
        flow: flow::code,
    },
];

/// What some callers did in a time.
struct Measured {
    /// Every operation's duration, sorted.
    times: Vec<Duration>,
    /// The processor time of the server for one operation.
    processor: Duration,
    /// How often a second.
    rate: f64,
}

impl Measured {
    /// What this part of the operations took less than.
    fn at(&self, part: f64) -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "an index"
        )]
        let index = (self.times.len() as f64 * part) as usize;
        self.times.get(index).or(self.times.last()).copied().unwrap_or_default()
    }
}

/// An operation at a number of callers, as a run is saved.
#[derive(Serialize, Deserialize)]
struct Saved {
    callers: usize,
    limit_us: f64,
    operation: String,
    per_second: f64,
    processor_us: f64,
}

impl Saved {
    /// The processor time as a multiple of the limit.
    fn ratio(&self) -> f64 {
        self.processor_us / self.limit_us
    }

    /// How this one stands to the same operation of another run, where a tenth is chance.
    fn beside(&self, others: &[Self]) -> String {
        let same =
            |other: &&Self| (&other.operation, other.callers) == (&self.operation, self.callers);
        let Some(before) = others.iter().find(same) else { return String::new() };
        let times = self.ratio() / before.ratio();
        let verdict = match times {
            _ if times > 1.1 => "  SLOWER",
            _ if times < 0.9 => "  faster",
            _ => "",
        };
        format!("   {times:.2} × before{verdict}")
    }
}

/// What the command line asks of the operations.
#[derive(Default)]
pub(crate) struct Asked {
    /// A saved run, with which this one is compared.
    pub(crate) against: Option<PathBuf>,
    /// The only number of callers.
    pub(crate) callers: Option<usize>,
    /// How many grants a large store has; where there are any, it is measured beside a small one.
    pub(crate) grants: u32,
    /// A part of the names of those that run.
    pub(crate) only: Option<String>,
    /// Where the run is saved.
    pub(crate) save: Option<PathBuf>,
}

impl Asked {
    fn has(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|part| name.contains(part.as_str()))
    }
}

/// Prints a line for each operation at each number of callers.
pub(crate) fn tell(asked: &Asked) {
    if asked.grants > 0 {
        return scale::tell(asked);
    }
    let others: Vec<Saved> = asked.against.as_ref().map_or_else(Vec::new, |path| {
        serde_json::from_str(&fs::read_to_string(path).expect("a saved run")).expect("a saved run")
    });
    let mut all = Vec::new();
    let runtime = Runtime::new().unwrap();
    let max = CALLERS.into_iter().max().unwrap_or_default();
    let (place, seeds) = runtime.block_on(Place::new(Stock {
        callers: max,
        exchange_codes: EXCHANGE_CODES,
        grants: 0,
    }));
    let limit = runtime.block_on(Limit::start(place.keys));
    println!("\nidle memory {} MiB", place.memory());
    println!(
        "{:<36} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>6}  mark  rows + entries + sums of a transition",
        "operation",
        "callers",
        "per s",
        "p50 ms",
        "p99 ms",
        "CPU µs",
        "fast µs",
        "limit µs",
        "ratio"
    );
    for operation in OPERATIONS.into_iter().filter(|operation| asked.has(operation.name)) {
        let mut flows: Vec<Flow> = (0..max).map(|n| (operation.flow)(&seeds, n)).collect();
        for callers in CALLERS.into_iter().filter(|own| asked.callers.is_none_or(|one| one == *own))
        {
            let mut rounds = Vec::new();
            for _ in 0..ROUNDS {
                let own = flows.drain(..callers).collect();
                let (round, mut back) = runtime.block_on(round(&place, &limit, &operation, own));
                flows.append(&mut back);
                rounds.push(round);
            }
            rounds.sort_by(|one, other| one.ratio().total_cmp(&other.ratio()));
            let Round { measured, fast, limit: least, written } = rounds.swap_remove(ROUNDS / 2);
            let micros = |time: Duration| time.as_secs_f64() * 1e6;
            let saved = Saved {
                callers,
                limit_us: micros(least),
                operation: operation.name.to_owned(),
                per_second: measured.rate,
                processor_us: micros(measured.processor),
            };
            println!(
                "{:<36} {callers:>7} {:>9.0} {:>9.2} {:>9.2} {:>9.1} {:>9.1} {:>9.1} {:>6.2}  {:.1}  {}{}",
                saved.operation,
                saved.per_second,
                micros(measured.at(0.5)) / 1e3,
                micros(measured.at(0.99)) / 1e3,
                saved.processor_us,
                micros(fast),
                saved.limit_us,
                saved.ratio(),
                operation.mark,
                if operation.commits > 0 { written.to_string() } else { String::new() },
                saved.beside(&others),
            );
            all.push(saved);
        }
    }
    println!("memory after that: {} MiB", place.memory());
    drop(place);
    if asked.has("apart") {
        let (place, seeds) =
            runtime.block_on(Place::new(Stock { callers: max, exchange_codes: 0, grants: 0 }));
        apart::tell(&runtime, &place, &seeds);
    }
    if asked.only.is_none() {
        growth::tell(&runtime);
    }
    if let Some(path) = &asked.save {
        fs::write(path, serde_json::to_string_pretty(&all).unwrap()).unwrap();
    }
}

/// An operation, and its limit right after it.
struct Round {
    measured: Measured,
    /// The processor time of the limit: as fast as it goes, and at the pace of the operation.
    fast: Duration,
    limit: Duration,
    written: Written,
}

impl Round {
    fn ratio(&self) -> f64 {
        self.measured.processor.as_secs_f64() / self.limit.as_secs_f64()
    }
}

/// Measures one, and gives its flows back.
async fn round(
    place: &Place,
    limit: &Limit,
    operation: &Operation,
    flows: Vec<Flow>,
) -> (Round, Vec<Flow>) {
    let (callers, time) = (flows.len(), MEASURED / u32::try_from(ROUNDS).unwrap());
    let before = Counts::read(place);
    let measuring = measure(place.address(), || place.processor_time(), flows, time);
    let (measured, flows, requests) = measuring.await;
    let written = Counts::read(place).since(&before);
    let least = async |busy: Duration| {
        limit.plan(operation, &requests, written, busy).await;
        let same = (0..callers).map(|_| Flow::again(&requests)).collect();
        let measuring = measure(limit.address(), || limit.processor_time(), same, time);
        let (Measured { processor, .. }, ..) = measuring.await;
        processor
    };
    let fast = least(Duration::ZERO).await;
    // A server that has less to do gets more requests each time it wakes, and its callers sleep less: the
    // same system calls cost it less. At the same pace they cost the same.
    let busy = measured.processor.saturating_sub(fast);
    let limit = least(busy).await.saturating_sub(busy);
    (Round { measured, fast, limit, written }, flows)
}

/// Lets every flow go on by a connection of its own, all at once, for this time. Gives them back, and the
/// requests of one more operation.
async fn measure(
    address: &str,
    processor_time: impl Fn() -> Duration,
    flows: Vec<Flow>,
    time: Duration,
) -> (Measured, Vec<Flow>, Vec<Recorded>) {
    let mut callers = Vec::new();
    for flow in flows {
        callers.push((Caller::connect(address).await, flow));
    }
    let (callers, _) = go_on(callers, WARM).await;
    let (began, started) = (processor_time(), Instant::now());
    let (mut callers, mut times) = go_on(callers, time).await;
    let (processor, took) = (processor_time() - began, started.elapsed());
    times.sort();
    let count = u32::try_from(times.len()).unwrap();
    let measured = Measured {
        processor: processor / count.max(1),
        rate: f64::from(count) / took.as_secs_f64(),
        times,
    };
    let mut recorded = Vec::new();
    if let Some((caller, flow)) = callers.first_mut() {
        caller.record();
        flow.go(caller).await;
        recorded = caller.take_recorded();
    }
    (measured, callers.into_iter().map(|(_, flow)| flow).collect(), recorded)
}

/// One operation after the other for this time. What is begun is ended.
async fn go_on(
    callers: Vec<(Caller, Flow)>,
    time: Duration,
) -> (Vec<(Caller, Flow)>, Vec<Duration>) {
    let until = Instant::now() + time;
    let going: Vec<_> = callers
        .into_iter()
        .map(|(mut caller, mut flow)| {
            tokio::spawn(async move {
                let mut times = Vec::new();
                while Instant::now() < until {
                    let started = Instant::now();
                    flow.go(&mut caller).await;
                    times.push(started.elapsed());
                }
                (caller, flow, times)
            })
        })
        .collect();
    let (mut callers, mut all) = (Vec::new(), Vec::new());
    for caller in going {
        let (caller, flow, mut times) = caller.await.unwrap();
        callers.push((caller, flow));
        all.append(&mut times);
    }
    (callers, all)
}

/// What came back.
pub(crate) struct Response {
    pub(crate) body: Bytes,
    pub(crate) location: Option<String>,
}
