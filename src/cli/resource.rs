//! `gatelodge resource …`

use axum::http::Method;
use clap::{Args, Subcommand};

use crate::admin::resource::{RemovedResourceView, ResourceRegistration, ResourceView};

use super::admin_client::{AdminClient, path_of};
use super::output::{Column, Failure, Output, fields, list, printable, word};

const ADD_HELP: &str = "\
Examples:
  gatelodge resource add http://localhost:3000/mcp --scope mcp:tools
      an MCP server on this machine, and a scope that means something there
  gatelodge resource add https://api.example --name Orders --scope orders:read --introspect
      an API that asks this server about each token; it gets credentials for that

Serve the printed document at the printed address, and answer a request without a token by 401
with the printed header. Where the API cannot serve it, the header may name the copy here.";

/// The verbs of `resource`.
#[derive(Debug, Subcommand)]
pub(super) enum ResourceVerb {
    /// Register what tokens can be for, and print its metadata and the 401 header to paste
    #[command(after_help = ADD_HELP)]
    Add(Add),
    /// List the resources
    List,
    /// Show one resource, with its metadata and its 401 header
    Show {
        /// Its URI
        resource: String,
    },
    /// Remove a resource, and the credentials that were made for it
    Remove {
        /// Its URI
        resource: String,
    },
}

/// The arguments of `resource add`.
#[derive(Debug, Args)]
pub(super) struct Add {
    /// Its URI, http or https: what tokens for it name as their audience
    resource: String,
    /// What people read on the consent page; its host where nothing is said
    #[arg(long)]
    name: Option<String>,
    /// A scope that means something there; repeat it for more
    #[arg(long)]
    scope: Vec<String>,
    /// Make credentials with which it introspects the tokens that are addressed to it
    #[arg(long, conflicts_with = "client")]
    introspect: bool,
    /// Let this client introspect the tokens that are addressed to it
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// Let every client ask for its scopes, also one that did not register them (default: on
    /// loopback)
    #[arg(long)]
    open: Option<bool>,
}

/// Runs `gatelodge resource …`.
pub(super) async fn run(verb: ResourceVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        ResourceVerb::Add(add) => {
            let registration = add.registration();
            let added: ResourceView =
                admin.send(Method::POST, "/api/v1/resources", &registration).await?;
            let output = Output::new(text(&added), &added);
            Ok(if added.client_secret.is_some() {
                output.with_note(
                    "Keep the secret now: it is not stored, and nobody can show it a second time.",
                )
            } else {
                output
            })
        }
        ResourceVerb::List => {
            const COLUMNS: &[Column<ResourceView>] = &[
                Column("RESOURCE", |view| word(&view.resource)),
                Column("NAME", |view| word(&view.resource_name)),
                Column("SCOPE", |view| word(&view.scope)),
                Column("CLIENT ID", |view| word(&view.client_id)),
                Column("CREATED", |view| word(&view.created)),
            ];
            let none = "No resource is registered yet: gatelodge resource add URI";
            Ok(list(admin.list("/api/v1/resources", None).await?, COLUMNS, none))
        }
        ResourceVerb::Show { resource } => {
            let found = admin.ask(Method::GET, &path_of("resources", &resource)).await?;
            Ok(Output::new(text(&found), &found))
        }
        ResourceVerb::Remove { resource } => {
            let path = path_of("resources", &resource);
            let removed: RemovedResourceView = admin.ask(Method::DELETE, &path).await?;
            Ok(Output::new(format!("removed {}", word(&removed.resource)), &removed))
        }
    }
}

impl Add {
    fn registration(self) -> ResourceRegistration {
        ResourceRegistration {
            client_id: self.client,
            introspect: self.introspect,
            open: self.open,
            resource: self.resource,
            resource_name: self.name,
            scope: (!self.scope.is_empty()).then(|| self.scope.join(" ")),
        }
    }
}

/// A resource, with the metadata document and the header to paste into its server.
fn text(view: &ResourceView) -> String {
    let mut text = fields(&[
        ("resource", word(&view.resource)),
        ("resource_name", word(&view.resource_name)),
        ("scope", word(&view.scope)),
        ("open", word(&view.open)),
        ("client_id", word(&view.client_id)),
        ("client_secret", word(&view.client_secret)),
        ("created", word(&view.created)),
    ]);
    let metadata = serde_json::to_string_pretty(&view.metadata).unwrap_or_default();
    text.push_str(&format!(
        "\n\n# serve this at {}\n# (a copy lies at {})\n{metadata}\n\n# answer a request without a \
         token by 401 and\nWWW-Authenticate: {}\n",
        printable(&view.metadata_address),
        printable(&view.metadata_copy),
        printable(&view.www_authenticate),
    ));
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Args, Verb};

    #[test]
    fn every_flag_reaches_the_server() {
        let line = "gatelodge resource add https://api.example --name Orders --scope a --scope b \
                    --introspect --open false";

        let Some(Verb::Resource(ResourceVerb::Add(add))) =
            Args::try_parse_from(line.split_whitespace()).unwrap().verb
        else {
            panic!("resource add")
        };

        assert_eq!(
            add.registration(),
            ResourceRegistration {
                client_id: None,
                introspect: true,
                open: Some(false),
                resource: "https://api.example".into(),
                resource_name: Some("Orders".into()),
                scope: Some("a b".into()),
            }
        );
    }

    #[tokio::test]
    async fn a_resource_comes_with_what_to_paste() {
        let add = Add {
            resource: "https://api.example/mcp".into(),
            name: None,
            scope: vec!["mcp:tools".into()],
            introspect: true,
            client: None,
            open: None,
        };

        let added = run(ResourceVerb::Add(add), &mut AdminClient::memory().await).await.unwrap();

        let (_, text, json, note) = added.parts();
        let address = "https://api.example/.well-known/oauth-protected-resource/mcp";
        assert!(text.contains(&format!("# serve this at {address}\n")), "{text}");
        let header = format!("Bearer resource_metadata=\"{address}\", scope=\"mcp:tools\"");
        assert!(text.ends_with(&format!("WWW-Authenticate: {header}\n")), "{text}");
        assert_eq!(json["www_authenticate"], header);
        assert!(text.contains(json["client_secret"].as_str().unwrap()));
        assert!(note.unwrap().starts_with("Keep the secret now"));
    }
}
