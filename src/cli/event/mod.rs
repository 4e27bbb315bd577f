//! `gatelodge events` and `gatelodge explain`

mod follow;
mod syslog;

use std::path::PathBuf;
use std::time::Duration;

use axum::http::Method;
use clap::Args;

use crate::admin::event::{ActorView, EventView, ExplanationView};
use crate::admin::listing::{ListView, MAX_LIMIT};
use crate::clock::{Clock, Timestamp};
use crate::oauth::params::form_encode;

use super::admin_client::{AdminClient, path_of};
use super::output::{Column, Failure, Output, fields, folded_fields, list, printable, word};
use super::token::seconds;

pub(super) const EVENTS_EXAMPLES: &str = "\
Examples:
  gatelodge events
      the last fifty, the newest at the end
  gatelodge events --since 2h --user ada
      what ada did within two hours, and what was done to her account
  gatelodge events --kind request.refused --client shop
      which requests of a client were refused
  gatelodge events --follow --json
      each as it happens, one JSON object a line
  gatelodge events --follow --syslog
      the same into the system's log (authpriv), with a severity by its kind

gatelodge explain ID says everything about one. events.keep in the configuration says how long they
are stored.";

pub(super) const EXPLAIN_EXAMPLES: &str = "\
Examples:
  gatelodge explain 1a2b3c4d5e6f7a8b

The id is on the error page, in the response as event_id and in its header Gatelodge-Event, and in the
line of the log.";

/// What `gatelodge events` takes.
#[derive(Debug, Default, Args)]
pub(super) struct EventsArgs {
    /// Only those about this client: its client_id or its name; the beginning of a client_id that was made here serves, too
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,
    /// Print each one as it happens, until Ctrl-C
    #[arg(long, short, conflicts_with_all = ["limit", "until"])]
    follow: bool,
    /// Only those of this kind, such as user.added or request.refused
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// The most that are printed, the newest of them; 50 where --since and --until say nothing
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: Option<u32>,
    /// Only requests that were refused for this reason, by its name in the log
    #[arg(long, value_name = "REFUSAL")]
    refusal: Option<String>,
    /// Only those from then on: a time such as 2026-01-31T12:00:00Z, or how long ago, such as 15m, 2h or 7d
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Send each one to the socket of the system's log, by default /dev/log, and print none
    #[arg(
        long,
        value_name = "SOCKET",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "/dev/log",
        requires = "follow"
    )]
    syslog: Option<PathBuf>,
    /// Only those before then, written as --since
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Only those about this person, or by them: the username, the id, or its beginning
    #[arg(long, value_name = "USERNAME")]
    user: Option<String>,
}

/// What `gatelodge explain` takes.
#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// The id of the event: 16 hexadecimal digits
    id: String,
}

/// Reads a time, or how long ago it was.
fn moment(written: &str) -> Result<Timestamp, String> {
    if let Some(at) = Timestamp::from_rfc3339(written) {
        return Ok(at);
    }
    let ago = seconds(written)
        .map_err(|_| "a time is 2026-01-31T12:00:00Z, or how long ago: 15m, 2h, 7d".to_owned())?;
    Ok(Clock::System.now() - Duration::from_secs(ago))
}

/// The number that is printed where nothing says more.
const USUAL: usize = 50;

/// Runs `gatelodge events`.
pub(super) async fn events(
    args: EventsArgs,
    json: bool,
    admin: &mut AdminClient,
) -> Result<Output, Failure> {
    if args.follow {
        return follow::follow(&args, json, admin).await;
    }
    let bounded = args.since.is_none() && args.until.is_none();
    let limit = args.limit.and_then(|limit| usize::try_from(limit).ok());
    let limit = limit.unwrap_or(if bounded { USUAL } else { usize::MAX });
    let mut events = args.read(admin, args.since, limit).await?;
    events.reverse();
    const COLUMNS: &[Column<EventView>] = &[
        Column::time("AT", |view| word(&view.at)),
        Column::text("EVENT", |view| word(&view.id)),
        Column::text("KIND", |view| word(&view.kind)),
        Column::text("BY", |view| printable(&actor(&view.actor))),
        Column::text("WHAT", |view| printable(&view.what())),
        Column::extra("FROM", |view| word(&view.address)),
    ];
    Ok(list(events, COLUMNS, "Nothing of that kind happened, or it was removed meanwhile."))
}

impl EventsArgs {
    /// The newest events from `since` on, at most `limit`.
    async fn read(
        &self,
        admin: &mut AdminClient,
        since: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<EventView>, Failure> {
        let (mut events, mut cursor) = (Vec::new(), None::<String>);
        let time = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
        let (since, until) = (time(since), time(self.until));
        while events.len() < limit {
            let page = (limit - events.len()).min(MAX_LIMIT).to_string();
            let query = [
                ("client", self.client.as_deref()),
                ("cursor", cursor.as_deref()),
                ("kind", self.kind.as_deref()),
                ("limit", Some(&page)),
                ("refusal", self.refusal.as_deref()),
                ("since", since.as_deref()),
                ("until", until.as_deref()),
                ("user", self.user.as_deref()),
            ];
            let query =
                form_encode(query.into_iter().filter_map(|(name, value)| Some((name, value?))));
            let page: ListView<EventView> =
                admin.ask(Method::GET, &format!("/api/v1/events?{query}")).await?;
            events.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        Ok(events)
    }
}

/// Who did something, in a word or two.
pub(super) fn actor(actor: &ActorView) -> String {
    let name = actor.username.as_ref().or(actor.user_id.as_ref()).or(actor.client_id.as_ref());
    match (actor.kind.as_str(), name, actor.uid) {
        ("operator", _, Some(uid)) => format!("operator (uid {uid})"),
        ("person", Some(name), _) => name.clone(),
        (kind, Some(name), _) => format!("{kind} {name}"),
        (kind, None, _) => kind.to_owned(),
    }
}

/// Runs `gatelodge explain`.
pub(super) async fn explain(args: ExplainArgs, admin: &mut AdminClient) -> Result<Output, Failure> {
    let path = path_of("events", args.id.trim());
    let view: ExplanationView = admin.ask(Method::GET, &path).await?;
    let rows = rows(&view);
    let text = fields(&rows);
    Ok(Output::new(text, &view)
        .with_terminal_text(move |terminal| (folded_fields(&rows, terminal), None)))
}

/// The client and the person whom an event is about.
fn about(event: &EventView) -> String {
    let person = event.username.as_ref().or(event.user_id.as_ref());
    let named = [("client", event.client_id.as_ref()), ("person", person)];
    let named = named.iter().filter_map(|(kind, name)| Some(format!("{kind} {}", (*name)?)));
    printable(&named.collect::<Vec<_>>().join(", "))
}

/// What to know of a client that named itself before its request is let pass.
fn asker(view: &ExplanationView) -> String {
    let hosts = view.repair.as_ref().and_then(|repair| repair.self_named.as_deref());
    hosts.map_or_else(String::new, |hosts| {
        let place = if hosts.is_empty() { "it names no host" } else { hosts };
        printable(&format!("an app that registered itself and chose its own name: {place}"))
    })
}

/// What is said of an event, with labels.
fn rows(view: &ExplanationView) -> Vec<(&'static str, String)> {
    let event = &view.event;
    let mut facts: Vec<String> =
        event.facts.iter().map(|(name, value)| format!("{name}={value}")).collect();
    facts.sort_unstable();
    let mut rows = vec![
        ("event", word(&event.id)),
        ("at", word(&event.at)),
        ("kind", word(&event.kind)),
        ("what", word(&event.summary)),
        ("name", word(&event.name)),
        ("by", printable(&actor(&event.actor))),
        ("from", word(&event.address)),
        ("about", about(event)),
    ];
    if let Some(refused) = &event.refused {
        rows.extend([
            ("request", printable(&format!("{} {}", refused.method, refused.route))),
            ("status", word(&refused.status)),
            ("error", word(&refused.error)),
            ("refusal", word(&refused.refusal)),
            ("reason", word(&refused.reason)),
            ("expected", word(&refused.expected)),
            ("received", word(&refused.received)),
        ]);
    }
    rows.extend([
        ("facts", printable(&facts.join(" "))),
        ("section", word(&view.section)),
        ("remedy", word(&view.remedy)),
        ("asked by", asker(view)),
        ("command", word(&view.command)),
        ("no command", word(&view.no_command)),
    ]);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::Exit;

    #[test]
    fn a_moment_is_a_time_or_how_long_ago_it_was() {
        let at = Timestamp::from_rfc3339("2026-01-31T12:00:00Z");

        assert_eq!(moment("2026-01-31T12:00:00Z").ok(), at);
        assert!(moment("2h").unwrap() < moment("1h").unwrap());
        for wrong in ["", "yesterday", "2026-01-31", "1w", "-1h"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn what_an_operator_does_is_listed_and_explained() {
        let mut admin = AdminClient::memory_with_ada().await;

        let listed = events(EventsArgs::default(), false, &mut admin).await.unwrap();
        let json = listed.parts().2;
        let added = &json["events"][0];
        let id = added["id"].as_str().unwrap().to_owned();
        let explained = explain(ExplainArgs { id }, &mut admin).await.unwrap();

        assert_eq!(added["kind"], "user.added");
        assert_eq!(added["actor"]["kind"], "operator");
        assert!(explained.parts().1.contains("a person was added"), "{}", explained.parts().1);
        let none = explain(ExplainArgs { id: "0".repeat(16) }, &mut admin).await;
        assert_eq!(none.err().map(|failure| failure.exit), Some(Exit::NotFound));
    }
}
