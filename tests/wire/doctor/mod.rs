//! `gatelodge doctor`: what it finds, with a server and without one, and what it says can be done.

mod proxy;

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::connection::get;
use crate::namespace;
use crate::program::{Home, Server};

/// What `doctor` found.
struct Examined {
    code: i32,
    view: Value,
}

impl Examined {
    /// Runs `command`, which is a `doctor --json`.
    #[track_caller]
    fn by(mut command: Command) -> Self {
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let view = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
        let examined = Self { code: output.status.code().unwrap(), view };
        examined.assert_whole(&said);
        examined
    }

    #[track_caller]
    fn of(home: &Home) -> Self {
        Self::by(home.command(&["doctor", "--json"]))
    }

    /// The exit code says whether there is a problem, and whatever is wrong has a remedy.
    #[track_caller]
    fn assert_whole(&self, said: &str) {
        let checks = self.view["checks"].as_array().unwrap();
        let count = |state: &str| checks.iter().filter(|check| check["state"] == state).count();
        let (problems, warnings) = (count("problem"), count("warning"));
        assert_eq!(self.code, i32::from(problems > 0), "{:#}", self.view);
        assert_eq!(self.view["ok"], problems == 0);
        assert_eq!(
            (&self.view["problems"], &self.view["warnings"]),
            (&problems.into(), &warnings.into())
        );
        assert!(said.contains(&format!("{problems} problem")), "{said}");
        for check in checks {
            let is_wrong = check["state"] == "problem" || check["state"] == "warning";
            assert_eq!(check["remedy"].is_string(), is_wrong, "{check}");
            let found = check["found"].as_str().unwrap();
            assert!(!found.is_empty() && !found.contains('\n'), "{check}");
            if let Some(remedy) = check["remedy"].as_str() {
                assert_exists(remedy);
            }
        }
    }

    /// The findings of a check.
    fn all(&self, check: &str) -> Vec<&Value> {
        let checks = self.view["checks"].as_array().unwrap();
        checks.iter().filter(|own| own["check"] == check).collect()
    }

    /// Asserts that a check has one finding of this state, which says these things.
    #[track_caller]
    fn has(&self, check: &str, state: &str, parts: &[&str]) {
        let [one] = self.all(check)[..] else { panic!("{check}: {:#}", self.view) };
        assert_eq!(one["state"], state, "{one}");
        for part in parts {
            assert!(one.to_string().contains(part), "{part:?} is not in {one}");
        }
    }
}

/// Asserts that the commands of a remedy exist, with their options.
#[track_caller]
fn assert_exists(remedy: &str) {
    let home = Home::new();
    for line in remedy.split("gatelodge ").skip(1) {
        let line = line.split([';', ':', ',']).next().unwrap();
        let (verbs, options): (Vec<&str>, Vec<&str>) = line
            .split_whitespace()
            .take_while(|word| word.starts_with("--") || word.chars().all(|c| !c.is_uppercase()))
            .partition(|word| !word.starts_with("--"));
        let verbs: Vec<&str> = verbs.into_iter().take(2).collect();
        let whole = home.command(&[&verbs[..], &["--help"]].concat()).output().unwrap();
        let alone = home.command(&[verbs[0], "--help"]).output().unwrap();
        let help = if whole.status.success() { whole } else { alone };
        assert!(help.status.success(), "{remedy}");
        let help = String::from_utf8(help.stdout).unwrap();
        for option in options {
            assert!(help.contains(option), "{option}: {remedy}");
        }
    }
}

/// Writes the configuration file.
fn configure(home: &Home, text: &str) {
    let file = home.path(".config/gatelodge/gatelodge.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

/// A server of which all keys are there.
fn settled(home: &Home) -> Server {
    let server = home.serve();
    assert_eq!(get(&server, "/.well-known/jwks.json").status, 200);
    server
}

#[test]
fn a_healthy_server_has_no_problem() {
    let home = Home::new();
    let server = settled(&home);
    let listen = server.ready["listen"][0].as_str().unwrap();
    let pid = server.process.0.id().to_string();

    let examined = Examined::of(&home);

    assert_eq!(examined.code, 0, "{:#}", examined.view);
    examined.has("server", "ok", &[&pid, server.issuer(), listen]);
    examined.has("issuer", "ok", &["passkeys are for localhost"]);
    for check in [
        "configuration",
        "data-directory",
        "files",
        "root-secret",
        "clock",
        "store",
        "configuration-in-force",
        "log",
        "pools",
        "signing-keys",
        "root-key",
        "pkce",
        "client-addresses",
    ] {
        examined.has(check, "ok", &[]);
    }
    examined.has("tls", "skipped", &["plain HTTP"]);
    examined.has("proxy", "skipped", &["--url"]);
    let output = home.command(&["doctor"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.split_whitespace().nth(1) == Some("server")).unwrap();
    assert!(line.starts_with("ok       server  ") && line.contains(&pid), "{text}");
    assert!(output.status.success());
}

#[test]
fn without_a_server_the_store_is_opened_and_a_start_is_tried_out() {
    let home = Home::new();
    let none = Examined::of(&home);
    let made = home.data().exists();
    let server = settled(&home);
    let listen = server.ready["listen"][0].as_str().unwrap().to_owned();
    server.kill();

    let resting = Examined::of(&home);

    assert!(!made, "nothing is made");
    none.has("data-directory", "skipped", &["gatelodge serve makes it"]);
    none.has("store", "skipped", &["no store yet"]);
    none.has("root-secret", "skipped", &[]);
    assert_eq!(resting.code, 0, "{:#}", resting.view);
    resting.has("server", "skipped", &["no server runs"]);
    resting.has("ports", "ok", &[&listen]);
    for check in ["clock", "store", "signing-keys", "pkce", "client-addresses", "root-secret"] {
        resting.has(check, "ok", &[]);
    }
    assert!(resting.all("log").is_empty(), "only a server has one");
    settled(&home);
}

#[test]
fn what_others_can_use_is_named_with_the_command_that_closes_it() {
    let home = Home::new();
    let _server = settled(&home);
    let (key, store) = (home.data().join("gatelodge.key"), home.data().join("gatelodge.redb"));
    let set = |path: &std::path::Path, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    let data = home.data().display().to_string();

    set(&home.data(), 0o755);
    Examined::of(&home).has("data-directory", "warning", &["0755", &format!("chmod 700 {data}")]);
    set(&home.data(), 0o777);
    Examined::of(&home).has("data-directory", "problem", &["0777", "replace its files"]);
    set(&home.data(), 0o700);
    set(&key, 0o640);
    let remedy = format!("chmod 600 {}", key.display());
    Examined::of(&home).has("root-secret", "problem", &["0640", &remedy]);
    set(&key, 0o600);
    set(&store, 0o644);
    let remedy = format!("chmod 600 {}", store.display());
    Examined::of(&home).has("files", "problem", &["0644", &remedy]);
    set(&store, 0o600);
    assert_eq!(Examined::of(&home).code, 0);
}

#[test]
fn a_missing_or_wrong_root_secret_is_a_problem_of_the_store_too() {
    let (home, other) = (Home::new(), Home::new());
    home.serve().kill();
    other.serve().kill();
    let key = home.data().join("gatelodge.key");
    let own = fs::read(&key).unwrap();

    fs::copy(other.data().join("gatelodge.key"), &key).unwrap();
    Examined::of(&home).has("store", "problem", &["not the one that the store"]);
    fs::write(&key, "short").unwrap();
    Examined::of(&home).has("root-secret", "problem", &["64 hex characters"]);
    fs::remove_file(&key).unwrap();
    let missing = Examined::of(&home);
    missing.has("root-secret", "problem", &["is missing", "GATELODGE_ROOT_SECRET_FILE"]);
    fs::write(&key, own).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(Examined::of(&home).code, 0);
}

#[test]
fn a_faulty_configuration_is_told_and_everything_else_goes_on() {
    let home = Home::new();
    let server = settled(&home);
    configure(&home, "isuer = \"x\"\n");

    let running = Examined::of(&home);
    server.kill();
    let resting = Examined::of(&home);

    for examined in [&running, &resting] {
        examined.has("configuration", "problem", &["nearest is issuer", "gatelodge config check"]);
        examined.has("data-directory", "ok", &[]);
    }
    running.has("store", "ok", &[]);
    resting.has("store", "skipped", &["the configuration has faults"]);
    // Which data directory is meant is not known.
    configure(&home, "data = [");
    let mut command = home.command(&["doctor", "--json"]);
    command.env_remove("GATELODGE_DATA");
    Examined::by(command).has("data-directory", "skipped", &["a fault of the configuration"]);
}

#[test]
fn a_configuration_that_broke_after_the_start_is_a_problem_of_the_server() {
    let home = Home::new();
    configure(&home, "");
    let _server = settled(&home);
    configure(&home, "isuer = \"x\"\n");
    home.log_with("the one before stays in force");

    let broken = Examined::of(&home);
    configure(&home, "offline = true\n");
    home.json("config reload");
    let waiting = Examined::of(&home);

    let remedy = "gatelodge config reload";
    broken.has("configuration-in-force", "problem", &["isuer", "did not take", remedy]);
    waiting.has("configuration", "ok", &[]);
    waiting.has("configuration-in-force", "warning", &["offline", "gatelodge serve"]);
}

#[test]
fn a_variable_that_nobody_knows_is_a_warning() {
    let home = Home::new();
    let mut command = home.command(&["doctor", "--json"]);
    command.env("GATELODGE_LOGS", "debug");

    Examined::by(command).has("configuration", "warning", &["nearest is GATELODGE_LOG"]);
}

#[test]
fn a_port_in_use_is_named_with_the_program_that_has_it() {
    let home = Home::new();
    let server = home.serve();
    let listen = server.ready["listen"][0].as_str().unwrap().to_owned();
    server.kill();
    let _taken = TcpListener::bind(&listen).unwrap();

    let examined = Examined::of(&home);

    examined.has("ports", "problem", &[&listen, "taken by another program", "--listen"]);
    if cfg!(target_os = "linux") {
        examined.has("ports", "problem", &[&format!("(pid {})", std::process::id())]);
    }
    let serve = home.command(&["serve"]).output().unwrap();
    let said = String::from_utf8(serve.stderr).unwrap();
    assert!(said.contains("taken by another program") && said.contains("--listen"), "{said}");
}

/// The program with `arguments`, which may open so many files.
fn with_few_files(home: &Home, limit: u32, arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -n {limit} && exec \"$0\" \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_gatelodge")).args(arguments);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home.path(""));
    command.env("GATELODGE_DATA", home.data()).env("GATELODGE_LOG", "debug");
    command
}

#[test]
fn few_files_are_a_warning_and_too_few_a_problem() {
    let home = Home::new();
    let doctor = |limit| Examined::by(with_few_files(&home, limit, &["doctor", "--json"]));

    doctor(256).has("open-files", "warning", &["enough for 128 connections", "LimitNOFILE="]);
    doctor(40).has("open-files", "problem", &["40 files", "ulimit -n"]);
    let serve = with_few_files(&home, 256, &["serve", "--listen", "127.0.0.1:0"]);
    let _server = Server::start(serve, &home.path("log"));
    // Those of the server count, not those of the command.
    Examined::of(&home).has("open-files", "warning", &["the server", "128 connections"]);
}

#[test]
fn a_client_without_pkce_is_named() {
    let home = Home::new();
    let _server = settled(&home);
    home.json("client add Shop --id shop --pkce optional --redirect https://shop.example/cb");

    let examined = Examined::of(&home);

    assert_eq!(examined.code, 0);
    examined.has("pkce", "warning", &["shop", "gatelodge client set shop --pkce required"]);
    home.json("client set shop --pkce required");
    Examined::of(&home).has("pkce", "ok", &[]);
}

#[test]
fn an_address_of_a_client_is_connected_to_and_told_nothing() {
    let home = Home::new();
    let _server = settled(&home);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let redirect = "--redirect https://shop.example/cb";
    let logout = format!("--back-channel-logout http://{address}/out");
    home.json(&format!("client add Shop --id shop {redirect} {logout}"));

    let there = Examined::of(&home);
    listener.set_nonblocking(true).unwrap();
    let (mut connection, _) = listener.accept().unwrap();
    connection.set_nonblocking(false).unwrap();
    let mut received = Vec::new();
    std::io::Read::read_to_end(&mut connection, &mut received).unwrap();
    drop(listener);
    let gone = Examined::of(&home);

    there.has("client-addresses", "ok", &["reached: 1"]);
    assert_eq!(received, b"");
    let remedy = "gatelodge client set shop --back-channel-logout URL";
    gone.has("client-addresses", "warning", &["shop", "accepts connections", remedy]);
    assert_eq!(gone.code, 0);
    home.json("client disable shop");
    Examined::of(&home).has("client-addresses", "ok", &["no client"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_without_room_is_a_problem() {
    let home = Home::new();
    fs::create_dir(home.data()).unwrap();
    for (size, state) in [("8m", "problem"), ("64m", "warning")] {
        let data = home.data().display().to_string();
        let mount = format!("mount -t tmpfs -o mode=700,size={size} none {data}");
        let doctor = ["doctor", "--json"];
        let Some(command) = namespace::command(&home, "--mount", &mount, &doctor) else { return };

        Examined::by(command).has("disk", state, &["MiB are free", "make room"]);
    }
}

#[test]
fn a_certificate_of_another_host_is_a_problem() {
    let home = Home::new();
    let made = rcgen::generate_simple_self_signed(vec!["other.example".to_owned()]).unwrap();
    fs::write(home.path("chain.pem"), made.cert.pem()).unwrap();
    fs::write(home.path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let (chain, key) = (home.path("chain.pem"), home.path("key.pem"));
    configure(
        &home,
        &format!(
            "issuer = \"https://id.example\"\nlisten = [\"127.0.0.1:0\"]\n[tls]\nmode = \"files\"\n\
             certificate = \"{}\"\nkey = \"{}\"\n",
            chain.display(),
            key.display()
        ),
    );

    let examined = Examined::of(&home);

    examined.has("tls", "problem", &["not for id.example", "tls.certificate"]);
    examined.has("ports", "problem", &["names port 443"]);
}
