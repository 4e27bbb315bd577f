//! Durations in a configuration: `900`, `"15m"`, `"30d"`.

use toml::Value;

const UNITS: &[(&str, u64)] = &[("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// Reads a duration, in seconds: a whole number, alone or with a unit.
pub(super) fn read(value: &Value) -> Option<u64> {
    match value {
        Value::Integer(seconds) => u64::try_from(*seconds).ok(),
        Value::String(written) => of_text(written),
        Value::Array(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Float(_)
        | Value::Table(_) => None,
    }
}

/// Reads a duration that is text, in seconds.
pub fn of_text(written: &str) -> Option<u64> {
    let digits = written.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = written.split_at_checked(digits)?;
    let size = match unit {
        "" => 1,
        _ => UNITS.iter().find(|(name, _)| *name == unit).map(|(_, size)| *size)?,
    };
    number.parse::<u64>().ok()?.checked_mul(size)
}

/// Prints `seconds` in the largest unit that divides them.
pub(super) fn show(seconds: u64) -> String {
    let whole = |size: &u64| seconds >= *size && seconds.is_multiple_of(*size);
    let (unit, size) = UNITS.iter().find(|(_, size)| whole(size)).unwrap_or(&("s", 1));
    format!("{}{unit}", seconds / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_seconds_or_has_a_unit() {
        for (written, meant) in [
            (Value::from(900), Some(900)),
            (Value::from("900"), Some(900)),
            (Value::from("45s"), Some(45)),
            (Value::from("15m"), Some(900)),
            (Value::from("12h"), Some(43_200)),
            (Value::from("30d"), Some(2_592_000)),
            (Value::from(-1), None),
            (Value::from(1.5), None),
            (Value::from(""), None),
            (Value::from("d"), None),
            (Value::from("5 m"), None),
            (Value::from("5w"), None),
            (Value::from("99999999999999999999d"), None),
            (Value::from("999999999999999999d"), None),
        ] {
            assert_eq!(read(&written), meant, "{written}");
        }
    }

    #[test]
    fn a_span_is_shown_in_its_largest_whole_unit() {
        for (seconds, text) in [(0, "0s"), (90, "90s"), (900, "15m"), (86_400, "1d")] {
            assert_eq!(show(seconds), text);
        }
    }
}
