//! The accent of an operator: the colours of the pages that follow from one, by day and by night.
//!
//! An accent is asked for once and used on five grounds or more, so it is not taken as it is: each
//! scheme has the lightness next to it that can be read there. The hue stays.

use std::fmt::Write as _;

use super::colour::Colour;

/// What a page looks like by day, by night, and for whoever asks for more contrast.
struct Scheme {
    /// The condition of the scheme, as the style sheet of the pages has it.
    condition: Option<&'static str>,
    /// The grounds on which the accent stands: `--ground`, `--card`, `--well`.
    grounds: &'static [Colour],
    /// Whether they are dark.
    is_dark: bool,
    /// The contrast of text.
    text: f64,
}

/// The schemes, in the order of the style sheet.
const SCHEMES: [Scheme; 4] = [
    Scheme {
        condition: None,
        grounds: &[Colour::of(0xed_f0_ea), Colour::of(0xfe_ff_fd), Colour::of(0xf1_f4_ef)],
        is_dark: false,
        text: 4.5,
    },
    Scheme {
        condition: Some("(prefers-color-scheme: dark)"),
        grounds: &[Colour::of(0x0f_15_12), Colour::of(0x18_20_1c), Colour::of(0x11_18_14)],
        is_dark: true,
        text: 4.5,
    },
    Scheme {
        condition: Some("(prefers-contrast: more)"),
        grounds: &[Colour::WHITE],
        is_dark: false,
        text: 7.0,
    },
    Scheme {
        condition: Some("(prefers-contrast: more) and (prefers-color-scheme: dark)"),
        grounds: &[Colour::BLACK],
        is_dark: true,
        text: 7.0,
    },
];

/// The contrast of an edge.
const EDGE: f64 = 3.0;

/// How much lighter or darker what is pointed at becomes.
const SHIFT: f64 = 0.09;

/// The colours of a scheme that follow from an accent.
struct Palette {
    /// `--accent`: links, buttons, the focus.
    accent: Colour,
    /// `--accent-deep`: the same under the pointer.
    deep: Colour,
    /// `--on-accent`: text on both.
    on_accent: Colour,
    /// `--stone`: the upper edge of the card.
    stone: Colour,
}

impl Scheme {
    /// The colours of this scheme that follow from `accent`.
    fn palette(&self, accent: Colour) -> Palette {
        let readable = self.nearest(accent, self.text);
        let (hue, saturation, lightness) = readable.to_hsl();
        let shift = if self.is_dark { SHIFT } else { -SHIFT };
        let at = |lightness: f64| Colour::hsl(hue, saturation, lightness.clamp(0.0, 1.0));
        // Nothing is darker than black, nor lighter than white: there it goes the other way, if that
        // can be read, too.
        let (away, back) = (at(lightness + shift), at(lightness - 1.5 * shift));
        let is_at_its_end = !(0.0..=1.0).contains(&(lightness + shift / 2.0));
        let deep = if is_at_its_end && self.holds(back, self.text) { back } else { away };
        Palette {
            accent: readable,
            deep,
            on_accent: if self.is_dark { Colour::BLACK } else { Colour::WHITE },
            stone: self.nearest(accent, EDGE),
        }
    }

    /// The colour of the hue of `accent` whose lightness is next to it, and which has that contrast to
    /// every ground. Black has it to light ones, and white to dark ones.
    fn nearest(&self, accent: Colour, contrast: f64) -> Colour {
        const STEP: f64 = 1.0 / 256.0;
        let (hue, saturation, mut lightness) = accent.to_hsl();
        let mut colour = accent;
        while !self.holds(colour, contrast) && (0.0..=1.0).contains(&lightness) {
            lightness += if self.is_dark { STEP } else { -STEP };
            colour = Colour::hsl(hue, saturation, lightness.clamp(0.0, 1.0));
        }
        colour
    }

    fn holds(&self, colour: Colour, contrast: f64) -> bool {
        self.grounds.iter().all(|ground| ground.contrast(colour) >= contrast)
    }
}

/// The style sheet that gives the pages this accent. It belongs behind that of the pages.
pub fn sheet(accent: Colour) -> String {
    let mut sheet = String::new();
    for scheme in &SCHEMES {
        let Palette { accent, deep, on_accent, stone } = scheme.palette(accent);
        let rule = format!(
            ":root {{ --accent: {accent}; --accent-deep: {deep}; --on-accent: {on_accent}; \
             --stone: {stone}; }}"
        );
        // Writing into a string never fails.
        let _ = match scheme.condition {
            Some(condition) => writeln!(sheet, "@media {condition} {{ {rule} }}"),
            None => writeln!(sheet, "{rule}"),
        };
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLE: &str = include_str!("../../../assets/static/style.css");

    /// Every hue, pale and strong, dark and light; and black, white and greys.
    fn colours() -> Vec<Colour> {
        let share = |n: i32| f64::from(n) / 10.0;
        let mut all = Vec::new();
        for hue in (0..360).step_by(5) {
            for saturation in [2, 5, 10] {
                for lightness in [1, 3, 5, 7, 9] {
                    all.push(Colour::hsl(f64::from(hue), share(saturation), share(lightness)));
                }
            }
        }
        all.extend((0..=255).map(|grey| Colour::of(grey * 0x01_01_01)));
        all
    }

    #[test]
    fn whatever_the_accent_is_it_can_be_read_in_every_scheme() {
        for accent in colours() {
            for scheme in &SCHEMES {
                let own = scheme.palette(accent);
                for ground in scheme.grounds {
                    for (colour, least) in
                        [(own.accent, scheme.text), (own.deep, scheme.text), (own.stone, EDGE)]
                    {
                        let contrast = colour.contrast(*ground);
                        assert!(contrast >= least, "{accent}: {colour} on {ground}: {contrast}");
                    }
                }
                for under in [own.accent, own.deep] {
                    let contrast = own.on_accent.contrast(under);
                    assert!(contrast >= scheme.text, "{accent}: text on {under}: {contrast}");
                }
                assert_ne!(own.accent, own.deep, "{accent}: what is pointed at shows it");
            }
        }
    }

    #[test]
    fn the_hue_stays_and_a_colour_that_can_be_read_is_taken_as_it_is() {
        let [day, night] = [&SCHEMES[0], &SCHEMES[1]];
        for accent in ["#1d5c45", "#8a1c4a", "#4b0082"] {
            let accent: Colour = accent.parse().unwrap();

            assert_eq!(day.palette(accent).accent, accent);
            let (own, other) = (accent.to_hsl().0, night.palette(accent).accent.to_hsl().0);
            assert!((own - other).abs() < 3.0, "{own} {other}");
        }
        assert_eq!(night.palette(Colour::of(0xff_d5_00)).accent, Colour::of(0xff_d5_00));
    }

    /// The value of a variable in the block of a scheme.
    fn variable(scheme: &Scheme, name: &str) -> Option<Colour> {
        let block = match scheme.condition {
            None => STYLE.split_once(":root {").unwrap().1,
            Some(condition) => STYLE.split_once(&format!("@media {condition} {{")).unwrap().1,
        };
        let block = block.split_once('}').unwrap().0;
        let (_, value) = block.split_once(&format!("--{name}: "))?;
        Some(value.split_once(';').unwrap().0.parse().unwrap())
    }

    #[test]
    fn the_grounds_are_those_of_the_style_sheet() {
        for scheme in &SCHEMES {
            for name in ["ground", "card", "well"] {
                let ground = variable(scheme, name).unwrap();

                assert!(scheme.grounds.contains(&ground), "{:?}: {name}", scheme.condition);
            }
        }
    }

    #[test]
    fn a_sheet_has_a_rule_for_each_scheme() {
        let sheet = sheet("#1d5c45".parse().unwrap());

        assert_eq!(sheet.lines().count(), SCHEMES.len());
        assert!(sheet.starts_with(":root { --accent: #1d5c45; "), "{sheet}");
        assert!(sheet.contains("\n@media (prefers-color-scheme: dark) { :root {"), "{sheet}");
    }
}
