//! `/gate/admin/events`: what happened, why a request was refused, and what makes it pass.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;

use super::administrator::{Administrator, path_of};
use super::frame::Frame;
use super::rows::LIMIT;
use crate::admin::event::{ActorView, EventView, ExplanationView, RepairView};
use crate::admin::listing::ListView;
use crate::error::Refusal;
use crate::event::Kind;
use crate::http::destination::AdminPath;
use crate::http::failure::PageFailure;
use crate::http::pages::templates::{self, Page};
use crate::http::texts::{Said, Texts};
use crate::oauth::params::form_encode;

/// What a listing can be limited to.
const FILTERS: [&str; 6] = ["kind", "user", "client", "refusal", "since", "until"];

#[derive(Template)]
#[template(path = "admin/events.html", config = "assets/askama.toml")]
pub(in crate::http) struct EventsPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) events: Vec<EventView>,
    /// What is wrong with a filter; empty if nothing is.
    pub(in crate::http) fault: String,
    pub(in crate::http) filters: Vec<FilterField>,
    /// Whether there are older ones to look at, though the page is not full.
    pub(in crate::http) is_cut: bool,
    /// The page with older events.
    pub(in crate::http) next: Option<AdminPath>,
}

/// A field that limits the listing.
pub(in crate::http) struct FilterField {
    pub(in crate::http) name: &'static str,
    pub(in crate::http) value: String,
}

impl FilterField {
    /// What may be typed into it.
    pub(in crate::http) fn hint(&self, t: &Texts) -> String {
        let t = &t.beside.hints;
        let hint = match self.name {
            "client" => t.event_client(),
            "kind" => t.event_kind(),
            "refusal" => t.event_refusal(),
            "since" | "until" => t.event_time(),
            _ => t.event_user(),
        };
        hint.plain()
    }

    /// Every value that it can have, if there are few.
    pub(in crate::http) fn values(&self) -> Vec<&'static str> {
        let mut values: Vec<_> = match self.name {
            "kind" => Kind::ALL.iter().map(|kind| kind.name()).collect(),
            "refusal" => Refusal::ALL.iter().map(|refusal| refusal.name()).collect(),
            _ => Vec::new(),
        };
        values.sort_unstable();
        values
    }

    /// What the operation is asked for: a time may be written as the pages write it.
    fn asked(&self) -> String {
        let is_time = ["since", "until"].contains(&self.name);
        if is_time { time(&self.value) } else { self.value.clone() }
    }

    /// Its label.
    pub(in crate::http) fn label(&self, t: &Texts) -> String {
        let t = &t.admin.events;
        let label = match self.name {
            "client" => t.client(),
            "kind" => t.kind(),
            "refusal" => t.refusal(),
            "since" => t.since(),
            "until" => t.until(),
            _ => t.person(),
        };
        label.plain()
    }
}

#[derive(Template)]
#[template(path = "admin/event.html", config = "assets/askama.toml")]
pub(in crate::http) struct EventPage {
    pub(in crate::http) page: Page,
    pub(in crate::http) frame: Frame,
    pub(in crate::http) actor: String,
    pub(in crate::http) explanation: ExplanationView,
    /// Whether the administrator may make the repair.
    pub(in crate::http) may_repair: bool,
}

impl EventPage {
    /// The refusal that it is about. Scopes that were left out are as those of a refused request.
    fn refusal(&self) -> Option<&str> {
        let event = &self.explanation.event;
        let left_out = event.kind == Kind::ScopesLeftOut.name();
        let refused = event.refused.as_ref().and_then(|refused| refused.refusal.as_deref());
        refused.or_else(|| left_out.then(|| Refusal::ScopeNotAllowed.name()))
    }

    /// What can be done.
    fn remedy(&self, t: &Texts) -> Option<Said> {
        let client = self.explanation.event.client_id.as_deref();
        let remedy = self.explanation.remedy.as_ref()?;
        Some(t.remedy(self.refusal(), client, remedy))
    }

    /// Why there is no command.
    fn no_command(&self, t: &Texts) -> Option<Said> {
        let why = self.explanation.no_command.as_ref()?;
        Some(t.no_command(why))
    }
}

/// Who did something, in words.
pub(in crate::http) fn actor(t: &Texts, actor: &ActorView) -> String {
    let t = &t.admin.events;
    let name = actor.username.as_ref().or(actor.user_id.as_ref());
    let sentence = match (actor.kind.as_str(), name, &actor.client_id) {
        ("administrator", Some(name), None) => t.by_administrator(name),
        ("administrator", Some(name), Some(client)) => t.by_administrator_through(name, client),
        ("administrator", None, Some(client)) => t.by_client_as_administrator(client),
        ("client", _, Some(client)) => t.by_client(client),
        ("operator", _, _) => t.by_operator(),
        ("person", Some(name), _) => t.by_person(name),
        ("server", _, _) => t.by_server(),
        _ => t.by_stranger(),
    };
    sentence.plain()
}

/// A time as RFC 3339 has it, of a day such as `2026-01-31`, or of a moment such as `2026-01-31 12:00 UTC`.
/// What has another form stays as it is.
fn time(written: &str) -> String {
    let (day, rest) = written.split_at_checked(10).unwrap_or((written, ""));
    let rest = rest.trim_end_matches("UTC").trim();
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b"-:".contains(&b));
    match rest.len() {
        0 if day.len() == 10 && digits(day) => format!("{day}T00:00:00Z"),
        5 if digits(day) && digits(rest) => format!("{day}T{rest}:00Z"),
        8 if digits(day) && digits(rest) => format!("{day}T{rest}Z"),
        _ => written.to_owned(),
    }
}

/// What happened, as the name of an event. Of a refused request that is why.
pub(in crate::http) fn headline(t: &Texts, event: &EventView) -> Said {
    why(t, event).unwrap_or_else(|| t.event(&event.kind, &event.summary))
}

/// Why a request was refused, if one was.
pub(in crate::http) fn why(t: &Texts, event: &EventView) -> Option<Said> {
    let refused = event.refused.as_ref()?;
    Some(t.reason(refused.refusal.as_deref().unwrap_or_default(), &refused.reason))
}

/// Whether an administrator has the right that a repair needs.
pub(super) fn may_repair(administrator: &Administrator, repair: &RepairView) -> bool {
    let right =
        if repair.path.starts_with("/api/v1/users") { "admin:people" } else { "admin:clients" };
    administrator.may(&[right])
}

/// The events, the newest first.
pub(super) async fn list(administrator: Administrator) -> Result<Response, PageFailure> {
    let query = &administrator.query;
    let mut filters = Vec::new();
    for name in FILTERS {
        let value = query.one(name)?.unwrap_or_default().trim().to_owned();
        filters.push(FilterField { name, value });
    }
    let given: Vec<_> = filters.iter().filter(|field| !field.value.is_empty()).collect();
    let times: Vec<_> = given.iter().map(|field| (field.name, field.asked())).collect();
    let asked = || times.iter().map(|(name, value)| (*name, value.as_str()));
    let typed = || given.iter().map(|field| (field.name, field.value.as_str()));
    let cursor = query.one("cursor")?.map(|cursor| ("cursor", cursor));
    let limit = LIMIT.to_string();
    let encoded = form_encode(asked().chain(cursor).chain([("limit", limit.as_str())]));
    let listed: Result<ListView<EventView>, _> =
        administrator.get(&format!("/api/v1/events?{encoded}")).await;
    let (listed, refused) = match listed {
        Ok(listed) => (listed, None),
        Err(refused) if refused.is_about_request() => {
            (ListView { items: Vec::new(), next: None }, Some(refused))
        }
        Err(refused) => return Err(refused.into()),
    };
    let next = listed.next.as_deref();
    let next = next.map(|next| administrator.here.with_query(typed().chain([("cursor", next)])));
    let fault = refused.as_ref().map(|refused| refused.sentence(administrator.texts()));
    let page = templates::show_alone(&EventsPage {
        page: administrator.page(),
        frame: administrator.frame(),
        is_cut: next.is_some() && listed.items.len() < LIMIT,
        events: listed.items,
        fault: fault.unwrap_or_default(),
        next,
        filters,
    });
    Ok(match refused {
        Some(refused) => refused.beside(page),
        None => page,
    })
}

/// An event, and what can be done about it.
pub(super) async fn show(
    Path(id): Path<String>,
    administrator: Administrator,
) -> Result<Response, PageFailure> {
    let explanation: ExplanationView = administrator.get(&path_of("events", &id)).await?;
    let repair = explanation.repair.as_ref();
    Ok(templates::show_alone(&EventPage {
        page: administrator.page(),
        frame: administrator.frame(),
        actor: actor(administrator.texts(), &explanation.event.actor),
        may_repair: repair.is_some_and(|repair| may_repair(&administrator, repair)),
        explanation,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_be_written_as_the_pages_write_it() {
        for (written, asked) in [
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31 12:05", "2026-01-31T12:05:00Z"),
            ("2026-01-31 12:05 UTC", "2026-01-31T12:05:00Z"),
            ("2026-01-31 12:05:09", "2026-01-31T12:05:09Z"),
            ("2026-01-31T12:05:09Z", "2026-01-31T12:05:09Z"),
            ("yesterday", "yesterday"),
            ("at half past", "at half past"),
            ("", ""),
        ] {
            assert_eq!(time(written), asked, "{written}");
        }
    }
}
