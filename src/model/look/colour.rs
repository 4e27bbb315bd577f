//! Colours of a screen, and the contrast between two of them.
//!
//! The numbers are those of [WCAG 2.2](https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).

use std::fmt;
use std::str::FromStr;

/// A colour in sRGB, written `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// The error of a text that is no colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAColour;

impl FromStr for Colour {
    type Err = NotAColour;

    fn from_str(s: &str) -> Result<Self, NotAColour> {
        let digits = s.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(NotAColour)?;
        // A sign before the digits is a number to the standard library.
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotAColour);
        }
        u32::from_str_radix(digits, 16).map(Self::of).map_err(|_| NotAColour)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Colour {
    /// Black.
    pub const BLACK: Self = Self::of(0);
    /// White.
    pub const WHITE: Self = Self::of(0xff_ff_ff);

    /// The colour `0xrrggbb`.
    pub const fn of(number: u32) -> Self {
        let [_, red, green, blue] = number.to_be_bytes();
        Self([red, green, blue])
    }

    /// The nearest colour to `hsl()` of CSS: `hue` in degrees, the others from 0 to 1.
    pub fn hsl(hue: f64, saturation: f64, lightness: f64) -> Self {
        let reach = saturation * lightness.min(1.0 - lightness);
        let channel = |offset: f64| {
            let k = (offset + hue / 30.0) % 12.0;
            byte(lightness - reach * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0))
        };
        Self([channel(0.0), channel(8.0), channel(4.0)])
    }

    /// Its hue in degrees, its saturation and its lightness. Grey has the hue 0.
    pub fn to_hsl(self) -> (f64, f64, f64) {
        let [red, green, blue] = self.0.map(|channel| f64::from(channel) / 255.0);
        let (highest, lowest) = (red.max(green).max(blue), red.min(green).min(blue));
        let (chroma, lightness) = (highest - lowest, f64::midpoint(highest, lowest));
        if chroma <= 0.0 {
            return (0.0, 0.0, lightness);
        }
        let sixth = if red >= highest {
            (green - blue) / chroma
        } else if green >= highest {
            (blue - red) / chroma + 2.0
        } else {
            (red - green) / chroma + 4.0
        };
        let saturation = chroma / (1.0 - (2.0 * lightness - 1.0).abs());
        ((sixth * 60.0).rem_euclid(360.0), saturation, lightness)
    }

    /// The contrast between two colours, from 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance() + 0.05, other.luminance() + 0.05);
        one.max(other) / one.min(other)
    }

    /// The relative luminance: 0 for black, 1 for white.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// The channel of a value from 0 to 1.
#[expect(clippy::cast_possible_truncation, reason = "the value is rounded and within a byte")]
fn byte(value: f64) -> u8 {
    (value * 255.0).round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_has_six_digits_and_no_other_form() {
        assert_eq!("#1D5c45".parse::<Colour>().unwrap().to_string(), "#1d5c45");
        for wrong in
            ["", "#", "1d5c45", "#1d5c4", "#1d5c455", "#+d5c45", "#1d5c4g", "green", "#é234"]
        {
            assert_eq!(wrong.parse::<Colour>(), Err(NotAColour), "{wrong}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((Colour::BLACK.contrast(Colour::WHITE) - 21.0).abs() < 1e-9);
        assert!((Colour::WHITE.contrast(Colour::WHITE) - 1.0).abs() < 1e-9);
        // The grey that WCAG calls the lightest for text on white.
        assert!(Colour::of(0x76_76_76).contrast(Colour::WHITE) >= 4.5);
        assert!(Colour::of(0x77_77_77).contrast(Colour::WHITE) < 4.5);
    }

    #[test]
    fn a_colour_is_what_its_hue_saturation_and_lightness_make() {
        let step = (0..=255).step_by(15);
        for red in step.clone() {
            for green in step.clone() {
                for blue in step.clone() {
                    let colour = Colour([red, green, blue]);
                    let (hue, saturation, lightness) = colour.to_hsl();

                    assert_eq!(Colour::hsl(hue, saturation, lightness), colour);
                }
            }
        }
        assert_eq!(Colour::hsl(120.0, 1.0, 0.5).to_string(), "#00ff00");
    }
}
