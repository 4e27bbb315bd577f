//! QR codes of text, as a terminal shows them.

use qrcode::render::svg;
use qrcode::render::unicode::Dense1x2;
use qrcode::types::QrError;
use qrcode::{EcLevel, QrCode};

/// The light modules that a reader needs around a code.
const QUIET: usize = 4;

/// Black on white, whatever the colours of the terminal, and the end of that.
const COLOURS: [&str; 2] = ["\u{1b}[30;107m", "\u{1b}[0m"];

/// The QR code of `text`, two rows of modules to a line; `None` if a line has more than `width`
/// columns. Without `colour` the light modules are drawn, since most terminals are dark.
pub fn drawn(text: &str, width: usize, colour: bool) -> Option<String> {
    let code = code(text).ok()?;
    if code.width() + 2 * QUIET > width {
        return None;
    }
    let (dark, light) =
        if colour { (Dense1x2::Dark, Dense1x2::Light) } else { (Dense1x2::Light, Dense1x2::Dark) };
    let mut drawing = code.render::<Dense1x2>();
    let drawing = drawing.dark_color(dark).light_color(light).quiet_zone(true).build();
    if !colour {
        return Some(drawing + "\n");
    }
    let [start, end] = COLOURS;
    Some(drawing.lines().map(|line| format!("{start}{line}{end}\n")).collect())
}

/// The QR code of `text` as an SVG element; `None` if the text is too long for one.
pub fn svg(text: &str) -> Option<String> {
    let code = code(text).ok()?;
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    drawn.find("<svg").map(|start| drawn.split_at(start).1.to_owned())
}

fn code(text: &str) -> Result<QrCode, QrError> {
    QrCode::with_error_correction_level(text, EcLevel::L)
}

#[cfg(test)]
mod tests {
    use qrcode::Color;

    use super::*;

    const URL: &str =
        "http://localhost:7455/setup#gl_st_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    /// The modules of a drawing, dark ones as `true`.
    fn modules(drawing: &str, drawn_is_dark: bool) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in drawing.lines() {
            let line = line.trim_start_matches(COLOURS[0]).trim_end_matches(COLOURS[1]);
            let half = |full: char| {
                line.chars().map(|sign| (sign == '█' || sign == full) == drawn_is_dark).collect()
            };
            rows.extend([half('▀'), half('▄')]);
        }
        rows
    }

    #[test]
    fn a_drawing_has_every_module_of_the_code_and_light_around_it() {
        let code = code(URL).unwrap();
        let side = code.width();

        for (colour, drawn_is_dark) in [(true, true), (false, false)] {
            let drawing = drawn(URL, 80, colour).unwrap();
            let modules = modules(&drawing, drawn_is_dark);

            for (y, row) in modules.iter().enumerate().take(side + 2 * QUIET) {
                assert_eq!(row.len(), side + 2 * QUIET);
                for (x, dark) in row.iter().enumerate() {
                    let inside = |at: usize| (QUIET..QUIET + side).contains(&at);
                    let expected =
                        inside(x) && inside(y) && code[(x - QUIET, y - QUIET)] == Color::Dark;
                    assert_eq!(*dark, expected, "{x} {y}");
                }
            }
            assert!(modules.len() >= side + 2 * QUIET);
        }
    }

    #[test]
    fn no_code_is_wider_than_its_terminal() {
        let width = code(URL).unwrap().width() + 2 * QUIET;

        assert!(drawn(URL, width, false).is_some());
        assert_eq!(drawn(URL, width - 1, false), None);
        assert_eq!(drawn(&"x".repeat(5000), 1000, false), None);
    }
}
