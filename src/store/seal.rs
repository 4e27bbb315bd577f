//! The checksum that every row carries: what the disk changed is an error, and is never served.
//!
//! It is behind the row, and is one of its key too, so that a row under the key of another is found.

use twox_hash::XxHash3_64;

use crate::secret::hex;
use crate::store::StoreError;

/// How many bytes it has.
const LENGTH: usize = size_of::<u64>();

/// The row with its checksum, as the engine stores it.
pub(super) fn seal(key: &[u8], row: &[u8]) -> Vec<u8> {
    [row, &checksum(key, row)].concat()
}

/// The row, if its checksum is right.
///
/// # Errors
///
/// [`StoreError::Corrupt`] if it is not.
pub(super) fn open<'a>(key: &[u8], sealed: &'a [u8]) -> Result<&'a [u8], StoreError> {
    match sealed.split_last_chunk::<LENGTH>() {
        Some((row, written)) if *written == checksum(key, row) => Ok(row),
        Some(_) | None => Err(StoreError::Corrupt { table: None, key: hex(key) }),
    }
}

fn checksum(key: &[u8], row: &[u8]) -> [u8; LENGTH] {
    XxHash3_64::oneshot_with_seed(XxHash3_64::oneshot(key), row).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_sealed_and_no_other() {
        let sealed = seal(b"key", b"row");

        assert_eq!(open(b"key", &sealed).unwrap(), b"row");
        assert_eq!(open(b"", &seal(b"", b"")).unwrap(), b"");
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut flipped = sealed.clone();
                flipped[at] ^= 1 << bit;
                assert!(open(b"key", &flipped).is_err(), "bit {bit} of byte {at}");
            }
            assert!(open(b"key", &sealed[..at]).is_err(), "{at} bytes");
        }
        assert!(open(b"kez", &sealed).is_err());
    }
}
