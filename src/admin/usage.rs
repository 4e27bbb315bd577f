//! `/api/v1/usage` and `/api/v1/clients/{id}/usage`: how clients are used.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};

use super::Failed;
use crate::app::App;
use crate::flow::client::usage::{self, UsageReport};
use crate::oauth::id::ClientId;
use crate::store::schema::Usage;

/// The use of one client, or of all together.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UsageView {
    /// The live browser sessions with a grant of the client.
    pub(crate) active_sessions: usize,
    /// Whether there are more grants than one report reads, so that both numbers are minima.
    pub(crate) at_least: bool,
    /// The client; null: all together.
    pub(crate) client_id: Option<String>,
    /// The last 24 hours.
    pub(crate) last_day: UsageSums,
    /// The last seven days.
    pub(crate) last_week: UsageSums,
    /// The grants in force.
    pub(crate) live_grants: usize,
}

/// Tokens and refusals of a span of time.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UsageSums {
    /// All refusals.
    pub(crate) refusals: u64,
    /// The refusals by the name of their reason.
    pub(crate) refusals_by_reason: BTreeMap<String, u64>,
    /// All tokens.
    pub(crate) tokens_issued: u64,
    /// The tokens by grant type.
    pub(crate) tokens_issued_by_grant_type: BTreeMap<String, u64>,
}

impl UsageView {
    fn new(client: Option<&ClientId>, report: UsageReport) -> Self {
        let active = &report.active;
        Self {
            active_sessions: active.sessions,
            at_least: active.at_least,
            client_id: client.map(ClientId::to_string),
            live_grants: active.grants,
            last_day: UsageSums::new(report.day),
            last_week: UsageSums::new(report.week),
        }
    }
}

impl UsageSums {
    fn new(usage: Usage) -> Self {
        Self {
            refusals: usage.refused.values().sum(),
            refusals_by_reason: usage.refused,
            tokens_issued: usage.issued.values().sum(),
            tokens_issued_by_grant_type: usage.issued,
        }
    }
}

pub(super) async fn of_all(State(app): State<Arc<App>>) -> Result<Json<UsageView>, Failed> {
    let report = usage::report(&app.read()?, &app.context(), None)?;
    Ok(Json(UsageView::new(None, report)))
}

pub(super) async fn of_client(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<UsageView>, Failed> {
    let id: ClientId = id.parse()?;
    let report = usage::report(&app.read()?, &app.context(), Some(&id))?;
    Ok(Json(UsageView::new(Some(&id), report)))
}
