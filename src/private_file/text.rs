//! Text that people wrote, in a file or at standard input. It has to be UTF-8.
//!
//! Editors and shells of Windows write UTF-16, or put a byte-order mark first. Either would become
//! part of a secret, so both are errors with a name.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

/// The reason why bytes are no text. It contains none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotText {
    /// It is UTF-8 with a byte-order mark.
    ByteOrderMark,
    /// It is in no encoding of text.
    NotUtf8,
    /// It is UTF-16, with or without a byte-order mark.
    Utf16,
}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByteOrderMark => {
                "it starts with a byte-order mark (BOM); save it as UTF-8 without one"
            }
            Self::NotUtf8 => "it is no text in UTF-8",
            Self::Utf16 => "it is text in UTF-16; save it as UTF-8 without a byte-order mark (BOM)",
        })
    }
}

impl std::error::Error for NotText {}

impl From<NotText> for io::Error {
    fn from(why: NotText) -> Self {
        Self::new(io::ErrorKind::InvalidData, why)
    }
}

/// The text of `bytes`.
///
/// # Errors
///
/// Anything but UTF-8 without a byte-order mark.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, NotText> {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => Err(NotText::ByteOrderMark),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err(NotText::Utf16),
        _ if has_only_halves(bytes) => Err(NotText::Utf16),
        _ => std::str::from_utf8(bytes).map_err(|_| NotText::NotUtf8),
    }
}

/// Whether every second byte is 0, as in ASCII that is written as UTF-16.
fn has_only_halves(bytes: &[u8]) -> bool {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let half = |zero: fn(&[u8; 2]) -> bool| !pairs.is_empty() && pairs.iter().all(zero);
    rest.is_empty() && (half(|[high, _]| *high == 0) || half(|[_, high]| *high == 0))
}

/// Reads text to its end, at most `limit` bytes of it.
///
/// # Errors
///
/// Those of the reader, and [`NotText`].
pub(crate) fn read_from(from: impl io::Read, limit: u64) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::new());
    from.take(limit).read_to_end(&mut bytes)?;
    text(&bytes)?;
    let text = String::from_utf8(std::mem::take(&mut *bytes));
    text.map(Zeroizing::new).map_err(|_| NotText::NotUtf8.into())
}

/// The most bytes of a file.
const MAX_FILE: u64 = 1 << 20;

/// Reads the text of a file of at most 1 MiB.
///
/// # Errors
///
/// Those of the file, `FileTooLarge`, and [`NotText`].
pub(crate) fn read_text(path: &Path) -> io::Result<Zeroizing<String>> {
    let text = read_from(File::open(path)?, MAX_FILE + 1)?;
    if u64::try_from(text.len()).is_ok_and(|length| length <= MAX_FILE) {
        Ok(text)
    } else {
        Err(io::Error::new(io::ErrorKind::FileTooLarge, "it has more than 1 MiB"))
    }
}

/// A secret without the newline that editors put at its end: one LF or CRLF, and nothing else.
pub(crate) fn without_newline(secret: &str) -> &str {
    let Some(line) = secret.strip_suffix('\n') else { return secret };
    line.strip_suffix('\r').unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_but_utf_8_has_a_name() {
        for (bytes, expected) in [
            (&b"secret\n"[..], Ok("secret\n")),
            (b"", Ok("")),
            (b"\xef\xbb\xbfsecret", Err(NotText::ByteOrderMark)),
            (b"\xff\xfes\0e\0", Err(NotText::Utf16)),
            (b"\xfe\xff\0s\0e", Err(NotText::Utf16)),
            (b"s\0e\0", Err(NotText::Utf16)),
            (b"\0s\0e", Err(NotText::Utf16)),
            (b"s\xff", Err(NotText::NotUtf8)),
        ] {
            assert_eq!(text(bytes), expected, "{bytes:?}");
            let read = read_from(bytes, 100).map(|read| read.to_string());
            assert_eq!(read.ok().as_deref(), expected.ok(), "{bytes:?}");
        }
    }

    #[test]
    fn one_newline_is_no_part_of_a_secret() {
        for (written, secret) in [
            ("a", "a"),
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            (" a \n", " a "),
            ("a\r", "a\r"),
            ("\n", ""),
        ] {
            assert_eq!(without_newline(written), secret, "{written:?}");
        }
    }
}
