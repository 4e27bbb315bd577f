//! Notes: what an operator should know of an import.

use serde_json::Value;

use super::lines::Line;
use super::member::Text;
use crate::flow::Context;
use crate::model::actor::WHOLE_ADMINISTRATION;
use crate::model::person::Role;
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
            let about = || format!("user {}", own.username.0);
            of_roles(cx, &own.roles, about, "they may administer this server")
        }
        Line::Invitation(own) => {
            let about = || format!("invitation {}", own.id.0);
            of_roles(cx, &own.roles, about, "whoever comes by it may administer this server")
        }
        Line::Role(own) => {
            let rights = administration(&own.scope);
            (!rights.is_empty()).then(|| Note {
                about: format!("role {}", own.name.0),
                sentence: format!("whoever has it may administer this server: {rights}"),
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
        | Line::Passkey(_)
        | Line::RecoveryCode(_)
        | Line::Resource(_)
        | Line::Scope(_)
        | Line::SetupLink(_) => None,
    }
}

/// A note about somebody who gets these roles.
fn of_roles(
    cx: &Context,
    roles: &[Text<Role>],
    about: impl FnOnce() -> String,
    sentence: &str,
) -> Option<Note> {
    let roles: Vec<_> = roles.iter().map(|role| role.0.clone()).collect();
    let rights = administration(&cx.rules.config.allowed(&roles));
    (!rights.is_empty()).then(|| Note { about: about(), sentence: format!("{sentence}: {rights}") })
}

/// The scopes of the administration among these; the one with all of it stands for the others.
fn administration(scope: &Scope) -> String {
    if scope.has(WHOLE_ADMINISTRATION) {
        return WHOLE_ADMINISTRATION.to_owned();
    }
    scope.of_administration().to_string()
}
