//! `gatelodge client …`

mod described;
mod output;
mod usage;

use axum::http::Method;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::admin::catalogue::{self, EntryChoice};
use crate::admin::client::{ClientView, RemovedClientView};
use crate::admin::document::DocumentImport;
use crate::admin::issuer::IssuerView;
use crate::admin::usage::{RefusalView, UsageView};
use crate::oauth::client::{AuthMethod, ClientType};

use super::admin_client::{AdminClient, path_of};
use super::catalogue::in_lines;
use super::confirm::{Confirmation, ask, counted};
use super::output::{Column, Exit, Failure, Output, list, word};
use described::{Described, document};
use output::{added, changed, text};

const ADD_HELP: &str = "\
Examples:
  gatelodge client add --app gitea --url https://git.example
      an application that the catalogue knows, by its address alone; this prints what to paste into it
  gatelodge client add shop --redirect https://shop.example/callback
      a web application that signs people in; it gets a secret
  gatelodge client add editor --public --redirect http://127.0.0.1/callback
      a desktop application: no secret, any port of this machine
  gatelodge client add nightly
      a program that acts for itself by client credentials
  gatelodge client add billing --jwks keys.json
      a program that signs with its own key instead of showing a secret; with --assertions rfc7523,
      one whose library names the token endpoint as the audience
  gatelodge client add legacy --id legacy-app --pkce nonce --redirect https://legacy.example/cb
      a confidential client that knows nonce and not PKCE; with --pkce optional, one that knows
      neither and relies on state

With --redirect a client has the grants authorization_code and refresh_token, without it
client_credentials; --grant says otherwise. A --scope is one that the configuration or a resource
knows. With keys it proves itself by private_key_jwt, else by a secret that the server makes;
--secret-file names one of your own.";

/// The help of `client add`, with the names of the catalogue.
fn add_help() -> String {
    let names = catalogue::names();
    format!(
        "{ADD_HELP}\n\nThe catalogue has, for --app ({} of them; gatelodge catalogue list says more):\n{}",
        names.len(),
        in_lines(&names),
    )
}

const SET_HELP: &str = "\
Examples:
  gatelodge client set shop --redirect https://shop.example/cb --redirect https://new.example/cb
      these two addresses and no others
  gatelodge client set shop --add-redirect https://new.example/cb --remove-scope email
      one address more and one scope less, and the others stay
  gatelodge client set shop --first-party=false --pairwise \"\"
      ask people for consent, and call them towards it what they are called towards others
  gatelodge client set billing --jwks new-keys.json
  gatelodge client set shop --logo shop.png
      an image beside its name, in place of the first letter; --no-logo takes it away
  gatelodge client set shop --group staff --group ops
      only people of one of these groups may use it
  echo \"$SECRET\" | gatelodge client set shop --secret-file -

Only what is named changes; a list takes the place of the old one, unless --add-... or --remove-...
changes it, and an empty value takes a setting back, as --pkce default does. --auth none makes a client public, every other method makes it
confidential.";

/// The verbs of `client`.
#[derive(Debug, Subcommand)]
pub(super) enum ClientVerb {
    /// Register a client, and print what to paste into it
    #[command(after_help = add_help())]
    Add(Box<Add>),
    /// Register the client that a metadata document describes, or what became of it
    Import {
        /// Its client_id: the address that the document has, or would have, on the web
        url: String,
        /// The document: a file, or `-` for standard input
        file: String,
    },
    /// List the clients
    List,
    /// Show one client, and what it was refused last, each with a remedy
    Show {
        /// Its client_id or its name; the beginning of a client_id that was made here serves, too
        id: String,
    },
    /// Change what is named, and nothing else
    #[command(after_help = SET_HELP)]
    Set(Box<Set>),
    /// Enable a client again; its grants that were not ended meanwhile are in force again
    Enable {
        /// Its client_id or its name; the beginning of a client_id that was made here serves, too
        id: String,
    },
    /// Disable a client: nothing of its is in force until it is enabled again
    Disable {
        /// Its client_id or its name; the beginning of a client_id that was made here serves, too
        id: String,
    },
    /// Make a new secret and print it; the old one ends at once
    RotateSecret {
        /// Its client_id or its name; the beginning of a client_id that was made here serves, too
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Show what a client holds, and what it got and was refused within a day and a week
    #[command(after_help = usage::HELP)]
    Usage {
        /// Its client_id or its name; the beginning of a client_id that was made here serves, too; all clients together where none is
        /// named
        id: Option<String>,
    },
    /// Remove a client and end every grant it has, at once
    Remove {
        /// Its client_id or its name; the beginning of a client_id that was made here serves, too
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// The arguments of `client add`.
#[derive(Debug, Args)]
pub(super) struct Add {
    /// What people read on the consent page; with --app the application's own name if none is given
    #[arg(required_unless_present = "app")]
    name: Option<String>,
    /// An application of the catalogue, which says what is not said here
    #[arg(long)]
    app: Option<String>,
    /// The address at which the application is reached
    #[arg(long, requires = "app")]
    url: Option<String>,
    /// Something that the operator of the application chooses there; repeat it for more
    #[arg(long, value_name = "NAME=VALUE", requires = "app", value_parser = option)]
    option: Vec<(String, String)>,
    /// Its client_id, any printable ASCII; the server makes one where none is given
    #[arg(long)]
    id: Option<String>,
    /// It cannot keep a secret, and gets none: an app on a phone, on a desktop or in a browser
    #[arg(long)]
    public: bool,
    #[command(flatten)]
    described: Described,
}

/// The arguments of `client set`.
#[derive(Debug, Args)]
pub(super) struct Set {
    /// Its client_id or its name; the beginning of a client_id that was made here serves, too
    id: String,
    /// What people read on the consent page
    #[arg(long)]
    name: Option<String>,
    /// A redirect URI beside the present ones; repeat it for more
    #[arg(long, value_name = "URI", conflicts_with = "redirect")]
    add_redirect: Vec<String>,
    /// A redirect URI to take away; repeat it for more
    #[arg(long, value_name = "URI", conflicts_with = "redirect")]
    remove_redirect: Vec<String>,
    /// A scope beside the present ones; repeat it for more
    #[arg(long, value_name = "SCOPE", conflicts_with = "scope")]
    add_scope: Vec<String>,
    /// A scope to take away; repeat it for more
    #[arg(long, value_name = "SCOPE", conflicts_with = "scope")]
    remove_scope: Vec<String>,
    /// A registered resource beside the present ones; repeat it for more
    #[arg(long, value_name = "URI", conflicts_with = "resource")]
    add_resource: Vec<String>,
    /// A resource to take away; repeat it for more
    #[arg(long, value_name = "URI", conflicts_with = "resource")]
    remove_resource: Vec<String>,
    /// Take its logo away
    #[arg(long, conflicts_with = "logo")]
    no_logo: bool,
    #[command(flatten)]
    described: Described,
}

/// A client, and what it was refused.
#[derive(Serialize)]
struct ClientDetails {
    #[serde(flatten)]
    client: ClientView,
    last_refusals: Vec<RefusalView>,
}

/// Runs `gatelodge client …`.
pub(super) async fn run(verb: ClientVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        ClientVerb::Add(add) => {
            let client = admin.send(Method::POST, "/api/v1/clients", &add.members()?).await?;
            // The client exists and its secret is printed only once, so an error may not prevent
            // the output.
            let issuer = admin.ask::<IssuerView>(Method::GET, "/api/v1/issuer").await.ok();
            Ok(added(issuer.as_ref(), &client))
        }
        ClientVerb::Import { url, file } => {
            let import = DocumentImport { client_id: url, document: document(&file)? };
            let client: ClientView = admin.send(Method::POST, "/api/v1/documents", &import).await?;
            Ok(changed(&client))
        }
        ClientVerb::List => {
            const COLUMNS: &[Column<ClientView>] = &[
                Column::id("CLIENT ID", |view| word(&view.client_id)),
                Column::text("NAME", |view| word(&view.name)),
                Column::text("TYPE", |view| word(&view.client_type)),
                Column::extra("GRANTS", |view| word(&view.metadata.grant_types)),
                Column::text("ORIGIN", |view| word(&view.origin)),
                Column::text("ENABLED", |view| word(&view.enabled)),
                Column::time("CREATED", |view| word(&view.created)),
            ];
            let none = "No client is registered yet: gatelodge client add NAME --redirect URI";
            Ok(list(admin.list("/api/v1/clients", None).await?, COLUMNS, none))
        }
        ClientVerb::Show { id } => {
            let client: ClientView = admin.ask(Method::GET, &path(&id)).await?;
            let usage = format!("{}/usage", path(&client.client_id));
            let usage: UsageView = admin.ask(Method::GET, &usage).await?;
            let last_refusals = usage.last_refusals;
            let text = format!("{}{}", text(&client), usage::refusals(&last_refusals, None));
            Ok(Output::new(text, &ClientDetails { client, last_refusals }))
        }
        ClientVerb::Set(set) => {
            let (path, patch) = (path(&set.id), set.members()?);
            Ok(changed(&admin.send(Method::PATCH, &path, &patch).await?))
        }
        ClientVerb::Enable { id } => {
            let enabled = json!({ "enabled": true });
            Ok(changed(&admin.send(Method::PATCH, &path(&id), &enabled).await?))
        }
        ClientVerb::Disable { id } => {
            let disabled = json!({ "enabled": false });
            Ok(changed(&admin.send(Method::PATCH, &path(&id), &disabled).await?))
        }
        ClientVerb::RotateSecret { mut id, confirmation } => {
            if confirmation.is_asked() {
                let ClientView { client_id, name, .. } = admin.ask(Method::GET, &path(&id)).await?;
                let question =
                    format!("give client {client_id} ({name}) a new secret, and end the old one?");
                ask(&question, admin).await?;
                id = client_id;
            }
            let path = format!("{}/secret", path(&id));
            Ok(changed(&admin.ask(Method::POST, &path).await?))
        }
        ClientVerb::Usage { id } => usage::run(id, admin).await,
        ClientVerb::Remove { mut id, confirmation } => {
            if confirmation.is_asked() {
                let ClientView { client_id, name, .. } = admin.ask(Method::GET, &path(&id)).await?;
                let usage = format!("{}/usage", path(&client_id));
                let usage: UsageView = admin.ask(Method::GET, &usage).await?;
                let least = if usage.at_least { "at least " } else { "" };
                let grants = counted(usage.live_grants, "grant");
                let question = format!("remove client {client_id} ({name}), with {least}{grants}?");
                ask(&question, admin).await?;
                id = client_id;
            }
            let removed: RemovedClientView = admin.ask(Method::DELETE, &path(&id)).await?;
            let (id, name) = (word(&removed.client_id), word(&removed.name));
            let text = format!("removed {id} ({name}); grants ended: {}", removed.grants_ended);
            Ok(Output::new(text, &removed))
        }
    }
}

/// An option of an application, as the command line names it.
fn option(written: &str) -> Result<(String, String), &'static str> {
    let (name, value) = written.split_once('=').ok_or("NAME=VALUE is expected")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn path(id: &str) -> String {
    path_of("clients", id)
}

impl Add {
    /// The members that the arguments name. The server sets the others to its defaults.
    fn members(self) -> Result<Map<String, Value>, Failure> {
        let mut members = self.described.members()?;
        members.retain(|_, value| !value.is_null());
        if let Some(name) = self.name {
            members.insert("name".to_owned(), name.into());
        }
        if let Some(name) = self.app {
            let options = self.option.into_iter().collect();
            let choice = EntryChoice { name, options, url: self.url };
            members.insert("catalogue".to_owned(), json!(choice));
        }
        if let Some(id) = self.id {
            members.insert("client_id".to_owned(), id.into());
        }
        if self.public {
            members.insert("client_type".to_owned(), "public".into());
        }
        Ok(members)
    }
}

impl Set {
    /// The JSON Merge Patch (RFC 7396) of the members that the arguments name.
    fn members(self) -> Result<Map<String, Value>, Failure> {
        let mut members = self.described.members()?;
        if let Some(name) = self.name {
            members.insert("name".to_owned(), name.into());
        }
        if self.no_logo {
            members.insert("logo".to_owned(), Value::Null);
        }
        // The method decides the type, and the server wants both in one patch.
        if let Some(method) = members.get("token_endpoint_auth_method") {
            let public = method == AuthMethod::None.as_str();
            let client_type = if public { ClientType::Public } else { ClientType::Confidential };
            members.insert("client_type".to_owned(), client_type.as_str().into());
        }
        for (member, lists) in [
            ("add", [self.add_redirect, self.add_resource, self.add_scope]),
            ("remove", [self.remove_redirect, self.remove_resource, self.remove_scope]),
        ] {
            let lists = ["redirect_uris", "resources", "scope"].into_iter().zip(lists);
            let named = lists.filter(|(_, items)| !items.is_empty());
            let named: Map<String, Value> =
                named.map(|(name, items)| (name.to_owned(), items.into())).collect();
            if !named.is_empty() {
                members.insert(member.to_owned(), named.into());
            }
        }
        if members.is_empty() {
            let help = "nothing is named that should change; gatelodge client set --help";
            return Err(Failure::new(Exit::Usage, help));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests;
