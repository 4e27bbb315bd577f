//! What a command reads beside its arguments: a file, or standard input where `-` is named.

use std::io;
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
