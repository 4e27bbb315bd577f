//! The watch over the clock, and what is done about a jump: it is told, and stored for the next start.

use std::sync::{Mutex, PoisonError};

use super::App;
use crate::clock::{Clock, ClockWatch, Jump, Timestamp};
use crate::error::Error;
use crate::event::ClockLog;
use crate::event::Kind;
use crate::flow::events::Act;
use crate::flow::installation::clock;
use crate::model::actor::Acting;
use crate::store::schema::ClockRecord;

/// The clock, under watch. Every transition gets its time here, so that none is run by a clock that
/// has jumped unnoticed.
pub(super) struct WatchedClock {
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    /// The jump that was logged last, as long as it lasts.
    logged: Option<Jump>,
    watch: ClockWatch,
}

impl WatchedClock {
    /// Watches `clock`; `before` is what the store knows of it.
    pub(super) fn new(clock: Clock, before: &ClockRecord) -> Self {
        let latest = before.latest.max(before.removed_up_to);
        let seen = (before.seen != Timestamp::default()).then_some(before.seen);
        let watch = ClockWatch::new(clock.reading(), seen, latest);
        Self { clock, state: Mutex::new(State { logged: None, watch }) }
    }

    /// The clock.
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The present time, and what the watch says of it.
    pub(super) fn look(&self) -> (Timestamp, ClockWatch) {
        self.with(|state| {
            let reading = self.clock.reading();
            state.watch.look(reading);
            (reading.now, state.watch)
        })
    }

    /// What the log has to tell, once: that the clock jumped, or that it is believed again.
    fn news(&self, watch: &ClockWatch) -> Option<ClockLog> {
        self.with(|state| {
            let before = std::mem::replace(&mut state.logged, watch.jump());
            (before != watch.jump()).then_some(ClockLog { jump: watch.jump() })
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl App {
    /// The jump that puts the clock in doubt, if it is.
    pub fn clock_jump(&self) -> Option<Jump> {
        self.clock.look().1.jump()
    }

    /// The time since the program started, from which what ends with it counts.
    pub(super) fn process_time(&self) -> Timestamp {
        Timestamp::default() + self.clock().reading().running
    }

    /// Logs a jump of the clock, and that it is over, and stores what the next start has to know.
    pub async fn watch_clock(&self) -> Result<(), Error> {
        let (_, watch) = self.clock.look();
        if let Some(news) = self.clock.news(&watch) {
            let news_text = news
                .jump
                .map_or_else(|| "the clock is believed again".to_owned(), |jump| jump.to_string());
            news.log(
                &self.note(Acting::default(), Act::new(Kind::ClockJumped).fact("jump", news_text)),
            );
        }
        if clock::is_recorded(&self.read()?, &self.context(), &watch)? {
            return Ok(());
        }
        self.record_clock().await
    }

    /// Stores what the watch says, for the next start.
    pub async fn record_clock(&self) -> Result<(), Error> {
        let (_, watch) = self.clock.look();
        self.record(move |tx, _| Ok(clock::record(tx, &watch)?)).await
    }
}
