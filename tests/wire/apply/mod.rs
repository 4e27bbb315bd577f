//! A file of clients, people, groups, scopes, roles and resources: applied through the socket of a
//! running server and straight to the store alike.

mod faults;
mod serving;

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::connection::{client_credentials, get};
use crate::program::Home;

const HOUSE: &str = r#"
[scopes."orders:read"]
description = "See your orders"

[roles.clerk]
scopes = ["openid", "orders:read"]

[resources."https://api.example"]
name = "API"
scopes = ["stock:read"]
client = "shop"

[clients.shop]
name = "Laden für Ödland"
redirect_uris = ["https://shop.example/cb"]
grant_types = ["authorization_code", "client_credentials"]
scopes = ["openid", "orders:read", "stock:read"]
secret_file = "secrets/shop"
groups = ["staff"]

[users.ada]
display_name = "Ada Łovelace"
email = "ada@example.com"
roles = ["user", "clerk"]

[groups.staff]
members = ["ada"]
"#;

/// A home with a file to apply and the secret that it names, and the command that applies it.
fn house(text: &str) -> Home {
    let home = Home::new();
    fs::create_dir_all(home.path("house/secrets")).unwrap();
    fs::write(home.path("house/secrets/shop"), "a-secret-of-their-own\r\n").unwrap();
    rewrite(&home, text);
    home
}

fn rewrite(home: &Home, text: &str) {
    fs::write(home.path("house/house.toml"), text).unwrap();
}

fn command(home: &Home, options: &str) -> Command {
    let file = home.path("house/house.toml").display().to_string();
    let options = options.split(' ').filter(|option| !option.is_empty());
    home.command(&["apply", "-f", &file].into_iter().chain(options).collect::<Vec<_>>())
}

fn apply(home: &Home, options: &str) -> Output {
    command(home, options).output().unwrap()
}

/// What a command prints that succeeds: on standard output and on standard error.
#[track_caller]
fn printed(output: Output) -> (String, String) {
    assert!(output.status.success(), "{output:?}");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

/// The lines about objects, without those of the setup links.
#[track_caller]
fn changes(output: Output) -> Vec<String> {
    let (text, _) = printed(output);
    text.lines().filter(|line| !line.starts_with(' ')).map(str::to_owned).collect()
}

const ADDED: [&str; 5] = [
    "+ client shop",
    "+ resource https://api.example",
    "+ role clerk",
    "+ scope orders:read",
    "+ user ada",
];

#[test]
fn a_file_is_applied_with_a_server_and_without_and_the_second_time_changes_nothing() {
    let (running, resting) = (house(HOUSE), house(HOUSE));
    let server = running.serve();
    resting.serve().kill();

    for home in [&running, &resting] {
        let (text, remark) = printed(apply(home, ""));
        let again = printed(apply(home, ""));

        let added: Vec<_> = text.lines().filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(added, ADDED);
        assert!(text.contains("    setup link  http://localhost:"), "{text}");
        assert!(remark.contains("The link works once."), "{remark}");
        assert_eq!(again, ("nothing to change\n".to_owned(), String::new()));
        let shop = home.json("client show shop");
        assert_eq!(shop["name"], "Laden für Ödland");
        assert_eq!(home.json("user show ada")["groups"], json!(["staff"]));
        assert_eq!(home.json("resource show API")["client_id"], "shop");
    }
    let token = client_credentials(&server, "shop", "a-secret-of-their-own");
    assert!(token.json()["access_token"].is_string(), "{}", token.body);
    let metadata = get(&server, "/.well-known/openid-configuration").body;
    assert!(metadata.contains("orders:read"), "what is defined is in force at once");
    let next = resting.serve();
    let metadata = get(&next, "/.well-known/openid-configuration").body;
    assert!(metadata.contains("orders:read"), "and at the next start");
}

#[test]
fn a_difference_is_told_in_a_line_an_object_and_a_secret_never() {
    let home = house(HOUSE);
    let _server = home.serve();
    apply(&home, "");
    fs::write(home.path("house/secrets/shop"), "another-secret").unwrap();
    rewrite(
        &home,
        "[clients.shop]\nsecret_file = \"secrets/shop\"\ngroups = []\n\
         [users.ada]\nroles = [\"user\"]\nemail = \"\"\nclaims = { team = \"ä\" }\n\
         [groups.ops]\nmembers = [\"ada\"]\n",
    );

    let tried = printed(apply(&home, "--dry-run"));
    let done = printed(apply(&home, ""));

    assert_eq!(
        done.0.lines().collect::<Vec<_>>(),
        [
            "~ client shop: groups: staff → (none); secret: changed",
            "~ user ada: claims: (none) → {\"team\":\"ä\"}; email: ada@example.com → (none); \
             email_verified: by policy → (none); groups: staff → staff, ops; roles: user, clerk → user",
        ]
    );
    assert_eq!(tried, (done.0, "Nothing was written, as --dry-run says.\n".to_owned()));
}

#[test]
fn a_dry_run_writes_nothing_and_makes_no_link() {
    let home = house(HOUSE);
    let _server = home.serve();

    let (text, _) = printed(apply(&home, "--dry-run"));

    assert_eq!(text.lines().collect::<Vec<_>>(), ADDED);
    assert_eq!(home.json("client list")["clients"], json!([]));
    assert_eq!(home.json("user list")["users"], json!([]));
}

#[test]
fn the_answer_in_json_has_typed_objects() {
    let home = house("[users.ada]\n[clients.nightly]\n");
    home.serve().kill();

    let view: Value = serde_json::from_str(&printed(apply(&home, "--json")).0).unwrap();
    let removed = printed(apply(&home, "--json --dry-run")).0;
    rewrite(&home, "[clients.nightly]\nname = \"Nightly\"\n");
    let changed: Value = serde_json::from_str(&printed(apply(&home, "--json")).0).unwrap();

    let client = json!({
        "change": "added", "name": "nightly", "noun": "client", "unseen_secret": "nightly",
    });
    assert_eq!(view["changes"][0], client);
    assert_eq!((&view["changes"][1]["noun"], &view["dry_run"]), (&json!("user"), &json!(false)));
    assert!(view["changes"][1]["setup_url"].as_str().unwrap().contains("/setup#gl_st_"));
    let nothing: Value = serde_json::from_str(&removed).unwrap();
    assert_eq!(nothing, json!({ "changes": [], "dry_run": true }));
    let members = json!([{ "after": "Nightly", "before": "nightly", "member": "name" }]);
    assert_eq!(changed["changes"][0]["members"], members);
}

#[test]
fn a_secret_that_nobody_has_seen_is_remarked_on() {
    let home = house("[clients.nightly]\n");
    let server = home.serve();

    let (text, remark) = printed(apply(&home, ""));
    let rotated = home.json("client rotate-secret nightly");

    assert_eq!(text, "+ client nightly\n");
    assert_eq!(
        remark,
        "Nobody has seen the secret of nightly: gatelodge client rotate-secret nightly prints one.\n"
    );
    let secret = rotated["client_secret"].as_str().unwrap();
    assert!(client_credentials(&server, "nightly", secret).json()["access_token"].is_string());
}

#[test]
fn only_what_an_apply_made_is_pruned() {
    let home = house(HOUSE);
    let _server = home.serve();
    home.json("user add eve --group staff");
    home.json("client add Robot --id robot");
    let all =
        format!("{HOUSE}\n[users.eve]\ndisplay_name = \"Eve\"\n[clients.robot]\nname = \"R2\"\n")
            .replace("members = [\"ada\"]", "members = [\"ada\", \"eve\"]");
    rewrite(&home, &all);
    apply(&home, "");
    rewrite(&home, "[clients.shop]\nscopes = [\"openid\"]\n");

    let without = changes(apply(&home, ""));
    let tried = changes(apply(&home, "--prune --dry-run"));
    let pruned = changes(apply(&home, "--prune --yes"));

    assert_eq!(without, ["~ client shop: scopes: openid, orders:read, stock:read → openid"]);
    let expected =
        ["- resource https://api.example/", "- role clerk", "- scope orders:read", "- user ada"];
    assert_eq!(
        (tried, pruned),
        (expected.map(str::to_owned).to_vec(), expected.map(str::to_owned).to_vec())
    );
    assert_eq!(home.json("user show eve")["groups"], json!(["staff"]));
    assert_eq!(home.json("client show robot")["name"], "R2");
    assert_eq!(home.json("client show shop")["client_id"], "shop");
}

#[test]
fn standard_input_and_the_environment_serve() {
    let home = house("");
    let server = home.serve();
    let mut command = home.command(&["apply", "-f", "-"]);
    command.env("NIGHTLY_SECRET", "from-the-environment");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let text = b"[clients.nightly]\nsecret_env = \"NIGHTLY_SECRET\"\n";
    child.stdin.take().unwrap().write_all(text).unwrap();

    let (text, remark) = printed(child.wait_with_output().unwrap());

    assert_eq!((text.as_str(), remark.as_str()), ("+ client nightly\n", ""));
    let token = client_credentials(&server, "nightly", "from-the-environment");
    assert!(token.json()["access_token"].is_string(), "{}", token.body);
}

#[test]
fn keys_may_be_in_a_file_or_in_the_file_itself() {
    const KEY: &str = "kty = \"EC\", crv = \"P-256\", kid = \"1\", \
        x = \"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\", \
        y = \"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"";
    let home = house(&format!(
        "[clients.billing]\njwks_file = \"keys.json\"\n[clients.till]\njwks.keys = [{{ {KEY} }}]\n"
    ));
    let members = KEY.split(", ").map(|member| member.trim().split_once(" = ").unwrap());
    let members: Vec<_> = members.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let keys = format!("{{\"keys\":[{{{}}}]}}", members.join(","));
    fs::write(home.path("house/keys.json"), keys).unwrap();
    home.serve().kill();

    let added = changes(apply(&home, ""));
    let again = changes(apply(&home, ""));

    assert_eq!((added.len(), again), (2, vec!["nothing to change".to_owned()]));
    let (billing, till) = (home.json("client show billing"), home.json("client show till"));
    assert_eq!(billing["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(billing["jwks"], till["jwks"]);
}
