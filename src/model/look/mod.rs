//! What an operator gives the pages: a colour, a logo, and logos of clients.

pub mod accent;
pub mod colour;
pub mod picture;

use sha2::{Digest as _, Sha256};

use crate::secret::hex;

/// The beginning of the hash of a file, which stands in its address. A browser may keep for good what
/// an address with a version has: another content has another address.
pub fn version(content: &[u8]) -> String {
    hex(Sha256::digest(content).get(..8).unwrap_or_default())
}
