//! What an operation cannot do without, by itself: signatures, and commits that callers share.

use std::fmt;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatelodge::oauth::client::SigningAlg;
use gatelodge::store::Store;
use tokio::runtime::Runtime;

use super::MEASURED;
use super::place::processor_time;
use crate::measure::window;
use crate::sign::Bare;
use crate::write::{self, Written};

/// The processor time of each.
pub(super) struct Parts {
    pub(super) es256: Duration,
    pub(super) rs256: Duration,
}

impl Parts {
    pub(super) fn measure() -> Self {
        Self { es256: signature(SigningAlg::Es256), rs256: signature(SigningAlg::Rs256) }
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        write!(f, "processor µs: ES256 {:.1}, RS256 {:.1}", micros(self.es256), micros(self.rs256))
    }
}

fn signature(alg: SigningAlg) -> Duration {
    let key = Bare::generate(alg);
    let signed = [7; 600];
    let began = Instant::now();
    let done = window(|| drop(black_box(key.sign(black_box(&signed)))));
    began.elapsed() / u32::try_from(done.max(1)).unwrap()
}

/// The share of one of so many transitions in the commits of what they write.
pub(super) fn commit(runtime: &Runtime, written: Written, callers: usize) -> Duration {
    // Not below /tmp, which may be memory: what is measured includes the disk.
    let target = env!("CARGO_TARGET_TMPDIR");
    let directory = tempfile::tempdir_in(target).unwrap();
    let store = Arc::new(Store::open(&directory.path().join("store")).unwrap());
    let own = std::process::id();
    let began = processor_time(own);
    let done = runtime.block_on(write::write_like(&store, written, callers, MEASURED));
    let done = u32::try_from(done.max(1)).unwrap();
    (processor_time(own) - began) / done
}
