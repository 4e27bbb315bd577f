//! Turns at something scarce, shared fairly among those who wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::lock;

/// Lanes of waiters. A free turn goes to the lane whose last turn is the oldest, and in it to
/// whoever came first, so that a crowd in one lane delays no other lane by more than one turn.
pub(super) struct Lanes<K: Ord + Clone>(Arc<Mutex<Waiting<K>>>);

struct Waiting<K: Ord + Clone> {
    /// The turns that nobody has.
    free: usize,
    /// Those who wait, by lane. No lane is empty.
    lanes: BTreeMap<K, VecDeque<oneshot::Sender<Turn<K>>>>,
    /// The lanes in the order in which they get their next turn.
    order: VecDeque<K>,
    /// The most that wait in one lane, and in all.
    limits: (usize, usize),
}

/// A turn. Dropping it passes it on.
pub(super) struct Turn<K: Ord + Clone>(Option<Arc<Mutex<Waiting<K>>>>);

/// Too many wait already in the same lane.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Crowded;

impl<K: Ord + Clone> Lanes<K> {
    /// `turns` at once; at most `in_lane` wait in a lane, and `in_all` in all.
    pub(super) fn new(turns: usize, in_lane: usize, in_all: usize) -> Self {
        Self(Arc::new(Mutex::new(Waiting {
            free: turns,
            lanes: BTreeMap::new(),
            order: VecDeque::new(),
            limits: (in_lane, in_all),
        })))
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self, lane: &K) -> Result<Turn<K>, Crowded> {
        let called = {
            let mut waiting = lock(&self.0);
            if waiting.free > 0 {
                waiting.free -= 1;
                return Ok(Turn(Some(Arc::clone(&self.0))));
            }
            waiting.queue(lane)?
        };
        // The sender is dropped if a longer lane has to make room.
        called.await.map_err(|_| Crowded)
    }
}

impl<K: Ord + Clone> Waiting<K> {
    fn queue(&mut self, lane: &K) -> Result<oneshot::Receiver<Turn<K>>, Crowded> {
        let (in_lane, in_all) = self.limits;
        // Those who went away free their places.
        if let Some(queue) = self.lanes.get_mut(lane) {
            queue.retain(|waiter| !waiter.is_closed());
            if queue.len() >= in_lane {
                return Err(Crowded);
            }
        }
        if self.lanes.values().map(VecDeque::len).sum::<usize>() >= in_all
            && let Some(fullest) = self.lanes.values_mut().max_by_key(|queue| queue.len())
        {
            fullest.pop_back();
        }
        let (call, called) = oneshot::channel();
        if !self.order.contains(lane) {
            self.order.push_back(lane.clone());
        }
        self.lanes.entry(lane.clone()).or_default().push_back(call);
        Ok(called)
    }

    /// The next to get a turn. If nobody waits, the turn is free.
    fn next(&mut self) -> Option<oneshot::Sender<Turn<K>>> {
        while let Some(lane) = self.order.pop_front() {
            let Some(mut queue) = self.lanes.remove(&lane) else { continue };
            let next = queue.pop_front();
            if !queue.is_empty() {
                self.order.push_back(lane.clone());
                self.lanes.insert(lane, queue);
            }
            if next.is_some() {
                return next;
            }
        }
        self.free += 1;
        None
    }
}

impl<K: Ord + Clone> Drop for Turn<K> {
    fn drop(&mut self) {
        let Some(waiting) = self.0.take() else { return };
        loop {
            let next = lock(&waiting).next();
            let Some(next) = next else { return };
            match next.send(Turn(Some(Arc::clone(&waiting)))) {
                Ok(()) => return,
                // It no longer waits. The turn comes back, and goes to the next.
                Err(mut turn) => turn.0 = None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn lanes() -> Arc<Lanes<&'static str>> {
        Arc::new(Lanes::new(1, 3, 5))
    }

    /// Queues in each of the lanes, in this order, and gives the order of the turns.
    async fn order(lanes: &Arc<Lanes<&'static str>>, queue: &[&'static str]) -> Vec<&'static str> {
        let first = lanes.turn(&"first").await.unwrap();
        let (taken, mut order) = tokio::sync::mpsc::unbounded_channel();
        for lane in queue {
            let (lanes, taken, lane) = (Arc::clone(lanes), taken.clone(), *lane);
            tokio::spawn(async move {
                if let Ok(_turn) = lanes.turn(&lane).await {
                    taken.send(lane).unwrap();
                }
            });
            tokio::task::yield_now().await;
        }
        drop((first, taken));
        let mut turns = Vec::new();
        while let Some(lane) = order.recv().await {
            turns.push(lane);
        }
        turns
    }

    #[tokio::test]
    async fn a_crowd_in_one_lane_delays_no_other_by_more_than_one_turn() {
        assert_eq!(order(&lanes(), &["a", "a", "a", "b"]).await, ["a", "b", "a", "a"]);
    }

    #[tokio::test]
    async fn a_lane_has_a_limit_of_its_own_and_the_fullest_makes_room() {
        let lanes = lanes();

        assert_eq!(order(&lanes, &["a", "a", "a", "a"]).await, ["a", "a", "a"]);
        let turns = order(&lanes, &["a", "a", "a", "b", "c", "d"]).await;
        assert_eq!(turns, ["a", "b", "c", "d", "a"]);
    }

    #[tokio::test]
    async fn a_turn_passes_by_those_who_went_away() {
        let lanes = lanes();
        let first = lanes.turn(&"a").await.unwrap();
        for _ in 0..3 {
            assert!(timeout(Duration::from_millis(1), lanes.turn(&"a")).await.is_err());
        }

        // They take no place in the lane either.
        let waiting = tokio::spawn({
            let lanes = Arc::clone(&lanes);
            async move { lanes.turn(&"a").await.map(drop) }
        });
        tokio::task::yield_now().await;
        drop(first);

        assert_eq!(waiting.await.unwrap(), Ok(()));
        assert_eq!(lock(&lanes.0).free, 1);
    }
}
