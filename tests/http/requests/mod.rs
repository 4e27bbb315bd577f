//! Requests that a browser takes up later: pushed ones, and those of devices.

mod at_once;
pub(crate) mod device;
mod device_page;
mod par;
mod pkce;
