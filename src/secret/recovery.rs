//! Recovery codes, which people keep on paper.

use std::str::FromStr;

use zeroize::Zeroizing;

use super::{NotAToken, Pepper, Seed, TokenHash, hex};

/// The label of the keyed hash.
const LABEL: &str = "recovery code";

/// The bytes of a code. Nobody guesses 128 bits, so guesses are not counted.
const LENGTH: usize = 16;

/// A recovery code: 128 random bits, written as 32 hexadecimal digits in groups of four.
pub struct RecoveryCode(Zeroizing<[u8; LENGTH]>);

impl RecoveryCode {
    /// Derives the code of that number.
    pub fn from_seed(seed: &Seed, number: usize) -> Self {
        let bytes = Zeroizing::new(seed.bytes(&format!("{LABEL} {number}")));
        Self(Zeroizing::new(bytes.first_chunk().copied().unwrap_or_default()))
    }

    /// The code in the clear, as it is written down.
    pub fn expose(&self) -> Zeroizing<String> {
        let digits = Zeroizing::new(hex(self.0.as_slice()));
        let mut groups = Zeroizing::new(String::new());
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                groups.push('-');
            }
            groups.push(digit);
        }
        groups
    }

    /// The hash by which it is found.
    pub fn hash(&self, pepper: &Pepper) -> TokenHash {
        pepper.hash_parts(LABEL, self.0.as_slice())
    }
}

/// Parses a code as people type it: in capitals, with or without what separates the groups, and with
/// the letters that look like a digit of it.
impl FromStr for RecoveryCode {
    type Err = NotAToken;

    fn from_str(s: &str) -> Result<Self, NotAToken> {
        let mut digits = s.chars().filter(|c| c.is_alphanumeric()).map(|c| match c {
            'o' | 'O' => Some(0),
            'i' | 'I' | 'l' | 'L' => Some(1),
            's' | 'S' => Some(5),
            digit => digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()),
        });
        let mut bytes = Zeroizing::new([0; LENGTH]);
        for byte in bytes.iter_mut() {
            let (high, low) = (digits.next().flatten(), digits.next().flatten());
            *byte = high.zip(low).map(|(high, low)| high * 16 + low).ok_or(NotAToken)?;
        }
        match digits.next() {
            None => Ok(Self(bytes)),
            Some(_) => Err(NotAToken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Entropy;

    #[test]
    fn a_code_is_read_back_as_it_was_written_and_as_people_type_it() {
        let code = RecoveryCode::from_seed(&Entropy::seeded(1).seed(), 0);
        let written = code.expose();

        let typed = [
            written.to_string(),
            written.to_uppercase(),
            written.replace('-', ""),
            written.replace('-', " – "),
            format!(" {} ", written.replace('0', "O").replace('1', "l").replace('5', "S")),
        ];

        assert_eq!(written.len(), 39);
        for typed in typed {
            let read: RecoveryCode = typed.parse().ok().unwrap();
            assert_eq!(*read.expose(), *written, "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for typed in ["", "gl_st_abc", &"0".repeat(31), &"0".repeat(33), &"g".repeat(32)] {
            assert!(typed.parse::<RecoveryCode>().is_err(), "{typed}");
        }
    }

    #[test]
    fn the_codes_of_a_seed_differ() {
        let seed = Entropy::seeded(1).seed();
        let codes: Vec<_> = (0..10).map(|n| RecoveryCode::from_seed(&seed, n).expose()).collect();

        for (at, code) in codes.iter().enumerate() {
            assert!(codes.iter().skip(at + 1).all(|other| **other != **code));
        }
    }
}
