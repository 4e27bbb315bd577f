//! The time of a development server.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::read;
use crate::clock::Timestamp;
use crate::config::duration_of_text;
use crate::dev::installation::Installation;
use crate::dev::refused::{Problem, Refused};
use crate::dev::stage::Stage;
use crate::serve::tidy;

/// The latest time: the last second of the year 9998, so that what is made then can be dated.
const LATEST: Timestamp = Timestamp::from_seconds(253_370_764_799);

/// A time span: seconds, or a number with a unit.
#[derive(Deserialize)]
#[serde(untagged)]
enum Span {
    Seconds(u64),
    Text(String),
}

/// A change of the clock. Its members happen in their order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockChange {
    /// The time that passes.
    #[serde(default)]
    advance: Option<Span>,
    /// The time to which the clock is set. Ahead of now, time passes until then. Behind it, the clock is
    /// set back, and the server notices that it jumped.
    #[serde(default)]
    set: Option<String>,
    /// Whether the clock runs by itself.
    #[serde(default)]
    run: Option<bool>,
}

/// The clock.
#[derive(Serialize)]
pub(super) struct ClockView {
    /// Whether the server doubts it, since it jumped, and how.
    in_doubt: Option<String>,
    now: String,
    /// The same in milliseconds since 1970.
    now_ms: u64,
    runs: bool,
}

impl ClockView {
    fn of(installation: &Installation) -> Self {
        let (app, clock) = (&installation.app, installation.app.clock());
        let now = clock.now();
        Self {
            in_doubt: app.clock_jump().map(|jump| jump.to_string()),
            now: now.rfc3339(),
            now_ms: now.millis(),
            runs: clock.runs(),
        }
    }
}

pub(super) async fn show(State(stage): State<Arc<Stage>>) -> Json<ClockView> {
    Json(ClockView::of(&stage.installation()))
}

/// Changes the clock, and does what the time brings: makes due keys, removes what has expired.
pub(super) async fn change(
    State(stage): State<Arc<Stage>>,
    body: Bytes,
) -> Result<Json<ClockView>, Refused> {
    let ClockChange { advance, set, run } = read(&body)?;
    let wrong = |at, why: &str| Refused::new(Problem::InvalidRequest, why).at(at);
    let late = |at| wrong(at, "the year 9998 is the last");
    let advance = match advance {
        None => None,
        Some(Span::Seconds(seconds)) => Some(seconds),
        Some(Span::Text(text)) => Some(duration_of_text(&text).ok_or_else(|| {
            wrong("advance", "seconds are expected, or a number with a unit: 90s, 15m, 1h, 30d")
        })?),
    };
    let set = set.map(|text| {
        Timestamp::from_rfc3339(&text)
            .ok_or_else(|| wrong("set", "a time in UTC is expected, such as 2030-01-01T00:00:00Z"))
    });
    let set = set.transpose()?;
    if advance.is_none() && set.is_none() && run.is_none() {
        return Err(wrong("advance", "one of advance, set and run is expected"));
    }
    let installation = stage.installation();
    let clock = installation.app.clock();
    if let Some(seconds) = advance {
        let by = Duration::from_secs(seconds);
        if clock.now() + by > LATEST {
            return Err(late("advance"));
        }
        clock.advance(by);
    }
    if let Some(target) = set {
        if target > LATEST {
            return Err(late("set"));
        }
        let now = clock.now();
        if target >= now { clock.advance(target.since(now)) } else { clock.set(target) }
    }
    if let Some(runs) = run {
        clock.run(runs);
    }
    let app = &installation.app;
    let brought = async {
        app.watch_clock().await?;
        tidy(app).await
    };
    installation.drawing("control clock", brought).await?;
    Ok(Json(ClockView::of(&installation)))
}
