//! `gatelodge client …`

mod described;
mod output;
mod usage;

use axum::http::Method;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::admin::client::{ClientView, RemovedClientView};
use crate::admin::document::DocumentImport;
use crate::admin::issuer::IssuerView;
use crate::admin::usage::{RefusalView, UsageView};
use crate::oauth::client::{AuthMethod, ClientType};

use super::admin_client::{AdminClient, path_of};
use super::output::{Column, Exit, Failure, Output, list, word};
use described::{Described, document};
use output::{added, changed, text};

const ADD_HELP: &str = "\
Examples:
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

const SET_HELP: &str = "\
Examples:
  gatelodge client set shop --redirect https://shop.example/cb --redirect https://new.example/cb
      these two addresses and no others
  gatelodge client set shop --first-party=false --pairwise \"\"
      ask people for consent, and call them towards it what they are called towards others
  gatelodge client set billing --jwks new-keys.json
  gatelodge client set shop --group staff --group ops
      only people of one of these groups may use it
  echo \"$SECRET\" | gatelodge client set shop --secret-file -

Only what is named changes; a list takes the place of the old one, and an empty value takes a
setting back, as --pkce default does. --auth none makes a client public, every other method makes it
confidential.";

/// The verbs of `client`.
#[derive(Debug, Subcommand)]
pub(super) enum ClientVerb {
    /// Register a client, and print what to paste into it
    #[command(after_help = ADD_HELP)]
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
        /// Its client_id
        id: String,
    },
    /// Change what is named, and nothing else
    #[command(after_help = SET_HELP)]
    Set(Box<Set>),
    /// Switch a client on again; its grants that were not ended meanwhile are in force again
    Enable {
        /// Its client_id
        id: String,
    },
    /// Switch a client off: nothing of its is in force until it is switched on again
    Disable {
        /// Its client_id
        id: String,
    },
    /// Make a new secret and print it; the old one ends at once
    RotateSecret {
        /// Its client_id
        id: String,
    },
    /// Show what a client holds, and what it got and was refused within a day and a week
    #[command(after_help = usage::HELP)]
    Usage {
        /// Its client_id; all clients together where none is named
        id: Option<String>,
    },
    /// Remove a client and end every grant it has, at once
    Remove {
        /// Its client_id
        id: String,
    },
}

/// The arguments of `client add`.
#[derive(Debug, Args)]
pub(super) struct Add {
    /// What people read on the consent page
    name: String,
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
    /// Its client_id
    id: String,
    /// What people read on the consent page
    #[arg(long)]
    name: Option<String>,
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
                Column("CLIENT ID", |view| word(&view.client_id)),
                Column("NAME", |view| word(&view.name)),
                Column("TYPE", |view| word(&view.client_type)),
                Column("GRANTS", |view| word(&view.metadata.grant_types)),
                Column("ORIGIN", |view| word(&view.origin)),
                Column("ENABLED", |view| word(&view.enabled)),
                Column("CREATED", |view| word(&view.created)),
            ];
            let none = "No client is registered yet: gatelodge client add NAME --redirect URI";
            Ok(list(admin.list("/api/v1/clients", None).await?, COLUMNS, none))
        }
        ClientVerb::Show { id } => {
            let client: ClientView = admin.ask(Method::GET, &path(&id)).await?;
            let usage: UsageView = admin.ask(Method::GET, &format!("{}/usage", path(&id))).await?;
            let last_refusals = usage.last_refusals;
            let text = format!("{}{}", text(&client), usage::refusals(&last_refusals));
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
        ClientVerb::RotateSecret { id } => {
            let path = format!("{}/secret", path(&id));
            Ok(changed(&admin.ask(Method::POST, &path).await?))
        }
        ClientVerb::Usage { id } => usage::run(id, admin).await,
        ClientVerb::Remove { id } => {
            let removed: RemovedClientView = admin.ask(Method::DELETE, &path(&id)).await?;
            let (id, ended) = (word(&removed.client_id), removed.grants_ended);
            Ok(Output::new(format!("removed {id}; grants ended: {ended}"), &removed))
        }
    }
}

fn path(id: &str) -> String {
    path_of("clients", id)
}

impl Add {
    /// The members that the arguments name. The server sets the others to its defaults.
    fn members(self) -> Result<Map<String, Value>, Failure> {
        let mut members = self.described.members()?;
        members.retain(|_, value| !value.is_null());
        members.insert("name".to_owned(), self.name.into());
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
        // The method decides the type, and the server wants both in one patch.
        if let Some(method) = members.get("token_endpoint_auth_method") {
            let public = method == AuthMethod::None.as_str();
            let client_type = if public { ClientType::Public } else { ClientType::Confidential };
            members.insert("client_type".to_owned(), client_type.as_str().into());
        }
        if members.is_empty() {
            let help = "nothing is named that should change; gatelodge client set --help";
            return Err(Failure::new(Exit::Usage, help));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Args, Verb};
    use crate::cli::output::Exit;

    fn parsed(values: &[&str]) -> ClientVerb {
        let line = ["gatelodge", "client"].iter().chain(values);
        let Some(Verb::Client(verb)) = Args::try_parse_from(line).unwrap().verb else {
            panic!("a client verb")
        };
        verb
    }

    async fn say(admin: &mut AdminClient, values: &[&str]) -> Result<Output, Failure> {
        run(parsed(values), admin).await
    }

    /// The patch that `client set c1` sends with `values`.
    fn patch(values: &[&str]) -> Result<Value, Failure> {
        let line: Vec<_> = ["set", "c1"].iter().chain(values).copied().collect();
        let ClientVerb::Set(set) = parsed(&line) else { panic!("client set") };
        set.members().map(Value::Object)
    }

    #[tokio::test]
    async fn a_new_client_comes_with_what_to_paste() {
        let mut admin = AdminClient::memory().await;
        let line = ["add", "shop", "--redirect", "http://127.0.0.1:3000/callback"];

        let added = say(&mut admin, &line).await.unwrap();

        let (_, text, json, note) = added.parts();
        let (id, secret) = (json["client_id"].as_str(), json["client_secret"].as_str());
        let pasted = format!(
            "OIDC_ISSUER=http://localhost:7455\nOIDC_CLIENT_ID={}\nOIDC_CLIENT_SECRET={}\n\
             OIDC_REDIRECT_URI=http://127.0.0.1:3000/callback\n\
             OIDC_SCOPE='email offline_access openid profile'\n",
            id.unwrap(),
            secret.unwrap(),
        );
        assert!(text.ends_with(&pasted), "{text}");
        assert!(note.unwrap().starts_with("Keep the secret now"));
        assert_eq!(json["redirect_uris"], json!(["http://127.0.0.1:3000/callback"]));
    }

    #[tokio::test]
    async fn every_flag_reaches_the_server() {
        let line = "add editor --id e --public --redirect http://127.0.0.1/cb --post-logout \
                    http://127.0.0.1/bye --grant authorization_code --scope openid --scope email \
                    --auth none --assertions rfc7523 --first-party --pkce required \
                    --refresh strict --id-token-alg ES256 \
                    --resource https://api.example --native --pairwise editor.example \
                    --back-channel-logout https://e.example/out --introspect-any --require-par \
                    --userinfo-alg EdDSA --introspection-alg RS256 --no-confirmation \
                    --access-token-lifetime 60 --anonymous --jwks-uri https://e.example/jwks \
                    --back-channel-logout-session --default-max-age 300 --grant device_code \
                    --claims userinfo \
                    --contact ada@example.com --contact bob@example.com";
        let values: Vec<_> = line.split_whitespace().collect();

        let Some(Verb::Client(ClientVerb::Add(add))) =
            Args::try_parse_from(["gatelodge", "client"].iter().chain(&values)).unwrap().verb
        else {
            panic!("client add")
        };

        assert_eq!(
            Value::Object(add.members().unwrap()),
            json!({
                "name": "editor", "client_id": "e", "client_type": "public",
                "redirect_uris": ["http://127.0.0.1/cb"],
                "post_logout_redirect_uris": ["http://127.0.0.1/bye"],
                "grant_types": [
                    "authorization_code", "urn:ietf:params:oauth:grant-type:device_code",
                ],
                "backchannel_logout_session_required": true, "default_max_age": 300,
                "claims": "userinfo",
                "contacts": ["ada@example.com", "bob@example.com"],
                "scope": "openid email",
                "token_endpoint_auth_method": "none", "assertions": "rfc7523",
                "first_party": true, "pkce": "required",
                "refresh": "strict", "id_token_signed_response_alg": "ES256",
                "resources": ["https://api.example"], "application_type": "native",
                "subject_type": "pairwise", "sector": "editor.example",
                "backchannel_logout_uri": "https://e.example/out", "introspect_any": true,
                "require_pushed_authorization_requests": true,
                "userinfo_signed_response_alg": "EdDSA",
                "introspection_signed_response_alg": "RS256", "confirmation_waived": true,
                "access_token_lifetime": 60, "anonymous": true, "jwks_uri": "https://e.example/jwks",
            })
        );
    }

    #[tokio::test]
    async fn whoever_is_responsible_for_a_client_is_shown_with_it() {
        let mut admin = AdminClient::memory().await;
        let line = ["add", "nightly", "--id", "n", "--contact", "ada@example.com"];

        let added = say(&mut admin, &line).await.unwrap();
        let set = ["set", "n", "--contact", "bob@example.com", "--contact", "On call"];
        say(&mut admin, &set).await.unwrap();
        let displayed = say(&mut admin, &["show", "n"]).await.unwrap();
        say(&mut admin, &["set", "n", "--contact", ""]).await.unwrap();
        let none = say(&mut admin, &["show", "n"]).await.unwrap();

        assert_eq!(added.parts().2["contacts"], json!(["ada@example.com"]));
        assert_eq!(displayed.parts().2["contacts"], json!(["bob@example.com", "On call"]));
        assert!(displayed.parts().1.contains("bob@example.com On call\n"));
        assert!(!none.parts().1.contains("contacts"), "{}", none.parts().1);
    }

    #[tokio::test]
    async fn a_public_client_has_no_secret_to_keep() {
        let mut admin = AdminClient::memory().await;
        let line = ["add", "editor", "--public", "--redirect", "http://127.0.0.1/cb"];

        let added = say(&mut admin, &line).await.unwrap();

        assert!(!added.parts().1.contains("SECRET"));
        assert!(!added.parts().3.unwrap().contains("Keep"));
    }

    /// Remedies of refusals name these two commands.
    #[tokio::test]
    async fn a_method_makes_a_client_public_or_confidential() {
        let mut admin = AdminClient::memory().await;
        let line = ["add", "editor", "--id", "c1", "--public", "--redirect", "http://127.0.0.1/cb"];
        say(&mut admin, &line).await.unwrap();

        let set = ["set", "c1", "--auth", "client_secret_basic"];
        let confidential = say(&mut admin, &set).await.unwrap();
        let public = say(&mut admin, &["set", "c1", "--auth", "none"]).await.unwrap();

        let (_, _, json, note) = confidential.parts();
        assert_eq!(json["client_type"], "confidential");
        assert!(json["client_secret"].is_string() && note.unwrap().starts_with("Keep the secret"));
        assert_eq!(public.parts().2["client_type"], "public");
    }

    #[tokio::test]
    async fn an_id_of_reserved_characters_finds_its_client() {
        let mut admin = AdminClient::memory().await;
        say(&mut admin, &["add", "nightly", "--id", "my app/1?"]).await.unwrap();

        let found = say(&mut admin, &["show", "my app/1?"]).await.unwrap();
        let failure = say(&mut admin, &["show", "stranger"]).await.err();

        assert!(found.parts().1.contains("my app/1?"));
        assert_eq!(failure.map(|failure| failure.exit), Some(Exit::NotFound));
    }

    #[tokio::test]
    async fn a_client_is_found_as_it_is_listed() {
        let mut admin = AdminClient::memory().await;
        let line = ["add", "shop", "--redirect", "https://shop.example/cb", "--scope", "openid"];
        let added = say(&mut admin, &line).await.unwrap();
        let id = added.parts().2["client_id"].as_str().unwrap().to_owned();

        let found = say(&mut admin, &["show", &id]).await.unwrap();
        let listed = say(&mut admin, &["list"]).await.unwrap();

        let mut members = found.parts().2.clone();
        assert_eq!(members.as_object_mut().unwrap().remove("last_refusals"), Some(json!([])));
        assert_eq!(members, listed.parts().2["clients"][0]);
        let scope =
            found.parts().1.lines().find(|line| line.starts_with("scope ")).unwrap().to_owned();
        assert!(scope.ends_with(" openid"), "{scope}");
        assert!(listed.parts().1.starts_with("CLIENT ID"));
    }

    #[test]
    fn what_is_named_is_changed_and_an_empty_value_takes_back() {
        for (values, expected) in [
            (&["--name", "Shop"][..], json!({"name": "Shop"})),
            (&["--redirect", ""], json!({"redirect_uris": []})),
            (&["--scope", ""], json!({"scope": ""})),
            (&["--first-party=false"], json!({"first_party": false})),
            (&["--native=false"], json!({"application_type": "web"})),
            (&["--pairwise", ""], json!({"subject_type": null, "sector": null})),
            (&["--userinfo-alg", ""], json!({"userinfo_signed_response_alg": null})),
            (&["--access-token-lifetime", ""], json!({"access_token_lifetime": null})),
            (&["--default-max-age", ""], json!({"default_max_age": null})),
            (&["--pkce", "optional"], json!({"pkce": "optional"})),
            (&["--pkce", "default"], json!({"pkce": null})),
            (&["--pkce", ""], json!({"pkce": null})),
            (
                &["--auth", "none"],
                json!({"token_endpoint_auth_method": "none", "client_type": "public"}),
            ),
            (
                &["--auth", "client_secret_post"],
                json!({
                    "token_endpoint_auth_method": "client_secret_post",
                    "client_type": "confidential",
                }),
            ),
            (
                &["--jwks-uri", "https://a.example/"],
                json!({"jwks": null, "jwks_uri": "https://a.example/"}),
            ),
        ] {
            assert_eq!(patch(values).unwrap(), expected);
        }
        assert_eq!(patch(&[]).unwrap_err().exit, Exit::Usage);
    }

    #[tokio::test]
    async fn a_client_is_switched_off_and_on() {
        let mut admin = AdminClient::memory().await;
        say(&mut admin, &["add", "nightly", "--id", "c1"]).await.unwrap();

        let off = say(&mut admin, &["disable", "c1"]).await.unwrap();
        let on = say(&mut admin, &["enable", "c1"]).await.unwrap();

        assert_eq!(off.parts().2["enabled"], false);
        assert_eq!(on.parts().2["enabled"], true);
    }

    #[test]
    fn secrets_and_keys_are_read_from_files() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let secret = file("secret", " s3cret: \r\n");
        let (jwks, broken) = (file("jwks", "{\"keys\": []}"), file("broken", "{"));

        let with_secret = patch(&["--secret-file", &secret]).unwrap();
        let with_keys = patch(&["--jwks", &jwks]).unwrap();

        assert_eq!(with_secret, json!({"client_secret": " s3cret: "}));
        assert_eq!(with_keys, json!({"jwks": {"keys": []}, "jwks_uri": null}));
        for values in [["--jwks", &broken], ["--secret-file", "/nowhere/secret"]] {
            assert_eq!(patch(&values).unwrap_err().exit, Exit::Usage);
        }
    }

    #[tokio::test]
    async fn a_new_secret_is_printed_once() {
        let mut admin = AdminClient::memory().await;
        say(&mut admin, &["add", "nightly", "--id", "c1"]).await.unwrap();

        let rotated = say(&mut admin, &["rotate-secret", "c1"]).await.unwrap();
        let found = say(&mut admin, &["show", "c1"]).await.unwrap();

        let (_, text, json, note) = rotated.parts();
        let secret = json["client_secret"].as_str().unwrap();
        assert!(text.contains(&format!("{secret}\n")));
        assert!(note.unwrap().starts_with("Keep the secret now"));
        assert!(!found.parts().1.contains("client_secret  "));
    }
}
