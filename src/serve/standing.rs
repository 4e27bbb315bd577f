//! What an open connection is doing, and the turns of requests that are sent together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::{Notify, Semaphore};

/// What all connections share while they are served.
pub(super) struct Turns {
    /// The number of steps that all have made.
    steps: AtomicU64,
    /// A permit for each pipelined request that may be the next of its kind.
    pipelined: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self { steps: AtomicU64::new(0), pipelined: Semaphore::new(MAX_PIPELINED) }
    }
}

/// How a connection stands among those of its network.
pub(super) struct Standing {
    closed: Notify,
    /// The stage above the two highest bits, and below them the time of the last progress.
    rank: AtomicU64,
    /// Whether bytes have arrived since the last request.
    received: AtomicBool,
    turns: Arc<Turns>,
}

/// What a connection is doing, from the stalest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has made no whole request: none at all, or one whose body is on its way.
    Opening,
    /// It waits for its peer: for a request, or for the response to be read.
    Waiting,
    /// Its request is being handled.
    Working,
}

impl Standing {
    /// The standing of a new connection.
    pub(super) fn new(turns: Arc<Turns>) -> Self {
        let standing = Self {
            closed: Notify::new(),
            rank: AtomicU64::new(0),
            received: AtomicBool::new(false),
            turns,
        };
        standing.enter(Stage::Opening);
        standing
    }

    /// Bytes have arrived.
    pub(super) fn received(&self) {
        self.received.store(true, Ordering::Relaxed);
    }

    /// Waits until a request may be handled. One that arrived together with those before it lets
    /// every task that is ready go first, and few of its kind do so at once: a thousand connections
    /// with thirty such requests each make nobody wait.
    pub(super) async fn turn(&self) {
        if self.received.swap(false, Ordering::Relaxed) {
            return;
        }
        let is_whole = self.stage() == Stage::Working as u64;
        if is_whole {
            self.enter(Stage::Waiting);
        }
        // The semaphore is never closed.
        let turn = self.turns.pipelined.acquire().await;
        tokio::task::yield_now().await;
        drop(turn);
        if is_whole {
            self.enter(Stage::Working);
        }
    }

    /// The head of a request has arrived, and its body not yet.
    pub(super) fn began(&self) {
        self.enter(Stage::Opening);
    }

    /// The connection has made a whole request.
    pub(super) fn requested(&self) {
        self.enter(Stage::Working);
    }

    /// The request is handled, and its response goes to the peer.
    pub(super) fn responded(&self) {
        self.enter(Stage::Waiting);
    }

    /// The peer has taken a part of the response.
    pub(super) fn progressed(&self) {
        if self.stage() == Stage::Waiting as u64 {
            self.enter(Stage::Waiting);
        }
    }

    /// Waits until the connection has to go.
    pub(super) async fn closed(&self) {
        self.closed.notified().await;
    }

    /// Makes it go.
    pub(super) fn close(&self) {
        self.closed.notify_one();
    }

    /// The rank among others. The stalest has the lowest.
    pub(super) fn rank(&self) -> u64 {
        self.rank.load(Ordering::Relaxed)
    }

    /// The rank of one that has hardly had the time to make a request: until then it counts as one
    /// that waits.
    pub(super) fn rank_of_last(&self) -> u64 {
        let rank = self.rank();
        let is_opening = rank >> STAGE_SHIFT == Stage::Opening as u64;
        if is_opening { (Stage::Waiting as u64) << STAGE_SHIFT | rank } else { rank }
    }

    fn enter(&self, stage: Stage) {
        let now = self.turns.steps.fetch_add(1, Ordering::Relaxed);
        self.rank.store((stage as u64) << STAGE_SHIFT | now, Ordering::Relaxed);
    }

    fn stage(&self) -> u64 {
        self.rank() >> STAGE_SHIFT
    }
}

/// The place of the stage in a rank.
const STAGE_SHIFT: u32 = 62;

/// The most pipelined requests that let the others go first at once.
const MAX_PIPELINED: usize = 2;
