//! The output of `gatelodge client …`: the members of a client, and the lines for its environment.

use crate::admin::client::ClientView;
use crate::admin::issuer::IssuerView;
use crate::cli::catalogue::pasted;
use crate::cli::output::{Output, fields, printable, word};

const KEEP: &str = "Keep the secret now: it is not stored, and nobody can show it a second time.";

/// The output for a changed client, with its secret if it has a new one.
pub(super) fn changed(client: &ClientView) -> Output {
    noted(Output::new(text(client), client), client)
}

/// The output with what the operator should know beside it.
fn noted(output: Output, client: &ClientView) -> Output {
    let keep = client.client_secret.is_some().then(|| KEEP.to_owned());
    let own = client.setup.iter().flat_map(|setup| &setup.notes);
    let notes =
        own.chain(client.notes.iter().map(|note| &note.sentence)).map(|note| printable(note));
    let lines: Vec<String> = keep.into_iter().chain(notes).collect();
    if lines.is_empty() { output } else { output.with_note(lines.join("\n")) }
}

/// The output for a new client, with what to paste on its side.
pub(super) fn added(issuer: Option<&IssuerView>, client: &ClientView) -> Output {
    if let Some(setup) = &client.setup {
        let text = format!("{}\n{}", text(client), pasted(&setup.settings));
        return noted(Output::new(text, client), client);
    }
    let issuer = issuer.map(|view| view.issuer.as_str());
    let text = format!(
        "{}\n# paste this into the application's environment\n{}",
        text(client),
        client.environment(issuer),
    );
    noted(Output::new(text, client), client)
}

pub(super) fn text(client: &ClientView) -> String {
    let members = client.members();
    let rows: Vec<_> = members.iter().map(|(name, value)| (*name, word(value))).collect();
    fields(&rows)
}
