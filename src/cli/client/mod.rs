//! `gatelodge client …`

mod described;
mod usage;

use axum::http::Method;
use clap::{Args, Subcommand};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::admin_client::AdminClient;
use super::output::{Exit, Failure, Output, fields, table, word};
use described::{Described, document};

const ADD_HELP: &str = "\
Examples:
  gatelodge client add shop --redirect https://shop.example/callback
      a web application that signs people in; it gets a secret
  gatelodge client add editor --public --redirect http://127.0.0.1/callback
      a desktop application: no secret, any port of this machine
  gatelodge client add nightly
      a program that acts for itself by client credentials
  gatelodge client add billing --jwks keys.json
      a program that signs with its own key instead of showing a secret
  gatelodge client add legacy --id legacy-app --pkce nonce --redirect https://legacy.example/cb
      a confidential client that knows nonce and not PKCE

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
  echo \"$SECRET\" | gatelodge client set shop --secret-file -

Only what is named changes; a list takes the place of the old one, and an empty value takes a
setting back.";

/// What can be done with clients.
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
    /// Show one client
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

/// A new client.
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

/// A client that changes.
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

/// `gatelodge client …`
pub(super) async fn run(verb: ClientVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        ClientVerb::Add(add) => {
            let client = admin.ask(Method::POST, "/api/v1/clients", Some(add.body()?)).await?;
            // The client exists, and its secret is printed only here: nothing may fail any more.
            let issuer = admin.ask(Method::GET, "/api/v1/issuer", None).await.unwrap_or_default();
            Ok(added(&word(&issuer, "issuer"), client))
        }
        ClientVerb::Import { url, file } => {
            let import = json!({ "client_id": url, "document": document(&file)? });
            let client = admin.ask(Method::POST, "/api/v1/documents", Some(import)).await?;
            Ok(Output::new(text(&client), client))
        }
        ClientVerb::List => {
            let response = admin.ask(Method::GET, "/api/v1/clients", None).await?;
            Ok(list(response))
        }
        ClientVerb::Show { id } => {
            let client = admin.ask(Method::GET, &path(&id), None).await?;
            Ok(Output::new(text(&client), client))
        }
        ClientVerb::Set(set) => {
            let (path, body) = (path(&set.id), set.body()?);
            Ok(changed(admin.ask(Method::PATCH, &path, Some(body)).await?))
        }
        ClientVerb::Enable { id } => {
            let enabled = json!({ "enabled": true });
            Ok(changed(admin.ask(Method::PATCH, &path(&id), Some(enabled)).await?))
        }
        ClientVerb::Disable { id } => {
            let disabled = json!({ "enabled": false });
            Ok(changed(admin.ask(Method::PATCH, &path(&id), Some(disabled)).await?))
        }
        ClientVerb::RotateSecret { id } => {
            let path = format!("{}/secret", path(&id));
            Ok(changed(admin.ask(Method::POST, &path, None).await?))
        }
        ClientVerb::Usage { id } => usage::run(id, admin).await,
        ClientVerb::Remove { id } => {
            let response = admin.ask(Method::DELETE, &path(&id), None).await?;
            let ended = word(&response, "grants_ended");
            let text = format!("removed {}; grants ended: {ended}", word(&response, "client_id"));
            Ok(Output::new(text, response))
        }
    }
}

fn path(id: &str) -> String {
    format!("/api/v1/clients/{}", utf8_percent_encode(id, NON_ALPHANUMERIC))
}

impl Add {
    /// What was given and nothing else: the server has its own defaults.
    fn body(self) -> Result<Value, Failure> {
        let mut members = self.described.members()?;
        members.retain(|_, value| !value.is_null());
        members.insert("name".to_owned(), self.name.into());
        if let Some(id) = self.id {
            members.insert("client_id".to_owned(), id.into());
        }
        if self.public {
            members.insert("client_type".to_owned(), "public".into());
        }
        Ok(Value::Object(members))
    }
}

impl Set {
    /// What was given and nothing else, as a patch (RFC 7396).
    fn body(self) -> Result<Value, Failure> {
        let mut members = self.described.members()?;
        if let Some(name) = self.name {
            members.insert("name".to_owned(), name.into());
        }
        if members.is_empty() {
            let help = "nothing is named that should change; gatelodge client set --help";
            return Err(Failure::new(Exit::Usage, help));
        }
        Ok(Value::Object(members))
    }
}

const KEEP: &str = "Keep the secret now: it is not stored, and nobody can show it a second time.";

/// The client as it is now, with its secret where it has a new one.
fn changed(client: Value) -> Output {
    let secret = !word(&client, "client_secret").is_empty();
    let response = Output::new(text(&client), client);
    if secret { response.with_note(KEEP) } else { response }
}

/// The new client, and the lines that its own configuration wants.
fn added(issuer: &str, client: Value) -> Output {
    let secret = word(&client, "client_secret");
    let mut text = format!("{}\n# paste this into the application's environment\n", text(&client));
    let redirects = client.get("redirect_uris").and_then(Value::as_array);
    let redirect = redirects.and_then(|all| all.first()).and_then(Value::as_str).unwrap_or("");
    for (variable, value) in [
        ("OIDC_ISSUER", issuer),
        ("OIDC_CLIENT_ID", &word(&client, "client_id")),
        ("OIDC_CLIENT_SECRET", &secret),
        ("OIDC_REDIRECT_URI", redirect),
        ("OIDC_SCOPE", &word(&client, "scope")),
    ] {
        if !value.is_empty() {
            text.push_str(&format!("{variable}={}\n", quoted(value)));
        }
    }
    let response = Output::new(text, client);
    if secret.is_empty() {
        return response;
    }
    response.with_note(KEEP)
}

fn text(client: &Value) -> String {
    const MEMBERS: &[&str] = &[
        "client_id",
        "client_secret",
        "name",
        "client_type",
        "application_type",
        "redirect_uris",
        "post_logout_redirect_uris",
        "backchannel_logout_uri",
        "backchannel_logout_session_required",
        "grant_types",
        "scope",
        "resources",
        "token_endpoint_auth_method",
        "jwks",
        "jwks_uri",
        "first_party",
        "confirmation_waived",
        "anonymous",
        "introspect_any",
        "require_pushed_authorization_requests",
        "pkce",
        "refresh",
        "subject_type",
        "sector",
        "access_token_lifetime",
        "default_max_age",
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
        "introspection_signed_response_alg",
        "origin",
        "enabled",
        "created",
    ];
    fields(&MEMBERS.iter().map(|name| (*name, word(client, name))).collect::<Vec<_>>())
}

fn list(response: Value) -> Output {
    let clients = response.get("clients").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if clients.is_empty() {
        let note = "No client is registered yet: gatelodge client add NAME --redirect URI";
        return Output::new("", response).with_note(note);
    }
    let text = table(
        &[
            ("CLIENT ID", "client_id"),
            ("NAME", "name"),
            ("TYPE", "client_type"),
            ("GRANTS", "grant_types"),
            ("ORIGIN", "origin"),
            ("ENABLED", "enabled"),
            ("CREATED", "created"),
        ],
        clients,
    );
    Output::new(text, response)
}

/// `value` as a shell and an env file both take it.
fn quoted(value: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/@%+=,[]".contains(&b);
    if value.bytes().all(bare) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use axum::extract::Path;
    use axum::http::StatusCode;
    use axum::routing::{get, post};
    use axum::{Json, Router};
    use clap::Parser as _;
    use serde_json::json;

    use super::*;
    use crate::cli::args::{Args, Verb};
    use crate::cli::output::Exit;

    /// A server that registers whatever it is asked to, and knows one client.
    fn admin() -> AdminClient {
        let add = |Json(mut asked): Json<Value>| async move {
            asked["client_id"] = "c1".into();
            if asked.get("client_type").is_none() {
                asked["client_secret"] = "gl_cs_x".into();
            }
            (StatusCode::CREATED, Json(asked))
        };
        let issuer = get(|| async { Json(json!({"issuer": "http://localhost:7455"})) });
        let show = |Path(id): Path<String>| async move {
            let known = id == "my app/1?";
            let status = if known { StatusCode::OK } else { StatusCode::NOT_FOUND };
            (status, Json(json!({"client_id": id, "error": "not_found"})))
        };
        let change = |Json(asked): Json<Value>| async { Json(asked) };
        let rotate = || async { Json(json!({"client_id": "c1", "client_secret": "gl_cs_y"})) };
        AdminClient::InProcess(
            Router::new()
                .route("/api/v1/clients", get(|| async { Json(json!({"clients": []})) }).post(add))
                .route("/api/v1/clients/{id}", get(show).patch(change))
                .route("/api/v1/clients/{id}/secret", post(rotate))
                .route("/api/v1/issuer", issuer),
        )
    }

    async fn say(values: &[&str]) -> Result<Output, Failure> {
        let line = ["gatelodge", "client"].iter().chain(values);
        let Some(Verb::Client(verb)) = Args::try_parse_from(line).unwrap().verb else {
            panic!("a client verb")
        };
        run(verb, &mut admin()).await
    }

    #[tokio::test]
    async fn a_new_client_comes_with_what_to_paste() {
        let response = say(&["add", "shop", "--redirect", "http://127.0.0.1:3000/callback"]).await;
        let response = response.unwrap();
        let (_, text, json, note) = response.parts();

        assert!(text.ends_with(
            "OIDC_ISSUER=http://localhost:7455\nOIDC_CLIENT_ID=c1\nOIDC_CLIENT_SECRET=gl_cs_x\n\
             OIDC_REDIRECT_URI=http://127.0.0.1:3000/callback\n"
        ));
        assert!(note.unwrap().starts_with("Keep the secret now"));
        let given = json!({
            "name": "shop", "redirect_uris": ["http://127.0.0.1:3000/callback"],
            "client_id": "c1", "client_secret": "gl_cs_x",
        });
        assert_eq!(*json, given);
    }

    #[tokio::test]
    async fn every_flag_reaches_the_server() {
        let line = "add editor --id e --public --redirect http://127.0.0.1/cb --post-logout \
                    http://127.0.0.1/bye --grant authorization_code --scope openid --scope email \
                    --auth none --first-party --pkce required --refresh strict --id-token-alg ES256 \
                    --resource https://api.example --native --pairwise editor.example \
                    --back-channel-logout https://e.example/out --introspect-any --require-par \
                    --userinfo-alg EdDSA --introspection-alg RS256 --no-confirmation \
                    --access-token-lifetime 60 --anonymous --jwks-uri https://e.example/jwks \
                    --back-channel-logout-session --default-max-age 300 --grant device_code";
        let values: Vec<_> = line.split_whitespace().collect();

        let Some(Verb::Client(ClientVerb::Add(add))) =
            Args::try_parse_from(["gatelodge", "client"].iter().chain(&values)).unwrap().verb
        else {
            panic!("client add")
        };

        assert_eq!(
            add.body().unwrap(),
            json!({
                "name": "editor", "client_id": "e", "client_type": "public",
                "redirect_uris": ["http://127.0.0.1/cb"],
                "post_logout_redirect_uris": ["http://127.0.0.1/bye"],
                "grant_types": [
                    "authorization_code", "urn:ietf:params:oauth:grant-type:device_code",
                ],
                "backchannel_logout_session_required": true, "default_max_age": 300,
                "scope": "openid email",
                "token_endpoint_auth_method": "none", "first_party": true, "pkce": "required",
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
    async fn a_public_client_has_no_secret_to_keep() {
        let response = say(&["add", "editor", "--public"]).await.unwrap();

        assert!(!response.parts().1.contains("SECRET"));
        assert!(response.parts().3.is_none());
    }

    #[tokio::test]
    async fn an_id_of_reserved_characters_finds_its_client() {
        let response = say(&["show", "my app/1?"]).await.unwrap();
        assert!(response.parts().1.contains("my app/1?"));

        let failure = say(&["show", "stranger"]).await.unwrap_err();
        assert_eq!(failure.exit, Exit::NotFound);
    }

    #[tokio::test]
    async fn what_is_named_is_changed_and_an_empty_value_takes_back() {
        for (values, patch) in [
            (&["--name", "Shop"][..], json!({"name": "Shop"})),
            (&["--redirect", ""], json!({"redirect_uris": []})),
            (&["--scope", ""], json!({"scope": ""})),
            (&["--first-party=false"], json!({"first_party": false})),
            (&["--native=false"], json!({"application_type": "web"})),
            (&["--pairwise", ""], json!({"subject_type": null, "sector": null})),
            (&["--userinfo-alg", ""], json!({"userinfo_signed_response_alg": null})),
            (&["--access-token-lifetime", ""], json!({"access_token_lifetime": null})),
            (&["--default-max-age", ""], json!({"default_max_age": null})),
            (
                &["--jwks-uri", "https://a.example/"],
                json!({"jwks": null, "jwks_uri": "https://a.example/"}),
            ),
        ] {
            let line: Vec<_> = ["set", "c1"].iter().chain(values).copied().collect();

            let response = say(&line).await.unwrap();

            assert_eq!(*response.parts().2, patch);
        }
        assert_eq!(*say(&["enable", "c1"]).await.unwrap().parts().2, json!({"enabled": true}));
        assert_eq!(*say(&["disable", "c1"]).await.unwrap().parts().2, json!({"enabled": false}));
        assert_eq!(say(&["set", "c1"]).await.unwrap_err().exit, Exit::Usage);
    }

    #[tokio::test]
    async fn secrets_and_keys_are_read_from_files() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let secret = file("secret", " s3cret: \r\n");
        let (jwks, broken) = (file("jwks", "{\"keys\": []}"), file("broken", "{"));

        let with_secret = say(&["set", "c1", "--secret-file", &secret]).await.unwrap();
        let with_keys = say(&["set", "c1", "--jwks", &jwks]).await.unwrap();

        assert_eq!(*with_secret.parts().2, json!({"client_secret": " s3cret: "}));
        assert_eq!(*with_keys.parts().2, json!({"jwks": {"keys": []}, "jwks_uri": null}));
        for values in [["--jwks", &broken], ["--secret-file", "/nowhere/secret"]] {
            let line: Vec<_> = ["set", "c1"].into_iter().chain(values).collect();
            assert_eq!(say(&line).await.unwrap_err().exit, Exit::Usage);
        }
    }

    #[tokio::test]
    async fn a_new_secret_is_told_once() {
        let response = say(&["rotate-secret", "c1"]).await.unwrap();
        let (_, text, json, note) = response.parts();

        assert!(text.contains("client_secret  gl_cs_y\n"));
        assert_eq!(json["client_secret"], "gl_cs_y");
        assert!(note.unwrap().starts_with("Keep the secret now"));
    }

    #[test]
    fn a_value_with_quotes_survives_the_shell() {
        assert_eq!(quoted("http://localhost:1/a"), "http://localhost:1/a");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
