//! Turns at something scarce, shared fairly among those who wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The bounds of turns and of those who wait for one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The turns that are taken at once.
    pub(crate) turns: usize,
    /// Those of one lane.
    pub(crate) turns_of_lane: usize,
    /// The most that wait.
    pub(crate) waiting: usize,
    /// Those of one lane.
    pub(crate) waiting_in_lane: usize,
}

/// Lanes of waiters. A free turn goes to the lane whose last turn is the oldest, of those that have
/// not all the turns they may, and in it to whoever came first. So a crowd in one lane delays no
/// other lane by more than one turn.
pub(crate) struct Lanes<K: Ord + Clone>(Arc<Mutex<Waiting<K>>>);

struct Waiting<K: Ord + Clone> {
    bounds: Bounds,
    /// How many turns each lane has. No lane has none.
    taken: BTreeMap<K, usize>,
    /// Those who wait, by lane. No lane is empty.
    lanes: BTreeMap<K, VecDeque<oneshot::Sender<Turn<K>>>>,
    /// The lanes in the order in which they get their next turn.
    order: VecDeque<K>,
}

/// A turn. Dropping it passes it on.
pub(crate) struct Turn<K: Ord + Clone>(Option<(Arc<Mutex<Waiting<K>>>, K)>);

/// Too many wait already in the same lane.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Crowded;

impl<K: Ord + Clone> Lanes<K> {
    /// No lane has anybody yet.
    pub(crate) fn new(bounds: Bounds) -> Self {
        let (taken, lanes, order) = (BTreeMap::new(), BTreeMap::new(), VecDeque::new());
        Self(Arc::new(Mutex::new(Waiting { bounds, taken, lanes, order })))
    }

    /// Waits for a turn.
    pub(crate) async fn turn(&self, lane: &K) -> Result<Turn<K>, Crowded> {
        let called = {
            let mut waiting = lock(&self.0);
            if waiting.may_take(lane) {
                waiting.take(lane);
                return Ok(Turn(Some((Arc::clone(&self.0), lane.clone()))));
            }
            waiting.queue(lane)?
        };
        // The sender is dropped if a longer lane has to make room.
        called.await.map_err(|_| Crowded)
    }
}

impl<K: Ord + Clone> Waiting<K> {
    /// Whether a turn is free for `lane`. Then nobody waits who could take it.
    fn may_take(&self, lane: &K) -> bool {
        let of_lane = self.taken.get(lane).copied().unwrap_or_default();
        self.taken.values().sum::<usize>() < self.bounds.turns
            && of_lane < self.bounds.turns_of_lane
    }

    fn take(&mut self, lane: &K) {
        *self.taken.entry(lane.clone()).or_default() += 1;
    }

    fn give_back(&mut self, lane: &K) {
        if let Some(taken) = self.taken.get_mut(lane) {
            *taken -= 1;
            if *taken == 0 {
                self.taken.remove(lane);
            }
        }
    }

    fn queue(&mut self, lane: &K) -> Result<oneshot::Receiver<Turn<K>>, Crowded> {
        // Those who went away free their places.
        if let Some(queue) = self.lanes.get_mut(lane) {
            queue.retain(|waiter| !waiter.is_closed());
            if queue.len() >= self.bounds.waiting_in_lane {
                return Err(Crowded);
            }
        }
        if self.lanes.values().map(VecDeque::len).sum::<usize>() >= self.bounds.waiting
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

    /// Takes the turn for the next who waits and may have it. If there is nobody, it is free.
    fn next(&mut self) -> Option<(K, oneshot::Sender<Turn<K>>)> {
        // A lane whose waiters all made room is passed by.
        self.order.retain(|lane| self.lanes.get(lane).is_some_and(|queue| !queue.is_empty()));
        let place = self.order.iter().position(|lane| self.may_take(lane))?;
        let lane = self.order.remove(place)?;
        let mut queue = self.lanes.remove(&lane)?;
        let next = queue.pop_front()?;
        if !queue.is_empty() {
            self.order.push_back(lane.clone());
            self.lanes.insert(lane.clone(), queue);
        }
        self.take(&lane);
        Some((lane, next))
    }
}

impl<K: Ord + Clone> Drop for Turn<K> {
    fn drop(&mut self) {
        let Some((waiting, mut lane)) = self.0.take() else { return };
        loop {
            let next = {
                let mut waiting = lock(&waiting);
                waiting.give_back(&lane);
                waiting.next()
            };
            let Some((called, next)) = next else { return };
            match next.send(Turn(Some((Arc::clone(&waiting), called.clone())))) {
                Ok(()) => return,
                // It no longer waits. The turn comes back, and goes to the next.
                Err(mut turn) => {
                    turn.0 = None;
                    lane = called;
                }
            }
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn lanes() -> Arc<Lanes<&'static str>> {
        bounded(1, 1)
    }

    fn bounded(turns: usize, turns_of_lane: usize) -> Arc<Lanes<&'static str>> {
        let bounds = Bounds { turns, turns_of_lane, waiting: 5, waiting_in_lane: 3 };
        Arc::new(Lanes::new(bounds))
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
        assert!(lock(&lanes.0).taken.is_empty());
    }

    #[tokio::test]
    async fn a_lane_has_at_most_its_part_of_the_turns() {
        let lanes = bounded(3, 2);
        let held = [lanes.turn(&"a").await, lanes.turn(&"a").await];
        let third = timeout(Duration::from_millis(1), lanes.turn(&"a")).await;

        assert!(third.is_err() && held.iter().all(Result::is_ok));
        // The turn that is left is another lane's, at once, and comes back to nobody in the first.
        drop(lanes.turn(&"b").await.unwrap());
        let waiting = tokio::spawn({
            let lanes = Arc::clone(&lanes);
            async move { lanes.turn(&"a").await.map(drop) }
        });
        tokio::task::yield_now().await;
        drop(lanes.turn(&"b").await.unwrap());
        assert!(!waiting.is_finished());
        drop(held);
        assert_eq!(waiting.await.unwrap(), Ok(()));
    }
}
