//! `gatelodge issuer …`

use axum::http::Method;
use clap::Subcommand;
use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::admin::issuer::{IssuerChange, IssuerChangeView, IssuerView, OrphanedPasskey};
use crate::error::Refusal;
use crate::oauth::issuer::Issuer;

use super::admin_client::AdminClient;
use super::confirm::{Confirmation, ask, counted};
use super::output::{Exit, Failure, Output, printable};

const CHANGE_HELP: &str = "\
A passkey belongs to the host of the issuer it was made at. On a terminal the command says which
passkeys would stop working, and asks. Elsewhere nothing is changed without --yes: the command names
those passkeys, and ends with 4 because the change awaits its confirmation. It ends with 0 where the change was made, or there is none to make.

Example:
  gatelodge issuer change https://id.example          see whose passkeys would be lost
  gatelodge issuer change https://id.example --yes    do it; then restart the server";

/// The most owners of lost passkeys whom the question names.
const MAX_OWNERS: usize = 10;

/// The verbs of `issuer`.
#[derive(Debug, Subcommand)]
pub(super) enum IssuerVerb {
    /// Say which issuer the store holds
    Show,
    /// Give the store another issuer, having said which passkeys it orphans
    #[command(after_help = CHANGE_HELP)]
    Change {
        /// The new issuer: an https URL, or http://localhost with a port; no path
        #[arg(value_name = "URL", value_parser = issuer)]
        url: Issuer,
        /// Do it without asking, whatever passkeys it orphans
        #[arg(long)]
        yes: bool,
    },
}

fn issuer(written: &str) -> Result<Issuer, Cow<'static, str>> {
    written.parse().map_err(Refusal::reason)
}

/// Runs `gatelodge issuer …`.
pub(super) async fn run(verb: IssuerVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        IssuerVerb::Show => {
            let view: IssuerView = admin.ask(Method::GET, "/api/v1/issuer").await?;
            Ok(Output::new(view.issuer.as_str(), &view))
        }
        IssuerVerb::Change { url, yes } => {
            let mut change = IssuerChange { confirm: yes, issuer: url.to_string() };
            if (Confirmation { yes }).is_asked() {
                let planned: IssuerChangeView =
                    admin.send(Method::PUT, "/api/v1/issuer", &change).await?;
                if planned.previous != planned.issuer {
                    ask(&question(&planned), admin).await?;
                    change.confirm = true;
                }
            }
            Ok(output(&admin.send(Method::PUT, "/api/v1/issuer", &change).await?))
        }
    }
}

/// The question before a change of the issuer.
fn question(planned: &IssuerChangeView) -> String {
    let IssuerChangeView { issuer, orphaned, previous, .. } = planned;
    let lost = counted(orphaned.len(), "passkey");
    let owners: BTreeSet<&str> = orphaned.iter().map(|one| one.username.as_str()).collect();
    let owners: Vec<&str> = owners.into_iter().take(MAX_OWNERS).collect();
    let owners =
        if owners.is_empty() { String::new() } else { format!(" of {}", owners.join(", ")) };
    format!("change the issuer from {previous} to {issuer}, and lose {lost}{owners}?")
}

fn output(view: &IssuerChangeView) -> Output {
    let IssuerChangeView { changed, issuer, orphaned, previous } = view;
    if *changed {
        let text = format!("the issuer was {previous} and is now {issuer}\n{}", orphans(orphaned));
        return Output::new(text, view).with_note("A running server uses it from its next start.");
    }
    if previous == issuer {
        return Output::new(format!("the issuer is {issuer} already"), view);
    }
    let text =
        format!("the issuer would change from {previous} to {issuer}\n{}", orphans(orphaned));
    let note = format!("Nothing is changed yet: gatelodge issuer change {issuer} --yes does it.");
    Output::new(text, view).with_note(note).with_exit(Exit::Refused)
}

/// The orphaned passkeys, one on each line.
fn orphans(orphaned: &[OrphanedPasskey]) -> String {
    if orphaned.is_empty() {
        return "no passkey is orphaned\n".to_owned();
    }
    let line = |orphan: &OrphanedPasskey| {
        let (passkey, username) = (printable(&orphan.passkey), printable(&orphan.username));
        format!("  orphaned: {passkey} of {username}\n")
    };
    orphaned.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn respond(changed: bool, previous: &str) -> Output {
        let orphaned = OrphanedPasskey { passkey: "laptop".into(), username: "ada".into() };
        output(&IssuerChangeView {
            changed,
            issuer: "https://id.example".parse().unwrap(),
            orphaned: vec![orphaned],
            previous: previous.parse().unwrap(),
        })
    }

    #[test]
    fn an_unconfirmed_change_tells_the_orphans_and_ends_with_4() {
        let response = respond(false, "http://localhost:7455");
        let (exit, text, _, note) = response.parts();

        assert_eq!(exit, Exit::Refused);
        assert!(text.contains("orphaned: laptop of ada"));
        assert!(note.unwrap().contains("--yes"));
    }

    #[test]
    fn an_address_is_told_why_it_cannot_be_the_issuer() {
        let why = issuer("http://127.0.0.1").unwrap_err();

        assert!(why.contains("an IP address") && why.contains("RP ID of a passkey"), "{why}");
    }

    #[test]
    fn a_change_that_was_made_or_is_none_ends_with_0() {
        let made = respond(true, "http://localhost:7455");
        let none = respond(false, "https://id.example");

        assert_eq!(made.parts().0, Exit::Success);
        assert!(made.parts().3.unwrap().contains("next start"));
        assert_eq!(none.parts().1, "the issuer is https://id.example already");
        assert_eq!(none.parts().0, Exit::Success);
    }
}
