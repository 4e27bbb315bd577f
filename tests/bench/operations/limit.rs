//! What an operation cannot do without, by itself: signatures, and commits that callers share.

use std::fmt;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatelodge::oauth::client::SigningAlg;
use gatelodge::store::Store;
use tokio::runtime::Runtime;

use super::place::processor_time;
use super::{CALLERS, MEASURED};
use crate::measure::window;
use crate::sign::Bare;
use crate::write;

/// The processor time of each.
pub(super) struct Parts {
    /// One grouped commit of a row, by the number of callers.
    commits: Vec<(usize, Duration)>,
    pub(super) es256: Duration,
    pub(super) rs256: Duration,
}

impl Parts {
    pub(super) fn measure(runtime: &Runtime) -> Self {
        let commits = CALLERS.map(|callers| (callers, commit(runtime, callers)));
        Self {
            commits: commits.into(),
            es256: signature(SigningAlg::Es256),
            rs256: signature(SigningAlg::Rs256),
        }
    }

    /// A grouped commit of one row, where so many wait for theirs.
    pub(super) fn commit(&self, callers: usize) -> Duration {
        let found = self.commits.iter().find(|(number, _)| *number == callers);
        found.map(|(_, time)| *time).unwrap_or_default()
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        write!(
            f,
            "processor µs: ES256 {:.1}, RS256 {:.1}",
            micros(self.es256),
            micros(self.rs256)
        )?;
        for (callers, time) in &self.commits {
            write!(f, ", a commit by {callers} {:.1}", micros(*time))?;
        }
        Ok(())
    }
}

fn signature(alg: SigningAlg) -> Duration {
    let key = Bare::generate(alg);
    let signed = [7; 600];
    let began = Instant::now();
    let done = window(|| drop(black_box(key.sign(black_box(&signed)))));
    began.elapsed() / u32::try_from(done.max(1)).unwrap()
}

fn commit(runtime: &Runtime, callers: usize) -> Duration {
    // Not below /tmp, which may be memory: what is measured includes the disk.
    let target = env!("CARGO_TARGET_TMPDIR");
    let directory = tempfile::tempdir_in(target).unwrap();
    let store = Arc::new(Store::open(&directory.path().join("store")).unwrap());
    let own = std::process::id();
    let began = processor_time(own);
    let done = runtime.block_on(write::write(&store, callers, MEASURED));
    let done = u32::try_from(done.max(1)).unwrap();
    (processor_time(own) - began) / done
}
