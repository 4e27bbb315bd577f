//! Names of every script and length, and secrets as editors leave them.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::connection::client_credentials;
use crate::program::Home;

/// Chinese and Japanese, an emoji of several, signs that combine, and right to left.
const NAMES: [&str; 4] = [
    "山田 太郎 王小明",
    "Ada \u{1f469}\u{200d}\u{1f680} \u{2764}\u{fe0f}",
    "Zoe\u{308} A\u{30a}sa",
    "שרה علي",
];

/// The sentence about a name that is too long.
const NAME: &str =
    "a name is 1 to 128 characters without control characters, and not only invisible ones";

fn call(home: &Home, arguments: &[&str]) -> (i32, String, String) {
    read(home.command(arguments).output().unwrap())
}

fn read(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The JSON of a command that succeeds.
#[track_caller]
fn json(home: &Home, arguments: &[&str]) -> Value {
    let (code, out, err) = call(home, &[arguments, &["--json"]].concat());
    assert_eq!(code, 0, "{arguments:?}: {err}");
    serde_json::from_str(&out).unwrap()
}

/// The value of a line of text.
fn value<'a>(text: &'a str, label: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(label));
    line.unwrap_or_else(|| panic!("no {label} in {text}")).trim()
}

#[test]
fn a_name_in_any_script_is_stored_found_and_printed_as_it_was_written() {
    let home = Home::new();
    let _server = home.serve();
    json(&home, &["user", "add", "ada"]);

    for (number, name) in NAMES.into_iter().enumerate() {
        let id = format!("c{number}");
        let uri = format!("https://r{number}.example");
        assert_eq!(json(&home, &["user", "set", "ada", "--name", name])["display_name"], name);
        assert_eq!(json(&home, &["client", "add", name, "--id", &id])["name"], name);
        json(&home, &["resource", "add", &uri, "--name", name]);
        json(&home, &["bridge", "issue-pat", "ada", "--name", name]);

        // What was written finds it again.
        assert_eq!(json(&home, &["client", "show", name])["client_id"], *id);
        let resource = json(&home, &["resource", "show", name]);
        assert_eq!(resource["metadata"]["resource_name"], name);
        let (_, user, _) = call(&home, &["user", "show", "ada"]);
        assert_eq!(value(&user, "display_name"), name);
        let (_, client, _) = call(&home, &["client", "show", &id]);
        assert_eq!(value(&client, "name"), name);
        let (_, clients, _) = call(&home, &["client", "list"]);
        assert!(clients.contains(name), "{clients}");
        let (code, _, err) = call(&home, &["bridge", "revoke-pat", name, "--yes"]);
        assert_eq!(code, 0, "{err}");
    }
}

#[test]
fn a_username_is_ascii_and_its_refusal_names_the_letters_that_there_are() {
    let home = Home::new();
    let _server = home.serve();

    for name in NAMES.into_iter().chain([&*"n".repeat(65), &*"n".repeat(200)]) {
        let (code, out, err) = call(&home, &["user", "add", name]);

        assert_eq!((code, out.as_str()), (4, ""), "{err}");
        assert!(err.contains("username is not 1 to 64 letters, digits and . _ - @ +"), "{err}");
    }
    let limit = "n".repeat(64);
    assert_eq!(json(&home, &["user", "add", &limit])["username"], *limit);
    assert_eq!(json(&home, &["user", "show", &limit])["username"], *limit);
}

/// The limit counts characters, and not bytes.
#[test]
fn a_name_of_128_characters_is_one_and_one_of_200_is_refused_with_its_sentence() {
    let home = Home::new();
    let _server = home.serve();
    json(&home, &["user", "add", "ada"]);
    json(&home, &["client", "add", "shop", "--id", "shop"]);
    json(&home, &["resource", "add", "https://api.example", "--name", "api"]);
    let (limit, over) = ("山".repeat(128), "山".repeat(200));
    let file = |name: &str| home.path(name).display().to_string();
    let (out, key) = (file("cert.pem"), file("cert.key"));
    let verbs: [&[&str]; 8] = [
        &["user", "set", "ada", "--name"],
        &["user", "add", "bob", "--name"],
        &["client", "set", "shop", "--name"],
        &["client", "add", "--id", "long"],
        &["resource", "set", "https://api.example", "--name"],
        &["resource", "add", "https://other.example", "--name"],
        &["bridge", "issue-pat", "ada", "--name"],
        &["bridge", "enroll-cert", "ada", "--out", &out, "--key", &key, "--name"],
    ];

    for verb in verbs {
        let refused = call(&home, &[verb, &[&over]].concat());
        let as_json = call(&home, &[verb, &[&over], &["--json"]].concat());
        let accepted = json(&home, &[verb, &[&limit]].concat());

        assert_eq!((refused.0, refused.1.as_str()), (4, ""), "{verb:?}: {}", refused.2);
        assert!(refused.2.starts_with(&format!("gatelodge: {NAME} ")), "{verb:?}: {}", refused.2);
        let failure: Value = serde_json::from_str(&as_json.2).unwrap();
        assert_eq!((as_json.0, &failure["error_description"]), (4, &NAME.into()), "{verb:?}");
        if verb[1] != "issue-pat" {
            assert!(accepted.to_string().contains(&limit), "{verb:?}: {accepted}");
        }
    }
    let (_, text, _) = call(&home, &["user", "show", "ada"]);
    assert_eq!(value(&text, "display_name"), limit);
    let (code, _, several) = call(&home, &["client", "show", &limit]);
    assert!(code == 4 && several.contains("shop") && several.contains("long"), "{several}");
}

#[test]
fn what_200_characters_name_is_not_found_and_as_a_word_it_is_refused() {
    let home = Home::new();
    let _server = home.serve();
    json(&home, &["user", "add", "ada"]);
    json(&home, &["client", "add", "shop", "--id", "shop"]);
    let long = "x".repeat(200);
    let claim = format!("{long}=1");

    let cases: [(&[&str], i32, &str); 13] = [
        (&["user", "show", &long], 3, "there is no person with this username"),
        (&["client", "show", &long], 3, "there is no client with this id"),
        (&["resource", "show", &long], 3, "this resource is not registered"),
        (&["session", "revoke", &long], 3, "there is no such session that lives"),
        (&["grant", "revoke", &long], 3, "there is no such grant in force"),
        (&["bridge", "revoke-pat", &long], 3, "there is no such personal access token"),
        (&["bridge", "end", &long], 3, "there is no live linked device"),
        (&["events", "--user", &long], 3, "there is no person with this username"),
        (&["explain", &long], 4, "an event id is 16 hexadecimal digits"),
        (&["user", "set", "ada", "--group", &long], 4, "a group is 1 to 128 visible ASCII"),
        (&["user", "set", "ada", "--claim", &claim], 4, "a name is 1 to 128 visible ASCII"),
        (&["user", "set", "ada", "--role", &long], 4, "the configuration knows no such role"),
        (&["client", "set", "shop", "--group", &long], 4, "a group is 1 to 128 visible ASCII"),
    ];
    for (arguments, code, part) in cases {
        let text = call(&home, arguments);
        let as_json = call(&home, &[arguments, &["--json"]].concat());

        assert_eq!((text.0, text.1.as_str()), (code, ""), "{arguments:?}: {}", text.2);
        assert!(text.2.contains(part), "{arguments:?}: {}", text.2);
        let failure: Value = serde_json::from_str(&as_json.2).unwrap();
        assert_eq!((as_json.0, &failure["exit"]), (code, &code.into()), "{failure}");
        assert!(failure["error_description"].as_str().unwrap().contains(part), "{failure}");
    }
    // A client_id may be longer than a name.
    let added = json(&home, &["client", "add", "robot", "--id", &long]);
    assert_eq!(added["client_id"], *long);
    assert_eq!(json(&home, &["client", "show", &long])["client_id"], *long);
}

#[test]
fn a_token_is_read_from_standard_input_whatever_ends_its_line() {
    let home = Home::new();
    let _server = home.serve();
    json(&home, &["client", "add", "robot", "--id", "robot"]);
    let issued = json(&home, &["token", "issue", "--client", "robot"]);
    let token = issued["access_token"].as_str().unwrap();

    for end in ["", "\n", "\r\n"] {
        let inspect = home.command(&["token", "inspect", "-", "--json"]);
        let (code, out, err) = piped(inspect, format!("{token}{end}").as_bytes());

        assert_eq!(code, 0, "{end:?}: {err}");
        assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["active"], true, "{end:?}");
    }
}

/// Gives a command this text on its standard input.
fn piped(mut command: Command, text: &[u8]) -> (i32, String, String) {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    read(child.wait_with_output().unwrap())
}

#[test]
fn a_secret_is_taken_without_its_newline_from_a_file_and_from_standard_input() {
    let home = Home::new();
    let server = home.serve();
    json(&home, &["client", "add", "robot", "--id", "robot", "--auth", "client_secret_post"]);
    let file = home.path("secret");
    let path = file.display().to_string();

    for (number, end) in ["", "\n", "\r\n"].into_iter().enumerate() {
        let secret = format!("a-secret-of-my-own-{number}");
        let from_file = format!("{secret}-file");
        fs::write(&file, format!("{from_file}{end}")).unwrap();
        json(&home, &["client", "set", "robot", "--secret-file", &path]);
        assert_eq!(client_credentials(&server, "robot", &from_file).status, 200, "{end:?}");

        let set = home.command(&["client", "set", "robot", "--secret-file", "-"]);
        let (code, _, err) = piped(set, format!("{secret}{end}").as_bytes());
        assert_eq!(code, 0, "{err}");
        assert_eq!(client_credentials(&server, "robot", &secret).status, 200, "{end:?}");
        assert_eq!(client_credentials(&server, "robot", &from_file).status, 401, "{end:?}");
    }
}

#[test]
fn a_byte_order_mark_on_standard_input_is_called_that_and_changes_nothing() {
    let home = Home::new();
    let server = home.serve();
    let added =
        json(&home, &["client", "add", "robot", "--id", "robot", "--auth", "client_secret_post"]);
    let before = added["client_secret"].as_str().unwrap();
    let marked = "\u{feff}a-secret-of-my-own\n".as_bytes();

    let set = ["client", "set", "robot", "--secret-file", "-"];
    let (code, out, err) = piped(home.command(&set), marked);
    let as_json = piped(home.command(&[&set[..], &["--json"]].concat()), marked);
    let token = piped(home.command(&["token", "inspect", "-"]), marked);
    let file = piped(home.command(&["apply", "--file", "-"]), "\u{feff}[clients.a]".as_bytes());

    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(
        err.starts_with("gatelodge: standard input: it starts with a byte-order mark"),
        "{err}"
    );
    let failure: Value = serde_json::from_str(&as_json.2).unwrap();
    assert_eq!((as_json.0, &failure["error"]), (2, &"invalid_usage".into()), "{failure}");
    for (code, out, err) in [token, file] {
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("byte-order mark"), "{err}");
    }
    assert_eq!(client_credentials(&server, "robot", before).status, 200);
}
