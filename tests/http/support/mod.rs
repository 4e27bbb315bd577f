//! What the stories are told with: an installation, a browser with a passkey, a client.

mod authenticator;
mod browser;
mod device;
mod log;
mod raw_passkey;
mod receiver;
mod relying_party;
mod response;
mod server;
mod session_key;
mod signer;
mod site;

pub(crate) use authenticator::Authenticator;
pub(crate) use browser::Browser;
pub(crate) use device::Device;
pub(crate) use log::Log;
pub(crate) use raw_passkey::RawPasskey;
pub(crate) use receiver::Receiver;
pub(crate) use relying_party::{
    CHALLENGE, RelyingParty, VERIFIER, basic, decoded, posted, register, token,
};
pub(crate) use response::{Response, Surface, Tokens, unescape};
pub(crate) use server::{BEGINNING, Disk, Server, address};
pub(crate) use session_key::{SessionKey, storage_secret};
pub(crate) use signer::{Signer, assert_to, presenting};
pub(crate) use site::Site;
