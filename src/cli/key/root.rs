//! `gatelodge key rotate --root`

use axum::http::Method;
use serde::Serialize;

use crate::admin::key::root::{
    RootEndedView, RootForgetting, RootForgottenView, RootKeyView, RootRotationView,
};
use crate::secret::{Entropy, RootSecret};

use crate::cli::admin_client::AdminClient;
use crate::cli::confirm::{Confirmation, ask, counted};
use crate::cli::output::{Exit, Failure, Output, fields, word};

/// What is left to do after a rotation.
const ROTATED: &str = "\
Sessions, tokens and secrets go on, and what is used is kept under the new key. Once everybody was
there, in some weeks: gatelodge key rotate --root --forget. Make a new backup of the key file now; keep
the old one for as long as the backups of the store from before.";

/// A new root secret that an operator has to put into a setting.
#[derive(Serialize)]
struct NewSecretView<'a> {
    in_force: &'a [RootKeyView],
    new_root_secret: &'a str,
    rotated: bool,
}

/// Rotates the root key.
pub(super) async fn rotate(admin: &mut AdminClient) -> Result<Output, Failure> {
    let view: RootRotationView = admin.ask(Method::POST, "/api/v1/keys/root/rotate").await?;
    if view.rotated {
        let first = if view.went_on {
            "A rotation that was begun is finished. "
        } else {
            "The root key is new. "
        };
        return Ok(
            Output::new(in_force(&view.in_force), &view).with_note(format!("{first}{ROTATED}"))
        );
    }
    let secret = RootSecret::generate(&Entropy::System.seed()).expose();
    let new = NewSecretView { in_force: &view.in_force, new_root_secret: &secret, rotated: false };
    let note = "Nothing is changed: the root secret comes from a setting, and only you can change that. \
                Put this new one before those that are there, on a line of its own or with a space \
                between them, and restart the server. It takes the new one then; keep the others there.";
    Ok(Output::new(secret.as_str(), &new).with_note(note).with_exit(Exit::Refused))
}

/// Forgets the earlier root keys, or says what would end.
pub(super) async fn forget(
    dry_run: bool,
    confirmation: Confirmation,
    admin: &mut AdminClient,
) -> Result<Output, Failure> {
    if dry_run || confirmation.is_asked() {
        let planned = send(true, admin).await?;
        if dry_run {
            let note = "Nothing is changed, as --dry-run says.";
            return Ok(described(&planned).with_note(note));
        }
        let list = summary(&planned.ended);
        let what = if list.is_empty() { "nothing".to_owned() } else { list };
        ask(&format!("forget the earlier root keys, and end {what}?"), admin).await?;
    }
    let forgotten = send(false, admin).await?;
    let note = "The earlier root keys are forgotten, and the key file has the newest alone. Where the \
                root secret comes from a setting, take the others out of it.";
    Ok(described(&forgotten).with_note(note))
}

async fn send(dry_run: bool, admin: &mut AdminClient) -> Result<RootForgottenView, Failure> {
    admin.send(Method::POST, "/api/v1/keys/root/forget", &RootForgetting { dry_run }).await
}

fn in_force(keys: &[RootKeyView]) -> String {
    let line = |key: &RootKeyView| format!("{} since {}", key.generation, key.since);
    let lines: Vec<_> = keys.iter().map(line).collect();
    fields(&[("in force", lines.join(", "))])
}

fn described(view: &RootForgottenView) -> Output {
    let RootEndedView {
        application_sessions,
        client_secrets,
        grants,
        hook_secrets,
        invitations,
        links,
        personal_tokens,
        recovery_codes,
        registration_tokens,
        sessions,
    } = &view.ended;
    let rows = [
        ("sessions", word(sessions)),
        ("sessions at applications", word(application_sessions)),
        ("grants", word(grants)),
        ("client secrets of", word(client_secrets)),
        ("registration tokens", word(registration_tokens)),
        ("personal tokens", word(personal_tokens)),
        ("hook secrets", word(hook_secrets)),
        ("setup links", word(links)),
        ("invitations", word(invitations)),
        ("recovery codes of", word(recovery_codes)),
    ];
    Output::new(in_force(&view.in_force) + &fields(&rows), view)
}

/// What ends, in a part of a sentence.
fn summary(ended: &RootEndedView) -> String {
    let counts = [
        (ended.sessions, "session"),
        (ended.application_sessions, "session at an application"),
        (ended.grants, "grant"),
        (ended.client_secrets.len(), "client secret"),
        (ended.registration_tokens, "registration token"),
        (ended.personal_tokens, "personal token"),
        (ended.hook_secrets, "hook secret"),
        (ended.links, "setup link"),
        (ended.invitations, "invitation"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let mut parts: Vec<_> = counts.map(|(count, what)| counted(count, what)).collect();
    if !ended.recovery_codes.is_empty() {
        let people = if ended.recovery_codes.len() == 1 { "person" } else { "people" };
        parts.push(format!("the recovery codes of {} {people}", ended.recovery_codes.len()));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_rotation_is_described_and_forgetting_says_what_ends() {
        let mut admin = AdminClient::memory_with_ada().await;

        let rotated = rotate(&mut admin).await.unwrap();
        let planned = forget(true, Confirmation { yes: true }, &mut admin).await.unwrap();
        let forgotten = forget(false, Confirmation { yes: true }, &mut admin).await.unwrap();

        let (_, text, json, note) = rotated.parts();
        assert!(text.starts_with("in force  2 since ") && text.contains(", 1 since "), "{text}");
        assert!(note.unwrap().starts_with("The root key is new."), "{note:?}");
        assert_eq!((&json["rotated"], &json["went_on"]), (&true.into(), &false.into()));
        let (_, text, json, note) = planned.parts();
        assert_eq!((&json["dry_run"], &json["ended"]["links"]), (&true.into(), &1.into()));
        assert!(note.unwrap().contains("--dry-run") && text.contains("setup links"), "{text}");
        assert_eq!(json["in_force"].as_array().unwrap().len(), 2);
        let (_, _, json, _) = forgotten.parts();
        assert_eq!(json["ended"]["links"], 1);
        assert_eq!(json["in_force"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn the_question_counts_what_ends() {
        let ended = RootEndedView {
            application_sessions: 0,
            client_secrets: vec!["shop".to_owned()],
            grants: 2,
            hook_secrets: 0,
            invitations: 0,
            links: 0,
            personal_tokens: 0,
            recovery_codes: vec!["ada".to_owned()],
            registration_tokens: 0,
            sessions: 1,
        };

        let expected = "1 session, 2 grants, 1 client secret, the recovery codes of 1 person";
        assert_eq!(summary(&ended), expected);
    }
}
