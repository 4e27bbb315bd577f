//! What a person meets: links, sign-in, questions, sign-out.

mod consent;
mod forgery;
mod logout;
mod prompts;
mod sessions;
mod setup;
