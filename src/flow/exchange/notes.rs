//! Notes: what an operator should know of an import.

use serde_json::Value;

use super::lines::Line;
use crate::flow::Context;
use crate::model::actor::WHOLE_ADMINISTRATION;
use crate::oauth::scope::Scope;

/// What did not come along, or needs a hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whom or what it is about, such as `client shop`.
    pub about: String,
    /// What is the matter, and the way on.
    pub sentence: String,
}

/// The decisions by which a client may do more than others.
const DECISIONS: [&str; 3] = ["confirmation_waived", "first_party", "introspect_any"];

/// A note about a person or a client that may administer this server, or do more than others.
pub(super) fn of_rights(cx: &Context, line: &Line) -> Option<Note> {
    match line {
        Line::Person(own) => {
            let roles: Vec<_> = own.roles.iter().map(|role| role.0.clone()).collect();
            let scope = cx.rules.config.allowed(&roles);
            let rights = administration(&scope);
            (!rights.is_empty()).then(|| Note {
                about: format!("user {}", own.username.0),
                sentence: format!("they may administer this server: {rights}"),
            })
        }
        Line::Client(own) => {
            let scope = own.decisions.get("scope").or_else(|| own.metadata.get("scope"));
            let scope = scope.and_then(Value::as_str).and_then(|scope| scope.parse().ok());
            let rights = scope.map_or_else(String::new, |scope| administration(&scope));
            let is_set = |name: &&str| own.decisions.get(*name) == Some(&Value::Bool(true));
            let decided = DECISIONS.into_iter().filter(is_set);
            let all: Vec<&str> =
                rights.split(' ').chain(decided).filter(|own| !own.is_empty()).collect();
            (!all.is_empty()).then(|| Note {
                about: format!("client {}", own.client_id.0),
                sentence: format!("it may do more than others: {}", all.join(" ")),
            })
        }
        Line::Applied(_)
        | Line::Certificate(_)
        | Line::Consent(_)
        | Line::Device(_)
        | Line::Invitation(_)
        | Line::Passkey(_)
        | Line::RecoveryCode(_)
        | Line::Resource(_)
        | Line::Role(_)
        | Line::Scope(_)
        | Line::SetupLink(_) => None,
    }
}

/// The scopes of the administration among these; the one with all of it stands for the others.
fn administration(scope: &Scope) -> String {
    if scope.has(WHOLE_ADMINISTRATION) {
        return WHOLE_ADMINISTRATION.to_owned();
    }
    let own = scope.iter().map(|token| token.as_str()).filter(|token| token.starts_with("admin:"));
    own.collect::<Vec<_>>().join(" ")
}
