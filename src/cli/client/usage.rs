//! `gatelodge client usage`

use std::collections::BTreeMap;

use axum::http::Method;

use super::path;
use crate::admin::usage::{RefusalView, UsageView};
use crate::cli::admin_client::AdminClient;
use crate::cli::output::{
    Failure, Output, Terminal, fields, folded, folded_fields, printable, word,
};
use crate::error::shell_word;
use crate::event::WITHHELD_REMEDY;

pub(super) const HELP: &str = "\
Examples:
  gatelodge client usage shop
  gatelodge client usage
      all clients together

A session is active as long as it lives and a grant of the client does. What was withheld are answers
to introspection: an active token was called inactive, since the client may not know about it. A day
and a week are counted by the hour, and are some ten seconds behind; a crash takes the last seconds
along.";

/// Runs `gatelodge client usage`: prints the usage of the client `id`, or of all clients together.
pub(super) async fn run(id: Option<String>, admin: &mut AdminClient) -> Result<Output, Failure> {
    let path = id.map_or_else(|| "/api/v1/usage".to_owned(), |id| format!("{}/usage", path(&id)));
    let report: UsageView = admin.ask(Method::GET, &path).await?;
    let output = Output::new(text(&report, None), &report);
    let at_least = report.at_least;
    let output = output.with_terminal_text(move |terminal| (text(&report, Some(terminal)), None));
    if at_least {
        let note = "There are more grants than were looked through: these numbers are the least.";
        return Ok(output.with_note(note));
    }
    Ok(output)
}

fn text(report: &UsageView, terminal: Option<&Terminal>) -> String {
    let used = report.last_used.as_deref().unwrap_or_default();
    let used = match terminal {
        Some(terminal) if !used.is_empty() => terminal.relative(used),
        Some(_) | None => used.to_owned(),
    };
    let mut rows = vec![
        ("client_id", word(&report.client_id)),
        ("active sessions", word(&report.active_sessions)),
        ("live grants", word(&report.live_grants)),
        ("last used", used),
        ("people", word(&report.people)),
    ];
    for (span, tokens, refusals) in [
        (&report.last_day, "tokens, 24 hours", "refusals, 24 hours"),
        (&report.last_week, "tokens, 7 days", "refusals, 7 days"),
    ] {
        rows.push((tokens, counted(span.tokens_issued, &span.tokens_issued_by_grant_type)));
        rows.push((refusals, counted(span.refusals, &span.refusals_by_reason)));
    }
    let withheld = report.last_week.withheld_introspections;
    if withheld > 0 {
        let client = report.client_id.as_deref().map_or("CLIENT".into(), shell_word);
        let remedy = WITHHELD_REMEDY.replace("CLIENT", &printable(&client));
        rows.push(("withheld, 7 days", format!("{withheld}: {remedy}")));
    }
    let fields = terminal.map_or_else(|| fields(&rows), |terminal| folded_fields(&rows, terminal));
    format!("{fields}{}", refusals(&report.last_refusals, terminal))
}

/// The last refusals of a client, each with what can be done about it. A terminal has times from now,
/// and no line that is too long for it.
pub(super) fn refusals(last: &[RefusalView], terminal: Option<&Terminal>) -> String {
    const INDENT: usize = 6;
    let time = |at: &str| terminal.map_or_else(|| at.to_owned(), |terminal| terminal.relative(at));
    let fold = |text: String| match terminal {
        Some(terminal) => folded(&text, terminal.width, INDENT),
        None => text,
    };
    let mut text = String::new();
    for (index, RefusalView { at, reason, refusal, remedy, section, .. }) in last.iter().enumerate()
    {
        let head = if index == 0 { "\nlast refusals\n" } else { "" };
        let (reason, section) = (printable(reason), printable(section));
        text.push_str(&format!(
            "{head}  {}  {}\n{pad}{}\n{pad}{}\n",
            printable(&time(at)),
            printable(refusal),
            fold(format!("{reason} ({section})")),
            fold(printable(remedy)),
            pad = " ".repeat(INDENT),
        ));
    }
    text
}

/// A number with its parts, such as `3: authorization_code 1, refresh_token 2`.
fn counted(all: u64, by: &BTreeMap<String, u64>) -> String {
    if by.is_empty() {
        return all.to_string();
    }
    let parts: Vec<String> =
        by.iter().map(|(name, count)| format!("{} {count}", printable(name))).collect();
    format!("{all}: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::{Value, json};

    use super::*;

    fn admin() -> AdminClient {
        let report = |id: Value, at_least: bool| {
            let none = json!({
                "tokens_issued": 0, "tokens_issued_by_grant_type": {},
                "refusals": 0, "refusals_by_reason": {}, "withheld_introspections": 0,
            });
            let week = json!({
                "tokens_issued": 3,
                "tokens_issued_by_grant_type": { "authorization_code": 1, "refresh_token": 2 },
                "refusals": 1,
                "refusals_by_reason": { "RefreshReplayed": 1 },
                "withheld_introspections": 2,
            });
            let last = if id.is_null() {
                json!([])
            } else {
                json!([{
                    "at": "2026-01-01T00:00:00Z",
                    "error": "invalid_grant",
                    "reason": "refresh_token was spent before",
                    "refusal": "RefreshReplayed",
                    "remedy": "let the client keep its newest one",
                    "section": "RFC 9700 §4.14.2",
                }])
            };
            json!({
                "client_id": id, "active_sessions": 1, "live_grants": 2,
                "people": 3, "at_least": at_least,
                "last_day": none, "last_week": week, "last_refusals": last,
                "last_used": (!at_least).then_some("2026-01-01T00:00:00Z"),
            })
        };
        let (one, all) = (report(json!("my app"), false), report(Value::Null, true));
        AdminClient::InProcess(
            Router::new()
                .route("/api/v1/clients/my%20app/usage", get(|| async { Json(one) }))
                .route("/api/v1/usage", get(|| async { Json(all) })),
        )
    }

    #[tokio::test]
    async fn a_clients_usage_is_told_line_by_line() {
        let response = run(Some("my app".into()), &mut admin()).await.unwrap();

        let (_, text, json, note) = response.parts();
        assert_eq!(
            text,
            "client_id           my app\n\
             active sessions     1\n\
             live grants         2\n\
             last used           2026-01-01T00:00:00Z\n\
             people              3\n\
             tokens, 24 hours    0\n\
             refusals, 24 hours  0\n\
             tokens, 7 days      3: authorization_code 1, refresh_token 2\n\
             refusals, 7 days    1: RefreshReplayed 1\n\
             withheld, 7 days    2: gatelodge resource add URI --client 'my app' lets it see the \
             tokens of a resource, gatelodge client set 'my app' --introspect-any all\n\
             \n\
             last refusals\n  \
               2026-01-01T00:00:00Z  RefreshReplayed\n      \
                   refresh_token was spent before (RFC 9700 §4.14.2)\n      \
                   let the client keep its newest one\n"
        );
        assert_eq!((&json["live_grants"], note), (&json!(2), None));
    }

    #[tokio::test]
    async fn without_an_id_all_clients_are_told_together_and_a_bound_is_owned_up_to() {
        let response = run(None, &mut admin()).await.unwrap();

        let (_, text, _, note) = response.parts();
        assert!(text.starts_with("active sessions     1\n"), "{text}");
        assert!(note.unwrap().contains("the least"));
    }
}
