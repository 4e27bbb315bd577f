//! TLS of this server's own: who it is on the wire, and which certificate a peer proved.
//!
//! An [`Identity`] is the certificate that is shown: issued by the installation's own
//! [`Authority`], or read from files. An [`Acceptor`] speaks TLS with it, and hands out a
//! [`ProvenCertificate`] where the peer had one. This room knows neither requests nor rows; who a
//! certificate belongs to is decided elsewhere, by its fingerprint.
//!
//! What holds:
//!
//! 1. A key of the authority is on disk before its certificate, synced, for its owner alone, and
//!    is never replaced.
//! 2. What the authority issues was verified as a stranger would: a name that its constraints
//!    leave out is refused, not issued.
//! 3. A [`ProvenCertificate`] comes out of a handshake that proved its key, and from nowhere else.

mod acceptor;
mod authority;
mod certificate;
mod error;
mod files;
mod identity;
mod request;

pub use acceptor::{Acceptor, ProvenCertificate, Secured};
pub use authority::{Authority, Usage};
pub use certificate::Certificate;
pub use error::TlsError;
pub use files::{FileFault, Files, Which};
pub use identity::Identity;
pub use request::KeyWithRequest;

#[cfg(test)]
mod tests;
