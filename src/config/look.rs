//! `[look]`: what the pages look like. Without it they are Gatelodge's own.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::draft::Draft;
use super::load::unreadable;
use crate::model::look::accent;
use crate::model::look::colour::Colour;
use crate::model::look::picture::Picture;
use crate::model::look::version;
use crate::oauth::display_name::DisplayName;

const ACCENT: &str = "look.accent";
const LOGO: &str = "look.logo";
const NAME: &str = "look.name";

/// The most characters of a name, and bytes of a logo: every page has both.
const MAX_NAME: usize = 40;
const MAX_LOGO: u64 = 24 * 1024;

/// What the pages look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The colour of links and buttons, as it is written.
    pub accent: Option<String>,
    /// The file of the logo.
    pub logo: Option<PathBuf>,
    /// What the pages call this place.
    pub name: Option<String>,
    /// The logo. Only a server reads it.
    pub picture: Option<Arc<Picture>>,
    /// The style sheet of the accent.
    pub sheet: Option<Arc<Sheet>>,
}

/// A style sheet, and the version that its address has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Its content.
    pub content: String,
    /// The version of the content.
    pub version: String,
}

impl Sheet {
    /// The style sheet of this accent.
    pub fn of(accent: Colour) -> Self {
        let content = accent::sheet(accent);
        Self { version: version(content.as_bytes()), content }
    }
}

impl Draft {
    /// Checks what the pages look like, and makes the style sheet of the accent.
    pub(super) fn keep_look_whole(&mut self) {
        let look = self.config.look.clone();
        if let Some(name) = &look.name {
            let name = name.trim();
            if name.chars().count() <= MAX_NAME && name.parse::<DisplayName>().is_ok() {
                self.config.look.name = Some(name.to_owned());
            } else {
                let allowed = "1 to 40 characters are allowed, and one that can be seen";
                self.fault(self.decided(NAME), NAME, format!("found {name:?}; {allowed}"));
                self.config.look.name = None;
            }
        }
        if let Some(accent) = &look.accent {
            match accent.parse() {
                Ok(colour) => self.config.look.sheet = Some(Arc::new(Sheet::of(colour))),
                Err(_) => {
                    let allowed = "a colour is allowed, such as #1d5c45";
                    let message = format!("found {accent:?}; {allowed}");
                    self.fault(self.decided(ACCENT), ACCENT, message);
                    self.config.look.accent = None;
                }
            }
        }
        self.config.watched.extend(look.logo);
    }

    /// Reads the logo.
    pub(super) fn read_logo(&mut self) {
        let Some(path) = self.config.look.logo.clone() else { return };
        let fault = match read(&path) {
            Ok(content) if content.len() as u64 > MAX_LOGO => {
                "it has more than 24 KiB, and every page would load it".to_owned()
            }
            Ok(content) => match Picture::of(content) {
                Some(picture) => {
                    self.config.look.picture = Some(Arc::new(picture));
                    return;
                }
                None => "it is none of PNG, WebP, JPEG and SVG".to_owned(),
            },
            Err(error) => unreadable(&error),
        };
        self.fault(self.decided(LOGO), LOGO, format!("{}: {fault}", path.display()));
    }
}

/// The content of a file, and one byte more than a logo may have at most.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    // To open a pipe waits for somebody who writes into it.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let file = File::open(path)?;
    file.take(MAX_LOGO + 1).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;
    use crate::clock::Timestamp;
    use crate::config::{Config, Faults, Flags, Layers};

    const SVG: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";

    /// The configuration of a server with these variables.
    fn config(pairs: &[(&str, &str)]) -> Result<Config, Faults> {
        let named = pairs
            .iter()
            .map(|(name, value)| (format!("GATELODGE_LOOK__{name}"), (*value).to_owned()));
        let data = ("GATELODGE_DATA".to_owned(), "/d".to_owned());
        let env: BTreeMap<_, _> = named.chain([data]).collect();
        Layers::new(Flags::default(), env).load_for_server(Timestamp::from_seconds(0))
    }

    fn fault(pairs: &[(&str, &str)]) -> String {
        config(pairs).err().unwrap().to_string()
    }

    #[test]
    fn a_look_is_read_whole() {
        let directory = tempfile::tempdir().unwrap();
        let logo = directory.path().join("logo");
        fs::write(&logo, SVG).unwrap();
        let logo = logo.to_str().unwrap();

        let look = config(&[("NAME", " House  of Ada "), ("ACCENT", "#8A1C4A"), ("LOGO", logo)]);

        let look = look.unwrap_or_else(|faults| panic!("{faults}")).look;
        assert_eq!(look.name.as_deref(), Some("House  of Ada"));
        assert!(look.sheet.unwrap().content.contains("--accent: #8a1c4a;"));
        assert_eq!(look.picture.unwrap().content, SVG.as_bytes());
        assert_eq!(config(&[]).unwrap_or_else(|faults| panic!("{faults}")).look, Look::default());
    }

    #[test]
    fn a_wrong_look_is_a_fault_that_says_what_is_allowed() {
        let long = "n".repeat(41);
        for name in ["\u{200b}", "a\nb", " ", &long] {
            let fault = fault(&[("NAME", name)]);
            assert!(fault.starts_with("GATELODGE_LOOK__NAME: look.name: found "), "{fault}");
        }
        assert!(config(&[("NAME", &"é".repeat(40))]).is_ok());
        for accent in ["green", "#12345", "#1234567", "rgb(1,2,3)", "#12345g"] {
            let wanted = format!(
                "GATELODGE_LOOK__ACCENT: look.accent: found {accent:?}; a colour is allowed, such as \
                 #1d5c45"
            );
            assert_eq!(fault(&[("ACCENT", accent)]), wanted);
        }
    }

    #[test]
    fn a_logo_that_is_none_or_too_large_is_a_fault() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).display().to_string();
        fs::write(at("text"), "hello").unwrap();
        fs::write(at("large"), format!("{SVG}{}", " ".repeat(24 * 1024))).unwrap();
        fs::write(at("most"), format!("{SVG}{}", " ".repeat(24 * 1024 - SVG.len()))).unwrap();
        // Nobody ever writes into it.
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status();
        assert!(made.unwrap().success());
        for (name, wanted) in [
            ("pipe", "it is no file"),
            ("text", "it is none of PNG, WebP, JPEG and SVG"),
            ("large", "it has more than 24 KiB, and every page would load it"),
            ("none", "it cannot be read: No such file or directory (os error 2)"),
            ("", "it is no file"),
        ] {
            let path = at(name);
            let wanted = format!("GATELODGE_LOOK__LOGO: look.logo: {path}: {wanted}");
            assert_eq!(fault(&[("LOGO", &path)]), wanted);
        }
        assert!(config(&[("LOGO", &at("most"))]).is_ok());
        let watched = config(&[("LOGO", &at("most"))]).unwrap_or_else(|faults| panic!("{faults}"));
        assert!(watched.watched.contains(&at("most").into()), "a new logo is noticed");
    }
}
