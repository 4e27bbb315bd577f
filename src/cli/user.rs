//! `gatelodge user …`

use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::admin_client::{AdminClient, path_of};
use super::output::{Exit, Failure, Output, fields, table, word};

const ADD_HELP: &str = "\
Examples:
  gatelodge user add ada
  gatelodge user add ada --name \"Ada Lovelace\" --email ada@example.org --role admin

The person opens the printed link in the browser that is to sign in, and makes a passkey.
Without --role the person is a user, who may grant applications what is open to everyone.";

const SET_HELP: &str = "\
Examples:
  gatelodge user set ada --name \"Ada Lovelace\" --email ada@example.org
  gatelodge user set ada --role admin --role user
  gatelodge user set ada --email \"\"

What is not named stays as it is; an empty e-mail address takes it away. --role names every role.";

const DISABLE_HELP: &str = "\
Whoever is switched off is out at once: browsers are signed out, and every grant and token is
over. It stays over when the person is switched on again; they sign in anew.";

const RECOVER_HELP: &str = "\
Examples:
  gatelodge user recover ada    a link to a new passkey for somebody who lost theirs
  gatelodge user recover        the first administrator's link, while nobody exists";

/// What can be done with people.
#[derive(Debug, Subcommand)]
pub(super) enum UserVerb {
    /// Enrol a person, and print the link at which they make their passkey
    #[command(after_help = ADD_HELP)]
    Add(Add),
    /// List the people
    List,
    /// Show a person
    Show {
        /// Who
        username: String,
    },
    /// Change a person
    #[command(after_help = SET_HELP)]
    Set(Set),
    /// Switch a person off
    #[command(after_help = DISABLE_HELP)]
    Disable {
        /// Who
        username: String,
    },
    /// Let a person in again
    Enable {
        /// Who
        username: String,
    },
    /// Remove a person with their passkeys
    Remove {
        /// Who
        username: String,
    },
    /// Print a new setup link for a person, or for the first administrator
    #[command(after_help = RECOVER_HELP)]
    Recover {
        /// Whose link; nobody's is the first administrator's
        username: Option<String>,
    },
}

/// A person as the command line describes one.
#[derive(Debug, Args)]
pub(super) struct Add {
    /// The name of the account: letters, digits and . _ - @ +
    username: String,
    /// The name that other people see
    #[arg(long)]
    name: Option<String>,
    /// The e-mail address that applications may learn
    #[arg(long)]
    email: Option<String>,
    /// A role, which decides the scopes that the person may grant; repeat it for more
    #[arg(long)]
    role: Vec<String>,
}

/// What is to change about a person.
#[derive(Debug, Args)]
pub(super) struct Set {
    /// Who
    username: String,
    /// The name that other people see
    #[arg(long)]
    name: Option<String>,
    /// The e-mail address that applications may learn; empty takes it away
    #[arg(long)]
    email: Option<String>,
    /// A role; repeat it for more. The roles that are not named are taken away
    #[arg(long)]
    role: Vec<String>,
}

/// `gatelodge user …`
pub(super) async fn run(verb: UserVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        UserVerb::Add(add) => {
            let response = admin.ask(Method::POST, "/api/v1/users", Some(add.body())).await?;
            Ok(link(response))
        }
        UserVerb::List => {
            let response = admin.ask(Method::GET, "/api/v1/users", None).await?;
            Ok(list(response))
        }
        UserVerb::Show { username } => {
            let response = admin.ask(Method::GET, &path_of("users", &username), None).await?;
            Ok(show(response))
        }
        UserVerb::Set(set) => {
            let path = path_of("users", &set.username);
            let response = admin.ask(Method::PATCH, &path, Some(set.body()?)).await?;
            Ok(show(response))
        }
        UserVerb::Disable { username } => switch(&username, true, admin).await,
        UserVerb::Enable { username } => switch(&username, false, admin).await,
        UserVerb::Remove { username } => {
            let response = admin.ask(Method::DELETE, &path_of("users", &username), None).await?;
            Ok(Output::new(fields(&[("removed", word(&response, "username"))]), response))
        }
        UserVerb::Recover { username } => {
            let asked = username.map_or(json!({}), |username| json!({"username": username}));
            let response = admin.ask(Method::POST, "/api/v1/recover", Some(asked)).await?;
            Ok(link(response))
        }
    }
}

impl Add {
    /// What was given and nothing else: the server has its own defaults.
    fn body(self) -> Value {
        let mut body = Map::new();
        body.insert("username".to_owned(), self.username.into());
        if let Some(name) = self.name {
            body.insert("display_name".to_owned(), name.into());
        }
        if let Some(email) = self.email {
            body.insert("email".to_owned(), email.into());
        }
        if !self.role.is_empty() {
            body.insert("roles".to_owned(), self.role.into());
        }
        Value::Object(body)
    }
}

impl Set {
    fn body(self) -> Result<Value, Failure> {
        let mut body = Map::new();
        if let Some(name) = self.name {
            body.insert("display_name".to_owned(), name.into());
        }
        if let Some(email) = self.email {
            let email = Some(email).filter(|email| !email.is_empty());
            body.insert("email".to_owned(), email.into());
        }
        if !self.role.is_empty() {
            body.insert("roles".to_owned(), self.role.into());
        }
        if body.is_empty() {
            return Err(Failure::new(
                Exit::Usage,
                "say what is to change: --name, --email, --role",
            ));
        }
        Ok(Value::Object(body))
    }
}

async fn switch(
    username: &str,
    disabled: bool,
    admin: &mut AdminClient,
) -> Result<Output, Failure> {
    let asked = json!({ "disabled": disabled });
    Ok(show(admin.ask(Method::PATCH, &path_of("users", username), Some(asked)).await?))
}

fn show(response: Value) -> Output {
    const MEMBERS: &[&str] =
        &["username", "id", "display_name", "email", "roles", "passkeys", "disabled", "created"];
    let rows: Vec<_> = MEMBERS.iter().map(|name| (*name, word(&response, name))).collect();
    Output::new(fields(&rows), response)
}

fn link(response: Value) -> Output {
    let text = fields(&[
        ("username", word(&response, "username")),
        ("id", word(&response, "id")),
        ("roles", word(&response, "roles")),
        ("setup link", word(&response, "setup_url")),
        ("good until", word(&response, "setup_expires")),
    ]);
    let note =
        "The link works once. Whoever opens it makes the passkey, so send it to nobody else.";
    Output::new(text, response).with_note(note)
}

fn list(response: Value) -> Output {
    let users = response.get("users").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if users.is_empty() {
        let note = "Nobody is enrolled yet: gatelodge user recover makes the first link.";
        return Output::new("", response).with_note(note);
    }
    let text = table(
        &[
            ("USERNAME", "username"),
            ("NAME", "display_name"),
            ("ROLES", "roles"),
            ("PASSKEYS", "passkeys"),
            ("DISABLED", "disabled"),
            ("CREATED", "created"),
        ],
        users,
    );
    Output::new(text, response)
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use axum::{Json, Router};

    use super::*;

    fn admin() -> AdminClient {
        let with_link = |Json(mut asked): Json<Value>| async move {
            asked["setup_url"] = "http://localhost:7455/setup#gl_st_x".into();
            asked["setup_expires"] = "2030-01-01T00:15:00Z".into();
            Json(asked)
        };
        let nobody = get(|| async { Json(json!({"users": []})) });
        AdminClient::InProcess(
            Router::new()
                .route("/api/v1/users", nobody.post(with_link))
                .route("/api/v1/recover", post(with_link)),
        )
    }

    #[tokio::test]
    async fn a_new_person_gets_a_link_and_only_what_was_said_is_sent() {
        let add =
            Add { username: "ada".into(), name: None, email: None, role: vec!["admin".into()] };

        let response = run(UserVerb::Add(add), &mut admin()).await.unwrap();
        let (_, text, json, _) = response.parts();

        assert!(text.contains("setup link  http://localhost:7455/setup#gl_st_x\n"));
        assert!(text.contains("good until  2030-01-01T00:15:00Z\n"));
        assert_eq!(json["roles"], json!(["admin"]));
        assert!(json.get("display_name").is_none() && json.get("email").is_none());
    }

    #[tokio::test]
    async fn recovery_without_a_name_names_nobody() {
        let response = run(UserVerb::Recover { username: None }, &mut admin()).await.unwrap();

        assert!(response.parts().2.get("username").is_none());
        assert!(response.parts().1.starts_with("setup link"));
    }

    #[tokio::test]
    async fn an_empty_house_says_how_to_begin() {
        let response = run(UserVerb::List, &mut admin()).await.unwrap();

        assert_eq!(response.parts().1, "");
        assert!(response.parts().3.unwrap().contains("user recover"));
    }
}
