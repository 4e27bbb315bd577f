//! `gatelodge tls trust`: installation of the local CA as a trusted authority of the system.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use std::collections::BTreeMap;

use serde::Serialize;

use crate::admin::tls::AuthorityView;

use super::output::{Exit, Output, printable};

/// The installation of an authority on a family of systems.
struct TrustStore {
    /// The directory of locally added authorities, relative to the root.
    directory: &'static str,
    /// The file extension of an authority.
    extension: &'static str,
    /// The command that makes the system trust the files in the directory.
    update: &'static [&'static str],
}

/// Debian and Ubuntu; Fedora and Red Hat; Arch; SUSE.
const TRUST_STORES: &[TrustStore] = &[
    TrustStore {
        directory: "usr/local/share/ca-certificates",
        extension: "crt",
        update: &["update-ca-certificates"],
    },
    TrustStore {
        directory: "etc/pki/ca-trust/source/anchors",
        extension: "pem",
        update: &["update-ca-trust", "extract"],
    },
    TrustStore {
        directory: "etc/ca-certificates/trust-source/anchors",
        extension: "pem",
        update: &["update-ca-trust"],
    },
    TrustStore {
        directory: "etc/pki/trust/anchors",
        extension: "pem",
        update: &["update-ca-certificates"],
    },
];

/// The result of the installation.
#[derive(Serialize)]
struct TrustView {
    /// Whether the system trusts the CA now.
    installed: bool,
    /// The path of the file that the system reads, if it is known.
    path: Option<String>,
    /// The manual steps, by the name of the system or browser that then trusts the CA.
    steps: BTreeMap<&'static str, String>,
}

/// Installs the CA into the system at `root`. If `only_say`, it only prints the steps.
pub(super) fn run(root: &Path, ca: &AuthorityView, only_say: bool) -> Output {
    let (pem, file) = (ca.certificate.certificate.as_str(), printable(&ca.path));
    let name: String = ca.certificate.fingerprint.chars().take(8).collect();
    let store = TRUST_STORES.iter().find(|store| root.join(store.directory).is_dir());
    let target = store.map(|store| {
        let directory = root.join(store.directory);
        (store, directory.join(format!("gatelodge-{name}")).with_extension(store.extension))
    });
    let steps = steps(&file, &name, target.as_ref());
    let installed = match &target {
        Some((store, path)) if !only_say => Some(install(store, path, pem)),
        Some(_) | None => None,
    };
    let path = target.map(|(_, path)| path.display().to_string());
    let view = TrustView {
        installed: matches!(installed, Some(Ok(()))),
        path: path.clone(),
        steps: steps.iter().cloned().collect(),
    };
    let steps_text = |steps: &[(&str, String)]| -> String {
        steps.iter().map(|(name, step)| format!("{name}:\n  {}\n", printable(step))).collect()
    };
    match installed {
        Some(Ok(())) => {
            let text = format!("This machine trusts the local CA: {}\n", path.unwrap_or_default());
            let own = steps.get(1..).unwrap_or_default();
            let note =
                format!("Programs with a list of their own do not yet.\n{}", steps_text(own));
            Output::new(text, &view).with_note(note)
        }
        Some(Err(why)) => {
            let note = format!("The local CA was not installed: {}", printable(&why));
            Output::new(steps_text(&steps), &view).with_note(note).with_exit(Exit::Failed)
        }
        None if only_say => Output::new(steps_text(&steps), &view),
        None => {
            let note = "It is not known where this system keeps the authorities that it trusts.";
            Output::new(steps_text(&steps), &view).with_note(note).with_exit(Exit::Failed)
        }
    }
}

/// The manual steps: for the system, and for each program with a list of authorities of its own.
fn steps(
    file: &str,
    name: &str,
    target: Option<&(&TrustStore, PathBuf)>,
) -> Vec<(&'static str, String)> {
    let system = match target {
        Some((store, path)) => format!(
            "sudo install -m 644 '{file}' '{}' && sudo {}",
            path.display(),
            store.update.join(" ")
        ),
        None => format!("add {file} to the authorities that it trusts, as its manual says"),
    };
    vec![
        ("system", system),
        (
            "chromium",
            format!(
                "certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n 'Gatelodge local CA' -i '{file}'"
            ),
        ),
        (
            "firefox",
            format!("Settings, Privacy & Security, View Certificates, Authorities, Import: {file}"),
        ),
        (
            "java",
            format!(
                "sudo keytool -importcert -noprompt -cacerts -storepass changeit \
                 -alias gatelodge-{name} -file '{file}'"
            ),
        ),
        (
            "macos",
            format!(
                "sudo security add-trusted-cert -d -r trustRoot -k \
                 /Library/Keychains/System.keychain '{file}'"
            ),
        ),
    ]
}

fn install(store: &TrustStore, path: &Path, pem: &str) -> Result<(), String> {
    fs::write(path, pem).map_err(|error| format!("{}: {error}", path.display()))?;
    let (program, arguments) = store.update.split_first().ok_or("nothing takes it over")?;
    let run = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = run.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::tls::IssuedCertificateView;

    fn ca() -> AuthorityView {
        AuthorityView {
            certificate: IssuedCertificateView {
                certificate: "PEM".into(),
                fingerprint: "0011223344".into(),
                not_after: "2036-01-01T00:00:00Z".into(),
                not_before: "2026-01-01T00:00:00Z".into(),
            },
            path: "/d/gatelodge-ca.pem".into(),
            renews: "2034-01-01T00:00:00Z".into(),
            spoken: Vec::new(),
        }
    }

    #[test]
    fn each_system_is_told_in_its_own_way() {
        for (directory, step) in [
            (
                "usr/local/share/ca-certificates",
                "gatelodge-00112233.crt' && sudo update-ca-certificates",
            ),
            (
                "etc/pki/ca-trust/source/anchors",
                "gatelodge-00112233.pem' && sudo update-ca-trust extract",
            ),
        ] {
            let root = tempfile::tempdir().unwrap();
            fs::create_dir_all(root.path().join(directory)).unwrap();

            let said = run(root.path(), &ca(), true);

            let (exit, text, json, _) = said.parts();
            assert_eq!(exit, Exit::Success);
            assert!(text.contains(step), "{text}");
            assert!(text.contains("security add-trusted-cert") && text.contains("certutil"));
            let keytool = "keytool -importcert -noprompt -cacerts -storepass changeit \
                           -alias gatelodge-00112233 -file '/d/gatelodge-ca.pem'";
            assert!(text.contains(keytool), "{text}");
            assert!(json["steps"]["java"].as_str().unwrap().contains(keytool));
            assert_eq!(json["installed"], false);
            assert!(fs::read_dir(root.path().join(directory)).unwrap().next().is_none());
        }
    }

    #[test]
    fn where_nothing_can_be_installed_the_steps_are_told_and_it_failed() {
        let root = tempfile::tempdir().unwrap();

        let said = run(root.path(), &ca(), false);

        let (exit, text, json, note) = said.parts();
        assert_eq!(exit, Exit::Failed);
        assert!(text.contains("add /d/gatelodge-ca.pem") && note.is_some());
        assert_eq!(json["path"], serde_json::Value::Null);
    }

    #[test]
    fn what_takes_the_file_over_has_the_last_word() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gatelodge.crt");
        let store = |update| TrustStore { directory: "", extension: "crt", update };

        assert_eq!(install(&store(&["true"]), &path, "PEM"), Ok(()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "PEM");
        assert!(install(&store(&["false"]), &path, "PEM").is_err());
        assert!(install(&store(&["no-such-program"]), &path, "PEM").is_err());
        assert!(install(&store(&["true"]), &path.join("below"), "PEM").is_err());
    }
}
