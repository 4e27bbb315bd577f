//! The device authorization request and its user code:
//! [RFC 8628](https://www.rfc-editor.org/rfc/rfc8628).

use std::str::FromStr;

use zeroize::Zeroizing;

use crate::error::Refusal;
use crate::oauth::params::Params;
use crate::oauth::resource::Resource;
use crate::oauth::scope::Scope;

/// A device authorization request (RFC 8628 §3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRequest {
    /// The resources that the tokens are for (RFC 8707 §2).
    pub resources: Vec<Resource>,
    /// The scope, if the request names one.
    pub scope: Option<Scope>,
}

impl DeviceRequest {
    /// Parses the form of a request.
    pub fn parse(form: &Params) -> Result<Self, Refusal> {
        Ok(Self {
            resources: form.many("resource").map(str::parse).collect::<Result<_, _>>()?,
            scope: form.parsed("scope")?,
        })
    }
}

/// The letters of a user code (RFC 8628 §6.1). There are no vowels, so that no words arise, and no
/// digits, so that no two characters look alike.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// The number of letters of a user code. 20⁸ codes are 34.5 bits: if 10 000 are live at once, one
/// guess in 2.5 million hits one of them, and guesses are rate-limited.
const LENGTH: usize = 8;

/// A user code, which a person enters in a browser (RFC 8628 §6.1).
#[derive(Clone)]
pub struct UserCode(Zeroizing<[u8; LENGTH]>);

impl UserCode {
    /// Derives a code from random bytes: 32 bits for each letter, so that all letters are
    /// practically equally likely.
    pub fn from_seed(random: &[u8; 32]) -> Self {
        let mut code = Zeroizing::new([b'B'; LENGTH]);
        for (letter, chunk) in code.iter_mut().zip(random.chunks_exact(4)) {
            let number = chunk.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte));
            let at = usize::try_from(number % 20).unwrap_or_default();
            *letter = LETTERS.get(at).copied().unwrap_or(*letter);
        }
        Self(code)
    }

    /// The letters without separator, by which the code is looked up.
    pub fn letters(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The code for display: two groups of four letters.
    pub fn expose(&self) -> Zeroizing<String> {
        let (first, second) = self.0.split_at(LENGTH / 2);
        let group = |letters: &[u8]| letters.iter().map(|b| char::from(*b)).collect::<String>();
        Zeroizing::new(format!("{}-{}", group(first), group(second)))
    }
}

/// The error of a text that is no user code. It is treated as an unknown code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAUserCode;

/// Parses a code as people type it, or paste it with what stood around it. RFC 8628 §6.1: "the server
/// should ignore punctuation and convert to upper case".
impl FromStr for UserCode {
    type Err = NotAUserCode;

    fn from_str(s: &str) -> Result<Self, NotAUserCode> {
        let mut code = Zeroizing::new([0; LENGTH]);
        let mut typed = s
            .chars()
            .map(half_width)
            // A Japanese keyboard types the sign of a long vowel where others have the dash.
            .filter(|letter| letter.is_alphanumeric() && !matches!(letter, 'ー' | 'ｰ'))
            .map(|letter| u8::try_from(letter.to_ascii_uppercase()).ok().map(mended));
        for letter in code.iter_mut() {
            let next = typed.next().flatten().filter(|next| LETTERS.contains(next));
            *letter = next.ok_or(NotAUserCode)?;
        }
        match typed.next() {
            None => Ok(Self(code)),
            Some(_) => Err(NotAUserCode),
        }
    }
}

/// The letter of a code for one that is in none and looks like it alone. A zero could be a D or a Q,
/// so it stays wrong.
const fn mended(typed: u8) -> u8 {
    match typed {
        b'1' | b'I' => b'L',
        b'2' => b'Z',
        b'5' => b'S',
        b'6' => b'G',
        b'8' => b'B',
        other => other,
    }
}

/// The ASCII letter of a full-width one, which East Asian keyboards type (U+FF01 to U+FF5E).
fn half_width(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => {
            char::from_u32(u32::from(letter) - 0xff01 + 0x21).unwrap_or(letter)
        }
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(typed: &str) -> Option<String> {
        typed.parse::<UserCode>().ok().map(|code| code.expose().to_string())
    }

    /// The code of RFC 8628 §3.3.1.
    #[test]
    fn a_code_is_read_as_people_type_it() {
        for typed in ["WDJBMJHT", "wdjb-mjht", " WDJB MJHT ", "w d j b – m j h t", "WDJB.MJHT"] {
            assert_eq!(read(typed).as_deref(), Some("WDJB-MJHT"), "{typed}");
        }
        for dash in "‐‑‒–—―−﹘﹣－⁃─~・ー".chars() {
            let typed = format!("WDJB{dash}MJHT");
            assert_eq!(read(&typed).as_deref(), Some("WDJB-MJHT"), "{typed}");
        }
        for between in
            ["\u{a0}", "\u{2009}", "\u{3000}", "\u{200b}", "\u{ad}", "\u{feff}", "\u{2060}"]
        {
            let typed = format!("{between}WDJB{between}MJHT{between}");
            assert_eq!(read(&typed).as_deref(), Some("WDJB-MJHT"), "{typed:?}");
        }
        for typed in [
            "ＷＤＪＢ－ＭＪＨＴ",
            "ｗｄｊｂｍｊｈｔ",
            "\"WDJB-MJHT\"",
            "“WDJB-MJHT”",
            "«WDJB-MJHT»",
            "'wdjb-mjht'",
            "„WDJB-MJHT‟",
            "`WDJB-MJHT`",
            "(WDJB-MJHT)",
            "WDJB-MJHT.",
            "\u{202a}WDJB-MJHT\u{202c}",
        ] {
            assert_eq!(read(typed).as_deref(), Some("WDJB-MJHT"), "{typed}");
        }
    }

    #[test]
    fn a_sign_that_looks_like_one_letter_alone_is_that_letter() {
        assert_eq!(read("8L25-6HTI").as_deref(), Some("BLZS-GHTL"));
        assert_eq!(read("bl2s.6ht1").as_deref(), Some("BLZS-GHTL"));
        for neither in ["0", "3", "4", "7", "9", "O", "U", "Y"] {
            assert_eq!(read(&format!("WDJB-MJH{neither}")), None, "{neither}");
        }
    }

    #[test]
    fn what_is_too_short_too_long_or_of_other_letters_is_no_code() {
        for typed in ["", "WDJB", "WDJB-MJH", "WDJB-MJHTB", "ADJB-MJHT", "WDJB-MJH0", "WDJB-MJHß"]
        {
            assert_eq!(read(typed), None, "{typed}");
        }
    }

    #[test]
    fn a_drawn_code_is_read_back_and_uses_every_letter() {
        let mut seen = std::collections::BTreeSet::new();

        for n in 0..=u8::MAX {
            let code = UserCode::from_seed(&[n; 32]);
            assert_eq!(read(&code.expose()).unwrap(), *code.expose());
            seen.extend(code.letters().to_vec());
        }

        assert_eq!(seen.len(), LETTERS.len());
    }
}
