//! The `database.json` of an export of Pocket ID: its tables, a list of rows each.

use std::collections::BTreeMap;

use super::foreign::{Converter, FoundClient, FoundPerson, FoundSecret};
use super::source::{Object, Source};
use crate::cli::output::Failure;

/// The rows of a table by a column that names what they belong to.
type By<'a> = BTreeMap<&'a str, Vec<Object<'a>>>;

fn by<'a>(tables: &Object<'a>, table: &str, column: &str) -> Result<By<'a>, Failure> {
    let mut rows = By::new();
    for row in tables.objects(table)? {
        if let Some(key) = row.text(column)? {
            rows.entry(key).or_default().push(row);
        }
    }
    Ok(rows)
}

/// Converts an export.
pub(super) fn convert(source: &Source, into: &mut Converter) -> Result<(), Failure> {
    let root = source.root()?;
    let Some(tables) = root.child("tables")? else {
        return Err(
            source.fault("tables", "it is missing: gatelodge reads the database.json of an export")
        );
    };
    let groups = group_names(&tables)?;
    let admitted = by(&tables, "oidc_clients_allowed_user_groups", "oidc_client_id")?;
    for client in tables.objects("oidc_clients")? {
        self::client(&client, &groups, &admitted, into)?;
    }
    let (memberships, claims) =
        (by(&tables, "user_groups_users", "user_id")?, by(&tables, "custom_claims", "user_id")?);
    let passkeys = by(&tables, "webauthn_credentials", "user_id")?;
    for person in tables.objects("users")? {
        self::person(&person, &groups, &memberships, &claims, &passkeys, into)?;
    }
    for (group, _) in by(&tables, "custom_claims", "user_group_id")? {
        let group = groups.get(group).copied().unwrap_or(group);
        let why =
            "its claims do not come along: gatelodge user set NAME --claim gives a person one";
        into.note(format!("group {group}"), why);
    }
    let keys = tables.objects("api_keys")?.len();
    if keys > 0 {
        let why = "they do not come along: a client with the scope admin acts for itself here (gatelodge \
                   client add)";
        into.note(format!("{keys} API keys"), why);
    }
    into.note("the file", "the settings, sign-up links and log of that server do not come along");
    Ok(())
}

fn group_names<'a>(tables: &Object<'a>) -> Result<BTreeMap<&'a str, &'a str>, Failure> {
    let groups = tables.objects("user_groups")?;
    groups.iter().map(|group| Ok((group.needed("id")?, group.needed("name")?))).collect()
}

fn client(
    object: &Object<'_>,
    groups: &BTreeMap<&str, &str>,
    admitted: &By<'_>,
    into: &mut Converter,
) -> Result<(), Failure> {
    let (id, name) = (object.needed("id")?, object.text("name")?);
    let about = format!("client {}", name.unwrap_or(id));
    let mut own_groups = Vec::new();
    for row in admitted.get(id).into_iter().flatten() {
        let group = row.needed("user_group_id")?;
        own_groups.push(groups.get(group).copied().unwrap_or(group).to_owned());
    }
    // Newer versions have a switch for it, and keep the groups while it is off.
    if object.flag("is_group_restricted")? == Some(false) {
        own_groups.clear();
    }
    if object.text("image_type")?.or(object.text("dark_image_type")?).is_some() {
        into.note(&about, "its logo does not come along: gatelodge client set CLIENT --logo FILE");
    }
    if object.text("credentials")?.is_some_and(|text| text.contains("federatedIdentities\":[{")) {
        into.note(
            &about,
            "its federated credentials do not come along: it proves itself by its secret",
        );
    }
    let mut members = serde_json::Map::new();
    if object.flag("pkce_enabled")? == Some(true) {
        members.insert("pkce".to_owned(), "required".into());
    }
    if object.flag("requires_pushed_authorization_requests")? == Some(true) {
        members.insert("require_pushed_authorization_requests".to_owned(), true.into());
    }
    if object.flag("requires_reauthentication")? == Some(true) {
        // Nobody is signed in for less than a second.
        members.insert("default_max_age".to_owned(), 0.into());
    }
    object.skip(&["created_at", "created_by_id", "secret", "updated_at"]);
    into.add_client(&FoundClient {
        groups: own_groups,
        home: object.text("launch_url")?.map(str::to_owned),
        id: id.to_owned(),
        is_public: object.flag("is_public")?.unwrap_or_default(),
        members,
        name: name.map(str::to_owned),
        post_logout: object.texts_in_text("logout_callback_urls")?,
        redirect_uris: object.texts_in_text("callback_urls")?,
        secret: FoundSecret::Hashed,
        ..FoundClient::default()
    });
    into.note_rest(&about, object);
    Ok(())
}

fn person(
    object: &Object<'_>,
    groups: &BTreeMap<&str, &str>,
    memberships: &By<'_>,
    custom: &By<'_>,
    passkeys: &By<'_>,
    into: &mut Converter,
) -> Result<(), Failure> {
    let (id, username) = (object.needed("id")?, object.needed("username")?);
    let about = format!("user {username}");
    let (first, last) = (object.text("first_name")?, object.text("last_name")?);
    let names: Vec<&str> = [first, last].into_iter().flatten().collect();
    let display_name = object.text("display_name")?.map(str::to_owned);
    let mut own_groups = Vec::new();
    for row in memberships.get(id).into_iter().flatten() {
        let group = row.needed("user_group_id")?;
        own_groups.push(groups.get(group).copied().unwrap_or(group).to_owned());
    }
    let named = [("given_name", first), ("family_name", last), ("locale", object.text("locale")?)];
    let mut claims: Vec<(String, String)> = named
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    for row in custom.get(id).into_iter().flatten() {
        claims.push((
            row.needed("key")?.to_owned(),
            row.text("value")?.unwrap_or_default().to_owned(),
        ));
    }
    let count = passkeys.get(id).map_or(0, Vec::len);
    let proofs = match count {
        0 => Vec::new(),
        1 => vec!["their passkey, which belongs to the id that they have there".to_owned()],
        count => {
            vec![format!("their {count} passkeys, which belong to the id that they have there")]
        }
    };
    if object.text("ldap_id")?.is_some() {
        into.note(&about, "they are of a directory there, and nothing follows it here");
    }
    object.skip(&["created_at", "updated_at"]);
    into.add_person(&FoundPerson {
        claims,
        disabled: object.flag("disabled")?.unwrap_or_default(),
        display_name: display_name.or_else(|| (!names.is_empty()).then(|| names.join(" "))),
        email: object.text("email")?.map(str::to_owned),
        email_verified: object.flag("email_verified")?,
        groups: own_groups,
        is_administrator: object.flag("is_admin")?.unwrap_or_default(),
        proofs,
        username: username.to_owned(),
    });
    into.note_rest(&about, object);
    Ok(())
}
