//! People: their accounts, enrolment and sign-in.

pub mod ceremony;
pub mod enroll;
pub mod further;
pub mod login;
pub mod passkeys;
pub mod people;
pub mod setup_link;
