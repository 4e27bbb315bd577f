//! Backups by the program, and their restore.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use gatelodge::oauth::params::form_encode;
use serde_json::Value;

use crate::connection::{ask, client_credentials, get, token_head};
use crate::person::Person;
use crate::program::{Home, Server};
use crate::store::rollback::{authorized, refreshed, stop};

/// A home with a client of Ada's, who has signed in.
fn used(home: &Home) -> (Server, Person) {
    let server = home.serve_with_setup();
    home.json("client add Reader --id reader --public --redirect http://127.0.0.1/cb");
    let ada = Person::enrolled(&server);
    (server, ada)
}

fn run(home: &Home, arguments: &[&str]) -> Output {
    home.command(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn fails(output: &Output, code: i32, part: &str) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(part), "{part:?} is not in {said}");
}

fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The refusal of a refresh, as the log has it.
fn refused(server: &Server, home: &Home, tokens: &Value) -> String {
    let token = tokens["refresh_token"].as_str().unwrap();
    let form = form_encode([
        ("client_id", "reader"),
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
    ]);
    let response = ask(server, &token_head(server), &form);
    assert_eq!(response.status, 400, "{}", response.body);
    let (_, event) = response.head.split_once("gatelodge-event: ").unwrap();
    let log = home.log_with(event.lines().next().unwrap());
    let (_, refusal) = log.rsplit_once("\"refusal\":\"").unwrap();
    refusal.split('"').next().unwrap().to_owned()
}

fn backup(home: &Home) -> String {
    let file = home.path("gatelodge.backup").display().to_string();
    home.json(&format!("backup {file}"));
    file
}

/// A home with the key of another, and nothing else.
fn with_key_of(home: &Home) -> Home {
    let other = Home::new();
    fs::create_dir(other.data()).unwrap();
    let key = |home: &Home| home.data().join("gatelodge.key");
    fs::copy(key(home), key(&other)).unwrap();
    other
}

#[test]
fn whoever_was_signed_in_goes_on_elsewhere_also_three_refreshes_later() {
    let home = Home::new();
    let (server, mut ada) = used(&home);
    let idle = authorized(&server, &mut ada);
    let busy = authorized(&server, &mut ada);
    let file = backup(&home);
    let ahead = (0..3).fold(busy, |tokens, _| refreshed(&server, &tokens));
    let born_later = authorized(&server, &mut ada);
    stop(server);

    let other = with_key_of(&home);
    let restored = other.json(&format!("restore {file}"));
    let server = other.serve();

    assert!(restored["rows"].as_u64().unwrap() > 5, "{restored}");
    refreshed(&server, &refreshed(&server, &ahead));
    refreshed(&server, &idle);
    authorized(&server, &mut ada);
    assert_eq!(refused(&server, &other, &born_later), "RefreshLost");
    let events = other.json("events --kind store.restored");
    assert_eq!(events["events"].as_array().unwrap().len(), 1, "{events}");
}

#[test]
fn what_ended_since_the_backup_stays_ended_when_the_store_is_replaced() {
    let home = Home::new();
    let (server, mut ada) = used(&home);
    let first = authorized(&server, &mut ada);
    let bob = home.json("user add bob");
    let mut bob = Person::by_link(&server, bob["setup_url"].as_str().unwrap(), None);
    let of_bob = authorized(&server, &mut bob);
    home.json("user add carol");
    home.json("user add dora");
    home.json("client add Gone --id gone --redirect https://gone.example/cb");
    home.json("client add Off --id off --redirect https://off.example/cb");
    let file = backup(&home);
    home.json("user add erin");
    run(&home, &["user", "remove", "carol", "--yes"]);
    home.json("user disable dora");
    run(&home, &["client", "remove", "gone", "--yes"]);
    home.json("client disable off");
    home.json("client set reader --name Renamed");
    let grant = home.json("grant list --user ada");
    let grant = grant["grants"][0]["id"].as_str().unwrap().to_owned();
    run(&home, &["grant", "revoke", &grant]);
    let passkey = home.json("passkey list --user bob")["passkeys"][0]["id"].clone();
    run(&home, &["passkey", "remove", passkey.as_str().unwrap(), "--yes"]);
    fails(&run(&home, &["restore", &file, "--replace"]), 5, "another process has the store");
    stop(server);

    fails(&run(&home, &["restore", &file]), 4, "there is a store");
    let restored = home.json(&format!("restore {file} --replace"));

    let server = home.serve();
    let names = |list: &str, of: &str, member: &str| {
        let listed = home.json(list);
        let mut names: Vec<String> = listed[of]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one[member].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("user list", "users", "username"), ["ada", "bob", "dora"]);
    assert_eq!(names("client list", "clients", "client_id"), ["off", "reader"]);
    assert_eq!(names("client list", "clients", "name"), ["Off", "Reader"]);
    assert_eq!(home.json("user show dora")["disabled"], true);
    assert_eq!(home.json("client show off")["enabled"], false);
    assert!(names("passkey list --user bob", "passkeys", "id").is_empty());
    assert_ne!(refused(&server, &home, &first), "");
    refreshed(&server, &of_bob);
    let ended = restored["ended_names"].to_string();
    for name in ["carol", "dora", "gone", "off"] {
        assert!(ended.contains(name), "{name} is not in {ended}");
    }
    let aside = restored["aside"].as_str().unwrap();
    assert!(Path::new(aside).exists());
}

/// What the older store does not have was made since, and did not end.
#[test]
fn an_older_store_ends_nothing_of_a_newer_backup() {
    let home = Home::new();
    let (server, mut ada) = used(&home);
    let first = backup(&home);
    let tokens = authorized(&server, &mut ada);
    home.json("user add bob");
    home.json("user add carol");
    home.json("user set carol --add-role admin");
    let second = home.path("second.backup").display().to_string();
    home.json(&format!("backup {second}"));
    stop(server);
    home.json(&format!("restore {first} --replace"));

    let restored = home.json(&format!("restore {second} --replace"));

    assert!(restored["silent"].as_str().unwrap().contains("older"), "{restored}");
    assert_eq!(restored["ended"], serde_json::json!({}));
    let server = home.serve();
    assert_eq!(home.json("user list")["users"].as_array().unwrap().len(), 3);
    refreshed(&server, &tokens);
    home.json("user set carol --remove-role admin");
    stop(server);
    let restored = home.json(&format!("restore {second} --replace"));
    assert_eq!(restored["silent"], Value::Null, "{restored}");
    assert_eq!(restored["roles_again"], serde_json::json!([["carol", "admin"]]));
}

#[test]
fn a_root_secret_of_another_store_goes_into_no_backup() {
    let (home, other) = (Home::new(), Home::new());
    stop(other.serve());
    let key = other.data().join("gatelodge.key");
    let server = home.serve();
    let mut command = home.command(&[
        "backup",
        home.path("b.age").to_str().unwrap(),
        "--with-key",
        "--recipient",
        "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa",
    ]);
    command.env("GATELODGE_ROOT_SECRET_FILE", key);

    fails(&command.output().unwrap(), 1, "is not the one of its store");
    assert!(!home.path("b.age").exists());
    stop(server);
}

/// The store that is replaced has a newer root secret, which the restored one needs as well.
#[test]
fn a_replacement_needs_the_root_secrets_of_both() {
    let home = Home::new();
    let (server, mut ada) = used(&home);
    let tokens = authorized(&server, &mut ada);
    let file = backup(&home);
    let key = home.data().join("gatelodge.key");
    let old = fs::read(&key).unwrap();
    run(&home, &["key", "rotate", "--root"]);
    stop(server);
    let both = fs::read(&key).unwrap();
    fs::write(&key, &old).unwrap();

    let refused = run(&home, &["restore", &file, "--replace"]);
    fails(&refused, 5, "behind those that are there");
    fs::write(&key, both).unwrap();
    let fits = succeeds(&run(&home, &["restore", &file, "--check"]));
    assert!(fits.contains("opens it"), "{fits}");
    succeeds(&run(&home, &["restore", &file, "--replace"]));

    refreshed(&home.serve(), &tokens);
}

#[test]
fn a_store_that_is_a_link_to_another_disk_stays_there() {
    let home = Home::new();
    let (server, _) = used(&home);
    let file = backup(&home);
    stop(server);
    let (store, elsewhere) = (home.data().join("gatelodge.redb"), home.path("elsewhere.redb"));
    fs::rename(&store, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &store).unwrap();

    let restored = home.json(&format!("restore {file} --replace"));

    assert!(fs::symlink_metadata(&store).unwrap().is_symlink());
    assert!(!fs::symlink_metadata(&elsewhere).unwrap().is_symlink());
    let aside = restored["aside"].as_str().unwrap();
    assert!(aside.contains("elsewhere.redb.before-restore"), "{aside}");
    assert_eq!(home.json("user list")["users"][0]["username"], "ada");
}

#[test]
fn a_store_that_cannot_tell_what_ended_is_said_to_and_all_can_be_ended() {
    let home = Home::new();
    let (server, mut ada) = used(&home);
    let tokens = authorized(&server, &mut ada);
    let file = backup(&home);
    stop(server);
    let store = home.data().join("gatelodge.redb");
    let mut bytes = fs::read(&store).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(&store, &bytes).unwrap();

    let restored = run(&home, &["restore", &file, "--replace"]);
    succeeds(&restored);
    let note = text(&restored.stderr);
    assert!(note.contains("undone") && note.contains("--end-all"), "{note}");
    let server = home.serve();
    let next = refreshed(&server, &tokens);
    stop(server);

    home.json(&format!("restore {file} --replace --end-all"));
    let server = home.serve();
    assert_ne!(refused(&server, &home, &next), "");
    assert_eq!(home.json("passkey list")["passkeys"].as_array().unwrap().len(), 1);
    assert_eq!(home.json("session list")["sessions"].as_array().unwrap().len(), 0);
}

#[test]
fn a_backup_with_its_key_is_encrypted_and_needs_nothing_else() {
    let home = Home::new();
    let (server, mut ada) = used(&home);
    let tokens = authorized(&server, &mut ada);
    let (file, passphrase) = (home.path("b.age"), home.path("passphrase"));
    fs::write(&passphrase, "correct horse\n").unwrap();
    let (file, passphrase) = (file.to_str().unwrap(), passphrase.to_str().unwrap());

    fails(&run(&home, &["backup", file, "--with-key"]), 2, "--with-key needs");
    let made = run(&home, &["backup", file, "--with-key", "--passphrase-file", passphrase]);
    succeeds(&made);
    fails(&run(&home, &["backup", file]), 1, "is not overwritten");
    stop(server);

    let other = Home::new();
    fails(&run(&other, &["restore", file]), 1, "passphrase");
    fs::write(other.path("wrong"), "battery staple\n").unwrap();
    let wrong = other.path("wrong");
    let wrong = run(&other, &["restore", file, "--passphrase-file", wrong.to_str().unwrap()]);
    fails(&wrong, 1, "does not open it");
    succeeds(&run(&other, &["restore", file, "--passphrase-file", passphrase]));
    refreshed(&other.serve(), &tokens);
    let written = text(&fs::read(file).unwrap());
    assert!(
        written.starts_with("age-encryption.org/v1\n") && !written.contains("gatelodge_backup")
    );
}

#[test]
fn a_backup_for_a_recipient_passes_through_a_pipe() {
    let home = Home::new();
    let (server, _) = used(&home);
    let identity = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
    let recipient = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
    let keys = home.path("keys.txt");
    fs::write(&keys, format!("# created\n{identity}\n")).unwrap();

    let sent = run(&home, &["backup", "-", "--recipient", recipient]);
    succeeds(&sent);
    assert!(text(&sent.stderr).contains("the root secret is not in it"));
    stop(server);

    let other = with_key_of(&home);
    let restored = other
        .command(&["restore", "-", "--identity", keys.to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut restored = restored.unwrap();
    restored.stdin.take().unwrap().write_all(&sent.stdout).unwrap();
    succeeds(&restored.wait_with_output().unwrap());
    assert_eq!(other.json("user list")["users"][0]["username"], "ada");
}

#[test]
fn nothing_is_restored_of_what_is_no_backup_or_belongs_to_another_key() {
    let home = Home::new();
    let (server, _) = used(&home);
    let file = backup(&home);
    stop(server);
    let bytes = fs::read(&file).unwrap();
    let (cut, flipped, none) = (home.path("cut"), home.path("flipped"), home.path("none"));
    fs::write(&cut, &bytes[..bytes.len() - 1]).unwrap();
    let mut changed = bytes.clone();
    changed[bytes.len() / 2] ^= 1;
    fs::write(&flipped, changed).unwrap();
    fs::write(&none, "a letter").unwrap();

    for (file, part) in
        [(&cut, "ends too early"), (&flipped, "not as it was written"), (&none, "no backup")]
    {
        let other = with_key_of(&home);
        for more in [&["--check"][..], &[]] {
            let arguments = [&["restore", file.to_str().unwrap()], more].concat();
            fails(&run(&other, &arguments), 1, part);
        }
        assert_eq!(fs::read_dir(other.data()).unwrap().count(), 1, "{part}");
    }
    let keyless = Home::new();
    fails(&run(&keyless, &["restore", &file]), 5, "key file");
    let stranger = Home::new();
    stop(stranger.serve_with_setup());
    fs::remove_file(stranger.data().join("gatelodge.redb")).unwrap();
    fails(&run(&stranger, &["restore", &file]), 5, "are not all that the backup");
    let checked = succeeds(&run(&keyless, &["restore", &file, "--check"]));
    assert!(checked.contains("is whole"), "{checked}");
}

#[test]
fn the_server_makes_backups_by_itself_and_tells_when_it_cannot() {
    let home = Home::new();
    // Whatever it would be mounted at is not there.
    let mount = home.path("mount");
    let to = mount.join("backups");
    fs::write(
        home.path("gatelodge.toml"),
        format!("[backup]\nto = '{}'\nevery = '1m'\nkeep = 2\n", to.display(),),
    )
    .unwrap();
    let config = home.path("gatelodge.toml");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--config", config.to_str().unwrap()];

    let server = home.start(&serve);
    home.log_with("a backup could not be made");
    let ready = get(&server, "/readyz");
    assert_eq!(ready.status, 200);
    assert!(ready.body.contains("no backup could be made"), "{}", ready.body);
    let examined = text(&run(&home, &["doctor"]).stdout);
    assert!(examined.contains("no backup could be made"), "{examined}");
    assert_eq!(home.json("events --kind backup.failed")["events"].as_array().unwrap().len(), 1);
    stop(server);

    fs::write(&mount, "no directory").unwrap();
    let refused = run(&home, &serve);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let why = format!("backup.to: {} is no directory", to.display());
    assert!(text(&refused.stderr).contains(&why), "{}", text(&refused.stderr));
    fs::remove_file(&mount).unwrap();
    fs::create_dir(&mount).unwrap();
    let old = ["20260101T000000Z", "20260102T000000Z", "20260103T000000Z"];
    fs::create_dir(&to).unwrap();
    for time in old {
        fs::write(to.join(format!("gatelodge-{time}.backup")), "another's").unwrap();
    }
    let server = home.start(&["serve", "--config", config.to_str().unwrap()]);
    let line = home.log_with("a backup was made");
    assert!(get(&server, "/readyz").body.contains("\"status\":\"ok\""), "{line}");
    let examined = text(&run(&home, &["doctor"]).stdout);
    assert!(examined.contains("it lies on the disk of the store"), "{examined}");
    let entries = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().path());
    let own = |path: &PathBuf| !old.iter().any(|time| path.to_str().unwrap().contains(time));
    // The files of others stay.
    let (own, others): (Vec<_>, Vec<_>) = entries.partition(own);
    assert_eq!((own.len(), others.len()), (1, 3), "{own:?}");
    succeeds(&run(&home, &["restore", own[0].to_str().unwrap(), "--check"]));
}

#[test]
fn a_store_of_the_schema_before_is_upgraded_and_can_be_gone_back_to() {
    let home = Home::new();
    fs::create_dir(home.data()).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/store/fixtures/schema-1");
    for name in ["gatelodge.redb", "gatelodge.key"] {
        fs::copy(fixture.join(name), home.data().join(name)).unwrap();
        let mut command = std::process::Command::new("chmod");
        assert!(command.arg("600").arg(home.data().join(name)).status().unwrap().success());
    }

    let said = succeeds(&run(&home, &["upgrade", "--check"]));
    assert!(said.contains("older schema 1"), "{said}");
    // What an upgrade makes anew is no damage.
    succeeds(&run(&home, &["db", "check"]));
    // The port of the fixture may be somebody else's.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    home.json(&format!("issuer change http://localhost:{port} --yes"));
    let server = home.serve();

    let secret = "gl_cs_NldzqnddHPJfgHWL0OX5FBRjXz2KQasno2A-HCf6KhI";
    assert_eq!(client_credentials(&server, "job", secret).status, 200);
    assert_eq!(home.json("user list")["users"].as_array().unwrap().len(), 2);
    assert_eq!(home.json("resource list")["resources"].as_array().unwrap().len(), 1);
    stop(server);
    let before = home.data().join("gatelodge.redb.schema-1");
    assert!(fs::read(&before).unwrap() == fs::read(fixture.join("gatelodge.redb")).unwrap());
    let said = succeeds(&run(&home, &["upgrade", "--check"]));
    assert!(said.contains("nothing to upgrade"), "{said}");
    succeeds(&run(&home, &["db", "check"]));
}
