//! TLS: the certificate of this server, and the certificate that a peer proves.
//!
//! An [`Identity`] is the server's certificate, issued by the installation's own [`Authority`] or
//! read from files. An [`Acceptor`] performs handshakes with it, and returns a
//! [`ProvenCertificate`] if the peer proved one. This room knows neither requests nor rows; which
//! person a certificate belongs to is decided elsewhere, by its fingerprint.
//!
//! Invariants:
//!
//! 1. The key of the authority is on disk before its certificate, synced, readable by its owner
//!    alone, and is never replaced: its certificate is renewed for it.
//! 2. A certificate is verified as a client would verify it before it is issued: a name that the
//!    constraints exclude is refused.
//! 3. Only a handshake that proved the key makes a [`ProvenCertificate`].

mod acceptor;
mod authority;
mod certificate;
mod error;
mod files;
mod identity;
mod request;

pub use acceptor::{Acceptor, ProvenCertificate, Secured};
pub use authority::{Authority, Fitness, Usage};
pub use certificate::Certificate;
pub use error::TlsError;
pub use files::{FileFault, Files, Which};
pub use identity::{Identity, ServedCertificate};
pub use request::KeyWithRequest;

#[cfg(test)]
mod tests;
