//! The field for an e-mail address, on the account page and where somebody consents to `email`.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;

use crate::error::{Error, Refusal};
use crate::http::failure::Cause;
use crate::http::texts::Texts;
use crate::model::email::Email;
use crate::oauth::params::Params;
use crate::store::schema::Person;

/// The field as a page displays it.
pub(in crate::http) struct EmailField {
    /// What is wrong with the value; empty if nothing is.
    pub(in crate::http) fault: String,
    /// The address that is stored or was typed.
    pub(in crate::http) value: String,
}

impl EmailField {
    /// The field with the person's present address.
    pub(in crate::http) fn of(person: &Person) -> Self {
        let email = person.email.as_ref();
        let value = email.map(|email| email.address.to_string()).unwrap_or_default();
        Self { fault: String::new(), value }
    }

    /// The field after `error`, if the typed address is the reason of it.
    pub(in crate::http) fn refused(t: &Texts, typed: String, error: &Error) -> Option<Self> {
        let fault = match error.refusal()? {
            Refusal::EmailMalformed => t.email.malformed(),
            Refusal::EmailTaken => t.email.taken(),
            _ => return None,
        };
        Some(Self { fault: fault.plain(), value: typed })
    }
}

/// A page with the field, as the response to `error`.
pub(in crate::http) fn refusing(mut page: Response, error: Error) -> Response {
    if let Ok(status) = StatusCode::from_u16(error.code().status()) {
        *page.status_mut() = status;
    }
    page.extensions_mut().insert(Cause(Arc::new(error)));
    page
}

/// What was typed into the field.
pub(in crate::http) fn typed(form: &Params) -> Result<String, Refusal> {
    Ok(form.one("email")?.unwrap_or_default().trim().to_owned())
}

/// The address that was typed, if any was.
pub(in crate::http) fn parsed(typed: &str) -> Result<Option<Email>, Refusal> {
    (!typed.is_empty()).then(|| typed.parse()).transpose()
}
