//! `gatelodge user recover`

use axum::http::Method;
use clap::Args;

use crate::admin::session::{SessionKind, SessionView};
use crate::admin::user::{Recovery, RecoveryView, UserView};
use crate::cli::admin_client::{AdminClient, path_of};
use crate::cli::confirm::{Confirmation, ask_whether, counted};
use crate::cli::output::{Failure, Output, fields, word};
use crate::cli::user::LINK_NOTE;

use super::rows;

pub(in crate::cli) const RECOVER_HELP: &str = "\
Examples:
  gatelodge user recover ada    a link to a new passkey for somebody who lost theirs
  gatelodge user recover ada --end-passkeys --end-sessions
                                the same, and what was stolen opens nothing any more
  gatelodge user recover ada --further
                                a link to one more passkey for somebody who has theirs
  gatelodge user recover        the first administrator's link, while nobody exists

The open link of the same person ends. At a terminal it is asked whether the passkeys and the
browser sessions that are there shall end; elsewhere they stay, unless the options say it. What ends
ends at once, before anybody opens the link. Bridges go on: gatelodge bridge end.";

/// The arguments of `user recover`.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct Recover {
    /// Whose link; nobody's is the first administrator's
    username: Option<String>,
    /// End the passkeys that are there
    #[arg(long, requires = "username")]
    end_passkeys: bool,
    /// End the browser sessions that are there, with their grants
    #[arg(long, requires = "username")]
    end_sessions: bool,
    /// The link is for one more passkey, beside those that are there
    #[arg(long, requires = "username", conflicts_with_all = ["end_passkeys", "end_sessions"])]
    further: bool,
    /// End nothing, and do not ask; where there is no terminal, nothing is asked
    #[arg(long, conflicts_with_all = ["end_passkeys", "end_sessions"])]
    keep: bool,
}

/// Runs `gatelodge user recover`.
pub(in crate::cli) async fn run(
    mut recover: Recover,
    admin: &mut AdminClient,
) -> Result<Output, Failure> {
    let said = recover.keep || recover.further || recover.end_passkeys || recover.end_sessions;
    if let (Some(username), false) = (&recover.username, said)
        && Confirmation::default().is_asked()
    {
        let view: UserView = admin.ask(Method::GET, &path_of("users", username)).await?;
        (recover.end_passkeys, recover.end_sessions) = ask_what_ends(&view, admin).await?;
        // Whoever was asked about is meant, whatever has their name by now.
        recover.username = Some(view.id);
    }
    let Recover { username, end_passkeys, end_sessions, further, .. } = recover;
    let asked = Recovery { end_passkeys, end_sessions, further, username };
    let view: RecoveryView = admin.send(Method::POST, "/api/v1/recover", &asked).await?;
    let ended = [(view.ended_passkeys, "passkey"), (view.ended_sessions, "session")];
    let ended = ended.into_iter().filter(|(number, _)| *number > 0);
    let ended: Vec<_> = ended.map(|(number, what)| counted(number, what)).collect();
    let mut all = vec![("username", word(&view.username))];
    all.extend(rows(&view.link));
    all.push(("ended", ended.join(", ")));
    let output = Output::new(fields(&all), &view).with_note(LINK_NOTE);
    Ok(output.with_qr_code(&view.link.setup_url))
}

/// Asks whether the passkeys and the sessions of a person shall end, of those that there are.
async fn ask_what_ends(view: &UserView, admin: &mut AdminClient) -> Result<(bool, bool), Failure> {
    let sessions: Vec<SessionView> = admin.list("/api/v1/sessions", Some(&view.id)).await?;
    let sessions = sessions
        .iter()
        .filter(|session| matches!(session.kind, SessionKind::Browser { .. }))
        .count();
    let mut decided = [false; 2];
    let questions = [(view.passkeys, "passkey"), (sessions, "session")];
    for (wanted, (number, what)) in decided.iter_mut().zip(questions) {
        if number > 0 {
            let what = counted(number, what);
            let question = format!("{} has {what}; end what is there?", view.username);
            *wanted = ask_whether(&question, admin).await?;
        }
    }
    let [passkeys, sessions] = decided;
    Ok((passkeys, sessions))
}
