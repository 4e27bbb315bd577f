//! `gatelodge issuer …`

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Value, json};

use crate::error::Refusal;
use crate::oauth::issuer::Issuer;

use super::admin_client::AdminClient;
use super::output::{Exit, Failure, Output, word};

const CHANGE_HELP: &str = "\
A passkey belongs to the host of the issuer it was made at. Without --yes nothing is changed:
the command names the passkeys that would stop working, and ends with 4 because the change
awaits its confirmation. It ends with 0 where the change was made, or there is none to make.

Example:
  gatelodge issuer change https://id.example          see whose passkeys would be lost
  gatelodge issuer change https://id.example --yes    do it; then restart the server";

/// What can be done with the issuer.
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
        /// Do it, whatever passkeys it orphans
        #[arg(long)]
        yes: bool,
    },
}

fn issuer(written: &str) -> Result<Issuer, &'static str> {
    written.parse().map_err(Refusal::reason)
}

/// `gatelodge issuer …`
pub(super) async fn run(verb: IssuerVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        IssuerVerb::Show => {
            let response = admin.ask(Method::GET, "/api/v1/issuer", None).await?;
            Ok(Output::new(word(&response, "issuer"), response))
        }
        IssuerVerb::Change { url, yes } => {
            let asked = json!({"issuer": url, "confirm": yes});
            let response = admin.ask(Method::PUT, "/api/v1/issuer", Some(asked)).await?;
            Ok(output(&url, response))
        }
    }
}

fn output(url: &Issuer, response: Value) -> Output {
    let previous = word(&response, "previous");
    if response.get("changed").and_then(Value::as_bool) == Some(true) {
        let text = format!("the issuer was {previous} and is now {url}\n{}", orphans(&response));
        return Output::new(text, response)
            .with_note("A running server uses it from its next start.");
    }
    if previous == url.as_str() {
        return Output::new(format!("the issuer is {url} already"), response);
    }
    let text = format!("the issuer would change from {previous} to {url}\n{}", orphans(&response));
    let note = format!("Nothing is changed yet: gatelodge issuer change {url} --yes does it.");
    Output::new(text, response).with_note(note).ending(Exit::Refused)
}

/// Whose passkeys no longer work.
fn orphans(response: &Value) -> String {
    let orphaned =
        response.get("orphaned").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if orphaned.is_empty() {
        return "no passkey is orphaned\n".to_owned();
    }
    let line =
        |o: &Value| format!("  orphaned: {} of {}\n", word(o, "passkey"), word(o, "username"));
    orphaned.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn respond(changed: bool, previous: &str) -> Output {
        let orphaned = json!([{"username": "ada", "passkey": "laptop"}]);
        let response = json!({
            "issuer": "https://id.example", "previous": previous, "orphaned": orphaned,
            "changed": changed,
        });
        output(&"https://id.example".parse().unwrap(), response)
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
    fn a_change_that_was_made_or_is_none_ends_with_0() {
        let made = respond(true, "http://localhost:7455");
        let none = respond(false, "https://id.example");

        assert_eq!(made.parts().0, Exit::Done);
        assert!(made.parts().3.unwrap().contains("next start"));
        assert_eq!(none.parts().1, "the issuer is https://id.example already");
        assert_eq!(none.parts().0, Exit::Done);
    }
}
