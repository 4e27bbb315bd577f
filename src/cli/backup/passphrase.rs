//! Passphrases and keys of backups, which are asked for at the terminal or read from files.

use std::io::{self, IsTerminal as _};

use clap::Args;
use zeroize::Zeroizing;

use crate::app::backup::{Closed, Opening};
use crate::cli::input;
use crate::cli::output::{Exit, Failure};
use crate::private_file::without_newline;

/// The passphrase of a new backup.
#[derive(Debug, Args)]
#[group(id = "new_passphrase", multiple = false)]
pub(super) struct NewPassphrase {
    /// Encrypt it to a passphrase, which is asked for
    #[arg(long)]
    passphrase: bool,
    /// Encrypt it to the passphrase that is in this file, or on standard input for -
    #[arg(long, value_name = "FILE|-")]
    passphrase_file: Option<String>,
}

impl NewPassphrase {
    /// The passphrase, if there is to be one.
    pub(super) fn read(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        if let Some(file) = &self.passphrase_file {
            return of_file(file).map(Some);
        }
        if !self.passphrase {
            return Ok(None);
        }
        let (once, again) = (ask("passphrase: ")?, ask("the same once more: ")?);
        if once != again {
            return Err(Failure::new(Exit::Usage, "the two passphrases differ"));
        }
        if once.is_empty() {
            return Err(Failure::new(Exit::Usage, "the passphrase is empty"));
        }
        Ok(Some(once))
    }
}

/// What opens an encrypted backup.
#[derive(Debug, Args)]
#[group(id = "opening", multiple = false)]
pub(super) struct OpeningArgs {
    /// A file with the private key of a recipient, as age-keygen makes it
    #[arg(long, value_name = "FILE")]
    identity: Option<String>,
    /// A file with the passphrase; without it, a terminal is asked
    #[arg(long, value_name = "FILE|-")]
    passphrase_file: Option<String>,
}

impl OpeningArgs {
    /// What opens a backup that is closed so.
    pub(super) fn read(&self, closed: Closed) -> Result<Option<Opening>, Failure> {
        if let Some(file) = &self.identity {
            return Ok(Some(Opening::Identities(input::text(file)?)));
        }
        if let Some(file) = &self.passphrase_file {
            return of_file(file).map(|passphrase| Some(Opening::Passphrase(passphrase)));
        }
        if closed == Closed::ToPassphrase && io::stdin().is_terminal() {
            return ask("passphrase: ").map(|passphrase| Some(Opening::Passphrase(passphrase)));
        }
        Ok(None)
    }
}

fn of_file(file: &str) -> Result<Zeroizing<String>, Failure> {
    let text = input::text(file)?;
    let passphrase = without_newline(&text);
    if passphrase.is_empty() {
        return Err(Failure::new(Exit::Usage, format!("{file} has no passphrase")));
    }
    Ok(Zeroizing::new(passphrase.to_owned()))
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let typed = rpassword::prompt_password(prompt).map_err(|error| {
        let why = format!("no passphrase could be asked for: {error}");
        Failure::new(Exit::Usage, why).with_remedy(Some("name a file with it: --passphrase-file"))
    });
    typed.map(Zeroizing::new)
}
