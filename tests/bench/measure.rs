//! Windows, medians and rows.

use std::fmt;
use std::time::{Duration, Instant};

/// How many windows there are of everything, and how long each is.
const WINDOWS: usize = 7;
pub(crate) const WINDOW: Duration = Duration::from_millis(250);

/// A line of the table.
pub(crate) struct Row {
    name: String,
    rate: f64,
    beside: Option<(&'static str, f64)>,
}

impl Row {
    pub(crate) const HEAD: &str =
        "what                                              per second    µs each   beside";

    /// What goes `rate` times a second.
    pub(crate) fn new(name: impl Into<String>, rate: f64) -> Self {
        Self { name: name.into(), rate, beside: None }
    }

    /// Beside what goes `rate` times a second.
    pub(crate) fn beside(self, name: &'static str, rate: f64) -> Self {
        Self { beside: Some((name, rate)), ..self }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<46} {:>13.0} {:>10.2}", self.name, self.rate, 1e6 / self.rate)?;
        match self.beside {
            Some((name, rate)) => write!(f, "   {:.2} × {name} ({rate:.0}/s)", self.rate / rate),
            None => Ok(()),
        }
    }
}

/// The rates of several kinds of work, which take turns. Each works for a window and tells how
/// often it did.
pub(crate) fn rates<const N: usize>(mut work: [&mut dyn FnMut() -> u64; N]) -> [f64; N] {
    let mut rates = [const { Vec::new() }; N];
    for window in 0..=WINDOWS {
        for (work, rates) in work.iter_mut().zip(&mut rates) {
            let started = Instant::now();
            let done = work();
            // The first window warms up.
            if window > 0 {
                #[expect(clippy::cast_precision_loss, reason = "a count of some seconds is small")]
                rates.push(done as f64 / started.elapsed().as_secs_f64());
            }
        }
    }
    rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or_default()
    })
}

/// Works for one window, on this thread.
pub(crate) fn window(mut work: impl FnMut()) -> u64 {
    let started = Instant::now();
    let mut done = 0;
    while started.elapsed() < WINDOW {
        work();
        done += 1;
    }
    done
}
