//! What every operation is made of: who asks for it and with which right, what it takes, and what it
//! gives. The signature of an operation says all of it, and the description of the API
//! (`openapi.rs`) is made of the signatures.

pub(super) mod by;
pub(crate) mod description;
pub(crate) mod listing;
#[cfg(test)]
pub(super) mod openapi;
pub(super) mod request;
pub(super) mod sent;
