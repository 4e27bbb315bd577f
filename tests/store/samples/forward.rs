//! Samples of forward authentication.

use gatelodge::model::application::ReturnPath;
use gatelodge::secret::TokenHash;
use gatelodge::store::schema::{AppCode, AppSession};

use super::{at, hash, id, read, text, until};

pub(super) fn codes() -> Vec<(TokenHash, AppCode)> {
    let row = AppCode {
        app: read("app.example:8443"),
        expires: until(60),
        path: ReturnPath::of(Some("/page?a=b")),
        session: id(3),
        state: text("abc"),
    };
    vec![(hash(30), row)]
}

pub(super) fn sessions() -> Vec<(TokenHash, AppSession)> {
    let row = AppSession { app: read("app.example"), expires: at(900), session: id(3) };
    vec![(hash(31), row)]
}
