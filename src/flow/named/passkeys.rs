//! Passkeys, by their ids here, the beginnings of them, and their names.

use super::{Found, MAX_READ, by_name, candidate, known, of, of_hex};
use crate::error::{Candidate, Error, Refusal};
use crate::flow::person::passkeys;
use crate::oauth::id::PasskeyId;
use crate::store::schema::{CredentialId, PASSKEYS_BY_ID, PASSKEYS_BY_NAME, Passkey, Person};
use crate::store::{StoreError, View};

/// The passkey that an operator names by its id, by the beginning of its id or by its name. The
/// beginning goes first, since its owner could give one the name of another's id.
///
/// # Errors
///
/// [`Refusal::PasskeyNotFound`] with names of passkeys that there are, and
/// [`Refusal::NameAmbiguous`].
pub fn passkey(view: &impl View, written: &str) -> Result<PasskeyId, Error> {
    if let Ok(id) = written.parse::<PasskeyId>()
        && passkeys::by_id(view, id, None).is_ok()
    {
        return Ok(id);
    }
    if let Some(beginning) = of_hex(written) {
        let rows = view.by_beginning(&PASSKEYS_BY_ID, &beginning, MAX_READ)?;
        if let Some(id) = Found::among(rows, |(_, credential)| found(view, &credential))?.only()? {
            return Ok(id);
        }
    }
    let named = by_name(view, &PASSKEYS_BY_NAME, written, |credential| found(view, &credential))?;
    if let Some(id) = named.only()? {
        return Ok(id);
    }
    let known = known(view, &PASSKEYS_BY_NAME, written, |_| None)?;
    Err(Error::with_known(Refusal::PasskeyNotFound, known))
}

fn found(
    view: &impl View,
    credential: &CredentialId,
) -> Result<Option<(PasskeyId, Candidate)>, StoreError> {
    let Some(passkey) = view.find::<Passkey>(credential)? else { return Ok(None) };
    let person = view.find::<Person>(&passkey.user)?;
    let candidate = candidate(&passkey.id, &of(passkey.name.as_str(), person.as_ref()));
    Ok(Some((passkey.id, candidate)))
}
