//! What an operation cannot do without, and the server that does that and nothing else.
//!
//! It is a process of its own, a bare axum server. It reads the requests that the callers of the operation
//! send, and gives the responses that they get, byte by byte. Before that it makes as many signatures, and
//! commits as many rows, in commits that those share who wait at one time, to a store of as many keys. It
//! knows nothing beside: no route, no form, no client, no token.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header};
use axum::routing::{any, put};
use axum::serve::ListenerExt as _;
use gatelodge::oauth::client::SigningAlg;
use gatelodge::store::Store;
use hyper::body::Bytes;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::Operation;
use super::caller::{Caller, Recorded};
use super::place::processor_time;
use crate::sign::Bare;
use crate::write::{self, Written};

/// The argument by which this program is that server.
const ARGUMENT: &str = "--serve-limit";

/// Where it is told what to do.
const PLAN: &str = "/-/plan";

/// As many bytes as a token has in front of its signature.
const SIGNED: [u8; 600] = [7; 600];

/// What lies in its store from the beginning, again and again: a row of the usual size, and an entry.
const FILLED: Written = Written { bytes: 200.0, entries: 1.0, rows: 1.0, sums: 0.0 };

/// What the server does for the requests of an operation.
#[derive(Serialize, Deserialize)]
struct Plan {
    /// How long it is busy with nothing in each request.
    busy: Duration,
    /// Where the copy of the stock is made that it commits to.
    directory: PathBuf,
    /// The number of the first transition.
    first: u64,
    steps: Vec<Step>,
    /// A store that is filled.
    stock: PathBuf,
    /// What each commit writes.
    written: Written,
}

/// What it does for one request.
#[derive(Serialize, Deserialize)]
struct Step {
    commits: bool,
    es256: u32,
    rs256: u32,
    /// The target of the request, by which it is known.
    target: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What is done for these requests of an operation: the last of them commit, and the very last signs.
fn steps(operation: &Operation, requests: &[Recorded]) -> Vec<Step> {
    let steps = requests.iter().rev().enumerate().map(|(from_end, own)| {
        let signatures = |count: u32| if from_end == 0 { count } else { 0 };
        let (head, body) = own.response.clone().into_parts();
        let headers = head.headers.iter().filter(|(name, _)| !is_of_connection(name));
        Step {
            commits: from_end < operation.commits,
            es256: signatures(operation.es256),
            rs256: signatures(operation.rs256),
            target: own.request.uri().to_string(),
            status: head.status.as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: body.to_vec(),
        }
    });
    steps.collect()
}

/// Whether every server adds this header by itself.
fn is_of_connection(name: &HeaderName) -> bool {
    [header::CONNECTION, header::CONTENT_LENGTH, header::DATE].contains(name)
}

/// Whether this process is to be the server.
pub(crate) fn is_limit() -> bool {
    std::env::args().nth(1).is_some_and(|argument| argument == ARGUMENT)
}

/// Serves until it is killed.
pub(crate) fn serve() -> ! {
    Runtime::new().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let server = Arc::new(Server {
            es256: Bare::generate(SigningAlg::Es256),
            rs256: Bare::generate(SigningAlg::Rs256),
            work: RwLock::default(),
        });
        let router = Router::new().route(PLAN, put(take)).fallback(any(respond)).with_state(server);
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
        axum::serve(listener, router).await.unwrap();
    });
    unreachable!("a server ends with its process")
}

struct Server {
    es256: Bare,
    rs256: Bare,
    work: RwLock<Option<Arc<Work>>>,
}

/// A plan, as it is carried out.
struct Work {
    busy: Duration,
    number: AtomicU64,
    responses: HashMap<String, (Step, StatusCode, HeaderMap, Bytes)>,
    store: Arc<Store>,
    written: Written,
    /// Where the store is. It ends with this value, after the store.
    _directory: TempDir,
}

/// Takes a plan. What was committed for the one before is removed.
async fn take(State(server): State<Arc<Server>>, plan: Bytes) {
    let plan: Plan = serde_json::from_slice(&plan).unwrap();
    let directory = tempfile::tempdir_in(&plan.directory).unwrap();
    let store = directory.path().join("store");
    fs::copy(&plan.stock, &store).unwrap();
    let responses = plan.steps.into_iter().map(|step| {
        let header = |(name, value): &(String, String)| -> (HeaderName, HeaderValue) {
            (name.parse().unwrap(), value.parse().unwrap())
        };
        let status = StatusCode::from_u16(step.status).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in step.headers.iter().map(header) {
            headers.append(name, value);
        }
        let body = Bytes::from(step.body.clone());
        (step.target.clone(), (step, status, headers, body))
    });
    let work = Work {
        busy: plan.busy,
        number: AtomicU64::new(plan.first),
        responses: responses.collect(),
        store: Arc::new(Store::open(&store).unwrap()),
        written: plan.written,
        _directory: directory,
    };
    *server.work.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(work));
}

/// Does what the plan says of this request.
async fn respond(State(server): State<Arc<Server>>, uri: Uri, _body: Bytes) -> Response<Body> {
    let work = server.work.read().unwrap_or_else(PoisonError::into_inner).clone().unwrap();
    let target = uri.path_and_query().unwrap().as_str();
    let (step, status, headers, body) = work.responses.get(target).expect(target);
    for (key, count) in [(&server.es256, step.es256), (&server.rs256, step.rs256)] {
        for _ in 0..count {
            std::hint::black_box(key.sign(std::hint::black_box(&SIGNED)));
        }
    }
    let started = Instant::now();
    while started.elapsed() < work.busy {
        std::hint::spin_loop();
    }
    if step.commits {
        let number = work.number.fetch_add(1, Ordering::Relaxed);
        write::commit_like(&work.store, work.written, number).await.unwrap();
    }
    let mut response = Response::new(Body::from(body.clone()));
    *response.status_mut() = *status;
    *response.headers_mut() = headers.clone();
    response
}

/// The process of that server. It ends with this value.
pub(super) struct Limit {
    address: String,
    /// For its stores. It ends with this value, after the process.
    directory: TempDir,
    /// How many transitions the stock is of.
    filled: u64,
    process: Child,
}

impl Limit {
    /// Starts it, beside a stock of so many keys.
    pub(super) async fn start(keys: u64) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut process = command.arg(ARGUMENT).stdout(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut address).unwrap();
        // Not below /tmp, which may be memory: what is measured includes the disk.
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let own = Self { address: address.trim().to_owned(), directory, filled: keys / 2, process };
        write::fill(&Store::open(&own.stock()).unwrap(), FILLED, own.filled).await.unwrap();
        own
    }

    fn stock(&self) -> PathBuf {
        self.directory.path().join("stock")
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn processor_time(&self) -> Duration {
        processor_time(self.process.id())
    }

    /// Has it serve these requests of an operation from now on, and be busy with nothing for this time beside.
    pub(super) async fn plan(
        &self,
        operation: &Operation,
        requests: &[Recorded],
        written: Written,
        busy: Duration,
    ) {
        let plan = Plan {
            busy: busy / u32::try_from(requests.len().max(1)).unwrap(),
            directory: self.directory.path().to_owned(),
            first: self.filled,
            steps: steps(operation, requests),
            stock: self.stock(),
            written,
        };
        let mut caller = Caller::connect(&self.address).await;
        let request = axum::http::Request::put(PLAN);
        let body = Bytes::from(serde_json::to_vec(&plan).unwrap());
        caller.send(request.body(body).unwrap()).await;
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
