//! The relying party of `tests/examples/`, run as a newcomer runs it.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::program::{Home, Process};
use crate::setup::ada;
use crate::window::Window;

/// The example, which `cargo test` builds beside this test.
fn program() -> PathBuf {
    let own = env::current_exe().unwrap();
    let program = own.ancestors().nth(2).unwrap().join("examples/relying_party");
    assert!(program.exists(), "cargo build --example relying_party makes {}", program.display());
    program
}

/// The example as it runs for a client of `home` that `added` describes, and the URL it prints.
fn run(home: &Home, added: &Value) -> (Process, BufReader<ChildStdout>, String) {
    let issuer = home.json("issuer show")["issuer"].clone();
    let mut command = Command::new(program());
    command.arg(added["client_id"].as_str().unwrap());
    command.args(added["client_secret"].as_str());
    command.env_clear().env("OIDC_ISSUER", issuer.as_str().unwrap());
    command.env("OIDC_REDIRECT_URI", added["redirect_uris"][0].as_str().unwrap());
    command.env("OIDC_SCOPE", added["scope"].as_str().unwrap());
    let mut process = Process(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut stdout = BufReader::new(process.0.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("open ").expect("it says what to open").to_owned();
    (process, stdout, url)
}

/// What it prints of a person who signs in in `window`.
async fn signs_in(home: &Home, window: &Window, client: &str) -> (Value, Value, Value) {
    let added = home.json(client);
    let (mut process, mut stdout, url) = run(home, &added);
    window.open(url).await;
    window.press("Allow").await;
    window.reads("You are back.").await;
    let mut said = String::new();
    stdout.read_to_string(&mut said).unwrap();
    assert!(process.0.wait().unwrap().success(), "{said}");
    let after = |name: &str| {
        let text = said.split_once(name).expect("it is printed").1;
        serde_json::Deserializer::from_str(text).into_iter().next().unwrap().unwrap()
    };
    (after("id_token "), after("userinfo "), after("refreshed "))
}

#[tokio::test]
async fn the_example_signs_a_person_in_as_a_confidential_client() {
    let home = Home::new();
    let (server, window) = ada(&home).await;

    let client = "client add demo --redirect http://127.0.0.1/callback";
    let (id_token, userinfo, refreshed) = signs_in(&home, &window, client).await;

    assert_eq!(id_token["iss"], server.issuer());
    assert_eq!(id_token["preferred_username"], "ada");
    assert_eq!(userinfo["sub"], id_token["sub"]);
    assert_eq!(userinfo["name"], "Ada Lovelace");
    assert!(refreshed["rotated"].is_boolean());
}

#[tokio::test]
async fn the_example_signs_a_person_in_as_a_public_client() {
    let home = Home::new();
    let (_server, window) = ada(&home).await;

    let client =
        "client add demo --public --id-token-alg EdDSA --redirect http://localhost/callback";
    let (id_token, userinfo, refreshed) = signs_in(&home, &window, client).await;

    assert_eq!(userinfo["sub"], id_token["sub"]);
    assert_eq!(refreshed["rotated"], true);
}

/// Whoever tries it builds it alone, and gets what these stories try.
#[test]
fn the_example_is_a_package_of_its_own_with_the_versions_that_are_tested() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = own.join("tests/examples/relying_party");
    let versions = |directory: &Path| -> BTreeSet<(String, String)> {
        let text = fs::read_to_string(directory.join("Cargo.lock")).unwrap();
        let lock: toml::Table = text.parse().unwrap();
        let packages = lock["package"].as_array().unwrap().iter();
        let text = |package: &toml::Value, of: &str| package[of].as_str().unwrap().to_owned();
        packages.map(|package| (text(package, "name"), text(package, "version"))).collect()
    };

    let others: Vec<_> = versions(&example).difference(&versions(own)).cloned().collect();
    assert_eq!(others, [("relying_party".to_owned(), "0.1.0".to_owned())]);
    // The lock file has what its manifest asks for.
    let mut metadata = Command::new(env!("CARGO"));
    metadata.args(["metadata", "--locked", "--format-version", "1", "--filter-platform"]);
    metadata.arg(format!("{}-unknown-linux-gnu", env::consts::ARCH));
    let said = metadata.current_dir(&example).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}
