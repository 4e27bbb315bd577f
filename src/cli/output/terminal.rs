//! The terminal that standard output is, and times as people tell them.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};

use crate::clock::{Clock, Timestamp};
use crate::model::qr_code;

/// The columns of a terminal that does not say how many it has.
const USUAL_WIDTH: usize = 80;

/// How a result is printed at a terminal.
pub(in crate::cli) struct Terminal {
    /// Whether text may have colours.
    pub(super) colour: bool,
    /// The present time.
    pub(super) now: Timestamp,
    /// The columns, at least 1.
    pub(in crate::cli) width: usize,
}

impl Terminal {
    /// The terminal that standard output is, if it is one. `NO_COLOR` and a `TERM` that is `dumb`
    /// are for a terminal without colours (<https://no-color.org>).
    pub(in crate::cli) fn of_output(env: &BTreeMap<String, String>) -> Option<Self> {
        let output = io::stdout();
        if !output.is_terminal() {
            return None;
        }
        let columns = rustix::termios::tcgetwinsize(&output).map_or(0, |size| size.ws_col);
        let is_set = |name: &str| env.get(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env.get("TERM").is_some_and(|term| term == "dumb");
        Some(Self {
            colour: !is_set("NO_COLOR") && !is_dumb,
            now: Clock::System.now(),
            width: if columns == 0 { USUAL_WIDTH } else { columns.into() },
        })
    }

    /// The QR code of a URL below an empty line; nothing if there is no room for it.
    pub(in crate::cli) fn qr_code(&self, url: &str) -> String {
        let code = qr_code::drawn(url, self.width, self.colour);
        code.map_or_else(String::new, |code| format!("\n{code}"))
    }

    /// A time in the form of RFC 3339 as it is from now; any other text as it is.
    pub(in crate::cli) fn relative(&self, time: &str) -> String {
        let moment = Timestamp::from_rfc3339(time);
        moment.map_or_else(|| time.to_owned(), |moment| relative(moment, self.now))
    }

    /// A terminal of this many columns, at the time `now`.
    #[cfg(test)]
    pub(in crate::cli) fn plain(width: usize, now: u64) -> Self {
        Self { colour: false, now: Timestamp::from_seconds(now), width }
    }
}

/// The distance of `moment` from `now`, in the largest unit that fits it: `3 days ago`,
/// `in 12 minutes`, `now`.
pub(in crate::cli) fn relative(moment: Timestamp, now: Timestamp) -> String {
    const UNITS: &[(u64, &str)] = &[
        (365 * 86_400, "year"),
        (30 * 86_400, "month"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let apart = moment.seconds().abs_diff(now.seconds());
    let Some((unit, name)) = UNITS.iter().find(|(unit, _)| apart >= *unit) else {
        return "now".to_owned();
    };
    let count = apart / unit;
    let plural = if count == 1 { "" } else { "s" };
    if moment > now {
        format!("in {count} {name}{plural}")
    } else {
        format!("{count} {name}{plural} ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_largest_unit() {
        const DAY: u64 = 86_400;
        let at = |seconds| Timestamp::from_seconds(seconds);
        for (moment, now, expected) in [
            (1000, 1000, "now"),
            (999, 1000, "1 second ago"),
            (1000 + 12 * 60 + 59, 1000, "in 12 minutes"),
            (0, 3 * DAY, "3 days ago"),
            (7200, 0, "in 2 hours"),
            (0, 29 * DAY, "29 days ago"),
            (45 * DAY, 0, "in 1 month"),
            (0, 800 * DAY, "2 years ago"),
            (0, 56 * 366 * DAY, "56 years ago"),
        ] {
            assert_eq!(relative(at(moment), at(now)), expected);
        }
    }

    #[test]
    fn only_a_time_is_told_as_one() {
        let terminal = Terminal::plain(80, 86_400);

        assert_eq!(terminal.relative("1970-01-01T00:00:00Z"), "1 day ago");
        for other in ["", "never", "1970-01-01", "1970-13-01T00:00:00Z"] {
            assert_eq!(terminal.relative(other), other);
        }
    }
}
