//! `gatelodge client …`

use axum::http::Method;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::oauth::client::{AuthMethod, GrantType, PkcePolicy, RefreshPolicy, SigningAlg};

use super::answer::{Answer, Exit, Failure, fields, table, word};
use super::door::Door;

const ADD_HELP: &str = "\
Examples:
  gatelodge client add shop --redirect https://shop.example/callback
      a web application that signs people in; it gets a secret
  gatelodge client add editor --public --redirect http://127.0.0.1/callback
      a desktop application: no secret, any port of this machine
  gatelodge client add nightly --scope orders:read
      a program that acts for itself by client credentials
  gatelodge client add legacy --id legacy-app --pkce nonce --redirect https://legacy.example/cb
      a confidential client that knows nonce and not PKCE

With --redirect a client has the grants authorization_code and refresh_token, without it
client_credentials; --grant says otherwise.";

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
    /// Remove a client and end every grant it has, at once
    Remove {
        /// Its client_id
        id: String,
    },
}

/// A client as the command line describes one.
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
    /// Where sign-in may return to, compared exactly but for the port of a loopback address
    #[arg(long, value_name = "URI")]
    redirect: Vec<String>,
    /// Where sign-out may return to
    #[arg(long, value_name = "URI")]
    post_logout: Vec<String>,
    /// A grant it may use; repeat it for more
    #[arg(long, value_parser = words(GrantType::ALL, GrantType::as_str))]
    grant: Vec<String>,
    /// A scope it may ask for; repeat it for more
    #[arg(long)]
    scope: Vec<String>,
    /// How it proves who it is at the token endpoint
    #[arg(long, value_name = "METHOD", value_parser = words(AuthMethod::ALL, AuthMethod::as_str))]
    auth: Option<String>,
    /// It is the operator's own, and people are not asked for consent
    #[arg(long)]
    first_party: bool,
    /// Whether it must use PKCE, or may send a nonce instead
    #[arg(long, value_parser = words(PkcePolicy::ALL, PkcePolicy::as_str))]
    pkce: Option<String>,
    /// Whether a refresh token that returns just after its use is answered, or ends the grant
    #[arg(long, value_parser = words(RefreshPolicy::ALL, RefreshPolicy::as_str))]
    refresh: Option<String>,
    /// The algorithm that signs its ID tokens
    #[arg(long, value_name = "ALG", value_parser = words(SigningAlg::ALL, SigningAlg::as_str))]
    id_token_alg: Option<String>,
}

/// The words of a vocabulary, as values that the help lists and completion offers.
fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> PossibleValuesParser {
    all.iter().copied().map(word).collect::<Vec<_>>().into()
}

/// `gatelodge client …`
pub(super) async fn run(verb: ClientVerb, door: &mut Door) -> Result<Answer, Failure> {
    match verb {
        ClientVerb::Add(add) => {
            let client = door.ask(Method::POST, "/api/v1/clients", Some(add.body())).await?;
            // The client is made, and its secret is told only here: nothing may fail any more.
            let issuer = door.ask(Method::GET, "/api/v1/issuer", None).await.unwrap_or_default();
            Ok(added(&word(&issuer, "issuer"), client))
        }
        ClientVerb::Import { url, file } => {
            let import = json!({ "client_id": url, "document": document(&file)? });
            let client = door.ask(Method::POST, "/api/v1/documents", Some(import)).await?;
            Ok(Answer::new(shown(&client), client))
        }
        ClientVerb::List => {
            let answer = door.ask(Method::GET, "/api/v1/clients", None).await?;
            Ok(list(answer))
        }
        ClientVerb::Show { id } => {
            let client = door.ask(Method::GET, &path(&id), None).await?;
            Ok(Answer::new(shown(&client), client))
        }
        ClientVerb::Remove { id } => {
            let answer = door.ask(Method::DELETE, &path(&id), None).await?;
            let ended = word(&answer, "grants_ended");
            let text = format!("removed {}; grants ended: {ended}", word(&answer, "client_id"));
            Ok(Answer::new(text, answer))
        }
    }
}

/// The JSON of a file, or of standard input.
fn document(file: &str) -> Result<Value, Failure> {
    let read = if file == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    let text =
        read.map_err(|error| Failure::new(Exit::Usage, format!("cannot read {file}: {error}")))?;
    serde_json::from_str(&text)
        .map_err(|_| Failure::new(Exit::Usage, format!("{file} holds no JSON")))
}

fn path(id: &str) -> String {
    format!("/api/v1/clients/{}", utf8_percent_encode(id, NON_ALPHANUMERIC))
}

impl Add {
    /// What was given and nothing else: the server has its own defaults.
    fn body(self) -> Value {
        let scope = (!self.scope.is_empty()).then(|| self.scope.join(" "));
        let list = |items: Vec<String>| (!items.is_empty()).then(|| Value::from(items));
        let members = [
            ("name", Some(self.name.into())),
            ("client_id", self.id.map(Value::from)),
            ("client_type", self.public.then(|| "public".into())),
            ("redirect_uris", list(self.redirect)),
            ("post_logout_redirect_uris", list(self.post_logout)),
            ("grant_types", list(self.grant)),
            ("scope", scope.map(Value::from)),
            ("token_endpoint_auth_method", self.auth.map(Value::from)),
            ("first_party", self.first_party.then(|| true.into())),
            ("pkce", self.pkce.map(Value::from)),
            ("refresh", self.refresh.map(Value::from)),
            ("id_token_signed_response_alg", self.id_token_alg.map(Value::from)),
        ];
        let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(given.collect::<Map<_, _>>())
    }
}

/// The new client, and the lines that its own configuration wants.
fn added(issuer: &str, client: Value) -> Answer {
    let secret = word(&client, "client_secret");
    let mut text = format!("{}\n# paste this into the application's environment\n", shown(&client));
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
    let answer = Answer::new(text, client);
    if secret.is_empty() {
        return answer;
    }
    answer.with_note("Keep the secret now: it is not stored, and nobody can show it a second time.")
}

fn shown(client: &Value) -> String {
    const MEMBERS: &[&str] = &[
        "client_id",
        "client_secret",
        "name",
        "client_type",
        "redirect_uris",
        "post_logout_redirect_uris",
        "grant_types",
        "scope",
        "token_endpoint_auth_method",
        "first_party",
        "pkce",
        "refresh",
        "id_token_signed_response_alg",
        "origin",
        "enabled",
        "created",
    ];
    fields(&MEMBERS.iter().map(|name| (*name, word(client, name))).collect::<Vec<_>>())
}

fn list(answer: Value) -> Answer {
    let clients = answer.get("clients").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if clients.is_empty() {
        let note = "No client is registered yet: gatelodge client add NAME --redirect URI";
        return Answer::new("", answer).with_note(note);
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
    Answer::new(text, answer)
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
    use axum::routing::get;
    use axum::{Json, Router};
    use clap::Parser as _;
    use serde_json::json;

    use super::super::answer::Exit;
    use super::super::args::{Args, Verb};
    use super::*;

    /// A server that registers whatever it is asked to, and knows one client.
    fn door() -> Door {
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
        Door::InProcess(
            Router::new()
                .route("/api/v1/clients", get(|| async { Json(json!({"clients": []})) }).post(add))
                .route("/api/v1/clients/{id}", get(show))
                .route("/api/v1/issuer", issuer),
        )
    }

    async fn say(words: &[&str]) -> Result<Answer, Failure> {
        let line = ["gatelodge", "client"].iter().chain(words);
        let Some(Verb::Client(verb)) = Args::try_parse_from(line).unwrap().verb else {
            panic!("a client verb")
        };
        run(verb, &mut door()).await
    }

    #[tokio::test]
    async fn a_new_client_comes_with_what_to_paste() {
        let answer = say(&["add", "shop", "--redirect", "http://127.0.0.1:3000/callback"]).await;
        let answer = answer.unwrap();
        let (_, text, json, note) = answer.parts();

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
                    --auth none --first-party --pkce required --refresh strict --id-token-alg ES256";
        let words: Vec<_> = line.split_whitespace().collect();

        let Some(Verb::Client(ClientVerb::Add(add))) =
            Args::try_parse_from(["gatelodge", "client"].iter().chain(&words)).unwrap().verb
        else {
            panic!("client add")
        };

        assert_eq!(
            add.body(),
            json!({
                "name": "editor", "client_id": "e", "client_type": "public",
                "redirect_uris": ["http://127.0.0.1/cb"],
                "post_logout_redirect_uris": ["http://127.0.0.1/bye"],
                "grant_types": ["authorization_code"], "scope": "openid email",
                "token_endpoint_auth_method": "none", "first_party": true, "pkce": "required",
                "refresh": "strict", "id_token_signed_response_alg": "ES256",
            })
        );
    }

    #[tokio::test]
    async fn a_public_client_has_no_secret_to_keep() {
        let answer = say(&["add", "editor", "--public"]).await.unwrap();

        assert!(!answer.parts().1.contains("SECRET"));
        assert!(answer.parts().3.is_none());
    }

    #[tokio::test]
    async fn an_id_of_reserved_characters_finds_its_client() {
        let answer = say(&["show", "my app/1?"]).await.unwrap();
        assert!(answer.parts().1.contains("my app/1?"));

        let failure = say(&["show", "stranger"]).await.unwrap_err();
        assert_eq!(failure.exit, Exit::NotFound);
    }

    #[test]
    fn a_value_with_quotes_survives_the_shell() {
        assert_eq!(quoted("http://localhost:1/a"), "http://localhost:1/a");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
