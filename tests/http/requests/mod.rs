//! Requests that a browser takes up later: pushed ones, and those of devices.

mod device;
mod par;
