//! `gatelodge user …`

use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::admin::user::{
    ChangedUserView, NewUser, NewUserView, RemovedUserView, UserPatch, UserView,
};

use super::admin_client::{AdminClient, path_of};
use super::confirm::{Confirmation, ask, counted};
use super::link::{self, RECOVER_HELP, Recover, run_recover};
use super::output::{Column, Exit, Failure, Output, fields, list, word};

const ADD_HELP: &str = "\
Examples:
  gatelodge user add ada
  gatelodge user add ada --name \"Ada Lovelace\" --email ada@example.org --role admin

The person opens the printed link in the browser that is to sign in, and makes a passkey. Without
--email they are asked for an address there, which they may leave out.
Without --role the person is a user, who may grant applications what is open to everyone.";

const SET_HELP: &str = "\
Examples:
  gatelodge user set ada --name \"Ada Lovelace\" --email ada@example.org
  gatelodge user set ada --role admin --role user
  gatelodge user set ada --group staff --group team/engines
  gatelodge user set ada --add-role admin --remove-group staff
  gatelodge user set ada --email ada@example.org --email-verified
      applications may rely on it that this address is hers
  gatelodge user set ada --claim given_name=Ada --claim department=Engines
  gatelodge user set ada --email \"\" --group \"\" --claim department=

What is not named stays as it is; an empty value takes away what there was. --role names every role,
and --group every group; --add-... and --remove-... leave the others. Applications learn groups and roles by the scope groups, the e-mail address
by email, and claims by profile.";

const DISABLE_HELP: &str = "\
Whoever is disabled is out at once: browsers are signed out, and every grant and token is
over. It stays over when the person is enabled again; they sign in anew.";

/// The verbs of `user`.
#[derive(Debug, Subcommand)]
pub(super) enum UserVerb {
    /// Enrol a person, and print the link at which they make their passkey
    #[command(after_help = ADD_HELP)]
    Add(Add),
    /// List the people
    List,
    /// Show a person
    Show {
        /// Who: the username, the id, or the beginning of the id
        username: String,
    },
    /// Change a person
    #[command(after_help = SET_HELP)]
    Set(Set),
    /// Disable a person
    #[command(after_help = DISABLE_HELP)]
    Disable {
        /// Who: the username, the id, or the beginning of the id
        username: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Let a person in again
    Enable {
        /// Who: the username, the id, or the beginning of the id
        username: String,
    },
    /// Remove a person with their passkeys
    Remove {
        /// Who: the username, the id, or the beginning of the id
        username: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Help a person back in by a new setup link, or the first administrator in
    #[command(after_help = RECOVER_HELP)]
    Recover(Recover),
}

/// The arguments of `user add`.
#[derive(Debug, Default, Args)]
pub(super) struct Add {
    /// The name of the account: letters, digits and . _ - @ +
    username: String,
    /// The name that other people see
    #[arg(long)]
    name: Option<String>,
    /// The e-mail address that applications may learn
    #[arg(long)]
    email: Option<String>,
    /// A group that applications may learn; repeat it for more
    #[arg(long)]
    group: Vec<String>,
    /// A role, which decides the scopes that the person may grant; repeat it for more
    #[arg(long)]
    role: Vec<String>,
}

/// The arguments of `user set`.
#[derive(Debug, Default, Args)]
pub(super) struct Set {
    /// Who: the username, the id, or the beginning of the id
    username: String,
    /// The name that other people see
    #[arg(long)]
    name: Option<String>,
    /// The e-mail address that applications may learn; empty takes it away
    #[arg(long)]
    email: Option<String>,
    /// Whether you vouch that the address is theirs; empty leaves that to policy.email_verified
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch_or_nothing)]
    email_verified: Option<Value>,
    /// A group that applications may learn; repeat it for more. The groups that are not named are
    /// taken away, and an empty one takes all away
    #[arg(long)]
    group: Vec<String>,
    /// A claim that applications learn with the profile, such as given_name, family_name, picture,
    /// locale or zoneinfo; repeat it for more. An empty value takes it away
    #[arg(long, value_name = "NAME=VALUE", value_parser = claim)]
    claim: Vec<(String, Option<String>)>,
    /// A role; repeat it for more. The roles that are not named are taken away
    #[arg(long)]
    role: Vec<String>,
    /// A group beside the present ones; repeat it for more
    #[arg(long, value_name = "GROUP", conflicts_with = "group")]
    add_group: Vec<String>,
    /// A group to take away; repeat it for more
    #[arg(long, value_name = "GROUP", conflicts_with = "group")]
    remove_group: Vec<String>,
    /// A role beside the present ones; repeat it for more
    #[arg(long, value_name = "ROLE", conflicts_with = "role")]
    add_role: Vec<String>,
    /// A role to take away; repeat it for more
    #[arg(long, value_name = "ROLE", conflicts_with = "role")]
    remove_role: Vec<String>,
}

fn switch_or_nothing(written: &str) -> Result<Value, std::str::ParseBoolError> {
    if written.is_empty() { Ok(Value::Null) } else { written.parse::<bool>().map(Value::from) }
}

fn claim(written: &str) -> Result<(String, Option<String>), &'static str> {
    let (name, value) = written.split_once('=').ok_or("NAME=VALUE is expected")?;
    Ok((name.to_owned(), Some(value.to_owned()).filter(|value| !value.is_empty())))
}

/// Runs `gatelodge user …`.
pub(super) async fn run(verb: UserVerb, admin: &mut AdminClient) -> Result<Output, Failure> {
    match verb {
        UserVerb::Add(add) => {
            let added: NewUserView =
                admin.send(Method::POST, "/api/v1/users", &add.request()).await?;
            let (user, taken) = (&added.user.user, taken_note(&added.user));
            let mut rows = vec![
                ("username", word(&user.username)),
                ("id", word(&user.id)),
                ("roles", word(&user.roles)),
            ];
            rows.extend(link::rows(&added.link));
            let note = if user.email.is_some() { LINK_NOTE } else { ADDRESSLESS_NOTE };
            let notes = [Some(note.to_owned()), taken].into_iter().flatten();
            let notes = notes.collect::<Vec<_>>().join("\n");
            let output = Output::new(fields(&rows), &added).with_note(notes);
            Ok(output.with_qr_code(&added.link.setup_url))
        }
        UserVerb::List => {
            const COLUMNS: &[Column<UserView>] = &[
                Column::text("USERNAME", |view| word(&view.username)),
                Column::text("NAME", |view| word(&view.display_name)),
                Column::text("ROLES", |view| word(&view.roles)),
                Column::text("PASSKEYS", |view| word(&view.passkeys)),
                Column::text("DISABLED", |view| word(&view.disabled)),
                Column::time("CREATED", |view| word(&view.created)),
            ];
            let mut users: Vec<UserView> = admin.list("/api/v1/users", None).await?;
            users.sort_unstable_by(|a, b| a.username.cmp(&b.username));
            let none = "Nobody is enrolled yet: gatelodge user recover makes the first link.";
            Ok(list(users, COLUMNS, none))
        }
        UserVerb::Show { username } => {
            let view: UserView = admin.ask(Method::GET, &path_of("users", &username)).await?;
            Ok(Output::new(described(&view), &view))
        }
        UserVerb::Set(set) => {
            let (path, patch) = (path_of("users", &set.username), set.patch()?);
            change(&path, &patch, admin).await
        }
        UserVerb::Disable { username, confirmation } => {
            let what = "disable PERSON, and end every session, grant and token of theirs?";
            let username = confirmed(username, confirmation, what, admin).await?;
            switch(&username, true, admin).await
        }
        UserVerb::Enable { username } => switch(&username, false, admin).await,
        UserVerb::Remove { username, confirmation } => {
            let what = "remove PERSON, and everything that is theirs?";
            let username = confirmed(username, confirmation, what, admin).await?;
            let path = path_of("users", &username);
            let removed: RemovedUserView = admin.ask(Method::DELETE, &path).await?;
            let rows = [("removed", word(&removed.username)), ("id", word(&removed.id))];
            Ok(Output::new(fields(&rows), &removed))
        }
        UserVerb::Recover(recover) => run_recover(recover, admin).await,
    }
}

/// The remark about a setup link.
pub(super) const LINK_NOTE: &str =
    "The link works once. Whoever opens it makes the passkey, so send it to nobody else.";

const ADDRESSLESS_NOTE: &str = "The link works once. Whoever opens it makes the passkey, so send it to nobody else. They may name \
     an e-mail address there, which some applications need; or: gatelodge user set NAME --email ADDRESS";

impl Add {
    fn request(self) -> NewUser {
        NewUser {
            display_name: self.name,
            email: self.email,
            groups: self.group,
            roles: self.role,
            username: self.username,
        }
    }
}

impl Set {
    fn patch(self) -> Result<UserPatch, Failure> {
        let mut groups = self.group;
        let named = !groups.is_empty();
        groups.retain(|group| !group.is_empty());
        let patch = UserPatch {
            add_groups: self.add_group,
            add_roles: self.add_role,
            claims: self.claim.into_iter().collect(),
            disabled: None,
            display_name: self.name,
            email: self.email.map(|email| Some(email).filter(|email| !email.is_empty())),
            email_verified: self.email_verified.map(|verified| verified.as_bool()),
            groups: named.then_some(groups),
            remove_groups: self.remove_group,
            remove_roles: self.remove_role,
            roles: Some(self.role).filter(|roles| !roles.is_empty()),
        };
        if patch == UserPatch::default() {
            return Err(Failure::new(
                Exit::Usage,
                "say what is to change: --name, --email, --email-verified, --claim, --group, --role, or \
                 --add-... and --remove-... of the last two",
            ));
        }
        Ok(patch)
    }
}

/// What names a person after the question whether `what` may be done to them: what was written, or
/// the id of whom was agreed on. `PERSON` stands for their name.
async fn confirmed(
    written: String,
    confirmation: Confirmation,
    what: &str,
    admin: &mut AdminClient,
) -> Result<String, Failure> {
    if !confirmation.is_asked() {
        return Ok(written);
    }
    let view: UserView = admin.ask(Method::GET, &path_of("users", &written)).await?;
    let passkeys = counted(view.passkeys, "passkey");
    let person = format!("{} ({}), who has {passkeys}", view.username, view.display_name);
    ask(&what.replace("PERSON", &person), admin).await?;
    Ok(view.id)
}

async fn switch(
    username: &str,
    disabled: bool,
    admin: &mut AdminClient,
) -> Result<Output, Failure> {
    let patch = UserPatch { disabled: Some(disabled), ..UserPatch::default() };
    change(&path_of("users", username), &patch, admin).await
}

async fn change(path: &str, patch: &UserPatch, admin: &mut AdminClient) -> Result<Output, Failure> {
    let view: ChangedUserView = admin.send(Method::PATCH, path, patch).await?;
    let output = Output::new(described(&view.user), &view);
    Ok(match taken_note(&view) {
        Some(note) => output.with_note(note),
        None => output,
    })
}

fn taken_note(view: &ChangedUserView) -> Option<String> {
    let other = view.email_taken_from.as_ref()?;
    Some(format!(
        "{other} had typed this e-mail address, for which nobody vouched, and has none now."
    ))
}

fn described(view: &UserView) -> String {
    let mut rows = vec![
        ("username", word(&view.username)),
        ("id", word(&view.id)),
        ("display_name", word(&view.display_name)),
        ("email", word(&view.email)),
        ("email_verified", word(&view.email_verified)),
        ("groups", word(&view.groups)),
        ("clients", word(&view.clients)),
        ("roles", word(&view.roles)),
        ("passkeys", word(&view.passkeys)),
        ("disabled", word(&view.disabled)),
        ("created", word(&view.created)),
    ];
    let claims = view.claims.iter().map(|(name, value)| (name.as_str(), word(value)));
    rows.extend(claims);
    fields(&rows)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::json;

    use super::*;

    fn set(email: Option<&str>, role: &[&str]) -> Set {
        let role = role.iter().map(|role| (*role).to_owned()).collect();
        let email = email.map(str::to_owned);
        Set { username: "ada".into(), email, role, ..Set::default() }
    }

    #[tokio::test]
    async fn a_new_person_gets_a_link() {
        let mut admin = AdminClient::memory().await;
        let role = vec!["admin".into()];
        let add = Add { username: "ada".into(), role, ..Add::default() };

        let added = run(UserVerb::Add(add), &mut admin).await.unwrap();

        let (_, text, json, note) = added.parts();
        assert!(text.contains("setup link  http://localhost:7455/setup#gl_st_"), "{text}");
        assert!(text.contains("good until  "), "{text}");
        assert_eq!((&json["roles"], &json["display_name"]), (&json!(["admin"]), &json!("ada")));
        assert_eq!(note, Some(ADDRESSLESS_NOTE));
    }

    #[tokio::test]
    async fn recovery_without_a_name_names_nobody() {
        let mut admin = AdminClient::memory().await;

        let recovered = run(UserVerb::Recover(Recover::default()), &mut admin).await.unwrap();

        assert_eq!(recovered.parts().2["username"], json!(null));
        assert!(recovered.parts().1.starts_with("setup link"));
    }

    #[tokio::test]
    async fn an_installation_without_people_says_how_to_start() {
        let none = run(UserVerb::List, &mut AdminClient::memory().await).await.unwrap();

        assert_eq!(none.parts().1, "");
        assert!(none.parts().3.unwrap().contains("user recover"));
    }

    #[tokio::test]
    async fn people_are_listed_by_name() {
        let mut admin = AdminClient::memory().await;
        for username in ["grace", "ada"] {
            let add = Add { username: username.into(), ..Add::default() };
            run(UserVerb::Add(add), &mut admin).await.unwrap();
        }

        let listed = run(UserVerb::List, &mut admin).await.unwrap();

        let users = &listed.parts().2["users"];
        assert_eq!(
            (&users[0]["username"], &users[1]["username"]),
            (&json!("ada"), &json!("grace"))
        );
    }

    #[test]
    fn a_patch_names_what_changes_and_an_empty_address_removes_it() {
        let patch = |set: Set| serde_json::to_value(set.patch().unwrap()).unwrap();

        assert_eq!(patch(set(Some(""), &[]))["email"], json!(null));
        assert_eq!(patch(set(Some("ada@example.org"), &[]))["email"], "ada@example.org");
        let roles = patch(set(None, &["user"]));
        assert_eq!((roles.get("email"), &roles["roles"]), (None, &json!(["user"])));
        assert_eq!(set(None, &[]).patch().unwrap_err().exit, Exit::Usage);
    }

    #[tokio::test]
    async fn roles_and_groups_are_added_and_taken_away_without_naming_the_others() {
        let mut admin = AdminClient::memory_with_ada().await;
        let mut say = async |line: &str| {
            let line = ["gatelodge", "user", "set", "ADA"].into_iter().chain(line.split(' '));
            let parsed = crate::cli::args::Args::try_parse_from(line).unwrap();
            let Some(crate::cli::args::Verb::User(verb)) = parsed.verb else { panic!("user set") };
            run(verb, &mut admin).await
        };

        let more = say("--add-role admin --add-group staff --add-group ops").await.unwrap();
        let fewer = say("--remove-role user --remove-group staff").await.unwrap();
        let missing = say("--remove-group stuff").await.err().unwrap();

        assert_eq!(more.parts().2["roles"], json!(["user", "admin"]));
        assert_eq!(more.parts().2["groups"], json!(["staff", "ops"]));
        assert_eq!(fewer.parts().2["roles"], json!(["admin"]));
        assert_eq!(fewer.parts().2["groups"], json!(["ops"]));
        assert_eq!(missing.exit, Exit::Refused);
        assert!(missing.message.ends_with("\nthere is: ops"), "{}", missing.message);
    }

    #[tokio::test]
    async fn what_applications_learn_of_a_person_is_set_by_name() {
        let mut admin = AdminClient::memory().await;
        admin.add("ada").await;
        let mut say = async |line: &str| {
            let line = ["gatelodge", "user", "set", "ada"].into_iter().chain(line.split(' '));
            let parsed = crate::cli::args::Args::try_parse_from(line).unwrap();
            let Some(crate::cli::args::Verb::User(verb)) = parsed.verb else { panic!("user set") };
            run(verb, &mut admin).await
        };

        let set = "--email ada@example.org --email-verified --group staff --group ops \
                   --claim given_name=Ada --claim desk=4=b";
        let set = say(set).await.unwrap();
        let taken = say("--group= --claim desk= --email-verified=").await.unwrap();
        let reserved = say("--claim sub=eve").await.err().unwrap();

        let (_, text, json, _) = set.parts();
        assert!(
            text.lines().any(|line| line.split_whitespace().eq(["given_name", "Ada"])),
            "{text}"
        );
        assert_eq!(json["claims"], json!({ "given_name": "Ada", "desk": "4=b" }));
        assert_eq!(
            (&json["groups"], &json["email_verified"]),
            (&json!(["staff", "ops"]), &json!(true))
        );
        let json = taken.parts().2;
        assert_eq!(json["claims"], json!({ "given_name": "Ada" }));
        assert_eq!((&json["groups"], &json["email_verified"]), (&json!([]), &json!(false)));
        assert!(reserved.message.contains("claims: the protocol"), "{}", reserved.message);
    }
}
