//! The freshness lifetime of a response, from its headers (RFC 9111 §4.2).

use std::time::Duration;

use hyper::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName};

/// The value of a number of seconds that overflows (RFC 9111 §1.2.2).
const MAX_DELTA_SECONDS: u64 = 1 << 31;

/// The freshness lifetime of a response: zero if it may not be stored, `None` if its headers do not
/// say. `s-maxage` is ignored, since this is no shared cache.
pub(super) fn freshness_lifetime(headers: &HeaderMap) -> Option<Duration> {
    let mut max_age = None::<u64>;
    for line in headers.get_all(CACHE_CONTROL) {
        for directive in line.to_str().unwrap_or("no-store").split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "max-age" => {
                    // RFC 9111 §4.2.1: "caches are encouraged to consider responses that have
                    // invalid freshness information […] to be stale". Of two, the shorter counts.
                    let seconds = delta_seconds(value.trim().trim_matches('"')).unwrap_or(0);
                    max_age = Some(max_age.unwrap_or(seconds).min(seconds));
                }
                "no-cache" | "no-store" => return Some(Duration::ZERO),
                _ => {}
            }
        }
    }
    let lifetime = match max_age {
        Some(seconds) => Duration::from_secs(seconds),
        None => until_expires(headers)?,
    };
    let age = text(headers, &AGE).and_then(|age| delta_seconds(age.trim())).unwrap_or(0);
    Some(lifetime.saturating_sub(Duration::from_secs(age)))
}

fn until_expires(headers: &HeaderMap) -> Option<Duration> {
    headers.get(EXPIRES)?;
    let date = |name| httpdate::parse_http_date(text(headers, name)?).ok();
    // RFC 9111 §5.3: "A cache recipient MUST interpret invalid date formats, especially the value
    // "0", as representing a time in the past".
    let Some(expires) = date(&EXPIRES) else { return Some(Duration::ZERO) };
    Some(expires.duration_since(date(&DATE)?).unwrap_or_default())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn delta_seconds(value: &str) -> Option<u64> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| value.parse().unwrap_or(MAX_DELTA_SECONDS).min(MAX_DELTA_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetime(lines: &[(&'static str, &'static str)]) -> Option<u64> {
        let line = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        freshness_lifetime(&lines.iter().map(line).collect()).map(|lifetime| lifetime.as_secs())
    }

    #[test]
    fn max_age_counts_less_the_age() {
        for (cache_control, age, seconds) in [
            ("max-age=60", "0", 60),
            ("public, MAX-AGE=60", "20", 40),
            ("max-age=\"60\"", "61", 0),
            ("max-age=60, s-maxage=5", "nonsense", 60),
            ("max-age=60, max-age=30", "", 30),
            ("max-age=99999999999999999999999", "0", MAX_DELTA_SECONDS),
            ("max-age=-1", "0", 0),
            ("max-age=soon", "0", 0),
            ("max-age", "0", 0),
        ] {
            let stated = lifetime(&[("cache-control", cache_control), ("age", age)]);

            assert_eq!(stated, Some(seconds), "{cache_control}");
        }
    }

    #[test]
    fn what_may_not_be_kept_is_never_fresh() {
        for cache_control in ["no-store", "max-age=60, No-Cache", "no-cache=\"x\", max-age=60"] {
            assert_eq!(lifetime(&[("cache-control", cache_control)]), Some(0), "{cache_control}");
        }
        let lines = [("cache-control", "max-age=60"), ("cache-control", "no-store")];
        assert_eq!(lifetime(&lines), Some(0));
    }

    #[test]
    fn expires_counts_from_the_date_where_there_is_no_max_age() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let expires = ("expires", "Sun, 06 Nov 1994 08:50:37 GMT");
        let past = ("expires", "Sun, 06 Nov 1994 08:00:00 GMT");

        assert_eq!(lifetime(&[date, expires]), Some(60));
        assert_eq!(lifetime(&[date, expires, ("age", "10")]), Some(50));
        assert_eq!(lifetime(&[date, expires, ("cache-control", "max-age=5")]), Some(5));
        assert_eq!(lifetime(&[date, past]), Some(0));
        assert_eq!(lifetime(&[date, ("expires", "0")]), Some(0));
        assert_eq!(lifetime(&[("expires", "-1")]), Some(0));
    }

    #[test]
    fn a_server_that_says_nothing_is_not_guessed_at() {
        assert_eq!(lifetime(&[]), None);
        assert_eq!(lifetime(&[("cache-control", "public"), ("age", "5")]), None);
        assert_eq!(lifetime(&[("expires", "Sun, 06 Nov 1994 08:50:37 GMT")]), None);
    }
}
