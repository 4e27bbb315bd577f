//! `gatelodge catalogue …`: the applications that are known, for `client add --app`.

use axum::http::Method;
use clap::Subcommand;

use crate::admin::catalogue::EntryView;
use crate::model::catalogue::ApplicationSettings;

use super::admin_client::{AdminClient, path_of};
use super::output::{Column, Failure, Output, fields, folded, list, printable, word};

/// The most columns of a line of help.
const WIDTH: usize = 98;

const LIST_HELP: &str = "\
Example:
  gatelodge catalogue list

An application was tried if the tests of this project run it, or its library for OpenID Connect,
against this server with a client of its entry. The others are made of their documents.";

const SHOW_HELP: &str = "\
Example:
  gatelodge catalogue show gitea

The names in braces stand for the values of a client, which client add --app fills in.";

/// The verbs of `catalogue`.
#[derive(Debug, Subcommand)]
pub(super) enum CatalogueVerb {
    /// List the applications that are known
    #[command(after_help = LIST_HELP)]
    List,
    /// Show what is known of an application, and where that stands
    #[command(after_help = SHOW_HELP)]
    Show {
        /// Its name in the list
        name: String,
    },
}

/// Runs `gatelodge catalogue …`.
pub(super) async fn run(verb: CatalogueVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        CatalogueVerb::List => {
            const COLUMNS: &[Column<EntryView>] = &[
                Column::id("APP", |view| word(&view.name)),
                Column::text("NAME", |view| word(&view.application.title)),
                Column::text("KIND", |view| word(&view.application.kind)),
                Column::text("OPTIONS", |view| {
                    let options = view.application.options.keys();
                    word(&options.collect::<Vec<_>>())
                }),
                Column::text("TRIED", |view| {
                    let tried = view.application.tried.as_ref();
                    word(&tried.map(|tried| &tried.program))
                }),
            ];
            let entries = admin.list("/api/v1/catalogue", None).await?;
            Ok(list(entries, COLUMNS, "The catalogue is empty."))
        }
        CatalogueVerb::Show { name } => {
            let entry: EntryView = admin.ask(Method::GET, &path_of("catalogue", &name)).await?;
            Ok(Output::new(text(&entry), &entry))
        }
    }
}

/// An entry: its members, what to paste, and where all of it stands.
fn text(entry: &EntryView) -> String {
    let own = &entry.application;
    let options = own.options.iter().map(|(name, option)| {
        let default =
            option.default.as_ref().map_or_else(|| "none".to_owned(), |value| printable(value));
        format!(
            "--option {}=VALUE: {} (default: {default})",
            printable(name),
            printable(&option.meaning)
        )
    });
    let tried = own.tried.as_ref();
    let tried = tried.map(|tried| format!("{} ({})", tried.program, tried.story));
    let mut text = fields(&[
        ("name", word(&entry.name)),
        ("title", word(&own.title)),
        ("kind", word(&own.kind)),
        ("reached_at", word(&own.reached_at)),
        ("redirect_paths", quoted(&own.redirect_paths)),
        ("redirect_uris", word(&own.redirect_uris)),
        ("post_logout_paths", quoted(&own.post_logout_paths)),
        ("backchannel_logout_path", word(&own.backchannel_logout_path)),
        ("token_endpoint_auth_method", word(&own.token_endpoint_auth_method)),
        ("pkce", word(&own.pkce)),
        ("native", word(&own.native.then_some(true))),
        ("refresh", word(&own.refresh)),
        ("scope", word(&own.scope)),
        ("groups_claim", word(&own.groups_claim)),
        ("id_token_signed_response_alg", word(&own.id_token_signed_response_alg)),
        ("tried", word(&tried)),
    ]);
    let options: Vec<String> = options.collect();
    if !options.is_empty() {
        text.push_str(&format!("\n{}\n", options.join("\n")));
    }
    for note in &own.notes {
        text.push_str(&format!("\n{}\n", folded(&printable(note), WIDTH, 0)));
    }
    text.push_str(&format!("\n{}\n# sources\n", pasted(&own.settings)));
    for source in &own.sources {
        let (what, document) = (printable(&source.what), printable(&source.document));
        text.push_str(&format!("{what}: {document} ({})\n", printable(&source.version)));
    }
    text
}

/// Paths, each in quotes, since one may be empty.
fn quoted(paths: &[String]) -> String {
    paths.iter().map(|path| format!("\"{}\"", printable(path))).collect::<Vec<_>>().join(" ")
}

/// Texts of settings, each under a line that says where it belongs.
pub(super) fn pasted(settings: &[ApplicationSettings]) -> String {
    let part = |own: &ApplicationSettings| {
        let lines = own.text.trim_end().lines().map(printable);
        let lines: Vec<String> = lines.collect();
        format!("# {}\n{}\n", printable(&own.place), lines.join("\n"))
    };
    settings.iter().map(part).collect::<Vec<_>>().join("\n")
}

/// Names in as many lines as they need.
pub(super) fn in_lines(names: &[String]) -> String {
    let joined = names.join(", ");
    folded(&joined, WIDTH - 2, 0).lines().map(|line| format!("  {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_broken_into_lines() {
        let names: Vec<String> = (0..30).map(|n| format!("name-{n}")).collect();

        let lines = in_lines(&names);

        assert!(lines.lines().all(|line| line.len() <= WIDTH && line.starts_with("  ")), "{lines}");
        let whole = lines.split([',', ' ', '\n']).filter(|name| !name.is_empty());
        assert!(whole.eq(names.iter().map(String::as_str)), "{lines}");
    }

    #[test]
    fn settings_keep_their_lines_and_no_control_characters() {
        let settings = [
            ApplicationSettings {
                place: "a.yaml".to_owned(),
                text: "a:\n  b: \u{1b}[2J\n".to_owned(),
            },
            ApplicationSettings { place: "form".to_owned(), text: "c".to_owned() },
        ];

        let text = pasted(&settings);

        assert!(text.starts_with("# a.yaml\na:\n  b: "), "{text}");
        assert!(text.ends_with("\n\n# form\nc\n"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }
}
