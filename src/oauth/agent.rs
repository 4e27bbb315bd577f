//! The `User-Agent` of a request ([RFC 9110 §10.1.5](https://www.rfc-editor.org/rfc/rfc9110#section-10.1.5))
//! in words that people know: which program, on which system. Whoever asks may say anything, so
//! nothing is ever decided by it.

use std::fmt;

/// The most characters of it that are looked at.
const MOST: usize = 512;

/// What stands in it, and what that means; the first that fits counts, since browsers name their
/// forebears too.
const PROGRAMS: &[(&str, &str)] = &[
    ("edg/", "Edge"),
    ("edga/", "Edge"),
    ("edgios/", "Edge"),
    ("opr/", "Opera"),
    ("vivaldi/", "Vivaldi"),
    ("samsungbrowser/", "Samsung Internet"),
    ("firefox/", "Firefox"),
    ("fxios/", "Firefox"),
    ("electron/", "Electron"),
    ("crios/", "Chrome"),
    ("chromium/", "Chromium"),
    ("chrome/", "Chrome"),
    ("safari/", "Safari"),
    ("curl/", "curl"),
    ("wget/", "Wget"),
    ("python-requests/", "Python"),
    ("python-httpx/", "Python"),
    ("python-urllib/", "Python"),
    ("aiohttp/", "Python"),
    ("node", "Node.js"),
    ("undici", "Node.js"),
    ("go-http-client/", "Go"),
    ("reqwest/", "Rust"),
    ("hyper/", "Rust"),
    ("okhttp/", "Java"),
    ("java/", "Java"),
    ("gatelodge/", "Gatelodge"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("iphone", "iOS"),
    ("ipad", "iPadOS"),
    ("android", "Android"),
    ("cros ", "ChromeOS"),
    ("windows", "Windows"),
    ("mac os x", "macOS"),
    ("macintosh", "macOS"),
    ("darwin", "macOS"),
    ("linux", "Linux"),
    ("freebsd", "FreeBSD"),
];

/// Words by which crawlers and monitors name themselves.
const BOTS: &[&str] = &[
    "bot",
    "crawl",
    "spider",
    "slurp",
    "archiver",
    "facebookexternalhit",
    "headlesschrome",
    "lighthouse",
    "monitor",
    "preview",
    "scan",
    "uptime",
];

/// A program, as its `User-Agent` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Whether it names itself a crawler or the like.
    pub bot: bool,
    /// Its family, where that is known.
    pub program: Option<&'static str>,
    /// The system that it runs on, where that is known.
    pub system: Option<&'static str>,
}

impl Agent {
    /// The program that `written` names.
    pub fn of(written: &str) -> Self {
        let written: String = written.chars().take(MOST).collect::<String>().to_ascii_lowercase();
        let first = |known: &[(&str, &'static str)]| {
            known.iter().find(|(mark, _)| written.contains(mark)).map(|(_, name)| *name)
        };
        Self {
            bot: BOTS.iter().any(|mark| written.contains(mark)),
            program: first(PROGRAMS),
            system: first(SYSTEMS),
        }
    }
}

/// «Firefox on macOS», as far as it is known.
impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.program, self.system) {
            (Some(program), Some(system)) => write!(f, "{program} on {system}"),
            (Some(one), None) | (None, Some(one)) => f.write_str(one),
            (None, None) => f.write_str("an unknown program"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_and_programs_are_known_by_name() {
        for (written, told) in [
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like \
                 Gecko) Version/17.1 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
                "Firefox on Linux",
            ),
            ("curl/8.5.0", "curl"),
            ("", "an unknown program"),
        ] {
            let agent = Agent::of(written);

            assert_eq!((agent.to_string().as_str(), agent.bot), (told, false));
        }
    }

    #[test]
    fn a_crawler_names_itself() {
        for written in
            ["Googlebot/2.1", "Mozilla/5.0 (compatible; bingbot/2.0)", "HeadlessChrome/1"]
        {
            assert!(Agent::of(written).bot, "{written}");
        }
    }
}
