//! What the README and the help show: commands that exist and work, settings that are understood.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use crate::program::Home;

const README: &str = include_str!("../../README.md");

/// The text of the README, each piece with the language of its block, or none outside of blocks.
pub(crate) fn pieces() -> Vec<(Option<&'static str>, String)> {
    let mut pieces = vec![(None, String::new())];
    for line in README.lines() {
        let (within, text) = pieces.last_mut().unwrap();
        match (*within, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => pieces.push((Some(language), String::new())),
            (Some(_), Some(_)) => pieces.push((None, String::new())),
            (_, None) => text.extend([line, "\n"]),
        }
    }
    pieces
}

/// Every command in the README: lines of blocks, and code within a sentence.
fn commands() -> Vec<String> {
    let mut commands = Vec::new();
    for (block, text) in pieces() {
        let code: Vec<&str> = match block {
            Some(_) => text.lines().map(str::trim).collect(),
            None => text.split('`').skip(1).step_by(2).collect(),
        };
        for code in code {
            let code = code.strip_prefix("$ ").unwrap_or(code);
            let code = code.strip_suffix(" &").unwrap_or(code);
            if code.starts_with("gatelodge ") {
                commands.push(code.to_owned());
            } else if ["client ", "resource "].iter().any(|noun| code.starts_with(noun)) {
                commands.push(format!("gatelodge {code}"));
            }
        }
    }
    commands
}

/// A line as a shell runs it, with our program on its path.
fn shell(home: &Home, line: &str) -> Output {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_gatelodge"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let mut shell = Command::new("sh");
    shell
        .env_clear()
        .env("PATH", path)
        .env("HOME", home.path(""))
        .env("SECRET", "a-secret-of-their-own");
    shell.env("GATELODGE_DATA", home.data()).current_dir(home.path("")).args(["-c", line]);
    shell.output().unwrap()
}

#[test]
fn every_command_of_the_readme_exists() {
    let home = Home::new();
    let commands = commands();
    assert!(commands.len() > 10, "{commands:?}");

    for command in commands {
        // What stands for any of them.
        if command == "gatelodge NOUN VERB" {
            continue;
        }
        let arguments = command.split_whitespace().skip(1);
        let arguments =
            arguments.map(|word| if word == "URL" { "https://id.example" } else { word });
        let arguments = arguments.chain(["--help"]);
        let output = home.command(&arguments.collect::<Vec<_>>()).output().unwrap();

        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Its table says `noun verb`, and the other verbs of that noun.
#[test]
fn every_verb_in_the_table_of_the_readme_exists() {
    let home = Home::new();
    let table = README.lines().skip_while(|line| *line != "| command | what it does |");
    let rows = table.take_while(|line| line.starts_with('|')).skip(2);

    let mut verbs = 0;
    for row in rows {
        let named = row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2);
        let mut noun = None;
        for named in named {
            let path: Vec<&str> = match (named.split_once(' '), noun) {
                (Some((of, verb)), _) => {
                    noun = Some(of);
                    vec![of, verb]
                }
                (None, Some(of)) => vec![of, named],
                (None, None) => vec![named],
            };
            let arguments: Vec<_> = path.iter().copied().chain(["--help"]).collect();
            let output = home.command(&arguments).output().unwrap();

            assert!(output.status.success(), "{path:?} in {row}");
            verbs += 1;
        }
    }
    assert!(verbs > 20, "{verbs}");
}

/// Whether a block is a file for `apply`, and no configuration.
pub(crate) fn is_applied(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("[clients."))
}

#[test]
fn the_file_that_the_readme_applies_does_what_it_says() {
    let blocks = pieces();
    let file = blocks.iter().find(|(language, text)| *language == Some("toml") && is_applied(text));
    let printed =
        blocks.iter().find(|(_, text)| text.contains("$ gatelodge apply -f house.toml\n"));
    let home = Home::new();
    let _server = home.serve();
    fs::write(home.path("house.toml"), &file.unwrap().1).unwrap();
    fs::write(home.path("shop.secret"), "a-secret-of-their-own\n").unwrap();

    let output = shell(&home, "gatelodge apply -f house.toml");

    let headings = |text: &str| {
        text.lines().filter(|line| line.starts_with("+ ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        headings(&text),
        headings(&printed.unwrap().1),
        "{output:?}",
        output = output.stderr
    );
    assert_eq!(headings(&text).len(), 5, "{text}");
}

/// It needs curl and jq, as a reader does.
#[test]
fn the_pipeline_of_the_readme_starts_a_server_and_moves_its_clock() {
    if ["curl", "jq"].iter().any(|program| !std::path::Path::new("/usr/bin").join(program).exists())
    {
        return;
    }
    let blocks = pieces();
    let file = blocks.iter().find(|(language, text)| *language == Some("toml") && is_applied(text));
    let script = blocks
        .iter()
        .find(|(language, text)| *language == Some("sh") && text.contains("dev --seed"));
    let home = Home::new();
    fs::write(home.path("house.toml"), &file.unwrap().1).unwrap();
    fs::write(home.path("shop.secret"), "a-secret-of-their-own\n").unwrap();

    let output = shell(&home, &script.unwrap().1);

    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\"ready\":true") && text.contains("\"in_doubt\":null"), "{text}{said}");
}

#[test]
fn every_setting_of_the_readme_is_understood() {
    let mut blocks = pieces();
    blocks.retain(|(language, text)| *language == Some("toml") && !is_applied(text));
    assert!(blocks.len() > 1, "{blocks:?}");

    for (_, block) in blocks {
        let home = Home::new();
        fs::write(home.path("gatelodge.toml"), &block).unwrap();
        fs::write(home.path("registration.token"), "a-token-that-nobody-guesses-soon").unwrap();
        fs::write(home.path("house.svg"), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").unwrap();
        fs::write(home.path("webhook.secret"), "a-secret-that-nobody-guesses").unwrap();
        fs::set_permissions(home.path("webhook.secret"), Permissions::from_mode(0o600)).unwrap();
        let made = rcgen::generate_simple_self_signed(["id.example".to_owned()]).unwrap();
        fs::write(home.path("chain.pem"), made.cert.pem()).unwrap();
        fs::write(home.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let output = shell(&home, "gatelodge config check --config gatelodge.toml");

        assert!(output.status.success(), "{}{block}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The key of RFC 7517 §A.1.
const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","use":"sig","kid":"1",
    "x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

/// Nobody has to configure anything before they try what the help shows.
#[test]
fn the_examples_of_the_help_work_on_the_defaults() {
    let home = Home::new();
    let _server = home.serve();
    fs::write(home.path("keys.json"), KEYS).unwrap();
    fs::write(home.path("new-keys.json"), KEYS).unwrap();
    fs::write(home.path("shop.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    home.json("client add shop --id shop --redirect https://shop.example/callback");
    home.json("client add billing --id billing");
    home.json("user add ada");

    let mut tried = 0;
    for help in ["client add", "client set", "resource add"] {
        let printed = shell(&home, &format!("gatelodge {help} --help"));
        let printed = String::from_utf8(printed.stdout).unwrap();
        let lines = printed.lines().map(str::trim);
        for line in lines.filter(|line| {
            line.contains(&format!("gatelodge {help} ")) && !line.starts_with("Usage")
        }) {
            let output = shell(&home, line);

            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            tried += 1;
        }
    }
    assert!(tried > 8, "{tried}");
}
