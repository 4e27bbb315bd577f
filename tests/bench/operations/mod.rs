//! Operations over HTTP by the built program, a process of its own, at several numbers of callers.
//!
//! Beside each stands its limit, taken in the same run: a bare axum server, another process, that takes in
//! and gives out as many bytes as often; the signatures that the operation needs; and its share of grouped
//! commits of as many rows as it writes. What is compared is the processor time of the server, which a busy
//! machine changes least. What grants and rotations leave in the file stands below.

mod apart;
mod bare;
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

pub(crate) use self::bare::{is_bare, serve as serve_bare};

use self::bare::Bare;
use self::caller::Caller;
use self::flow::Flow;
use self::limit::Parts;
use self::place::{Place, Seeds, Stock};
use self::written::Counts;

/// How many callers there are at one time.
const CALLERS: [usize; 4] = [1, 16, 64, 256];

/// As many as they all use up.
const EXCHANGE_CODES: usize = 120_000;

/// The time of one measurement, after that of warming up. A build for tests is slow, and its figures say
/// nothing.
const MEASURED: Duration = Duration::from_millis(if cfg!(debug_assertions) { 300 } else { 2000 });
const WARM: Duration = Duration::from_millis(if cfg!(debug_assertions) { 100 } else { 500 });

/// An operation, and what it cannot do without.
struct Operation {
    name: &'static str,
    /// Durable commits that somebody waits for.
    commits: u32,
    es256: u32,
    rs256: u32,
    /// The most that it may cost, as a multiple of its limit.
    mark: f64,
    /// What one caller does; each has a seed of its own.
    flow: fn(&Seeds, usize) -> Flow,
}

const OPERATIONS: [Operation; 13] = [
    Operation { name: "metadata", commits: 0, es256: 0, rs256: 0, mark: 1.3, flow: flow::metadata },
    Operation { name: "jwks", commits: 0, es256: 0, rs256: 0, mark: 1.3, flow: flow::jwks },
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
        commits: 3,
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
    let bare = Bare::start();
    let parts = Parts::measure();
    println!("\n{parts}; idle memory {} MiB", place.memory());
    println!(
        "{:<36} {:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>6}  mark  rows + entries + sums of a transition",
        "operation", "callers", "per s", "p50 ms", "p99 ms", "CPU µs", "limit µs", "ratio"
    );
    for operation in OPERATIONS.into_iter().filter(|operation| asked.has(operation.name)) {
        let mut flows: Vec<Flow> = (0..max).map(|n| (operation.flow)(&seeds, n)).collect();
        for callers in CALLERS.into_iter().filter(|own| asked.callers.is_none_or(|one| one == *own))
        {
            let own = flows.drain(..callers).collect();
            let before = Counts::read(&place);
            let measuring = measure(place.address(), || place.processor_time(), own, MEASURED);
            let (measured, mut back, sizes) = runtime.block_on(measuring);
            let written = Counts::read(&place).since(&before);
            flows.append(&mut back);
            let same = (0..callers).map(|_| Flow::bare(&sizes)).collect();
            let measuring = measure(bare.address(), || bare.processor_time(), same, MEASURED);
            let (beside, _, _) = runtime.block_on(measuring);
            let commit = match operation.commits {
                0 => Duration::ZERO,
                commits => limit::commit(&runtime, written, callers) * commits,
            };
            let limit = beside.processor
                + parts.es256 * operation.es256
                + parts.rs256 * operation.rs256
                + commit;
            let micros = |time: Duration| time.as_secs_f64() * 1e6;
            let saved = Saved {
                callers,
                limit_us: micros(limit),
                operation: operation.name.to_owned(),
                per_second: measured.rate,
                processor_us: micros(measured.processor),
            };
            println!(
                "{:<36} {callers:>7} {:>9.0} {:>9.2} {:>9.2} {:>9.1} {:>9.1} {:>6.2}  {:.1}  {}{}",
                saved.operation,
                saved.per_second,
                micros(measured.at(0.5)) / 1e3,
                micros(measured.at(0.99)) / 1e3,
                saved.processor_us,
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

/// The bytes of a request and of its response, each its head and its body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    request: usize,
    response_head: usize,
    response: usize,
}

/// Lets every flow go on by a connection of its own, all at once, for this time. Gives them back, and the
/// sizes of the requests of one operation.
async fn measure(
    address: &str,
    processor_time: impl Fn() -> Duration,
    flows: Vec<Flow>,
    time: Duration,
) -> (Measured, Vec<Flow>, Vec<Sizes>) {
    let mut callers = Vec::new();
    for flow in flows {
        callers.push((Caller::connect(address).await, flow));
    }
    let (callers, _) = go_on(callers, WARM).await;
    let (began, started) = (processor_time(), Instant::now());
    let (callers, mut times) = go_on(callers, time).await;
    let (processor, took) = (processor_time() - began, started.elapsed());
    times.sort();
    let count = u32::try_from(times.len()).unwrap();
    let measured = Measured {
        processor: processor / count.max(1),
        rate: f64::from(count) / took.as_secs_f64(),
        times,
    };
    let sizes = callers.first().map(|(caller, _)| caller.sizes()).unwrap_or_default();
    (measured, callers.into_iter().map(|(_, flow)| flow).collect(), sizes)
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
                    caller.forget_sizes();
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
