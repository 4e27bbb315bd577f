//! The files of Dex, Authelia, Keycloak and Pocket ID: what comes along works, and what does not is
//! told.

use std::path::{Path, PathBuf};

use gatelodge::oauth::params::form_encode;
use serde_json::{Value, json};

use super::{name, run};
use crate::connection::{ask, token_head};
use crate::person::Person;
use crate::program::{Home, Server};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/exchange/samples").join(name)
}

/// A server that has imported files, its home, and what the import said.
fn imported(from: &str, files: &[&str]) -> (Home, Server, Value) {
    let home = Home::new();
    let server = home.serve();
    let files: Vec<PathBuf> = files.iter().map(|file| sample(file)).collect();
    let files: Vec<&str> = files.iter().map(|file| name(file)).collect();
    let command = format!("import --from {from} --links {}", files.join(" "));
    let tried = home.json(&format!("{command} --dry-run"));
    let view = home.json(&command);
    let again = home.json(&command);
    assert_eq!((&tried["added"], &tried["links"]), (&view["added"], &json!([])));
    assert_eq!(again["added"], json!({}), "{again}");
    (home, server, view)
}

/// Asserts that each of these is told, and nothing else.
#[track_caller]
fn assert_notes(view: &Value, expected: &[(&str, &str)]) {
    let notes: Vec<String> = view["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| {
            format!("{}: {}", note["about"].as_str().unwrap(), note["sentence"].as_str().unwrap())
        })
        .collect();
    for (about, part) in expected {
        let found =
            notes.iter().any(|note| note.starts_with(&format!("{about}: ")) && note.contains(part));
        assert!(found, "{about}: {part}\n{notes:#?}");
    }
    assert_eq!(notes.len(), expected.len(), "{notes:#?}");
}

/// Lets ada in by the link that the import printed, and redeems a code of a client for her.
fn sign_in(
    server: &Server,
    view: &Value,
    client: &str,
    secret: Option<&str>,
    redirect_uri: &str,
) -> Value {
    let links = view["links"].as_array().unwrap();
    let link = links.iter().find(|link| link["username"] == "ada").unwrap();
    let mut ada = Person::by_link(server, link["setup_url"].as_str().unwrap(), None);
    // RFC 7636 appendix B.
    let (verifier, challenge) = (
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    );
    let query = form_encode([
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", redirect_uri),
        ("scope", "openid profile email"),
        ("nonce", "n"),
        ("code_challenge", challenge),
        ("code_challenge_method", "S256"),
    ]);
    let redirect = ada.decide(server, &format!("/oauth/authorize?{query}"), "allow");
    let redirect = redirect.replace("&#38;", "&").replace("&amp;", "&");
    let (_, code) = redirect.split_once("code=").expect("a code");
    let code = code.split('&').next().unwrap();
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier),
        ("client_id", client),
    ];
    form.extend(secret.map(|secret| ("client_secret", secret)));
    let response = ask(server, &token_head(server), &form_encode(form));
    assert_eq!(response.status, 200, "{}", response.body);
    response.json()
}

#[test]
fn dex() {
    let (home, server, view) = imported("dex", &["dex.yaml"]);

    assert_eq!(view["added"], json!({ "client": 2, "person": 1 }));
    assert_notes(
        &view,
        &[
            ("client wiki", "it trusts kubernetes there"),
            ("client wiki", "the redirect URI http://10.0.0.7/callback does not come along"),
            ("client of GRAFANA_ID", "its id is in a variable"),
            ("user ada", "this does not come along: their password"),
            ("user Grace Hopper", "a username has 1 to 64 letters"),
            ("connector GitHub", "nobody signs in by another server here"),
            ("users", "everybody gets another sub here"),
        ],
    );
    let tokens = sign_in(
        &server,
        &view,
        "wiki",
        Some("the-secret-of-the-wiki"),
        "https://wiki.example/callback",
    );
    assert!(tokens["id_token"].is_string() && tokens["refresh_token"].is_string(), "{tokens}");
    assert_eq!(home.json("client show kubernetes")["token_endpoint_auth_method"], "none");
}

#[test]
fn authelia() {
    let (home, server, view) = imported("authelia", &["configuration.yml", "users_database.yml"]);

    assert_eq!(view["added"], json!({ "client": 2, "person": 2 }));
    assert_notes(
        &view,
        &[
            ("client wiki", "it gets a code alone here"),
            ("client wiki", "it goes without the grant implicit"),
            ("client wiki", "it goes without the scope address"),
            ("client paperless", "its secret is hashed there in another way"),
            ("client paperless", "authorization_policy family"),
            ("client old", "the redirect URI https://*.old.example/cb does not come along"),
            ("client old", "it has no redirect URI that this server takes"),
            ("user ada", "their password, their second factors"),
            ("user ada", "has to be set by hand if it is needed: extra"),
            ("user grace", "another person's, too"),
            ("user grace", "their password"),
            ("users", "everybody gets another sub here"),
        ],
    );
    let ada = home.json("user show ada");
    assert_eq!(ada["groups"], json!(["admins", "house"]));
    assert_eq!((&ada["claims"]["given_name"], &ada["roles"]), (&json!("Ada"), &json!(["user"])));
    assert_eq!(home.json("user show grace")["disabled"], true);
    assert_eq!(view["links"].as_array().unwrap().len(), 1, "none for whoever is disabled");
    assert_eq!(home.json("client show paperless")["enabled"], false);
    let uri = "https://wiki.example/callback";
    sign_in(&server, &view, "wiki", Some("the-secret-of-the-wiki"), uri);
}

#[test]
fn keycloak() {
    let (home, server, view) = imported("keycloak", &["realm.json"]);

    assert_eq!(view["added"], json!({ "client": 2, "person": 2 }));
    assert_notes(
        &view,
        &[
            ("the file", "the clients of Keycloak itself"),
            ("the file", "user federation"),
            ("client wiki", "implicit flow"),
            ("client wiki", "direct access grants"),
            ("client wiki", "its mappers"),
            ("client wiki", "https://wiki.example/* does not come along"),
            ("client nightly", "gatelodge client rotate-secret nightly"),
            ("client https://saml.example", "does not speak OpenID Connect"),
            ("client api", "it is an API"),
            ("identity provider github", "nobody signs in by another server"),
            ("client scopes", "desks"),
            ("realm roles", "is a group of the same name here"),
            ("user ada", "their roles of the client wiki"),
            ("user ada", "these attributes do not come along: desk"),
            ("user ada", "their password, their codes of an authenticator app"),
            ("user grace", "their sign-in by github"),
            ("users", "everybody gets another sub here"),
        ],
    );
    let ada = home.json("user show ada");
    assert_eq!(ada["groups"], json!(["staff/night", "cook"]));
    assert_eq!((&ada["email_verified"], &ada["claims"]["locale"]), (&json!(true), &json!("de")));
    let wiki = home.json("client show wiki");
    assert_eq!(wiki["redirect_uris"], json!(["https://wiki.example/callback"]));
    assert_eq!(wiki["post_logout_redirect_uris"], json!(["https://wiki.example/bye"]));
    let uri = "https://wiki.example/callback";
    sign_in(&server, &view, "wiki", Some("the-secret-of-the-wiki"), uri);
}

#[test]
fn pocket_id() {
    let (home, server, view) = imported("pocket-id", &["database.json"]);

    assert_eq!(view["added"], json!({ "client": 2, "person": 1 }));
    assert_notes(
        &view,
        &[
            ("client Wiki", "its logo does not come along"),
            ("client 33333333-3333-4333-8333-333333333333", "it is wiki now"),
            ("client wiki", "https://*.wiki.example/callback does not come along"),
            ("client wiki", "its secret is hashed there in another way"),
            ("user ada", "they administer that server, and not this one"),
            ("user ada", "their passkey, which belongs to the id"),
            ("group staff", "its claims do not come along"),
            ("1 API keys", "they do not come along"),
            ("the file", "sign-up links"),
            ("users", "everybody gets another sub here"),
        ],
    );
    let wiki = home.json("client show wiki");
    assert_eq!((&wiki["groups"], &wiki["pkce"]), (&json!(["staff"]), &json!("required")));
    assert_eq!(home.json("user show ada")["claims"]["desk"], "4b");
    let secret = home.json("client rotate-secret wiki --yes")["client_secret"].clone();
    let uri = "https://wiki.example/callback";
    sign_in(&server, &view, "wiki", secret.as_str(), uri);
}

#[test]
fn a_file_of_another_form_is_refused_with_its_place() {
    let home = Home::new();
    drop(home.serve());
    let refused = |from: &str, text: &str| {
        let file = home.path("their-file");
        std::fs::write(&file, text).unwrap();
        let (code, _, err) = run(&home, &["import", "--from", from, name(&file)]);
        assert_eq!(code, 2, "{err}");
        err
    };

    let yaml = refused("dex", "staticClients:\n  - id: [\n");
    let typed = refused("authelia", "users:\n  ada:\n    disabled: maybe\n");
    let json = refused("keycloak", "{\n  \"realm\": \"house\",\n}");
    let table = refused("pocket-id", "{ \"tables\": { \"users\": {} } }");
    let other = refused("pocket-id", "{}");

    assert!(yaml.contains("their-file:") && yaml.contains("this is no YAML"), "{yaml}");
    assert!(
        typed.contains("their-file:3: users.ada.disabled: true or false is expected"),
        "{typed}"
    );
    assert!(json.contains("their-file:3: this is no JSON"), "{json}");
    assert!(table.contains("their-file: tables.users: a list is expected"), "{table}");
    assert!(other.contains("gatelodge reads the database.json of an export"), "{other}");
}

#[test]
fn what_is_here_and_differs_is_refused_and_nothing_is_written() {
    let home = Home::new();
    drop(home.serve());
    home.json("user add ada --name Countess");

    let file = sample("users_database.yml");
    let (code, _, err) = run(&home, &["import", "--from", "authelia", name(&file)]);

    assert_eq!(code, 4, "{err}");
    assert!(err.contains("users.ada."), "{err}");
    assert!(err.contains("this is here already, and the file says something else of it"), "{err}");
    assert_eq!(home.json("user list")["users"].as_array().unwrap().len(), 1);
}
