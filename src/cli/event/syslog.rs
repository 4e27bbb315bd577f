//! Events for the syslog of this machine, as the C library's `syslog` sends them: a datagram each, in
//! the local form of [RFC 3164](https://www.rfc-editor.org/rfc/rfc3164), without a host name.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::EventView;
use crate::cli::output::{Exit, Failure, remark};
use crate::event::Kind;

/// The facility `authpriv`: messages about sign-in and rights that not everybody may read.
const FACILITY: u8 = 10;

/// The most bytes of a message. Daemons take 8 KiB, and more of them only by a setting.
const MAX_MESSAGE: usize = 8 << 10;

/// The most characters of each value of an event that is too long, in the order of the attempts.
const LENGTHS: [usize; 4] = [256, 64, 16, 0];

/// The time from one attempt to reach the socket to the next.
const PAUSE: Duration = Duration::from_secs(1);

/// The most time that a daemon may let a message wait.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The socket of a syslog daemon.
pub(super) struct Syslog {
    is_lost: bool,
    path: PathBuf,
    socket: Option<UnixDatagram>,
}

impl Syslog {
    /// Connects to the socket at `path`.
    pub(super) fn connect(path: &Path) -> Result<Self, Failure> {
        let socket = connected(path).map_err(|error| {
            let why = format!("{} takes no messages: {error}", path.display());
            Failure::new(Exit::Failed, why)
        })?;
        Ok(Self { is_lost: false, path: path.to_owned(), socket: Some(socket) })
    }

    /// Sends an event. If the socket went away, it waits until it is there again.
    pub(super) async fn send(&mut self, event: &EventView) {
        let message = message(event, std::process::id());
        while let Err(error) = self.try_to_send(&message) {
            if !self.is_lost {
                self.is_lost = true;
                let path = self.path.display();
                remark(&format!("{path} takes no messages, and events wait for it: {error}"));
            }
            tokio::time::sleep(PAUSE).await;
        }
        if self.is_lost {
            self.is_lost = false;
            remark(&format!("{} takes messages again", self.path.display()));
        }
    }

    fn try_to_send(&mut self, message: &str) -> io::Result<()> {
        if let Some(socket) = &self.socket
            && socket.send(message.as_bytes()).is_ok()
        {
            return Ok(());
        }
        // A daemon that started anew has made another socket there.
        self.socket = None;
        let socket = connected(&self.path)?;
        socket.send(message.as_bytes())?;
        self.socket = Some(socket);
        Ok(())
    }
}

fn connected(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.set_write_timeout(Some(TIMEOUT))?;
    Ok(socket)
}

/// The message about an event.
fn message(event: &EventView, pid: u32) -> String {
    let priority = FACILITY * 8 + severity(&event.kind);
    let head = format!("<{priority}>{} gatelodge[{pid}]: ", time(&event.at));
    let room = MAX_MESSAGE - head.len();
    let json = |event: &EventView| serde_json::to_string(event).expect("views have text for keys");
    let mut lines = std::iter::once(json(event))
        .chain(LENGTHS.iter().map(|length| json(&cut(event.clone(), *length))));
    let line = lines.find(|line| line.len() <= room);
    let line = line.unwrap_or_else(|| json(&bare(event)));
    format!("{head}{line}")
}

/// What happened where somebody has a copy of a secret, or a clock is wrong, is a warning (4). Refused
/// requests are information (6), and all else is a notice (5).
fn severity(kind: &str) -> u8 {
    match kind.parse::<Kind>() {
        Ok(
            Kind::CertificateAuthorityUnfit
            | Kind::ClockJumped
            | Kind::CodeReplayed
            | Kind::PasskeyCopied
            | Kind::RefreshTokenAhead
            | Kind::RefreshTokenReplayed,
        ) => 4,
        Ok(Kind::RequestRefused) => 6,
        Ok(_) | Err(()) => 5,
    }
}

/// The time as RFC 3164 §4.1.2 writes it, in UTC. Daemons replace it by their own, and the event in
/// JSON has the year.
fn time(at: &str) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let part = |range| at.get(range).unwrap_or_default();
    let month = part(5..7).parse().ok().and_then(|month: usize| MONTHS.get(month.wrapping_sub(1)));
    let day: u8 = part(8..10).parse().unwrap_or_default();
    format!("{} {day:>2} {}", month.unwrap_or(&"Jan"), part(11..19))
}

/// An event whose values have at most `length` characters. `cut` among its facts says so.
fn cut(mut event: EventView, length: usize) -> EventView {
    let shorten = |value: &mut String| {
        if let Some((end, _)) = value.char_indices().nth(length) {
            value.truncate(end);
            value.push('…');
        }
    };
    event.facts.values_mut().for_each(shorten);
    event.name.iter_mut().for_each(shorten);
    if let Some(refused) = &mut event.refused {
        refused.expected.iter_mut().for_each(shorten);
        refused.received.iter_mut().for_each(shorten);
        shorten(&mut refused.reason);
        shorten(&mut refused.route);
    }
    event.facts.insert("cut".to_owned(), "true".to_owned());
    event
}

/// An event without facts.
fn bare(event: &EventView) -> EventView {
    let mut event = event.clone();
    event.facts.clear();
    cut(event, 0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(kind: &str, facts: &Value) -> EventView {
        let actor = json!({
            "kind": "server", "client_id": null, "uid": null, "user_id": null, "username": null,
        });
        let event = json!({
            "actor": actor, "address": null, "at": "2026-02-03T04:05:06Z", "client_id": null,
            "facts": facts, "id": "0123456789abcdef", "kind": kind, "name": null, "refused": null,
            "summary": "something happened", "user_id": null, "username": null,
        });
        serde_json::from_value(event).unwrap()
    }

    fn json_of(message: &str) -> Value {
        serde_json::from_str(message.split_once("]: ").unwrap().1).unwrap()
    }

    #[test]
    fn a_message_has_its_severity_its_time_and_the_event() {
        for (kind, priority) in [
            ("refresh_token.replayed", 84),
            ("code.replayed", 84),
            ("passkey.counter_back", 84),
            ("clock.jumped", 84),
            ("user.added", 85),
            ("unheard.of", 85),
            ("request.refused", 86),
        ] {
            let event = event(kind, &json!({ "a": "b" }));

            let message = message(&event, 7);

            let head = format!("<{priority}>Feb  3 04:05:06 gatelodge[7]: {{");
            assert!(message.starts_with(&head), "{message}");
            assert_eq!(json_of(&message), serde_json::to_value(&event).unwrap());
            assert!(!message.contains('\n'));
        }
    }

    #[test]
    fn a_long_event_is_cut_and_stays_json() {
        // A control character takes six bytes in JSON.
        let long = |count: usize| -> Value {
            let facts = (0..count).map(|n| (format!("fact {n}"), "\u{1}é".repeat(256).into()));
            Value::Object(facts.collect())
        };

        let whole = message(&event("user.added", &long(2)), 7);
        let shorter = message(&event("user.added", &long(9)), 7);
        let bare = message(&event("user.added", &long(2000)), 7);

        assert_eq!(json_of(&whole)["facts"], long(2));
        for (cut, facts) in [(&shorter, 10), (&bare, 1)] {
            assert!(cut.len() <= MAX_MESSAGE, "{}", cut.len());
            let event = json_of(cut);
            assert_eq!(event["facts"].as_object().unwrap().len(), facts);
            assert_eq!(event["facts"]["cut"], "true");
            assert_eq!(event["id"], "0123456789abcdef");
        }
    }
}
