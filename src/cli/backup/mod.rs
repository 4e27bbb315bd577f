//! `gatelodge backup` and `gatelodge restore`.

mod passphrase;
mod progress;
mod restore;

use std::io::{self, IsTerminal as _, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use axum::body::Bytes;
use clap::Args;
use serde::Serialize;

use super::admin_client::AdminClient;
use super::output::{Exit, Failure, Output, fields};
use crate::app::backup::{BackupError, Copied, NICENESS, Sealing, copy, root_secrets, written};
use crate::config::Config;
use crate::model::recipient::Recipient;

use passphrase::NewPassphrase;
use progress::Progress;

pub(super) use restore::{HELP as RESTORE_HELP, RestoreArgs, run as restore};

/// The time within which a server must send a part of a backup.
const TIMEOUT: Duration = Duration::from_mins(10);

/// How many pieces of a backup may wait to be written.
const WAITING: usize = 4;

pub(super) const HELP: &str = "\
Examples:
  gatelodge backup /mnt/backups/gatelodge.backup
      of the running server, which goes on meanwhile, or of the store where none runs
  gatelodge backup - --recipient age1… | ssh backups.example 'cat > gatelodge.backup.age'
      encrypted; gatelodge restore takes --identity with the key file that age-keygen made
  gatelodge backup keep.backup.age --passphrase --with-key
      asks for a passphrase; the root secret is in it too

Without the root secret (gatelodge paths says where its file is), a backup restores nothing: keep a copy
of it, elsewhere. The server makes backups by itself where the configuration says so: backup.to,
backup.every and backup.keep.";

/// The arguments of `backup`.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct BackupArgs {
    /// The new file, or - for standard output
    #[arg(value_name = "FILE|-")]
    file: String,
    #[command(flatten)]
    passphrase: NewPassphrase,
    /// Encrypt it for this recipient of age; may be repeated
    #[arg(long, value_name = "RECIPIENT", conflicts_with = "new_passphrase")]
    recipient: Vec<Recipient>,
    /// Put the root secret into it too, which only an encrypted one may have
    #[arg(long)]
    with_key: bool,
}

/// What was made.
#[derive(Serialize)]
struct BackupView {
    bytes: u64,
    /// When its snapshot was taken.
    created: String,
    encrypted: bool,
    file: String,
    rows: u64,
    with_key: bool,
}

/// Runs `gatelodge backup`.
pub(super) async fn run(args: BackupArgs, json: bool, config: &Config) -> Result<Output, Failure> {
    let BackupArgs { file, passphrase, recipient, with_key } = args;
    let to_output = file == "-";
    if to_output && io::stdout().is_terminal() {
        let why = "a backup is not for a terminal; name a file, or send it to a program";
        return Err(Failure::new(Exit::Usage, why));
    }
    let sealing = match passphrase.read()? {
        Some(passphrase) => Sealing::Passphrase(passphrase),
        None => Sealing::of(recipient),
    };
    if with_key && sealing.is_open() {
        let why = "--with-key needs --recipient or --passphrase: whoever has a backup and its root \
             secret can sign tokens";
        return Err(Failure::new(Exit::Usage, why));
    }
    let secrets = with_key.then(|| root_secrets(config)).transpose();
    let secrets = secrets.map_err(|error| {
        Failure::new(Exit::from_code(error.exit()), &error).with_remedy(error.remedy())
    })?;
    let path = (!to_output).then(|| PathBuf::from(&file));
    // A system that does not allow this lets it have the processors as it lets others.
    let _ = rustix::process::nice(NICENESS);
    let mut admin = AdminClient::open(config.clone()).await?;
    let encrypted = !sealing.is_open();
    let (pieces, received) = sync_channel(WAITING);
    let copying = tokio::task::spawn_blocking(move || {
        let mut progress = Progress::new(!json);
        let input = io::BufReader::new(Pieces::new(received));
        let on_progress = |rows, bytes| progress.tell(rows, bytes);
        copied(path.as_deref(), |out| {
            Ok(copy(input, out, &sealing, secrets.as_ref(), on_progress)?.1)
        })
    });
    let mut is_taken = true;
    let received = admin.download(TIMEOUT, "/api/v1/backup", |part| {
        is_taken = pieces.send(Bytes::copy_from_slice(part)).is_ok();
        // Whoever writes it says why they take no more.
        if is_taken { Ok(()) } else { Err(Failure::new(Exit::Failed, "it is not written")) }
    });
    let received = received.await;
    // What was broken off has no end, so that nobody takes it for a backup.
    drop(pieces);
    let copied = copying.await.map_err(|error| Failure::new(Exit::Failed, error))?;
    if is_taken {
        received?;
    }
    let Copied { bytes, created, rows } = copied.map_err(|error| failure(&file, &error))?;
    let view = BackupView { bytes, created, encrypted, file, rows, with_key };
    Ok(described(&view, config, to_output))
}

fn described(view: &BackupView, config: &Config, to_output: bool) -> Output {
    let lines = [
        ("file", view.file.clone()),
        ("of", view.created.clone()),
        ("rows", view.rows.to_string()),
        ("bytes", view.bytes.to_string()),
        ("encrypted", if view.encrypted { "yes" } else { "no" }.to_owned()),
    ];
    let output = if to_output { Output::nothing() } else { Output::new(fields(&lines), view) };
    if view.with_key {
        return output;
    }
    let key = match config.root_secret {
        Some(_) => "it is in the configuration".to_owned(),
        None => config.places.key().display().to_string(),
    };
    output.with_note(format!(
        "the root secret is not in it ({key}), and without that it restores nothing: keep a copy of \
         both, apart from each other"
    ))
}

/// Fills the file at `path`, or standard output.
fn copied(
    path: Option<&Path>,
    fill: impl FnOnce(&mut dyn Write) -> Result<Copied, BackupError>,
) -> Result<Copied, BackupError> {
    match path {
        Some(path) => written(path, |out| fill(out)),
        None => fill(&mut io::BufWriter::new(io::stdout().lock())),
    }
}

/// Reads the pieces of a backup as they come.
struct Pieces {
    bytes: Bytes,
    received: Receiver<Bytes>,
}

impl Pieces {
    fn new(received: Receiver<Bytes>) -> Self {
        Self { bytes: Bytes::new(), received }
    }
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.bytes.is_empty() {
            match self.received.recv() {
                Ok(piece) => self.bytes = piece,
                Err(_) => return Ok(0),
            }
        }
        let length = self.bytes.len().min(out.len());
        let taken = self.bytes.split_to(length);
        out.iter_mut().zip(taken).for_each(|(to, from)| *to = from);
        Ok(length)
    }
}

fn failure(file: &str, error: &BackupError) -> Failure {
    match error {
        BackupError::Io(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Failure::new(Exit::Failed, format!("{file} is there, and is not overwritten"))
        }
        BackupError::Store(error) => Failure::new(Exit::Failed, error).with_remedy(error.remedy()),
        error => Failure::new(Exit::Failed, format!("no backup was made at {file}: {error}")),
    }
}
