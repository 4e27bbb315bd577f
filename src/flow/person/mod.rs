//! People: their accounts, enrolment and sign-in.

pub mod ceremony;
pub mod enroll;
pub mod login;
pub mod people;
pub mod setup_link;
