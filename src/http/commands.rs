//! Commands on a page: which parts of a sentence are commands, and where a command may break.

/// The parts of a text that names commands, such as "a program that cannot: gatelodge key list": words,
/// and the command behind them.
pub(super) fn parts(text: &str) -> Vec<(&str, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("gatelodge ") {
        let (text, command) = rest.split_at(at);
        let (command, after) = command.split_at(length(command));
        parts.push((text, command));
        rest = after;
    }
    parts.push((rest, ""));
    parts
}

/// How much of a text that begins with a command is the command: its name, a noun, a verb, what the
/// verb is about, and options with their values.
fn length(text: &str) -> usize {
    let (mut end, mut takes_value, mut number) = (0, false, 0);
    let mut rest = text;
    while let Some((word, after)) = word(rest) {
        let bare = word.trim_end_matches([',', ';', ':']);
        let is_last = bare.len() < word.len() || after.is_empty();
        let is_option = bare.starts_with('-');
        let is_place = !bare.is_empty()
            && bare.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
            || bare.starts_with('\'');
        let is_about = number == 3 && (is_last || after.starts_with('-'));
        if !(number < 3 || is_option || is_place || takes_value || is_about) {
            break;
        }
        end = text.len() - rest.len() + bare.len();
        if is_last {
            break;
        }
        takes_value = is_option && !bare.contains('=');
        number += 1;
        rest = after;
    }
    end
}

/// The first word of a text, which may be quoted, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let end = text.char_indices().find(|(_, c)| {
        quoted ^= *c == '\'';
        *c == ' ' && !quoted
    });
    match end {
        Some((at, _)) => Some((text.get(..at)?, text.get(at + 1..)?)),
        None => (!text.is_empty()).then_some((text, "")),
    }
}

/// The words of a command line: of each what may not break behind a hyphen, and what may.
pub(super) fn pieces(command: &str) -> Vec<(&str, &str)> {
    let word = |word| -> (&str, &str) {
        let option = str::starts_with(word, '-');
        let end =
            if option { word.find(['=', ' ', '\n']).map_or(word.len(), |at| at + 1) } else { 0 };
        word.split_at(end)
    };
    command.split_inclusive([' ', '\n']).map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with each command in brackets.
    fn marked(text: &str) -> String {
        let marked = parts(text).into_iter().map(|(text, command)| match command {
            "" => text.to_owned(),
            command => format!("{text}[{command}]"),
        });
        marked.collect()
    }

    #[test]
    fn a_command_ends_where_its_sentence_goes_on() {
        for text in [
            "no command here",
            "a program that cannot: [gatelodge client set shop --pkce nonce], or --pkce optional",
            "nobody is in one; [gatelodge user set NAME --group GROUP]",
            "for one of those: [gatelodge client set 'my telly' --auth none]",
            "[gatelodge user set ada --email ADDRESS --email-verified]",
            "[gatelodge client show shop]; then [gatelodge doctor]",
            "Use https: [gatelodge tls issue NAME --out FILE --key FILE], on this machine",
        ] {
            let plain = text.replace(['[', ']'], "");

            assert_eq!(marked(&plain), text);
        }
    }

    #[test]
    fn an_option_is_kept_whole_and_its_value_is_not() {
        let command = "gatelodge client set --add-redirect=https://a.example/x-y --logo FILE";

        let pieces = pieces(command);

        let whole: String = pieces.iter().flat_map(|(option, rest)| [*option, *rest]).collect();
        assert_eq!(whole, command);
        let options = pieces.iter().map(|(option, _)| *option).filter(|own| !own.is_empty());
        assert_eq!(options.collect::<Vec<_>>(), ["--add-redirect=", "--logo "]);
    }
}
