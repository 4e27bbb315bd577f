//! The source of seeds.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng, TryRng};
use zeroize::{Zeroize, Zeroizing};

use super::Seed;

thread_local! {
    /// The sequence of the work that this thread does now, if it has one of its own.
    static OWN: RefCell<Option<StdRng>> = const { RefCell::new(None) };
}

/// The source of seeds: the operating system, or a fixed sequence for tests and development.
pub enum Entropy {
    /// A fixed sequence. Work that has one [of its own](drawing) draws from that.
    Seeded(Mutex<Box<StdRng>>),
    /// The operating system's generator.
    System,
}

impl Entropy {
    /// The fixed sequence of `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Mutex::new(Box::new(StdRng::seed_from_u64(seed))))
    }

    /// The fixed sequence of `seed`.
    pub fn of(seed: &Seed) -> Self {
        Self::Seeded(Mutex::new(Box::new(sequence(seed))))
    }

    /// Draws a new seed.
    pub fn seed(&self) -> Seed {
        let mut bytes = [0; 32];
        match self {
            Self::Seeded(rng) => OWN.with_borrow_mut(|own| match own {
                Some(own) => own.fill_bytes(&mut bytes),
                None => rng
                    .lock()
                    .unwrap_or_else(|poisoned| poisoned.into_inner())
                    .fill_bytes(&mut bytes),
            }),
            Self::System => {
                SysRng.try_fill_bytes(&mut bytes).expect("the system gives random bytes");
            }
        }
        let seed = Seed(Zeroizing::new(bytes));
        bytes.zeroize();
        seed
    }
}

fn sequence(seed: &Seed) -> StdRng {
    StdRng::from_seed(seed.bytes("sequence"))
}

/// Does `work` with a fixed sequence of its own, so that what it draws does not depend on what is drawn
/// beside it. It counts only where the source is a fixed sequence.
pub fn drawing<F: Future>(seed: &Seed, work: F) -> impl Future<Output = F::Output> + use<F> {
    Drawing { own: Some(sequence(seed)), work: Box::pin(work) }
}

struct Drawing<F> {
    own: Option<StdRng>,
    work: Pin<Box<F>>,
}

impl<F: Future> Future for Drawing<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _turn = Turn { before: OWN.replace(this.own.take()), own: &mut this.own };
        this.work.as_mut().poll(cx)
    }
}

/// A turn of some work on this thread, which gets back what it had, however the turn ends.
struct Turn<'a> {
    before: Option<StdRng>,
    own: &'a mut Option<StdRng>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.own = OWN.replace(self.before.take());
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn work_with_a_sequence_of_its_own_draws_the_same_whatever_is_drawn_beside_it() {
        let drawn = |others: usize| {
            let entropy = Entropy::of(&Seed::of_text("7"));
            for _ in 0..others {
                entropy.seed();
            }
            let mut work = Box::pin(drawing(&Seed::of_text("request 1"), async {
                let first = entropy.seed().uuid("id");
                let second = entropy.seed().uuid("id");
                (first, second)
            }));
            let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            (polled, entropy.seed().uuid("id"))
        };
        let (one, beside_one) = drawn(0);
        let (other, beside_other) = drawn(3);

        assert_eq!(one, other);
        assert_ne!(beside_one, beside_other);
        assert!(matches!(one, Poll::Ready((first, second)) if first != second));
    }
}
