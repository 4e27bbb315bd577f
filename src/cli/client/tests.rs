//! The tests of `gatelodge client …`.

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
                --claims userinfo --home https://e.example/ \
                --initiate-login https://e.example/start \
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
            "claims": "userinfo", "client_uri": "https://e.example/",
            "initiate_login_uri": "https://e.example/start",
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
    let scope = found.parts().1.lines().find(|line| line.starts_with("scope ")).unwrap().to_owned();
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

#[tokio::test]
async fn lists_of_a_client_grow_and_shrink_by_name() {
    let line = "--add-redirect https://a.example/cb --remove-redirect https://b.example/cb \
                --add-scope email --remove-scope profile --remove-scope openid \
                --add-resource https://c.example --remove-resource https://d.example";
    let values: Vec<_> = line.split_whitespace().collect();

    assert_eq!(
        patch(&values).unwrap(),
        json!({
            "add": {
                "redirect_uris": ["https://a.example/cb"],
                "resources": ["https://c.example"],
                "scope": ["email"],
            },
            "remove": {
                "redirect_uris": ["https://b.example/cb"],
                "resources": ["https://d.example"],
                "scope": ["profile", "openid"],
            },
        })
    );
    let both = "gatelodge client set c1 --scope openid --add-scope email";
    assert!(Args::try_parse_from(both.split(' ')).is_err());
}

#[tokio::test]
async fn a_removed_client_is_named_whatever_it_was_called() {
    let mut admin = AdminClient::memory().await;
    say(&mut admin, &["add", "Shop", "--id", "shop-1"]).await.unwrap();

    let details = say(&mut admin, &["show", "shop"]).await.unwrap();
    let usage = say(&mut admin, &["usage", "SHOP"]).await.unwrap();
    let removed = say(&mut admin, &["remove", "Shop"]).await.unwrap();
    let unknown = say(&mut admin, &["remove", "shop"]).await.err().unwrap();

    assert_eq!(details.parts().2["client_id"], "shop-1");
    assert_eq!(usage.parts().2["client_id"], "shop-1");
    assert_eq!(removed.parts().1, "removed shop-1 (Shop); grants ended: 0");
    assert_eq!(unknown.exit, Exit::NotFound);
}
