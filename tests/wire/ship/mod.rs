//! What is given away, made of the built program: the archive and its installer, the Debian package, the
//! bill of materials.

#[cfg(target_os = "linux")]
mod contained;
mod installer;
#[cfg(target_os = "linux")]
mod offline;
#[cfg(target_os = "linux")]
mod opened;
#[cfg(target_os = "linux")]
mod service;
#[cfg(target_os = "linux")]
mod units;

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
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
