//! `/api/v1/usage` and `/api/v1/clients/{id}/usage`: the usage of clients.

use std::collections::BTreeMap;

use axum::Json;
use serde::{Deserialize, Serialize};

use super::Failed;
use super::by::{By, ReadClients};
use super::request::Named;
use crate::clock::Timestamp;
use crate::error::Refusal;
use crate::flow::client::usage::{self, UsageReport};
use crate::flow::named;
use crate::oauth::id::ClientId;
use crate::store::schema::{RefusedRequests, Usage};

/// The most refusals of a client that are displayed one by one.
const MAX_REFUSALS: usize = 5;

/// The usage of one client, or of all clients together.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct UsageView {
    /// The number of live browser sessions with a grant of the client.
    pub(crate) active_sessions: usize,
    /// Whether a report does not read all grants and consents, so that `active_sessions`,
    /// `live_grants` and `people` are lower bounds.
    pub(crate) at_least: bool,
    /// The client; null: all clients together.
    pub(crate) client_id: Option<String>,
    /// The latest refusals of the last seven days, the newest first, at most five. Empty for
    /// all clients together.
    pub(crate) last_refusals: Vec<RefusalView>,
    /// The counts of the last 24 hours.
    pub(crate) last_day: UsageSums,
    /// The counts of the last seven days.
    pub(crate) last_week: UsageSums,
    /// The last use that is known: of a grant in force, or the hour of the last token within the last
    /// eight days.
    pub(crate) last_used: Option<String>,
    /// The number of grants in force.
    pub(crate) live_grants: usize,
    /// The number of people who let it do something, by a grant in force or a remembered consent.
    pub(crate) people: usize,
}

/// A refusal of a client, as it happened last.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct RefusalView {
    /// The time.
    pub(crate) at: String,
    /// The value of `error`.
    pub(crate) error: String,
    /// The reason.
    pub(crate) reason: String,
    /// The name of the reason.
    pub(crate) refusal: String,
    /// What can be done about it.
    pub(crate) remedy: String,
    /// The section that decides it.
    pub(crate) section: String,
}

/// The numbers of tokens and refusals in a span of time.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct UsageSums {
    /// The number of refusals.
    pub(crate) refusals: u64,
    /// The number of refusals by the name of their reason.
    pub(crate) refusals_by_reason: BTreeMap<String, u64>,
    /// The number of tokens.
    pub(crate) tokens_issued: u64,
    /// The number of tokens by grant type.
    pub(crate) tokens_issued_by_grant_type: BTreeMap<String, u64>,
    /// The number of active tokens that were introspected by a client which may not know about them.
    pub(crate) withheld_introspections: u64,
}

impl UsageView {
    fn new(client: Option<&ClientId>, report: UsageReport) -> Self {
        let active = &report.active;
        let last_refusals =
            client.map(|client| last_refusals(client, &report.week)).unwrap_or_default();
        Self {
            last_refusals,
            active_sessions: active.sessions,
            at_least: active.at_least,
            client_id: client.map(ClientId::to_string),
            last_used: report.used.map(Timestamp::rfc3339),
            live_grants: active.grants,
            people: active.people,
            last_day: UsageSums::new(report.day),
            last_week: UsageSums::new(report.week),
        }
    }
}

fn last_refusals(client: &ClientId, week: &Usage) -> Vec<RefusalView> {
    let named = week.refused.iter().filter_map(|(name, last)| Some((Refusal::named(name)?, last)));
    let mut named: Vec<(Refusal, &RefusedRequests)> = named.collect();
    named.sort_by_key(|(_, refused)| std::cmp::Reverse(refused.last));
    named.truncate(MAX_REFUSALS);
    let view = |(refusal, refused): (Refusal, &RefusedRequests)| RefusalView {
        at: refused.last.rfc3339(),
        error: refusal.code().as_str().to_owned(),
        reason: refused.reason.clone(),
        refusal: refusal.name().to_owned(),
        remedy: refusal.remedy_for(Some(client.as_str())).into_owned(),
        section: refusal.section().to_owned(),
    };
    named.into_iter().map(view).collect()
}

impl UsageSums {
    fn new(usage: Usage) -> Self {
        Self {
            refusals: usage.refused.values().map(|refused| refused.count).sum(),
            refusals_by_reason: usage
                .refused
                .into_iter()
                .map(|(name, refused)| (name, refused.count))
                .collect(),
            tokens_issued: usage.issued.values().sum(),
            tokens_issued_by_grant_type: usage.issued,
            withheld_introspections: usage.withheld,
        }
    }
}

pub(super) async fn of_all(app: By<ReadClients>) -> Result<Json<UsageView>, Failed> {
    let report = usage::report(&app.read()?, &app.context(), None)?;
    Ok(Json(UsageView::new(None, report)))
}

pub(super) async fn of_client(
    app: By<ReadClients>,
    Named(named): Named,
) -> Result<Json<UsageView>, Failed> {
    let view = app.read()?;
    let (id, _) = named::client(&view, &named)?;
    let report = usage::report(&view, &app.context(), Some(&id))?;
    Ok(Json(UsageView::new(Some(&id), report)))
}
