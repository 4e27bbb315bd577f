//! Errors of fetches.

use std::error::Error;
use std::fmt;

/// The reason why a fetch failed or was refused. It contains no text from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// An address of the host is out of bounds: not public, or not one that an operator may name.
    AddressPrivate,
    /// The body of the response exceeds the limit.
    BodyTooLarge,
    /// The connection ended too early, or the response is not HTTP.
    Broken,
    /// The server's certificate is not trusted, not valid now, or for another host.
    CertificateWrong,
    /// No address of the host accepted the connection.
    ConnectionRefused,
    /// This process gave up connections to the port, which nobody named when it started.
    Contained,
    /// The response is compressed, which was not requested.
    ContentEncoded,
    /// The response is not JSON.
    ContentTypeWrong,
    /// Too many fetches of the same lane wait, or it was not this one's turn for too long.
    Crowded,
    /// The deadline has passed.
    Deadline,
    /// The host's name has no address.
    HostUnknown,
    /// The nameserver did not respond, or failed.
    NameserverFailed,
    /// The configuration disables fetches from other machines.
    Offline,
    /// The response is a redirect.
    Redirected,
    /// The response has this status, which is no success.
    StatusWrong(u16),
    /// The TLS handshake failed.
    TlsFailed,
    /// The URL is neither https, nor that of a listed destination, nor an operator's on loopback.
    UrlNotHttps,
    /// The URL has a fragment.
    UrlWithFragment,
    /// The URL has a user name or a password.
    UrlWithUserinfo,
}

impl FetchError {
    /// Whether the cause may be an outage on either side, so that a later fetch may succeed.
    pub const fn may_pass(self) -> bool {
        match self {
            Self::Broken
            | Self::CertificateWrong
            | Self::ConnectionRefused
            | Self::Contained
            | Self::Crowded
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
            Self::Contained => {
                "the server gave up connections to ports that nobody had named when it started: start it \
                 anew"
            }
            Self::ContentEncoded => "the answer is compressed, which was not asked for",
            Self::ContentTypeWrong => "the answer's Content-Type is not JSON",
            Self::Crowded => "too many fetches wait",
            Self::Deadline => "the server did not answer in time",
            Self::HostUnknown => "the host's name has no address",
            Self::NameserverFailed => "the nameserver could not tell the host's address",
            Self::Offline => "this installation is offline and reaches no other machine",
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
