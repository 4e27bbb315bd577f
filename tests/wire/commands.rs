//! What the command line prints: through the socket of a running server and straight from the
//! store alike, in text and in JSON, with the exit code that says how it went.

use std::io::Read as _;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::connection::{get, log};
use crate::program::Home;

fn call(home: &Home, arguments: &str) -> Output {
    home.command(&arguments.split(' ').collect::<Vec<_>>()).output().unwrap()
}

fn code(home: &Home, arguments: &str) -> i32 {
    call(home, arguments).status.code().unwrap()
}

/// Every verb that reads the store, each after what it needs.
const VERBS: &[&str] = &[
    "client list",
    "user list",
    "issuer show",
    "client add shop --id shop --redirect http://127.0.0.1:3000/callback --scope openid",
    "client add editor --id editor --public --redirect http://127.0.0.1/cb --refresh strict",
    "client add nightly --id nightly",
    "client show shop",
    "client show editor",
    "client list",
    "client set shop --first-party --access-token-lifetime 60",
    "client disable editor",
    "client enable editor",
    "client rotate-secret shop",
    "client remove nightly",
    "client list",
    "resource list",
    "resource add https://api.example/mcp --name Orders --scope orders:read --client shop",
    "resource show https://api.example/mcp",
    "resource list",
    "resource remove https://api.example/mcp",
    "user add ada --name Ada --email ada@example.org --role admin",
    "user add bob",
    "user recover bob",
    "user recover bob --further",
    "user list",
    "issuer show",
    "issuer change http://localhost:1 --yes",
    "issuer show",
];

/// What is drawn anew each time, or tells the time, as what it is.
fn settled(mut response: Value) -> Value {
    match &mut response {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = settled(item.take())),
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                let varies = [
                    "authorization_servers",
                    "client_secret",
                    "created",
                    "metadata_copy",
                    "id",
                    "setup_expires",
                    "setup_id",
                    "setup_url",
                ];
                let issuer = ["issuer", "previous"];
                *value = match name.as_str() {
                    varying if varies.contains(&varying) && !value.is_null() => json!("varies"),
                    one if issuer.contains(&one) && *value != "http://localhost:1" => json!("own"),
                    _ => settled(value.take()),
                };
            }
        }
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) => {}
    }
    response
}

#[test]
fn the_socket_and_the_store_give_the_same_answers() {
    let (running, resting) = (Home::new(), Home::new());
    let _server = running.serve();
    resting.serve().kill();

    for verb in VERBS {
        let through_the_socket = settled(running.json(verb));
        let from_the_store = settled(resting.json(verb));

        assert_eq!(through_the_socket, from_the_store, "{verb}");
    }
}

#[test]
fn a_document_is_imported_and_shown_as_it_says() {
    const ID: &str = "https://app.example/client.json";
    let home = Home::new();
    let _server = home.start(&["serve", "--listen", "127.0.0.1:0", "--offline"]);
    let file = home.path("client.json");
    let write = |name: &str| {
        let document = json!({
            "client_id": ID, "client_name": name, "redirect_uris": ["http://localhost/callback"],
            "token_endpoint_auth_method": "none", "default_max_age": 300,
        });
        std::fs::write(&file, document.to_string()).unwrap();
    };
    let import = format!("client import {ID} {}", file.display());

    write("Reader");
    let imported = home.json(&import);
    write("A better reader");
    home.json(&import);
    let text = String::from_utf8(call(&home, &format!("client show {ID}")).stdout).unwrap();

    assert_eq!((&imported["origin"], &imported["name"]), (&json!("document"), &json!("Reader")));
    let collapsed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = text.lines().map(collapsed).collect();
    for line in
        ["name A better reader", "origin document", "subject_type public", "default_max_age 300"]
    {
        assert!(lines.iter().any(|text| text == line), "{line}: {text}");
    }
    let other = import.replace("app.example", "other.example");
    assert_eq!(code(&home, &other), 4);
    std::fs::write(&file, "{").unwrap();
    assert_eq!(code(&home, &import), 2);
    assert_eq!(code(&home, "client import https://app.example/client.json /nowhere"), 2);
}

#[test]
fn a_failure_is_the_same_through_the_socket_and_from_the_store() {
    let (running, resting) = (Home::new(), Home::new());
    let _server = running.serve();
    resting.serve().kill();

    for (verb, expected) in [
        ("client add shop --id shop --redirect https://shop.example/cb", 0),
        ("client add shop --id shop --redirect https://shop.example/cb", 4),
        ("client add shop --id anon_1", 4),
        ("client add shop --redirect http://shop.example/cb", 4),
        ("client add shop --redirect https://shop.example/*", 4),
        ("client show stranger", 3),
        ("client remove stranger", 3),
        ("client set stranger --first-party", 3),
        ("client set shop", 2),
        ("client set shop --pkce optional", 0),
        ("client set shop --auth none", 4),
        ("client set shop --pkce default --auth none", 0),
        ("client set shop --pkce optional", 4),
        ("client rotate-secret stranger", 3),
        ("user add ada", 0),
        ("user add ada", 4),
        ("user add ada@@ --role emperor", 4),
        ("user recover stranger", 3),
        ("user recover", 4),
        ("link show stranger", 3),
        ("invite add --uses 0", 4),
        ("invite revoke stranger", 3),
        ("issuer change http://localhost:1", 4),
    ] {
        let (socket, store) = (call(&running, verb), call(&resting, verb));

        assert_eq!(socket.status.code(), Some(expected), "{verb}: {socket:?}");
        assert_eq!(store.status.code(), Some(expected), "{verb}: {store:?}");
        if expected != 0 && !verb.starts_with("issuer") {
            let said = String::from_utf8_lossy(&socket.stderr);
            assert_eq!(socket.stderr, store.stderr, "{verb}");
            assert!(socket.stdout.is_empty() && said.starts_with("gatelodge: "), "{verb}: {said}");
        }
    }
}

#[test]
fn an_operator_who_is_refused_reads_what_to_do() {
    let home = Home::new();
    let _server = home.serve();
    home.json("client add editor --id editor --public --redirect http://127.0.0.1/cb");

    let refused = call(&home, "client set editor --pkce optional");

    let said = String::from_utf8(refused.stderr).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(refused.status.code(), Some(4));
    assert!(lines[0].contains("pkce: optional is only for a confidential client"), "{said}");
    assert!(
        lines[1].starts_with("gatelodge: gatelodge client set CLIENT --pkce default"),
        "{said}"
    );
}

#[test]
fn without_a_store_nothing_is_made_and_the_exit_code_is_5() {
    let home = Home::new();

    for verb in ["client list", "user list", "issuer show", "user recover", "client add shop"] {
        let output = call(&home, verb);

        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{verb}");
        assert!(said.contains("there is no store at"), "{said}");
    }
    assert!(!home.data().exists());
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    let home = Home::new();

    for verb in ["nonsense", "client", "client add", "client add a --grant magic", "paths --force"]
    {
        assert_eq!(code(&home, verb), 2, "{verb}");
    }
    for verb in ["--help", "client add --help", "serve --help", "--version", "help user"] {
        let output = call(&home, verb);
        assert_eq!(output.status.code(), Some(0), "{verb}");
        assert!(output.stderr.is_empty() && !output.stdout.is_empty(), "{verb}");
        assert!(!output.stdout.contains(&0x1b), "{verb}: colours are for terminals");
    }
}

#[test]
fn what_needs_no_store_answers_without_one() {
    let home = Home::new();

    let paths = home.json("paths");
    assert_eq!(paths["data"], home.data().display().to_string());
    assert_eq!(paths["store"], home.data().join("gatelodge.redb").display().to_string());
    assert_eq!(home.json("api")["openapi"], "3.1.1");
    assert_eq!(home.json("version")["version"], env!("CARGO_PKG_VERSION"));
    let check = home.json("config check");
    assert_eq!(check["ok"], true);
    assert_eq!(check["settings"][0]["source"], "GATELODGE_DATA");
    let script = home.json("completions bash")["script"].clone();
    assert_eq!(String::from_utf8(call(&home, "completions bash").stdout).unwrap(), script);
    assert!(script.as_str().unwrap().contains("_gatelodge()"));
}

#[test]
fn a_faulty_configuration_is_told_as_json_too() {
    let home = Home::new();
    let mut command = home.command(&["config", "check", "--json"]);

    let output = command.env("GATELODGE_LISTEN", "nowhere").output().unwrap();

    let response: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(response["ok"], false);
    assert_eq!(response["faults"][0]["source"], "GATELODGE_LISTEN");
    assert!(response["faults"][0]["message"].as_str().unwrap().contains("127.0.0.1:7455"));
}

#[test]
fn an_application_of_the_catalogue_needs_its_address_alone_and_is_told_what_to_paste() {
    let home = Home::new();
    let server = home.serve();
    let issuer = home.json("issuer show")["issuer"].as_str().unwrap().to_owned();

    let added = call(&home, "client add --app gitea --url https://git.example/");
    let json = home.json(
        "client add Forge --app forgejo --url https://forge.example --option provider=house \
         --scope openid",
    );

    let (text, said) =
        (String::from_utf8(added.stdout).unwrap(), String::from_utf8(added.stderr).unwrap());
    let secret = text.split("--secret ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(text.contains("https://git.example/user/oauth2/gatelodge/callback\n"), "{text}");
    assert!(text.contains("\n# shell of the Gitea server\ngitea admin auth add-oauth "), "{text}");
    assert!(text.contains(&format!("--auto-discover-url {issuer}/.well-known/")), "{text}");
    assert!(secret.starts_with("gl_cs_") && !said.contains("gl_cs_"), "{text} {said}");
    assert!(said.contains("Keep the secret now"), "{said}");
    assert!(said.contains("Gitea sends a state"), "{said}");
    assert!(!text.contains("OIDC_ISSUER"), "{text}");
    assert_eq!(json["name"], "Forge");
    assert_eq!(json["scope"], "openid");
    assert_eq!(json["redirect_uris"], json!(["https://forge.example/user/oauth2/house/callback"]));
    let pasted = json["setup"]["settings"][0]["text"].as_str().unwrap();
    assert!(pasted.contains(json["client_id"].as_str().unwrap()), "{pasted}");
    drop(server);
}

#[test]
fn what_is_wrong_with_an_application_is_told_with_what_there_is() {
    let home = Home::new();
    let _server = home.serve();

    for (arguments, code, parts) in [
        ("client add --app gitae --url https://git.example", 3, ["no application", "gitea"]),
        ("client add --app gitea", 4, ["needs the web address", "--url https://"]),
        (
            "client add --app gitea --url git.example",
            4,
            ["needs the web address", "--url https://"],
        ),
        (
            "client add --app gitea --url https://git.example --option name=x",
            4,
            ["none that this application has", "provider"],
        ),
        (
            "client add --app gitea --url https://git.example --option provider",
            2,
            ["NAME=VALUE is expected", "--option"],
        ),
        ("client add shop --url https://shop.example", 2, ["--app", "required"]),
    ] {
        let output = call(&home, arguments);

        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{arguments}: {said}");
    }
    assert_eq!(home.json("client list")["clients"], json!([]));
}

#[test]
fn the_help_of_client_add_names_every_application() {
    let home = Home::new();
    let _server = home.serve();

    let help = String::from_utf8(call(&home, "client add --help").stdout).unwrap();
    let listed = home.json("catalogue list");

    let (_, listing) = help.split_once("The catalogue has").unwrap();
    let names: Vec<&str> = listing.split([',', ' ', '\n']).collect();
    let known = listed["catalogue"].as_array().unwrap();
    assert!(known.len() >= 30);
    for entry in known {
        assert!(names.contains(&entry["name"].as_str().unwrap()), "{entry}");
    }
}

/// Results go to standard output, everything else to standard error.
#[test]
fn a_secret_is_told_once_and_on_standard_output_alone() {
    let home = Home::new();
    let _server = home.serve();

    let added = call(&home, "client add shop --id shop --redirect https://shop.example/cb");
    let view = call(&home, "client show shop");

    let text = String::from_utf8(added.stdout).unwrap();
    assert!(text.contains("OIDC_CLIENT_ID=shop\nOIDC_CLIENT_SECRET=gl_cs_"), "{text}");
    assert!(!String::from_utf8(added.stderr).unwrap().contains("gl_cs_"));
    assert!(!String::from_utf8(view.stdout).unwrap().contains("gl_cs_"));
}

/// Standard output stays what is pasted, and JSON is JSON.
#[test]
fn a_new_client_comes_with_what_will_be_demanded_of_it() {
    let home = Home::new();
    let _server = home.start(&["serve", "--listen", "127.0.0.1:0", "--offline"]);
    home.json("user add ada");
    let line = |id: &str| {
        let uri = format!("--redirect https://{id}.example/cb");
        format!("client add {id} --id {id} {uri} --back-channel-logout https://{id}.example/out")
    };

    let added = call(&home, &line("shop"));
    let view = home.json(&line("wiki"));

    let text = String::from_utf8(added.stdout).unwrap();
    let noted = String::from_utf8(added.stderr).unwrap();
    assert!(text.ends_with("OIDC_SCOPE='email offline_access openid profile'\n"), "{text}");
    let begins = ["Keep the secret now", "PKCE: ", "email: ada", "backchannel_logout_uri: "];
    assert_eq!(noted.lines().count(), begins.len(), "{noted}");
    for (line, subject) in noted.lines().zip(begins) {
        assert!(line.starts_with(subject), "{noted}");
    }
    let notes = view["notes"].as_array().unwrap();
    let kinds: Vec<&str> = notes.iter().map(|note| note["note"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["pkce_by_default", "email_missing", "logout_out_of_reach"]);
    assert_eq!(notes[1]["values"], json!({ "person": "ada" }));
    for (note, subject) in notes.iter().zip(&begins[1..]) {
        assert!(note["sentence"].as_str().unwrap().starts_with(subject), "{note}");
    }
    assert!(home.json("client show wiki").get("notes").is_none());
}

/// `gatelodge client list | head -1`
#[test]
fn the_log_and_the_client_tell_what_to_do_about_a_refusal() {
    let home = Home::new();
    let server = home.serve();
    home.json("client add Shop --id shop --redirect http://127.0.0.1:3000/cb");
    let query = "client_id=shop&response_type=code&redirect_uri=http://127.0.0.1:3000/cb";

    let refused = get(&server, &format!("/oauth/authorize?{query}&scope=openid&nonce=a"));

    assert!(refused.head.contains("PKCE%20with%20S256"), "{}", refused.head);
    let line = log(&home, &server);
    let line = line.lines().find(|line| line.contains("CodeChallengeMissing")).unwrap().to_owned();
    let remedy = "gatelodge client set shop --pkce nonce";
    assert!(line.contains("shop") && line.contains(remedy), "{line}");
    server.terminate();
    assert!(server.end().success());
    let displayed = String::from_utf8(call(&home, "client show shop").stdout).unwrap();
    assert!(displayed.contains("last refusals") && displayed.contains(remedy), "{displayed}");
    let displayed = home.json("client show shop");
    assert_eq!(displayed["last_refusals"][0]["refusal"], "CodeChallengeMissing");
    assert_eq!(displayed["client_id"], "shop");
}

#[test]
fn a_reader_who_leaves_early_is_no_failure() {
    let home = Home::new();
    for arguments in [&["completions", "zsh"][..], &["--help"]] {
        let mut command = home.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());

        let status = child.wait().unwrap();

        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!((status.code(), said.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_name_that_nothing_can_have_is_wrong_usage() {
    let home = Home::new();
    let _server = home.serve();

    let long = "n".repeat(70_000);
    for (name, why) in [("", "a name is empty"), (long.as_str(), "a name is too long to be one")] {
        for command in [["client", "show"], ["user", "remove"], ["session", "revoke"]] {
            let output = home.command(&[command[0], command[1], name]).output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), said.contains(why)), (Some(2), true), "{said}");
        }
    }
}
