//! The configuration of Dex: `staticClients` and `staticPasswords`.

use super::foreign::{Converter, FoundClient, FoundPerson, FoundSecret};
use super::source::{Object, Source};
use crate::cli::output::Failure;

/// The settings of that server itself.
const SETTINGS: &[&str] = &[
    "additionalFeatures",
    "enablePasswordDB",
    "expiry",
    "frontend",
    "grpc",
    "issuer",
    "logger",
    "oauth2",
    "signer",
    "storage",
    "telemetry",
    "web",
];

/// Converts a file.
pub(super) fn convert(source: &Source, into: &mut Converter) -> Result<(), Failure> {
    let root = source.root()?;
    root.skip(SETTINGS);
    for client in root.objects("staticClients")? {
        self::client(&client, into)?;
    }
    for person in root.objects("staticPasswords")? {
        self::person(&person, into)?;
    }
    for connector in root.objects("connectors")? {
        let name = connector.text("name")?.or(connector.text("id")?).unwrap_or("without a name");
        let why = "nobody signs in by another server here: whoever did gets an account, or an invitation \
                   (gatelodge invite add)";
        into.note(format!("connector {name}"), why);
    }
    into.note_rest("the file", &root);
    Ok(())
}

fn client(object: &Object<'_>, into: &mut Converter) -> Result<(), Failure> {
    let variable = object.text("secretEnv")?;
    let id = match (object.text("id")?, object.text("idEnv")?) {
        (None, Some(variable)) => {
            let why =
                "its id is in a variable, and so it is left out: gatelodge client add registers it";
            into.note(format!("client of {variable}"), why);
            return Ok(());
        }
        _ => object.needed("id")?,
    };
    let about = format!("client {id}");
    let peers = object.texts("trustedPeers")?;
    if !peers.is_empty() {
        into.note(&about, format!(
            "it trusts {} there: here no client gets a token for another one, but for a resource \
             (gatelodge resource add)",
            peers.join(", ")
        ));
    }
    if object.text("logoURL")?.is_some() {
        into.note(
            &about,
            format!("its logo does not come along: gatelodge client set {id} --logo FILE"),
        );
    }
    let secret = match object.text("secret")? {
        Some(secret) => FoundSecret::Plain(secret.to_owned()),
        None => FoundSecret::Missing,
    };
    if let Some(variable) = variable {
        into.note(&about, format!("its secret is in the variable {variable}, and not in the file"));
    }
    into.add_client(&FoundClient {
        id: id.to_owned(),
        is_public: object.flag("public")?.unwrap_or_default(),
        name: object.text("name")?.map(str::to_owned),
        redirect_uris: owned(&object.texts("redirectURIs")?),
        secret,
        ..FoundClient::default()
    });
    into.note_rest(&about, object);
    Ok(())
}

fn person(object: &Object<'_>, into: &mut Converter) -> Result<(), Failure> {
    let email = object.text("email")?;
    let username = match object.text("username")?.or(object.text("preferredUsername")?) {
        Some(username) => username,
        None => match email {
            Some(email) => email,
            None => object.needed("username")?,
        },
    };
    object.skip(&["hash", "hashFromEnv", "preferredUsername", "userID"]);
    let about = format!("user {username}");
    into.add_person(&FoundPerson {
        display_name: object.text("name")?.map(str::to_owned),
        email: email.map(str::to_owned),
        email_verified: object.flag("emailVerified")?,
        groups: owned(&object.texts("groups")?),
        proofs: vec!["their password".to_owned()],
        username: username.to_owned(),
        ..FoundPerson::default()
    });
    into.note_rest(&about, object);
    Ok(())
}

pub(super) fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
