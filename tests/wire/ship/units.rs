//! The files of service managers in the archive and in the Debian package.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{file, succeed, text};
use crate::program::Home;

/// What is in the archive, without the directory that bears its name.
fn archive() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new("tar");
    command.args(["--extract", "--strip-components=1", "--file"]).arg(file(".tar.gz"));
    succeed(command.arg("--directory").arg(directory.path()));
    directory
}

/// What the Debian package installs, if this machine can tell.
fn package() -> Option<TempDir> {
    Command::new("dpkg-deb").arg("--version").output().ok()?;
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new("dpkg-deb");
    succeed(command.arg("--extract").arg(file(".deb")).arg(directory.path()));
    Some(directory)
}

/// A file as `gatelodge service show` prints it, of a program at `place`.
fn installed(home: &Home, arguments: &[&str], name: &str, place: &str) -> String {
    let mut command = home.command(&[&["service", "show", "--json"], arguments].concat());
    let printed = succeed(command.env_remove("GATELODGE_DATA"));
    let view: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let mut files = view["files"].as_object().unwrap().iter();
    let (_, text) = files.find(|(path, _)| path.ends_with(name)).unwrap();
    let (_, rest) = text.as_str().unwrap().split_once('\n').unwrap();
    rest.replace(env!("CARGO_BIN_EXE_gatelodge"), place)
}

/// Asserts that a file says what `service install` writes, save for the first line, by which that verb
/// knows its own.
fn assert_same(path: &Path, expected: &str) {
    let found = fs::read_to_string(path).unwrap();
    let (first, rest) = found.split_once('\n').unwrap();
    assert_eq!(first, "# Part of Gatelodge 0.1.0");
    assert_eq!(rest, expected, "{}", path.display());
}

#[test]
fn the_units_are_those_that_the_program_installs() {
    let (home, archive) = (Home::new(), archive());
    let machine = |place: &str| installed(&home, &["--system"], "gatelodge.service", place);
    let user = |name: &str, place: &str| installed(&home, &[], name, place);

    let archive = archive.path();
    let own = "%h/.local/bin/gatelodge";
    let system = archive.join("lib/systemd/system/gatelodge.service");
    assert_same(&system, &machine("/usr/local/bin/gatelodge"));
    for name in ["gatelodge.service", "gatelodge.socket"] {
        assert_same(&archive.join("share/systemd/user").join(name), &user(name, own));
    }
    let Some(package) = package() else { return };
    let units = package.path().join("usr/lib/systemd");
    let own = "/usr/bin/gatelodge";
    assert_same(&units.join("system/gatelodge.service"), &machine(own));
    for name in ["gatelodge.service", "gatelodge.socket"] {
        assert_same(&units.join("user").join(name), &user(name, own));
    }
}

#[test]
fn the_job_of_launchd_starts_the_program() {
    let archive = archive();

    let job =
        fs::read_to_string(archive.path().join("share/doc/gatelodge/gatelodge.plist")).unwrap();

    let arguments = "    <array>\n        <string>/usr/local/bin/gatelodge</string>\n        \
                     <string>serve</string>\n    </array>\n";
    assert!(job.contains(arguments), "{job}");
    assert!(job.contains("<!-- Part of Gatelodge 0.1.0 -->"), "{job}");
    assert!(!job.contains('{'), "{job}");
}

#[test]
fn the_package_enables_nothing() {
    let Some(package) = package() else { return };

    let listed = succeed(Command::new("find").arg(package.path()).args(["-name", "*.wants"]));
    let control = tempfile::tempdir().unwrap();
    let mut command = Command::new("dpkg-deb");
    succeed(command.arg("--control").arg(file(".deb")).arg(control.path()));

    assert_eq!(listed, "");
    for name in ["postinst", "prerm", "postrm"] {
        let script = fs::read_to_string(control.path().join(name)).unwrap();
        assert!(!script.contains("systemctl enable") && !script.contains(" start"), "{script}");
        succeed(Command::new("sh").arg("-n").arg(control.path().join(name)));
    }
}

/// The program of each is that of the tests here, since none is installed.
#[test]
fn systemd_finds_no_fault_in_the_units() {
    let Ok(found) = Command::new("systemd-analyze").arg("--version").output() else { return };
    assert!(found.status.success());
    let Some(package) = package() else { return };
    let runtime = tempfile::tempdir().unwrap();
    for (whose, unit) in
        [("--system", "system/gatelodge.service"), ("--user", "user/gatelodge.socket")]
    {
        let unit = package.path().join("usr/lib/systemd").join(unit);
        let service = unit.with_extension("service");
        let own = fs::read_to_string(&service).unwrap();
        let own = own.replace("/usr/bin/gatelodge", env!("CARGO_BIN_EXE_gatelodge"));
        fs::write(&service, own).unwrap();

        let mut command = Command::new("systemd-analyze");
        command.args(["verify", "--man=no", whose]).arg(&unit);
        let output = command.env("XDG_RUNTIME_DIR", runtime.path()).output().unwrap();

        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(!text(&output.stderr).contains("gatelodge"), "{}", text(&output.stderr));
    }
}
