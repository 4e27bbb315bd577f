//! Drawings in a page.

use std::fmt;

use askama::filters::HtmlSafe;

use crate::model::qr_code;

/// An SVG element that this server drew.
pub(in crate::http) struct Drawing(String);

impl Drawing {
    /// The QR code of `text`; `None` if the text is too long for one.
    pub(in crate::http) fn qr_code(text: &str) -> Option<Self> {
        qr_code::svg(text).map(Self)
    }
}

// It has modules and their places, and nothing of the text itself.
impl HtmlSafe for Drawing {}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_gets_into_the_page_by_its_drawing() {
        let drawing = Drawing::qr_code("<script>alert(1)</script>").unwrap().to_string();

        assert!(drawing.starts_with("<svg ") && !drawing.contains("script"), "{drawing}");
    }
}
