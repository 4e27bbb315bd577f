//! The description of a device, the device authorization request, and the user code.

use crate::model::user_agent::{Locale, UserAgent};
use crate::oauth::params::Params;
use crate::oauth::resource::Resource;
use crate::oauth::token::device::{DeviceRequest, UserCode};

use super::text;

/// An `Accept-Language` or a `User-Agent`: a language gives a short tag, which is read as it is
/// printed, and a program always has a text for display.
pub fn device_facts(bytes: &[u8]) {
    let Some(written) = text(bytes) else { return };
    if let Some(locale) = Locale::first(written) {
        assert!(locale.as_str().len() <= 35 && written.contains(locale.as_str()));
        assert_eq!(Locale::first(locale.as_str()).as_ref(), Some(&locale));
    }
    assert!(!UserAgent::of(written).to_string().is_empty());
}

/// A device authorization request: its fields are those of its parameters.
pub fn device_request(bytes: &[u8]) {
    let Ok(form) = Params::parse(bytes) else { return };
    let Ok(request) = DeviceRequest::parse(&form) else { return };
    assert_eq!(form.parsed("scope").as_ref(), Ok(&request.scope));
    assert!(form.many("resource").eq(request.resources.iter().map(Resource::as_str)));
}

/// A user code: it has the typed letters, full-width ones among them, with a letter in place of each
/// sign that looks like it alone, and is read as it is displayed. Every derived code can be typed.
pub fn user_code(bytes: &[u8]) {
    let typed = text(bytes).unwrap_or_default();
    if let Ok(code) = typed.parse::<UserCode>() {
        let half_width = |letter: char| match letter {
            'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '０'..='９' => {
                u8::try_from(u32::from(letter) - 0xfee0).ok()
            }
            _ => u8::try_from(letter).ok().filter(u8::is_ascii_alphanumeric),
        };
        let mended = |letter: u8| match letter.to_ascii_uppercase() {
            b'1' | b'I' => b'L',
            b'2' => b'Z',
            b'5' => b'S',
            b'6' => b'G',
            b'8' => b'B',
            other => other,
        };
        let letters = typed.chars().filter_map(half_width).map(mended);
        assert!(letters.eq(code.letters().iter().copied()));
        is_read_as_it_is_shown(&code);
    }
    if let Some(random) = bytes.first_chunk::<32>() {
        is_read_as_it_is_shown(&UserCode::from_seed(random));
    }
}

fn is_read_as_it_is_shown(code: &UserCode) {
    let printed = code.expose();
    assert_eq!(printed.len(), 9);
    let read = printed.parse::<UserCode>().expect("what is shown can be typed");
    assert_eq!(read.letters(), code.letters());
}
