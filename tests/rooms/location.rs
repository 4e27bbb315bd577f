//! Finds files that write a `Location` by themselves.

use super::scan;

/// The one file of the server that writes a `Location`.
const FILE: &str = "http/redirect.rs";

/// That of the child of `--open`, which leads to the one page that the server named when it started.
const OF_CHILD: &str = "cli/serve/visit.rs";

/// Whether the file at `path` below `src/` names the header, or the type of axum that writes it,
/// without being one of those files.
pub(crate) fn written_amiss(path: &str, source: &str) -> bool {
    let constant = scan::identifiers(source).iter().any(|name| name == "LOCATION");
    let text = source.to_ascii_lowercase().contains("\"location\"");
    let redirect =
        |named: &Vec<String>| named.windows(2).any(|pair| pair == ["response", "Redirect"]);
    ![FILE, OF_CHILD].contains(&path)
        && (constant || text || scan::paths(&[], source).iter().any(redirect))
}

mod tests {
    use super::*;

    #[test]
    fn a_location_of_another_file_is_caught_however_it_is_written() {
        for source in [
            "(StatusCode::FOUND, [(header::LOCATION, url)])",
            "use axum::http::header::LOCATION as L;",
            "headers.insert(\"Location\", url)",
            "use axum::response::{IntoResponse, Redirect};",
            "axum::response::Redirect::to(url)",
        ] {
            assert!(written_amiss("http/proxy.rs", source), "{source}");
            assert!(!written_amiss(FILE, source), "{source}");
        }
        for source in
            ["// header::LOCATION", "header::CONTENT_LOCATION", "AuthorizationError::Redirect"]
        {
            assert!(!written_amiss("http/proxy.rs", source), "{source}");
        }
    }
}
