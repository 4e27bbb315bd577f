//! What the README, the manual and the help show: commands that exist and work, settings that are
//! understood, links that lead somewhere.

mod run;

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::program::Home;

/// A file of the checkout.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A page of the manual.
fn page(name: &str) -> String {
    fs::read_to_string(file(&format!("assets/manual/{name}.md"))).unwrap()
}

/// The README and every page of the manual, each with its path.
fn texts() -> Vec<(PathBuf, String)> {
    let pages = fs::read_dir(file("assets/manual")).unwrap().map(|entry| entry.unwrap().path());
    let paths = pages.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let mut paths: Vec<_> = paths.chain([file("README.md")]).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// A text, each piece with the language of its block, or none outside of blocks.
fn pieces_of(text: &str) -> Vec<(Option<String>, String)> {
    let mut pieces = vec![(None, String::new())];
    for line in text.lines() {
        let (within, text) = pieces.last_mut().unwrap();
        match (within.is_some(), line.trim_start().strip_prefix("```")) {
            (false, Some(language)) => pieces.push((Some(language.to_owned()), String::new())),
            (true, Some(_)) => pieces.push((None, String::new())),
            (_, None) => text.extend([line, "\n"]),
        }
    }
    pieces
}

/// The pieces of every text.
pub(crate) fn pieces() -> Vec<(Option<String>, String)> {
    texts().iter().flat_map(|(_, text)| pieces_of(text)).collect()
}

/// Every command in them: lines of blocks, and code within a sentence.
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
            let (code, _) = code.split_once(" > ").unwrap_or((code, ""));
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
    let program = Path::new(env!("CARGO_BIN_EXE_gatelodge"));
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
fn every_command_of_the_manual_exists() {
    let home = Home::new();
    let commands = commands();
    assert!(commands.len() > 150, "{commands:?}");

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
fn every_verb_in_the_table_of_the_commands_exists() {
    let home = Home::new();
    let text = page("command-line");
    let table = text.lines().skip_while(|line| *line != "| command | what it does |");
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
fn the_file_that_the_manual_applies_does_what_it_says() {
    let blocks = pieces();
    let file = blocks
        .iter()
        .find(|(language, text)| language.as_deref() == Some("toml") && is_applied(text));
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
fn the_pipeline_of_the_manual_starts_a_server_and_moves_its_clock() {
    if ["curl", "jq"].iter().any(|program| !Path::new("/usr/bin").join(program).exists()) {
        return;
    }
    let blocks = pieces();
    let file = blocks
        .iter()
        .find(|(language, text)| language.as_deref() == Some("toml") && is_applied(text));
    let script = blocks
        .iter()
        .find(|(language, text)| language.as_deref() == Some("sh") && text.contains("dev --seed"));
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
fn every_setting_of_the_manual_is_understood() {
    let mut blocks = pieces();
    blocks.retain(|(language, text)| language.as_deref() == Some("toml") && !is_applied(text));
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

/// The name by which a heading is linked to, as the forges make it.
fn anchor(heading: &str) -> String {
    let letters = heading.to_lowercase();
    let letters = letters.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    letters.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The anchors of a text: its headings, outside of blocks.
fn anchors(text: &str) -> Vec<String> {
    let outside = pieces_of(text).into_iter().filter(|(block, _)| block.is_none());
    let outside: String = outside.map(|(_, text)| text).collect();
    let headings = outside.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut links = 0;
    for (path, text) in texts() {
        let mut own = anchors(&text);
        own.sort();
        let count = own.len();
        own.dedup();
        assert_eq!(own.len(), count, "{} has a heading twice", path.display());
        for (_, outside) in pieces_of(&text).iter().filter(|(block, _)| block.is_none()) {
            for link in outside.split("](").skip(1) {
                let (link, _) = link.split_once(')').unwrap();
                if link.starts_with("https://") {
                    continue;
                }
                let (to, place) = link.split_once('#').unwrap_or((link, ""));
                let to = if to.is_empty() { path.clone() } else { path.parent().unwrap().join(to) };

                if to.extension().is_some_and(|end| end == "png") {
                    assert!(to.exists(), "{}: {link}", path.display());
                    continue;
                }
                let there = fs::read_to_string(&to);
                let there =
                    there.unwrap_or_else(|error| panic!("{}: {link}: {error}", path.display()));
                let found = place.is_empty() || anchors(&there).iter().any(|own| own == place);
                assert!(found, "{}: {link}", path.display());
                links += 1;
            }
        }
    }
    assert!(links > 80, "{links}");
}

/// It is for somebody who decides whether to read on.
#[test]
fn the_readme_is_short_and_names_every_page_as_the_program_does() {
    let readme = fs::read_to_string(file("README.md")).unwrap();
    let listed = Home::new().json("manual");
    let mut table = String::new();
    for entry in listed["pages"].as_array().unwrap() {
        let (name, about) = (entry["name"].as_str().unwrap(), entry["about"].as_str().unwrap());
        writeln!(table, "| [{name}](assets/manual/{name}.md) | {about} |").unwrap();
    }

    assert!(readme.lines().count() <= 120, "{}", readme.lines().count());
    assert!(readme.contains(&table), "{table}");
}

#[test]
fn a_page_is_printed_as_it_stands_in_the_checkout() {
    let printed = Home::new().command(&["manual", "troubleshooting"]).output().unwrap();

    assert!(printed.status.success());
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), page("troubleshooting"));
}

/// Every source below a directory, one text.
fn sources(directory: &Path, all: &mut String) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else {
            all.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// Whoever searches for a sentence has read it, so it has to be the one that is printed.
#[test]
fn what_the_page_of_troubles_quotes_is_said_somewhere() {
    let mut all = fs::read_to_string(file("assets/texts/en.toml")).unwrap();
    sources(&file("src"), &mut all);
    // A line that goes on in the next is one.
    let all: String = all
        .split("\\\n")
        .enumerate()
        .map(|(number, part)| if number == 0 { part } else { part.trim_start() })
        .collect();
    let text = page("troubleshooting");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));

    let mut quoted = 0;
    for row in rows {
        let (sentence, _) = row.split_once('`').unwrap();

        assert!(all.contains(sentence), "{sentence}");
        quoted += 1;
    }
    assert!(quoted > 20, "{quoted}");
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

#[test]
fn the_manual_pages_that_are_listed_are_those_that_were_written() {
    let home = Home::new();
    let directory = home.path("man1");
    let foreign = ["gatelodge-of-somebody.1", "gatelodge.1x"].map(|name| directory.join(name));
    fs::create_dir_all(&directory).unwrap();
    for page in &foreign {
        fs::write(page, "").unwrap();
    }

    let written = home.json(&format!("man-pages {}", directory.display()));

    let listed = written["pages"].as_array().unwrap();
    let mut found: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !foreign.contains(path))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    found.sort();
    assert_eq!(listed.iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>(), found);
    assert!(found.contains(&"gatelodge-client-add.1".to_owned()), "{found:?}");
}
