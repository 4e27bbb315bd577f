//! `/api/v1/usage` and `/api/v1/clients/{id}/usage`: how clients are used.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::Failed;
use crate::app::App;
use crate::flow::client::usage::{self, UsageReport};
use crate::oauth::id::ClientId;
use crate::store::schema::Usage;

fn json(id: Option<&ClientId>, report: &UsageReport) -> Value {
    let active = &report.active;
    json!({
        "client_id": id.map(ClientId::as_str),
        "active_sessions": active.sessions,
        "live_grants": active.grants,
        "at_least": active.at_least,
        "last_day": sums(&report.day),
        "last_week": sums(&report.week),
    })
}

fn sums(usage: &Usage) -> Value {
    let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
    json!({
        "tokens_issued": sum(&usage.issued),
        "tokens_issued_by_grant_type": usage.issued,
        "refusals": sum(&usage.refused),
        "refusals_by_reason": usage.refused,
    })
}

pub(super) async fn of_all(State(app): State<Arc<App>>) -> Result<Json<Value>, Failed> {
    let report = usage::report(&app.read()?, &app.context(), None)?;
    Ok(Json(json(None, &report)))
}

pub(super) async fn of_client(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Failed> {
    let id: ClientId = id.parse()?;
    let report = usage::report(&app.read()?, &app.context(), Some(&id))?;
    Ok(Json(json(Some(&id), &report)))
}
