//! What is given away, made of the built program: the archive and its installer, the Debian package, the
//! bill of materials.

#[cfg(target_os = "linux")]
mod contained;
#[cfg(target_os = "linux")]
mod offline;
#[cfg(target_os = "linux")]
mod opened;
#[cfg(target_os = "linux")]
mod service;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// What happens in another process, as soon as it has.
#[expect(clippy::disallowed_methods, reason = "another process tells nobody")]
#[cfg(target_os = "linux")]
fn soon<T>(mut find: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "it did not happen");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The root of the checkout.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What stands for the program, which is large and slow to pack with its debug information.
const PROGRAM: &str = concat!("#!/bin/sh\nexec \"", env!("CARGO_BIN_EXE_gatelodge"), "\" \"$@\"\n");

/// What `make dist` makes, once for all stories.
static MADE: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    make(directory.path(), "022");
    directory
});

/// Makes everything in `directory`, with another mask of file modes.
fn make(directory: &Path, umask: &str) {
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("gatelodge");
    write_program(&program);
    let mut command = Command::new("sh");
    command.args(["-c", "umask \"$1\" && exec \"$2\" \"$3\" \"$4\"", "sh", umask]);
    command.arg(format!("{ROOT}/assets/dist/make")).arg(program).arg(directory);
    succeed(command.env("SOURCE_DATE_EPOCH", "1767225600"));
}

/// Writes what stands for the program.
pub(crate) fn write_program(program: &Path) {
    fs::write(program, PROGRAM).unwrap();
    fs::set_permissions(program, Permissions::from_mode(0o755)).unwrap();
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The one file whose name ends so.
pub(crate) fn file(ending: &str) -> PathBuf {
    let mut found = fs::read_dir(MADE.path()).unwrap().map(|entry| entry.unwrap().path());
    found.find(|path| path.to_str().unwrap().ends_with(ending)).unwrap()
}

/// The installer, for somebody whose home is `home`.
fn install(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("sh");
    command.arg(file("install.sh")).args(arguments);
    command.env_clear().env("HOME", home).env("PATH", "/usr/bin:/bin").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_same_program_gives_the_same_bytes() {
    let again = tempfile::tempdir().unwrap();

    make(again.path(), "077");

    let sums = |directory: &Path| fs::read_to_string(directory.join("SHA256SUMS")).unwrap();
    assert_eq!(sums(again.path()), sums(MADE.path()));
    assert!(sums(MADE.path()).lines().count() >= 4);
    succeed(Command::new("sha256sum").args(["--check", "SHA256SUMS"]).current_dir(MADE.path()));
}

#[test]
fn the_installer_needs_no_root_and_says_what_it_did() {
    let home = tempfile::tempdir().unwrap();
    let archive = file(".tar.gz");

    let output = install(home.path(), &["--from", archive.to_str().unwrap()]);

    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let program = home.path().join(".local/bin/gatelodge");
    assert!(said.contains("the SHA-256 is right"), "{said}");
    assert!(said.contains(&format!("start it: {}", program.display())), "{said}");
    assert!(said.contains("export PATH="), "{said}");
    let version = succeed(Command::new(&program).arg("version"));
    assert!(version.starts_with("gatelodge 0.1.0"), "{version}");
    let page = home.path().join(".local/share/man/man1/gatelodge-client-add.1");
    assert!(fs::read_to_string(page).unwrap().contains("gatelodge client add"));
    let completions = home.path().join(".local/share/bash-completion/completions/gatelodge");
    assert!(completions.exists());
    let documents = home.path().join(".local/share/doc/gatelodge");
    let readme = fs::read_to_string(documents.join("README.md")).unwrap();
    assert!(readme.contains("](manual/edge.md)") && !readme.contains("](assets/"), "{readme}");
    assert!(documents.join("manual/edge.md").exists());
    // A second time it replaces what is there.
    assert!(install(home.path(), &["--from", archive.to_str().unwrap()]).status.success());
}

#[cfg(target_os = "linux")]
#[test]
fn the_installer_has_new_terminals_find_the_program_by_one_line() {
    let archive = file(".tar.gz").display().to_string();
    let install = |home: &Path, shell: &str, more: &[&str]| {
        let mut command = Command::new("sh");
        command.arg(file("install.sh")).args(["--from", &archive]).args(more);
        command.env_clear().env("HOME", home).env("SHELL", shell).env("PATH", "/usr/bin:/bin");
        succeed(&mut command)
    };
    for (shell, startup, line) in [
        ("/bin/bash", ".bashrc", "export PATH=\"{bin}:$PATH\"\n"),
        ("/usr/bin/zsh", ".zshrc", "export PATH=\"{bin}:$PATH\"\n"),
        ("/usr/bin/fish", ".config/fish/conf.d/gatelodge.fish", "fish_add_path {bin}\n"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let startup = home.path().join(startup);
        let bin = home.path().join(".local/bin").display().to_string();

        install(home.path(), shell, &["--no-path"]);
        let to = home.path().join("other").display().to_string();
        install(home.path(), shell, &["--to", &to]);
        let before = startup.exists();
        let said = install(home.path(), shell, &[]);
        install(home.path(), shell, &[]);

        assert!(!before, "{shell}");
        assert!(said.contains(&format!("a line in {}", startup.display())), "{said}");
        assert_eq!(fs::read_to_string(&startup).unwrap(), line.replace("{bin}", &bin), "{shell}");
    }
}

#[test]
fn the_installer_writes_nothing_of_what_is_not_what_it_should_be() {
    let (home, place) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let archive = file(".tar.gz");
    let changed = place.path().join(archive.file_name().unwrap());
    let mut bytes = fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&changed, bytes).unwrap();
    let refused = |arguments: &[&str], part: &str| {
        let output = install(home.path(), arguments);
        let said = text(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(said.contains(part), "{arguments:?}: {said}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "{arguments:?}");
    };
    let changed = changed.to_str().unwrap();

    refused(&["--from", changed], "SHA256SUMS: name the sum by --sha256");
    fs::copy(file("SHA256SUMS"), place.path().join("SHA256SUMS")).unwrap();
    refused(&["--from", changed], "is not what it should be");
    refused(&["--from", archive.to_str().unwrap(), "--sha256", "0"], "is not what it should be");
    refused(&["--from", "/nowhere.tar.gz"], "there is no file /nowhere.tar.gz");
    refused(&["--from", "http://localhost:1/a.tar.gz"], "name the sum by --sha256");
    refused(&["--from", archive.to_str().unwrap(), "--to", ""], "sh install.sh");
    refused(&["--from"], "sh install.sh --from FILE|URL");
}

#[test]
fn the_installer_fetches_over_the_network() {
    let Ok(status) = Command::new("curl").arg("--version").output() else { return };
    assert!(status.status.success());
    let home = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = MADE.path().to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            respond(stream.unwrap(), &served);
        }
    });
    let archive = file(".tar.gz");
    let name = archive.file_name().unwrap().to_str().unwrap();
    let sums = fs::read_to_string(file("SHA256SUMS")).unwrap();
    let sum = sums.lines().find(|line| line.ends_with(name)).unwrap().split(' ').next().unwrap();
    let url = format!("http://{address}/{name}");

    let output = install(home.path(), &["--from", &url, "--sha256", sum]);

    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(home.path().join(".local/bin/gatelodge").exists());
}

/// Responds to one request with a file of `directory`.
fn respond(mut stream: std::net::TcpStream, directory: &Path) {
    use std::io::{BufRead as _, BufReader, Write as _};
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let name = line.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
    while reader.read_line(&mut line).unwrap() > 2 {
        line.clear();
    }
    let body = fs::read(directory.join(name)).unwrap();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body).unwrap();
}

#[test]
fn the_debian_package_has_the_program_and_its_pages() {
    let Ok(found) = Command::new("dpkg-deb").arg("--version").output() else { return };
    assert!(found.status.success());
    let package = file(".deb");
    let root = tempfile::tempdir().unwrap();

    let control = succeed(Command::new("dpkg-deb").arg("--field").arg(&package));
    succeed(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(root.path()));

    assert!(control.contains("Package: gatelodge\nVersion: 0.1.0\n"), "{control}");
    assert!(!control.contains("Depends:"), "{control}");
    let version = succeed(Command::new(root.path().join("usr/bin/gatelodge")).arg("version"));
    assert!(version.starts_with("gatelodge 0.1.0"), "{version}");
    assert!(root.path().join("usr/share/man/man1/gatelodge.1.gz").exists());
}

#[test]
fn the_bill_of_materials_names_what_the_lock_file_pins() {
    let bill: Value = serde_json::from_slice(&fs::read(file(".cdx.json")).unwrap()).unwrap();
    let lock: toml::Value =
        toml::from_str(&fs::read_to_string(format!("{ROOT}/Cargo.lock")).unwrap()).unwrap();
    let pinned: BTreeMap<String, &toml::Value> = lock["package"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let member = |name: &str| entry[name].as_str().unwrap();
            (format!("pkg:cargo/{}@{}", member("name"), member("version")), entry)
        })
        .collect();

    assert_eq!(bill["bomFormat"], "CycloneDX");
    assert_eq!(bill["metadata"]["component"]["name"], "gatelodge");
    let components = bill["components"].as_array().unwrap();
    let purls: Vec<_> = components.iter().map(|one| one["purl"].as_str().unwrap()).collect();
    for (component, purl) in components.iter().zip(&purls) {
        let sum = pinned[*purl]["checksum"].as_str().unwrap();
        assert_eq!(component["hashes"][0]["content"], sum, "{purl}");
        assert!(component["licenses"][0]["expression"].is_string(), "{purl}");
    }
    // What it stands on is there, and what only tests use is not.
    for (name, is_in) in [("redb", true), ("axum", true), ("insta", false), ("proptest", false)] {
        let start = format!("pkg:cargo/{name}@");
        assert_eq!(purls.iter().any(|purl| purl.starts_with(&start)), is_in, "{name}");
    }
}
