//! Dotted keys, as TOML writes them: the place of something in a document.

/// Prints `path` as a dotted key.
pub fn dotted(path: &[impl AsRef<str>]) -> String {
    path.iter().map(|name| quoted(name.as_ref())).collect::<Vec<_>>().join(".")
}

/// One name of a dotted key, quoted if it has to be.
pub fn quoted(name: &str) -> String {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { format!("{name:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_where_it_has_to_be() {
        assert_eq!(dotted(&["scopes", "orders:read"]), "scopes.\"orders:read\"");
        assert_eq!(dotted(&["users", "ada_1-b", ""]), "users.ada_1-b.\"\"");
    }
}
