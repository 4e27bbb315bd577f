//! The system's keyring, which holds one key for each issuer. The token file is sealed under it.
//!
//! It is accessed through the system's own program: `secret-tool` of libsecret (the Secret Service
//! of GNOME, KDE and KeePassXC), and `security` on macOS. The key is passed through a pipe, never
//! on a command line, which others can read.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::secret::RootSecret;

use crate::oauth_client::issuer::Issuer;

/// The most time of a call: a person may have to unlock the keyring first.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The name of this program's entries in the keyring.
const SERVICE: &str = "gatelodge";

/// The key for `issuer`, if the keyring has one.
pub(crate) async fn look_up(issuer: &Issuer) -> Result<Option<RootSecret>, String> {
    let (found, key) = run(&Call::look_up(here(), account(issuer)), None).await?;
    if !found {
        return Ok(None);
    }
    let text = std::str::from_utf8(&key).map_err(|_| "the keyring holds something else")?;
    text.parse().map(Some).map_err(|_| "the keyring holds something else".to_owned())
}

/// Stores a key for `issuer`, and checks that it can be read again.
pub(crate) async fn keep(issuer: &Issuer, key: &RootSecret) -> Result<(), String> {
    let call = Call::keep(here(), account(issuer));
    let typed = call.typed(account(issuer), &key.expose());
    let (done, _) = run(&call, Some(&typed)).await?;
    let stored = if done { look_up(issuer).await? } else { None };
    match stored {
        Some(stored) if *stored.expose() == *key.expose() => Ok(()),
        Some(_) | None => Err(format!("{} did not keep a key", call.program)),
    }
}

/// Removes the key for `issuer`, if there is one.
pub(crate) async fn forget(issuer: &Issuer) {
    // A failure does no harm: the sealed data is already removed.
    let _ = run(&Call::forget(here(), account(issuer)), None).await;
}

/// The account name in the keyring: the issuer's URL, in which quotes are percent-encoded.
fn account(issuer: &Issuer) -> &str {
    issuer.url().as_str()
}

/// The system whose keyring is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum System {
    Freedesktop,
    Macos,
}

const fn here() -> System {
    if cfg!(target_os = "macos") { System::Macos } else { System::Freedesktop }
}

/// A call of the system's program.
struct Call<'a> {
    program: &'static str,
    arguments: Vec<&'a str>,
}

impl<'a> Call<'a> {
    fn look_up(system: System, account: &'a str) -> Self {
        Self::of(
            system,
            ["lookup", "service", SERVICE, "issuer", account].into(),
            ["find-generic-password", "-s", SERVICE, "-a", account, "-w"].into(),
        )
    }

    fn keep(system: System, account: &'a str) -> Self {
        let label = "--label=Gatelodge: the key to what was signed in to";
        Self::of(
            system,
            ["store", label, "service", SERVICE, "issuer", account].into(),
            // `-i` reads the command from standard input.
            ["-i"].into(),
        )
    }

    fn forget(system: System, account: &'a str) -> Self {
        Self::of(
            system,
            ["clear", "service", SERVICE, "issuer", account].into(),
            ["delete-generic-password", "-s", SERVICE, "-a", account].into(),
        )
    }

    fn of(system: System, freedesktop: Vec<&'a str>, macos: Vec<&'a str>) -> Self {
        match system {
            System::Freedesktop => Self { program: "secret-tool", arguments: freedesktop },
            System::Macos => Self { program: "/usr/bin/security", arguments: macos },
        }
    }

    /// The standard input of the program when it stores `key`.
    fn typed(&self, account: &str, key: &str) -> Zeroizing<String> {
        Zeroizing::new(if self.arguments == ["-i"] {
            format!("add-generic-password -U -s {SERVICE} -a \"{account}\" -w {key}\n")
        } else {
            key.to_owned()
        })
    }
}

/// Runs the program. Returns whether it succeeded, and its standard output.
async fn run(
    call: &Call<'_>,
    typed: Option<&Zeroizing<String>>,
) -> Result<(bool, Zeroizing<Vec<u8>>), String> {
    let amiss = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!("{}, which asks the keyring, is not installed", call.program)
        }
        _ => format!("{}: {error}", call.program),
    };
    let running = async {
        let mut child = Command::new(call.program)
            .args(&call.arguments)
            .stdin(if typed.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let (Some(mut stdin), Some(typed)) = (child.stdin.take(), typed) {
            stdin.write_all(typed.as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    let late = |_| format!("{} did not answer in {} s", call.program, TIMEOUT.as_secs());
    let output = timeout(TIMEOUT, running).await.map_err(late)?.map_err(amiss)?;
    Ok((output.status.success(), Zeroizing::new(output.stdout)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stands_on_a_command_line() {
        for system in [System::Freedesktop, System::Macos] {
            let call = Call::keep(system, "https://id.example/");

            let typed = call.typed("https://id.example/", "c0ffee");

            assert!(call.arguments.iter().all(|argument| !argument.contains("c0ffee")));
            assert!(typed.contains("c0ffee"), "{system:?}");
        }
    }

    #[test]
    fn an_account_cannot_end_its_quotes() {
        let issuer: Issuer = "https://id.example/a\"-T\"b".parse().unwrap();

        assert_eq!(account(&issuer), "https://id.example/a%22-T%22b");
    }
}
