//! The encryption of backups, in the format of age (<https://age-encryption.org/v1>).

use std::io::{self, BufRead, BufReader, Cursor, Read as _, Write};

use age::secrecy::SecretString;
use age::stream::StreamWriter;
use age::{Decryptor, Encryptor, scrypt, x25519};
use zeroize::Zeroizing;

use crate::model::recipient::Recipient;

/// What an encrypted file begins with.
const MAGIC: &[u8] = b"age-encryption.org/";

/// What stands in its first bytes, and in how many of them, if it is encrypted to a passphrase.
const SCRYPT: &[u8] = b"\n-> scrypt";
const RECOGNISED: u64 = 256;

/// Who can open a backup.
#[derive(Clone, Default)]
pub enum Sealing {
    /// Everybody who can read it.
    #[default]
    Open,
    /// Whoever knows a passphrase.
    Passphrase(Zeroizing<String>),
    /// Whoever has the private key of one of these.
    Recipients(Vec<Recipient>),
}

impl Sealing {
    /// For these recipients; for nobody, it is open.
    pub fn of(recipients: Vec<Recipient>) -> Self {
        if recipients.is_empty() { Self::Open } else { Self::Recipients(recipients) }
    }

    /// Whether it is open to everybody who can read it.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Encrypts what is written to `out`.
    pub(super) fn over<W: Write>(&self, out: W) -> io::Result<Sealed<W>> {
        let encryptor = match self {
            Self::Open => return Ok(Sealed::Open(out)),
            Self::Passphrase(passphrase) => Encryptor::with_user_passphrase(secret(passphrase)),
            Self::Recipients(recipients) => {
                let keys = recipients.iter().map(|recipient| recipient.key() as _);
                Encryptor::with_recipients(keys).map_err(io::Error::other)?
            }
        };
        encryptor.wrap_output(out).map(|writer| Sealed::Closed(Box::new(writer)))
    }
}

/// What is written on its way through the encryption.
pub(super) enum Sealed<W: Write> {
    Closed(Box<StreamWriter<W>>),
    Open(W),
}

impl<W: Write> Sealed<W> {
    /// Ends the encryption, and returns what it was written to.
    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Self::Closed(writer) => writer.finish(),
            Self::Open(out) => Ok(out),
        }
    }
}

impl<W: Write> Write for Sealed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Closed(writer) => writer.write(bytes),
            Self::Open(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Closed(writer) => writer.flush(),
            Self::Open(out) => out.flush(),
        }
    }
}

/// What opens an encrypted backup.
#[derive(Clone)]
pub enum Opening {
    /// The text of a file with private keys, one a line, as `age-keygen` makes it.
    Identities(Zeroizing<String>),
    /// The passphrase.
    Passphrase(Zeroizing<String>),
}

/// How a backup is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It is not.
    No,
    /// By a passphrase.
    ToPassphrase,
    /// To recipients.
    ToRecipients,
}

/// How what `input` has is closed, and all of what it has.
///
/// # Errors
///
/// Those of `input`.
pub fn recognised<'a>(mut input: impl BufRead + 'a) -> io::Result<(Closed, Box<dyn BufRead + 'a>)> {
    // A pipe may give its first line alone.
    let mut begins = Vec::new();
    input.by_ref().take(RECOGNISED).read_to_end(&mut begins)?;
    let is_scrypt = begins.windows(SCRYPT.len()).any(|bytes| bytes == SCRYPT);
    let closed = match begins.starts_with(MAGIC) {
        false => Closed::No,
        true if is_scrypt => Closed::ToPassphrase,
        true => Closed::ToRecipients,
    };
    Ok((closed, Box::new(Cursor::new(begins).chain(input))))
}

/// Opens what `input` has, which is encrypted.
///
/// # Errors
///
/// A sentence, if `opening` does not open it.
pub(super) fn opened<'a>(
    input: impl BufRead + 'a,
    opening: &Opening,
) -> Result<Box<dyn BufRead + 'a>, String> {
    let decryptor = Decryptor::new_buffered(input)
        .map_err(|_| "its head is not as it was written".to_owned())?;
    let reader = match opening {
        Opening::Identities(text) => {
            let identities = identities(text)?;
            decryptor.decrypt(identities.iter().map(|identity| identity as _))
        }
        Opening::Passphrase(passphrase) => {
            let identity = scrypt::Identity::new(secret(passphrase));
            decryptor.decrypt(std::iter::once(&identity as _))
        }
    };
    let reader = reader.map_err(|error| match (error, opening) {
        (age::DecryptError::Io(error), _) => error.to_string(),
        (_, Opening::Identities(_)) => "none of these keys opens it".to_owned(),
        (_, Opening::Passphrase(_)) => "this passphrase does not open it".to_owned(),
    })?;
    Ok(Box::new(BufReader::new(reader)))
}

fn identities(text: &str) -> Result<Vec<x25519::Identity>, String> {
    let lines = text.lines().map(str::trim);
    let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let identities: Vec<x25519::Identity> = keys
        .map(|key| key.parse().map_err(|_| "a line of the file is no key of age"))
        .collect::<Result<_, _>>()?;
    if identities.is_empty() {
        return Err("the file has no key of age (AGE-SECRET-KEY-1…)".to_owned());
    }
    Ok(identities)
}

fn secret(text: &Zeroizing<String>) -> SecretString {
    SecretString::from(text.as_str())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// Gives a few bytes at a time, as a pipe may.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let length = out.len().min(22);
            self.0.read(out.get_mut(..length).unwrap_or_default())
        }
    }

    #[test]
    fn what_closes_a_backup_is_recognised_however_slowly_it_comes() {
        let own = x25519::Identity::generate();
        let recipient: Recipient = own.to_public().to_string().parse().unwrap();
        let passphrase = Zeroizing::new("correct horse".to_owned());
        for (sealing, expected) in [
            (Sealing::Open, Closed::No),
            (Sealing::Passphrase(passphrase), Closed::ToPassphrase),
            (Sealing::of(vec![recipient]), Closed::ToRecipients),
        ] {
            let mut sealed = sealing.over(Vec::new()).unwrap();
            sealed.write_all(b"rows").unwrap();
            let bytes = sealed.finish().unwrap();

            let (closed, mut input) = recognised(BufReader::new(Slow(&bytes))).unwrap();

            assert_eq!(closed, expected);
            let mut all = Vec::new();
            input.read_to_end(&mut all).unwrap();
            assert_eq!(all, bytes);
        }
    }
}
