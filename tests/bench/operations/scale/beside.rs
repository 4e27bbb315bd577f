//! What whoever asks notices of other work: backups, a sweep, or a processor that somebody else uses.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gatelodge::app::App;
use gatelodge::clock::Clock;
use gatelodge::store::schema::{Grant, Session};
use gatelodge::store::{Row as _, View as _};
use tokio::runtime::Runtime;

use super::fill::{self, Life};
use crate::operations::flow::Flow;
use crate::operations::place::Place;
use crate::operations::{Measured, Operation, measure};

pub(super) const CALLERS: usize = 16;

/// Long enough for some dozens of the slowest thousandth.
const MEASURED: Duration = Duration::from_secs(if cfg!(debug_assertions) { 1 } else { 10 });

/// The sessions and grants, of each as many, that have expired when a sweep starts.
const EXPIRED: u32 = if cfg!(debug_assertions) { 2_000 } else { 100_000 };

/// Prints how fast an operation is by itself, and beside each kind of other work.
pub(super) fn tell(runtime: &Runtime, place: &mut Place, operation: &Operation, flows: Vec<Flow>) {
    let mut flows = flows;
    let mut alone = None;
    let mut line = |what: &str, place: &Place| {
        let own = std::mem::take(&mut flows);
        let measuring = measure(place.address(), || place.processor_time(), own, MEASURED);
        let (measured, back, _) = runtime.block_on(measuring);
        flows = back;
        let slowest = measured.at(0.999);
        let first = *alone.get_or_insert(slowest);
        println!(
            "{:<28} {what:<22} {} {:>6.2}  2.0",
            operation.name,
            figures(&measured),
            slowest.as_secs_f64() / first.as_secs_f64()
        );
    };
    line("alone", place);
    let backups = Backups::start(place);
    line("backups", place);
    println!("{:>51} {}", "", backups.stop());
    let busy = Busy::start(place);
    line("as much other work", place);
    drop(busy);
    line("alone again", place);

    place.kill();
    runtime.block_on(expire(place));
    place.start();
    line("a sweep", place);
    place.kill();
    let left = runtime.block_on(expired(place));
    println!("{:>51} {left} of {} expired rows were left", "", 2 * EXPIRED);
    place.start();
    // Whatever is measured next is alone again.
    place.settled();
}

fn figures(measured: &Measured) -> String {
    let millis = |part| measured.at(part).as_secs_f64() * 1e3;
    format!(
        "{:>8.0} {:>8.2} {:>8.2} {:>8.2} {:>9.1}",
        measured.rate,
        millis(0.5),
        millis(0.99),
        millis(0.999),
        measured.processor.as_secs_f64() * 1e6
    )
}

async fn opened(place: &Place) -> Arc<App> {
    Arc::new(App::open_existing(place.config()).await.unwrap())
}

/// Makes what a sweep has to remove.
async fn expire(place: &Place) {
    fill::people(&opened(place).await, EXPIRED, Life::Over).await;
}

/// How many of those there still are.
async fn expired(place: &Place) -> usize {
    let app = opened(place).await;
    let expired = app.read().unwrap().expired(Clock::System.now(), usize::MAX).unwrap();
    let own = [Session::TABLE.byte, Grant::TABLE.byte];
    expired.iter().filter(|(_, key)| key.first().is_some_and(|table| own.contains(table))).count()
}

/// A backup after the other, by the command.
struct Backups {
    ended: Arc<AtomicBool>,
    going: JoinHandle<Vec<Duration>>,
}

impl Backups {
    fn start(place: &Place) -> Self {
        let file = place.file("beside.backup");
        let mut command = place.command(&["backup", &file.display().to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        let going = std::thread::spawn(move || {
            let mut times = Vec::new();
            while !end.load(Ordering::Relaxed) {
                // There is none the first time.
                let _ = fs::remove_file(&file);
                let started = Instant::now();
                assert!(command.status().unwrap().success(), "a backup is made");
                times.push(started.elapsed());
            }
            times
        });
        Self { ended, going }
    }

    /// Waits for the last one. Says what they were.
    fn stop(self) -> String {
        self.ended.store(true, Ordering::Relaxed);
        let times = self.going.join().unwrap();
        let all: Duration = times.iter().sum();
        let each = all.as_secs_f64() / f64::from(u32::try_from(times.len()).unwrap());
        format!("{} backups, each {each:.1} s", times.len())
    }
}

/// Other processes that read and write as many bytes as a backup has, and digest them.
struct Busy(Child);

impl Busy {
    fn start(place: &Place) -> Self {
        let work = "while kill -0 $PPID; do tee copy < beside.backup | sha256sum; sync copy; rm copy; done";
        let mut command = Command::new("sh");
        command.args(["-c", work]).current_dir(place.file("")).process_group(0);
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let killed = Command::new("kill").args(["-KILL", "--", &group]).status();
        assert!(killed.unwrap().success(), "it ran until now");
        self.0.wait().unwrap();
    }
}
