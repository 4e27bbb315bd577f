//! A logo: an image of a kind that browsers display.
//!
//! The kind is that of the content, whatever a file is called. Nothing is decoded: a browser does that.

use serde::{Deserialize, Serialize};

use super::version;

/// The kind of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PictureKind {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// SVG, which is a document and may have scripts.
    Svg,
    /// WebP.
    WebP,
}

impl PictureKind {
    /// The kind of an image with this content, by how it begins.
    pub fn of(content: &[u8]) -> Option<Self> {
        match content {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'\x89', b'P', b'N', b'G', b'\r', b'\n', b'\x1a', b'\n', ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            text if is_svg(text) => Some(Self::Svg),
            _ => None,
        }
    }

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml",
            Self::WebP => "image/webp",
        }
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Svg => "SVG",
            Self::WebP => "WebP",
        }
    }
}

/// Whether the root of a document is an `svg` of the namespace without which no browser draws it.
fn is_svg(content: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(content) else { return false };
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    // What may stand before it: a declaration, comments, a type of document.
    while let Some((end, after)) = [("<?", "?>"), ("<!--", "-->"), ("<!", ">")]
        .iter()
        .find_map(|(start, end)| Some((end, rest.strip_prefix(start)?)))
    {
        let Some((_, after)) = after.split_once(end) else { return false };
        rest = after.trim_start();
    }
    let Some(after) = rest.strip_prefix("<svg") else { return false };
    let tag = after.split_once('>').map_or("", |(tag, _)| tag);
    tag.starts_with(char::is_whitespace) && tag.contains("http://www.w3.org/2000/svg")
}

/// An image, and the version that its address has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its content.
    pub content: Vec<u8>,
    /// Its kind.
    pub kind: PictureKind,
    /// The version of the content.
    pub version: String,
}

impl Picture {
    /// The image with this content, if it is one.
    pub fn of(content: Vec<u8>) -> Option<Self> {
        let kind = PictureKind::of(&content)?;
        Some(Self { kind, version: version(&content), content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_that_of_the_content() {
        let svg = "xmlns=\"http://www.w3.org/2000/svg\"";
        for (content, kind) in [
            ("\u{89}PNG\r\n\x1a\n", None),
            ("", None),
            ("<svg>", None),
            ("<html>", None),
            ("<?xml version=\"1.0\"", None),
            (&*format!("<svgx {svg}>"), None),
            (&*format!("<html><svg {svg}>"), None),
            (&*format!("<svg {svg}>"), Some(PictureKind::Svg)),
            (
                &*format!(
                    "\u{feff}\n<?xml version=\"1.0\"?>\n<!-- <html> -->\n<!DOCTYPE svg>\n\
                     <svg\n {svg} viewBox=\"0 0 1 1\">"
                ),
                Some(PictureKind::Svg),
            ),
        ] {
            assert_eq!(PictureKind::of(content.as_bytes()), kind, "{content}");
        }
        assert_eq!(PictureKind::of(b"\x89PNG\r\n\x1a\nx"), Some(PictureKind::Png));
        assert_eq!(PictureKind::of(b"\xff\xd8\xff\xe0"), Some(PictureKind::Jpeg));
        assert_eq!(PictureKind::of(b"RIFF\0\0\0\0WEBPVP8 "), Some(PictureKind::WebP));
        assert_eq!(PictureKind::of(b"RIFF\0\0\0\0WAVEfmt "), None);
    }
}
