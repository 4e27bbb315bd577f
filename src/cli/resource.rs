//! `gatelodge resource …`

use axum::http::Method;
use clap::{Args, Subcommand};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::admin_client::AdminClient;
use super::output::{Failure, Output, fields, table, word};

const ADD_HELP: &str = "\
Examples:
  gatelodge resource add http://localhost:3000/mcp --scope mcp:tools
      an MCP server on this machine, and a scope that means something there
  gatelodge resource add https://api.example --name Orders --scope orders:read --introspect
      an API that asks this server about each token; it gets credentials for that

Serve the printed document at the printed address, and answer a request without a token by 401
with the printed header. Where the API cannot serve it, the header may name the copy here.";

/// What can be done with resources.
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

/// A resource as the command line describes one.
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
    /// Whether clients that nobody registered may ask for its scopes; they may on loopback
    #[arg(long)]
    open: Option<bool>,
}

/// `gatelodge resource …`
pub(super) async fn run(verb: ResourceVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        ResourceVerb::Add(add) => {
            let added = admin.ask(Method::POST, "/api/v1/resources", Some(add.body())).await?;
            let secret = !word(&added, "client_secret").is_empty();
            let response = Output::new(text(&added), added);
            Ok(if secret {
                response.with_note(
                    "Keep the secret now: it is not stored, and nobody can show it a second time.",
                )
            } else {
                response
            })
        }
        ResourceVerb::List => Ok(list(admin.ask(Method::GET, "/api/v1/resources", None).await?)),
        ResourceVerb::Show { resource } => {
            let found = admin.ask(Method::GET, &path(&resource), None).await?;
            Ok(Output::new(text(&found), found))
        }
        ResourceVerb::Remove { resource } => {
            let removed = admin.ask(Method::DELETE, &path(&resource), None).await?;
            Ok(Output::new(format!("removed {}", word(&removed, "resource")), removed))
        }
    }
}

fn path(resource: &str) -> String {
    format!("/api/v1/resources/{}", utf8_percent_encode(resource, NON_ALPHANUMERIC))
}

impl Add {
    /// What was given and nothing else: the server has its own defaults.
    fn body(self) -> Value {
        let scope = (!self.scope.is_empty()).then(|| self.scope.join(" "));
        let members = [
            ("resource", Some(self.resource.into())),
            ("resource_name", self.name.map(Value::from)),
            ("scope", scope.map(Value::from)),
            ("introspect", self.introspect.then(|| true.into())),
            ("client_id", self.client.map(Value::from)),
            ("open", self.open.map(Value::from)),
        ];
        let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(given.collect::<Map<_, _>>())
    }
}

/// A resource, and what to paste into it.
fn text(resource: &Value) -> String {
    const MEMBERS: &[&str] =
        &["resource", "resource_name", "scope", "open", "client_id", "client_secret", "created"];
    let mut text =
        fields(&MEMBERS.iter().map(|name| (*name, word(resource, name))).collect::<Vec<_>>());
    let metadata = resource.get("metadata").cloned().unwrap_or_default();
    let document = serde_json::to_string_pretty(&metadata).unwrap_or_default();
    text.push_str(&format!(
        "\n\n# serve this at {}\n# (a copy lies at {})\n{document}\n\n# answer a request without a \
         token by 401 and\nWWW-Authenticate: {}\n",
        word(resource, "metadata_address"),
        word(resource, "metadata_copy"),
        word(resource, "www_authenticate"),
    ));
    text
}

fn list(response: Value) -> Output {
    let all = response.get("resources").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if all.is_empty() {
        let note = "No resource is registered yet: gatelodge resource add URI";
        return Output::new("", response).with_note(note);
    }
    let columns = &[
        ("RESOURCE", "resource"),
        ("NAME", "resource_name"),
        ("SCOPE", "scope"),
        ("CLIENT ID", "client_id"),
        ("CREATED", "created"),
    ];
    Output::new(table(columns, all), response)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::json;

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
            add.body(),
            json!({
                "resource": "https://api.example", "resource_name": "Orders", "scope": "a b",
                "introspect": true, "open": false,
            })
        );
    }

    #[test]
    fn a_resource_comes_with_what_to_paste() {
        let text = text(&json!({
            "resource": "https://api.example/mcp",
            "metadata": { "resource": "https://api.example/mcp" },
            "metadata_address": "https://api.example/.well-known/oauth-protected-resource/mcp",
            "www_authenticate": "Bearer resource_metadata=\"https://api.example/x\"",
        }));

        assert!(text.contains("# serve this at https://api.example/.well-known/"));
        assert!(
            text.ends_with(
                "WWW-Authenticate: Bearer resource_metadata=\"https://api.example/x\"\n"
            )
        );
    }
}
