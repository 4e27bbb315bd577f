//! What a quick request notices of slow ones that have nothing to do with it.

use tokio::runtime::Runtime;

use super::flow::{self, Flow};
use super::place::{Place, Seeds};
use super::{MEASURED, measure};

/// How many callers ask for what takes long.
const SLOW: usize = 64;

/// Prints how fast the metadata is by itself, and while others ask for ID tokens that are signed with RSA.
pub(super) fn tell(runtime: &Runtime, place: &Place, seeds: &Seeds) {
    let time = || place.processor_time();
    let quick = || measure(place.address(), time, vec![flow::metadata(seeds, 0)], MEASURED);
    let slow: Vec<Flow> = (0..SLOW).map(|n| flow::refresh_rs256(seeds, n)).collect();
    let (alone, _, _) = runtime.block_on(quick());
    let slow = measure(place.address(), time, slow, MEASURED);
    let ((beside, _, _), _) = runtime.block_on(async { tokio::join!(quick(), slow) });
    for (how, measured) in [("alone", alone), ("while 64 refresh with RS256", beside)] {
        let millis = |part| measured.at(part).as_secs_f64() * 1e3;
        println!(
            "metadata by one, {how}: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms",
            millis(0.5),
            millis(0.99),
            millis(0.999)
        );
    }
}
