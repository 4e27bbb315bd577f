//! What a command reads beside its arguments: a file, or standard input where `-` is named.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::output::{Exit, Failure};
use crate::private_file::{read_from, read_text};

/// The text of standard input, at most `limit` bytes of it.
///
/// # Errors
///
/// [`Exit::Usage`] if it cannot be read, or is no text in UTF-8.
pub(super) fn standard_input(limit: u64) -> Result<Zeroizing<String>, Failure> {
    let read = read_from(io::stdin().lock(), limit);
    read.map_err(|error| Failure::new(Exit::Usage, format!("standard input: {error}")))
}

/// The bytes of a file, or of standard input if `file` is `-`, at most `limit` of them.
///
/// # Errors
///
/// [`Exit::Usage`] if it cannot be read, or has more.
pub(super) fn bytes(file: &str, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    let one_more = limit.saturating_add(1);
    let read = if file == "-" {
        io::stdin().lock().take(one_more).read_to_end(&mut content)
    } else {
        File::open(file).and_then(|open| open.take(one_more).read_to_end(&mut content))
    };
    match read {
        Ok(read) if read as u64 > limit => {
            Err(Failure::new(Exit::Usage, format!("{file} has more than {limit} bytes")))
        }
        Ok(_) => Ok(content),
        Err(error) => Err(Failure::new(Exit::Usage, format!("cannot read {file}: {error}"))),
    }
}

/// The text of a file, or of standard input if `file` is `-`.
///
/// # Errors
///
/// [`Exit::Usage`] if it cannot be read, or is no text in UTF-8.
pub(super) fn text(file: &str) -> Result<Zeroizing<String>, Failure> {
    if file == "-" {
        return standard_input(u64::MAX);
    }
    read_text(Path::new(file))
        .map_err(|error| Failure::new(Exit::Usage, format!("cannot read {file}: {error}")))
}
