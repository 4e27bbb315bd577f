//! `gatelodge resource …`

use axum::http::Method;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use crate::admin::resource::{
    RemovedResourceView, ResourcePatch, ResourceRegistration, ResourceView,
};
use crate::oauth::resource::TokenType;

use super::admin_client::{AdminClient, path_of};
use super::confirm::{Confirmation, ask};
use super::output::{Column, Exit, Failure, Output, fields, list, printable, word};

const ADD_HELP: &str = "\
Examples:
  gatelodge resource add http://localhost:3000/mcp --scope mcp:tools
      an MCP server on this machine, and a scope that means something there
  gatelodge resource add https://api.example --name Orders --scope orders:read --introspect
      an API that asks this server about each token; it gets credentials for that
  gatelodge resource add https://orders.example --scope orders:write --typ jwt
      an API whose library takes no tokens of the type at+jwt, such as Spring Security's decoder
  gatelodge resource add https://mcp.example --accepts-bridge
      an MCP server to which people's bridges bring their own tokens

A client that asks for a scope which only one resource has gets a token for that resource; one that
acts for itself, if you gave it the scope (client add --scope) or the resource (--resource).

Serve the printed document at the printed address, and answer a request without a token by 401
with the printed header. Where the API cannot serve it, the header may name the copy here.";

const SET_HELP: &str = "\
Examples:
  gatelodge resource set https://api.example --typ jwt
  gatelodge resource set https://api.example --scope orders:read --scope orders:write
  gatelodge resource set https://api.example --add-scope orders:write

What is not named stays as it is. --scope names every scope; an empty one takes all away; --add-scope
and --remove-scope leave the others. Tokens
that were issued before stay as they are.";

/// The verbs of `resource`.
#[derive(Debug, Subcommand)]
pub(super) enum ResourceVerb {
    /// Register what tokens can be for, and print its metadata and the 401 header to paste
    #[command(after_help = ADD_HELP)]
    Add(Add),
    /// List the resources
    List,
    /// Change a resource
    #[command(after_help = SET_HELP)]
    Set(Set),
    /// Show one resource, with its metadata and its 401 header
    Show {
        /// Its URI or its name
        resource: String,
    },
    /// Remove a resource, and the credentials that were made for it
    Remove {
        /// Its URI or its name
        resource: String,
        #[command(flatten)]
        confirmation: Confirmation,
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
    /// Accept the tokens of bridges, too: it introspects them, with --client or credentials of its
    /// own
    #[arg(long)]
    accepts_bridge: bool,
    /// Let every client ask for its scopes, also one that did not register them (default: on
    /// loopback)
    #[arg(long)]
    open: Option<bool>,
    /// The type of the tokens for it: that of RFC 9068 (default), or the older JWT, where its library
    /// takes no other
    #[arg(long, ignore_case = true, value_parser = types())]
    typ: Option<String>,
}

/// The arguments of `resource set`.
#[derive(Debug, Args)]
pub(super) struct Set {
    /// Its URI or its name
    resource: String,
    /// What people read on the consent page
    #[arg(long)]
    name: Option<String>,
    /// A scope that means something there; repeat it for more. Those that are not named are taken
    /// away
    #[arg(long)]
    scope: Vec<String>,
    /// A scope beside the present ones; repeat it for more
    #[arg(long, value_name = "SCOPE", conflicts_with = "scope")]
    add_scope: Vec<String>,
    /// A scope to take away; repeat it for more
    #[arg(long, value_name = "SCOPE", conflicts_with = "scope")]
    remove_scope: Vec<String>,
    /// Accept the tokens of bridges: it introspects them, with credentials that are made if it has
    /// none
    #[arg(long)]
    accepts_bridge: Option<bool>,
    /// Let every client ask for its scopes, also one that did not register them
    #[arg(long)]
    open: Option<bool>,
    /// The type of the tokens for it
    #[arg(long, ignore_case = true, value_parser = types())]
    typ: Option<String>,
}

/// The parser of the types of tokens, which the help lists and shell completion offers.
fn types() -> PossibleValuesParser {
    TokenType::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().into()
}

/// Runs `gatelodge resource …`.
pub(super) async fn run(verb: ResourceVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        ResourceVerb::Add(add) => {
            let registration = add.registration();
            let added: ResourceView =
                admin.send(Method::POST, "/api/v1/resources", &registration).await?;
            Ok(output(&added))
        }
        ResourceVerb::List => {
            const COLUMNS: &[Column<ResourceView>] = &[
                Column::text("RESOURCE", |view| word(&view.resource)),
                Column::extra("NAME", |view| word(&view.resource_name)),
                Column::text("SCOPE", |view| word(&view.scope)),
                Column::id("CLIENT ID", |view| word(&view.client_id)),
                Column::time("CREATED", |view| word(&view.created)),
            ];
            let none = "No resource is registered yet: gatelodge resource add URI";
            Ok(list(admin.list("/api/v1/resources", None).await?, COLUMNS, none))
        }
        ResourceVerb::Set(set) => {
            let (path, patch) = (path_of("resources", &set.resource), set.patch()?);
            let changed: ResourceView = admin.send(Method::PATCH, &path, &patch).await?;
            Ok(output(&changed))
        }
        ResourceVerb::Show { resource } => {
            let found = admin.ask(Method::GET, &path_of("resources", &resource)).await?;
            Ok(Output::new(text(&found), &found))
        }
        ResourceVerb::Remove { mut resource, confirmation } => {
            if confirmation.is_asked() {
                let found: ResourceView =
                    admin.ask(Method::GET, &path_of("resources", &resource)).await?;
                resource = found.resource.as_str().to_owned();
                let with = found.client_id.map(|id| format!(", which introspects as {id}"));
                let with = with.unwrap_or_default();
                ask(&format!("remove resource {resource} ({}){with}?", found.resource_name), admin)
                    .await?;
            }
            let path = path_of("resources", &resource);
            let removed: RemovedResourceView = admin.ask(Method::DELETE, &path).await?;
            let (resource, name) = (word(&removed.resource), word(&removed.resource_name));
            Ok(Output::new(format!("removed {resource} ({name})"), &removed))
        }
    }
}

impl Add {
    fn registration(self) -> ResourceRegistration {
        ResourceRegistration {
            accepts_bridge: self.accepts_bridge,
            client_id: self.client,
            introspect: self.introspect,
            open: self.open,
            resource: self.resource,
            resource_name: self.name,
            scope: scope(&self.scope),
            typ: self.typ,
        }
    }
}

impl Set {
    fn patch(self) -> Result<ResourcePatch, Failure> {
        let patch = ResourcePatch {
            accepts_bridge: self.accepts_bridge,
            add_scope: scope(&self.add_scope),
            open: self.open,
            remove_scope: scope(&self.remove_scope),
            resource_name: self.name,
            scope: scope(&self.scope),
            typ: self.typ,
        };
        if patch == ResourcePatch::default() {
            let what = "say what is to change: --name, --scope, --add-scope, --remove-scope, --open, \
                        --typ, --accepts-bridge";
            return Err(Failure::new(Exit::Usage, what));
        }
        Ok(patch)
    }
}

fn scope(named: &[String]) -> Option<String> {
    (!named.is_empty()).then(|| named.join(" "))
}

/// A resource that was written, with its secret if one was made.
fn output(view: &ResourceView) -> Output {
    let output = Output::new(text(view), view);
    if view.client_secret.is_none() {
        return output;
    }
    output.with_note("Keep the secret now: it is not stored, and nobody can show it a second time.")
}

/// A resource, with the metadata document and the header to paste into its server.
fn text(view: &ResourceView) -> String {
    let mut text = fields(&[
        ("resource", word(&view.resource)),
        ("resource_name", word(&view.resource_name)),
        ("scope", word(&view.scope)),
        ("open", word(&view.open)),
        ("typ", word(&view.typ)),
        ("accepts_bridge", word(&view.accepts_bridge)),
        ("client_id", word(&view.client_id)),
        ("client_secret", word(&view.client_secret)),
        ("created", word(&view.created)),
    ]);
    let metadata = view.document();
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
                    --introspect --open false --typ jwt --accepts-bridge";

        let Some(Verb::Resource(ResourceVerb::Add(add))) =
            Args::try_parse_from(line.split_whitespace()).unwrap().verb
        else {
            panic!("resource add")
        };

        assert_eq!(
            add.registration(),
            ResourceRegistration {
                accepts_bridge: true,
                client_id: None,
                introspect: true,
                open: Some(false),
                resource: "https://api.example".into(),
                resource_name: Some("Orders".into()),
                scope: Some("a b".into()),
                typ: Some("jwt".into()),
            }
        );
    }

    #[tokio::test]
    async fn what_is_named_of_a_resource_changes_and_the_rest_stays() {
        let mut admin = AdminClient::memory().await;
        let mut say = async |line: &str| {
            let Some(Verb::Resource(verb)) =
                Args::try_parse_from(line.split_whitespace()).unwrap().verb
            else {
                panic!("a resource verb")
            };
            run(verb, &mut admin).await
        };
        say("gatelodge resource add https://api.example --scope a --scope b").await.unwrap();

        let changed = say("gatelodge resource set https://api.example --typ jwt").await.unwrap();
        let nothing = say("gatelodge resource set https://api.example").await.err().unwrap();
        let scopes = "gatelodge resource set api.example --add-scope c --remove-scope a";
        let scopes = say(scopes).await.unwrap();
        let missing = "gatelodge resource set api.example --remove-scope d";
        let missing = say(missing).await.err().unwrap();
        let bridges = "gatelodge resource set https://api.example --accepts-bridge true";
        let with_bridges = say(bridges).await.unwrap();

        let (_, text, json, _) = changed.parts();
        assert!(text.lines().any(|line| line.split_whitespace().eq(["typ", "jwt"])), "{text}");
        assert_eq!((&json["typ"], &json["scope"]), (&"jwt".into(), &"a b".into()));
        assert_eq!(nothing.exit, Exit::Usage);
        assert_eq!(scopes.parts().2["scope"], "b c");
        assert!(missing.message.ends_with("\nthere is: b, c"), "{}", missing.message);
        let (_, _, bridges, note) = with_bridges.parts();
        assert_eq!((&bridges["accepts_bridge"], &bridges["typ"]), (&true.into(), &"jwt".into()));
        assert!(bridges["client_secret"].is_string() && note.is_some());
    }

    #[tokio::test]
    async fn a_resource_comes_with_what_to_paste() {
        let add = Add {
            accepts_bridge: false,
            resource: "https://api.example/mcp".into(),
            name: None,
            scope: vec!["mcp:tools".into()],
            introspect: true,
            client: None,
            open: None,
            typ: None,
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
