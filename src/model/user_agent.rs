//! The description of a device in its requests: its address, its `User-Agent` ([RFC 9110
//! §10.1.5](https://www.rfc-editor.org/rfc/rfc9110#section-10.1.5)) and its language. A
//! `User-Agent` is stored as it was sent, and parsed for each display into the program, the system,
//! and whether it names itself a robot. A client can send anything, so this decides nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The description of a device in a request. Each part is short: an address, 200 characters, a
/// language tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// The address, in the form for display.
    pub address: String,
    /// The `User-Agent`.
    pub user_agent: Option<String>,
    /// The preferred language.
    pub locale: Option<Locale>,
}

impl DeviceInfo {
    /// The program of the `User-Agent`.
    pub fn program(&self) -> UserAgent {
        UserAgent::of(self.user_agent.as_deref().unwrap_or_default())
    }
}

/// A language tag (RFC 5646 §2.1) of at most 35 characters, which is enough for every tag in use
/// (§4.4.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locale(Box<str>);

impl Locale {
    /// The most characters of a tag.
    const MAX_LENGTH: usize = 35;

    /// The first language of an `Accept-Language` (RFC 9110 §12.5.4), which browsers use for the
    /// preferred one. `None` if it is no language tag, such as `*`.
    pub fn first(accept_language: &str) -> Option<Self> {
        let first = accept_language.split([',', ';']).next()?.trim();
        let mut subtags = first.split('-');
        let language = subtags.next()?;
        let is_language =
            (2..=8).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
        let is_subtag = |subtag: &str| {
            (1..=8).contains(&subtag.len()) && subtag.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        let fits = first.len() <= Self::MAX_LENGTH && is_language && subtags.all(is_subtag);
        fits.then(|| Self(first.into()))
    }

    /// The tag as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The most characters of a `User-Agent` that are parsed.
const MAX_LENGTH: usize = 512;

/// The marks in a `User-Agent`, and their programs. The first match counts, since browsers also
/// name older browsers.
const PROGRAMS: &[(&str, &str)] = &[
    ("edg/", "Edge"),
    ("edga/", "Edge"),
    ("edgios/", "Edge"),
    ("opr/", "Opera"),
    ("opios/", "Opera"),
    ("brave/", "Brave"),
    ("duckduckgo/", "DuckDuckGo"),
    ("ddg/", "DuckDuckGo"),
    ("yabrowser/", "Yandex Browser"),
    ("ucbrowser/", "UC Browser"),
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
    ("httpie/", "HTTPie"),
    ("postmanruntime/", "Postman"),
    ("insomnia/", "Insomnia"),
    ("powershell/", "PowerShell"),
    ("axios/", "Node.js"),
    ("deno/", "Deno"),
    ("bun/", "Bun"),
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
    ("apache-httpclient/", "Java"),
    ("dart/", "Dart"),
    ("ruby", "Ruby"),
    ("guzzlehttp/", "PHP"),
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

/// The words by which robots name themselves: crawlers, link previews, monitors, scanners, and
/// browsers that a program drives. HTTP libraries (curl, Python) are not included, since a person's
/// own tools use them too. A word is added when its program is seen in a log, if no browser or
/// device of a person has it in its name.
const BOTS: &[&str] = &[
    "archiver",
    "bot",
    "checker",
    "crawl",
    "chatgpt-user",
    "facebookcatalog",
    "facebookexternalhit",
    "feedfetcher",
    "google-inspectiontool",
    "google-read-aloud",
    "headless",
    "httrack",
    "lighthouse",
    "mediapartners",
    "monitor",
    "nagios",
    "nikto",
    "nuclei",
    "perplexity-user",
    "phantomjs",
    "pingdom",
    "playwright",
    "preview",
    "puppeteer",
    "scan",
    "selenium",
    "slurp",
    "spider",
    "sqlmap",
    "statuscake",
    "uptime",
    "validator",
    "zabbix",
    "zgrab",
];

/// The names of devices that contain one of [`BOTS`]: CUBOT makes telephones.
const NO_BOTS: &[&str] = &["cubot"];

/// A parsed `User-Agent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserAgent {
    /// Whether it names itself a robot.
    pub bot: bool,
    /// Its family, if it is known.
    pub program: Option<&'static str>,
    /// The operating system, if it is known.
    pub system: Option<&'static str>,
}

impl UserAgent {
    /// Parses a `User-Agent`.
    pub fn of(written: &str) -> Self {
        let written: String =
            written.chars().take(MAX_LENGTH).collect::<String>().to_ascii_lowercase();
        let first = |known: &[(&str, &'static str)]| {
            known.iter().find(|(mark, _)| written.contains(mark)).map(|(_, name)| *name)
        };
        let besides = NO_BOTS.iter().fold(written.clone(), |rest, name| rest.replace(name, ""));
        Self {
            bot: BOTS.iter().any(|mark| besides.contains(mark)),
            program: first(PROGRAMS),
            system: first(SYSTEMS),
        }
    }
}

/// The text for people, such as "Firefox on macOS".
impl fmt::Display for UserAgent {
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
        for (written, expected) in [
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
            let user_agent = UserAgent::of(written);

            assert_eq!((user_agent.to_string().as_str(), user_agent.bot), (expected, false));
        }
    }

    #[test]
    fn a_crawler_names_itself() {
        for written in
            ["Googlebot/2.1", "Mozilla/5.0 (compatible; bingbot/2.0)", "HeadlessChrome/1"]
        {
            assert!(UserAgent::of(written).bot, "{written}");
        }
    }

    #[test]
    fn a_persons_device_or_tool_is_no_robot_by_its_name() {
        for written in ["Mozilla/5.0 (Linux; Android 13; CUBOT X70) Chrome/130.0", "curl/8.5.0"] {
            assert!(!UserAgent::of(written).bot, "{written}");
        }
    }

    #[test]
    fn the_first_language_counts() {
        for (written, first) in [
            ("de-CH,de;q=0.9,en;q=0.8", Some("de-CH")),
            ("en;q=0.5", Some("en")),
            (" zh-Hant-TW , en", Some("zh-Hant-TW")),
            ("de-1996", Some("de-1996")),
        ] {
            assert_eq!(Locale::first(written).as_ref().map(Locale::as_str), first, "{written}");
        }
    }

    #[test]
    fn what_is_no_language_tag_says_nothing() {
        let long = "abc-".repeat(9) + "d";
        for written in ["", "*", ",de", "d", "12-CH", "de-", "de_CH", "<b>", "de-\u{e9}", &long] {
            assert_eq!(Locale::first(written), None, "{written}");
        }
    }
}
