//! Lists of preferences, as in `Accept-Language` and `Accept-Encoding` (RFC 9110 §12.4.2).

use axum::http::HeaderValue;

/// The values that the fields accept, the most preferred first, without their parameters. What has
/// the weight 0 is "not acceptable" and left out, and so is what cannot be read.
pub(super) fn preferences<'a>(fields: impl IntoIterator<Item = &'a HeaderValue>) -> Vec<&'a str> {
    let fields = fields.into_iter().filter_map(|field| field.to_str().ok());
    let items = fields.flat_map(|field| field.split(','));
    let mut weighed: Vec<(&str, u16)> = items.filter_map(weighed).collect();
    // The sort is stable: of the same weight, what stands first is preferred.
    weighed.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    weighed.into_iter().map(|(value, _)| value).collect()
}

/// One value and its weight in thousandths.
fn weighed(item: &str) -> Option<(&str, u16)> {
    let mut parts = item.split(';').map(str::trim);
    let value = parts.next().filter(|value| !value.is_empty())?;
    let weight = match parts.find_map(|part| part.split_once('=').filter(|(name, _)| is_q(name))) {
        Some((_, weight)) => thousandths(weight.trim())?,
        None => 1000,
    };
    (weight > 0).then_some((value, weight))
}

fn is_q(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("q")
}

/// RFC 9110 §12.4.2: `qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )`.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    let fraction: u16 = format!("{fraction:0<3}").parse().ok().filter(|_| digits)?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_preferred_stands_first() {
        for (field, preferred) in [
            ("de", vec!["de"]),
            ("de-AT, en;q=0.8, *;q=0.1", vec!["de-AT", "en", "*"]),
            ("en;q=0.2,de ; Q=0.9 , fr;q=0.9", vec!["de", "fr", "en"]),
            ("gzip;q=0, br;q=0.000, identity", vec!["identity"]),
            ("de;q=1.000;x=y, en;level=1", vec!["de", "en"]),
        ] {
            assert_eq!(preferences([&HeaderValue::from_static(field)]), preferred, "{field}");
        }
        let fields = ["en;q=0.5", "de"].map(HeaderValue::from_static);
        assert_eq!(preferences(&fields), ["de", "en"]);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for field in ["", ",;,", ";q=1", "de;q=", "de;q=2", "de;q=1.001", "de;q=0.1234", "de;q=-1"]
        {
            assert_eq!(preferences([&HeaderValue::from_static(field)]), [""; 0], "{field}");
        }
        assert_eq!(preferences([&HeaderValue::from_bytes(b"\xff").unwrap()]), [""; 0]);
    }
}
