//! People: their accounts, enrolment and sign-in.

pub mod ceremony;
pub mod enroll;
pub mod invitation;
pub mod login;
pub mod made;
pub mod own;
pub mod passkeys;
pub mod people;
pub mod recovery;
pub mod recovery_codes;
pub mod setup_link;
