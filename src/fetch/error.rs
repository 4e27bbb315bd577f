//! Why nothing was fetched.

use std::error::Error;
use std::fmt;

/// Why a fetch failed or was not made. It names nothing that came from the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// The host has an address that strangers' URLs may not lead to.
    AddressPrivate,
    /// The answer's body is longer than what is read.
    BodyTooLarge,
    /// The connection ended too early, or what came is not HTTP.
    Broken,
    /// The server's certificate is not trusted, not valid now, or another host's.
    CertificateWrong,
    /// No address of the host took the connection.
    ConnectionRefused,
    /// The answer is compressed, though that was not asked for.
    ContentEncoded,
    /// The answer is not JSON.
    ContentTypeWrong,
    /// It was not done in time.
    Deadline,
    /// The host's name has no address.
    HostUnknown,
    /// The nameserver did not answer, or could not.
    NameserverFailed,
    /// The installation fetches nothing.
    Offline,
    /// The answer leads elsewhere.
    Redirected,
    /// The answer has this status, which is no success.
    StatusWrong(u16),
    /// The two sides agreed on no TLS.
    TlsFailed,
    /// The URL is neither https nor that of a listed destination.
    UrlNotHttps,
    /// The URL has a fragment.
    UrlWithFragment,
    /// The URL has a user name or a password.
    UrlWithUserinfo,
}

impl FetchError {
    /// Whether it may have been an outage, here or there, that says nothing of what was asked for:
    /// the same may go better later.
    pub const fn may_pass(self) -> bool {
        match self {
            Self::Broken
            | Self::CertificateWrong
            | Self::ConnectionRefused
            | Self::Deadline
            | Self::HostUnknown
            | Self::NameserverFailed
            | Self::TlsFailed => true,
            // RFC 9110 §15.5.9 and §15.6, RFC 6585 §4
            Self::StatusWrong(status) => status >= 500 || status == 408 || status == 429,
            Self::AddressPrivate
            | Self::BodyTooLarge
            | Self::ContentEncoded
            | Self::ContentTypeWrong
            | Self::Offline
            | Self::Redirected
            | Self::UrlNotHttps
            | Self::UrlWithFragment
            | Self::UrlWithUserinfo => false,
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AddressPrivate => {
                "the host has a private or reserved address and is not listed as one that may be \
                 fetched"
            }
            Self::BodyTooLarge => "the answer is too long",
            Self::Broken => "the server broke off, or spoke no HTTP",
            Self::CertificateWrong => "the server's certificate is not trusted for this host",
            Self::ConnectionRefused => "no address of the host accepts connections",
            Self::ContentEncoded => "the answer is compressed, which was not asked for",
            Self::ContentTypeWrong => "the answer's Content-Type is not JSON",
            Self::Deadline => "the server did not answer in time",
            Self::HostUnknown => "the host's name has no address",
            Self::NameserverFailed => "the nameserver could not tell the host's address",
            Self::Offline => "this installation is offline and fetches nothing",
            Self::Redirected => "the answer is a redirect, and none is followed",
            Self::StatusWrong(status) => return write!(f, "the server answered with {status}"),
            Self::TlsFailed => "no TLS could be agreed on with the server",
            Self::UrlNotHttps => "the URL is not https",
            Self::UrlWithFragment => "the URL has a fragment",
            Self::UrlWithUserinfo => "the URL has a user name or a password",
        })
    }
}

impl Error for FetchError {}
