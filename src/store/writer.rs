//! The writer: one thread that commits transitions in batches.
//!
//! The thread drains its queue, runs each transition over the writes of the earlier ones, commits
//! once, and replies to every caller. A transition that refuses or panics adds nothing to the
//! batch, and the thread continues. If the commit fails, so does every transition that writes.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::metrics::{Counter, StoreMetrics};
use crate::store::StoreError;
use crate::store::engine::{Engine, Snapshot, Writes};
use crate::store::tx::Tx;
use crate::store::weight;

/// The most transitions that wait.
const MAX_QUEUE: usize = 4096;
/// The most transitions that share one commit.
const MAX_BATCH: usize = 512;

/// The handle of the writer's thread. Dropping it ends the thread.
pub(super) struct Writer {
    engine: Arc<Engine>,
    queue: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        engine: Arc<Engine>,
        metrics: Arc<StoreMetrics>,
    ) -> Result<Self, StoreError> {
        let (queue, mut jobs) = mpsc::channel(MAX_QUEUE);
        let own = Arc::clone(&engine);
        let thread = thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                while let Some(batch) = next_batch(&mut jobs) {
                    run(&own, &metrics, batch);
                }
            })
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        Ok(Self { engine, queue: Some(queue), thread: Some(thread) })
    }

    pub(super) async fn write<T, E>(
        &self,
        transition: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, respond) = oneshot::channel();
        self.enqueue(Box::new(Transition { transition, outcome: None, reply })).await?;
        respond.await.map_err(|_| StoreError::Stopped)?
    }

    /// The part of [`Self::write`] that does not depend on the transition.
    async fn enqueue(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or(StoreError::Stopped)?;
        queue.send(job).await.map_err(|_| StoreError::Stopped)
    }

    pub(super) async fn probe(&self) -> Result<(), StoreError> {
        let engine = Arc::clone(&self.engine);
        let probed = tokio::task::spawn_blocking(move || engine.probe()).await;
        probed.unwrap_or(Err(StoreError::Panicked))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the writer is ignored at the end.
            let _ = thread.join();
        }
    }
}

fn next_batch(jobs: &mut mpsc::Receiver<Box<dyn Job>>) -> Option<Vec<Box<dyn Job>>> {
    let mut batch = vec![jobs.blocking_recv()?];
    while batch.len() < MAX_BATCH {
        let Ok(job) = jobs.try_recv() else { break };
        batch.push(job);
    }
    Some(batch)
}

fn run(engine: &Engine, metrics: &StoreMetrics, mut batch: Vec<Box<dyn Job>>) {
    let snapshot = match engine.snapshot() {
        Ok(snapshot) => snapshot,
        Err(failure) => return batch.into_iter().for_each(|job| job.respond(Some(&failure))),
    };
    let mut writes = Writes::new();
    for job in &mut batch {
        let held = job.run(&snapshot, &writes);
        writes.extend(held);
    }
    // Without writes there is nothing to commit.
    let failure = if writes.is_empty() { None } else { commit(engine, metrics, &batch, &writes) };
    for mut job in batch {
        // The transitions saw the writes of each other. What writes nothing needs no disk, and is
        // answered without them.
        let failure = failure.as_ref().filter(|_| !job.run(&snapshot, &Writes::new()).is_empty());
        job.respond(failure);
    }
}

/// Commits the writes of a batch, and counts that.
fn commit(
    engine: &Engine,
    metrics: &StoreMetrics,
    batch: &[Box<dyn Job>],
    writes: &Writes,
) -> Option<StoreError> {
    let started = Clock::System.reading().running;
    let failure = engine.apply(writes).err();
    metrics.commits.observe_duration(Clock::System.reading().running.saturating_sub(started));
    metrics.batches.observe(u64::try_from(batch.len()).unwrap_or(u64::MAX));
    match failure {
        Some(_) => metrics.failures.increment(),
        None => count(metrics, writes),
    }
    failure
}

/// Counts what a commit wrote. An index entry is a key whose row is empty.
fn count(metrics: &StoreMetrics, writes: &Writes) {
    let (mut bytes, mut rows, mut sums) = (0, 0, 0);
    for (key, row) in writes {
        let row = row.as_ref().map_or(0, Vec::len);
        bytes += key.len() + row;
        if weight::is_sum(key) {
            sums += 1;
        } else if row > 0 {
            rows += 1;
        }
    }
    let add = |counter: &Counter, more: usize| counter.add(u64::try_from(more).unwrap_or(u64::MAX));
    add(&metrics.written_bytes, bytes);
    add(&metrics.written_entries, writes.len() - rows - sums);
    add(&metrics.written_rows, rows);
    add(&metrics.written_sums, sums);
}

/// A waiting transition.
trait Job: Send {
    /// Runs it, and returns its writes.
    fn run(&mut self, snapshot: &Snapshot, batch: &Writes) -> Writes;

    /// Sends the caller the outcome, or the failure of the whole batch.
    fn respond(self: Box<Self>, failure: Option<&StoreError>);
}

struct Transition<F, T, E> {
    transition: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Transition<F, T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, snapshot: &Snapshot, batch: &Writes) -> Writes {
        let mut tx = Tx::new(snapshot, batch);
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.transition)(&mut tx)));
        let outcome =
            outcome.unwrap_or_else(|_: Box<dyn Any + Send>| Err(StoreError::Panicked.into()));
        let writes = if outcome.is_ok() { tx.into_writes() } else { Writes::new() };
        self.outcome = Some(outcome);
        writes
    }

    fn respond(self: Box<Self>, failure: Option<&StoreError>) {
        let outcome = match failure {
            None => self.outcome,
            Some(failure) => Some(Err(failure.clone().into())),
        };
        let outcome = outcome.unwrap_or_else(|| Err(StoreError::Stopped.into()));
        // The caller may have stopped waiting.
        let _ = self.reply.send(outcome);
    }
}
