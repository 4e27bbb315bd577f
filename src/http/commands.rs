//! Commands on a page: which parts of a sentence are commands, and where a command may break.

/// What a command begins with.
const NAME: &str = "gatelodge ";

/// The commands that have no verb.
const WITHOUT_VERB: [&str; 3] = ["doctor", "events", "paths"];

/// The options that have no value.
const FLAGS: [&str; 8] = [
    "--anonymous",
    "--email-verified",
    "--first-party",
    "--forget",
    "--introspect",
    "--now",
    "--revoke",
    "--root",
];

/// The options whose value is a word like any other.
const TAKES_A_WORD: [&str; 4] = ["--assertions", "--auth", "--pkce", "--typ"];

/// The parts of a text that names commands and options, such as "a program that cannot: gatelodge key
/// list": words, and the command or the option behind them.
pub(super) fn parts(text: &str) -> Vec<(&str, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((at, length)) = next(rest) {
        let (text, command) = rest.split_at(at);
        let (command, after) = command.split_at(length);
        parts.push((text, command));
        rest = after;
    }
    parts.push((rest, ""));
    parts
}

/// Where the next command or option of a text is, and how long it is.
fn next(text: &str) -> Option<(usize, usize)> {
    let command = text.find(NAME).map(|at| (at, length(text.get(at..).unwrap_or_default())));
    let starts = text.match_indices("--").map(|(at, _)| at);
    let option = starts.map(|at| (at, option_length(text.get(at..).unwrap_or_default())));
    let option = option.into_iter().find(|(_, length)| *length > 0);
    match (command, option) {
        (Some(command), Some(option)) => Some(command.min(option)),
        (one, other) => one.or(other),
    }
}

/// How much of a text that begins with two hyphens is an option with its value; 0 if it is none.
fn option_length(text: &str) -> usize {
    let end = |text: &str| text.find([' ', ',', ';', ':', ')']).unwrap_or(text.len());
    let bare = |word: &str| word.trim_end_matches('.').len();
    let option = text.get(..end(text)).unwrap_or_default();
    let named = option
        .strip_prefix("--")
        .is_some_and(|own| own.starts_with(|c: char| c.is_ascii_lowercase()));
    if !named {
        return 0;
    }
    let value = text.get(option.len()..).and_then(|rest| rest.strip_prefix(' '));
    let value = value.map(|rest| rest.get(..end(rest)).unwrap_or_default());
    let is_value = |value: &&str| {
        let place = |b: u8| b.is_ascii_uppercase() || b == b'_' || b == b'=';
        !value.is_empty() && (TAKES_A_WORD.contains(&option) || value.bytes().all(place))
    };
    match value.filter(is_value) {
        Some(value) => option.len() + 1 + bare(value),
        None => bare(option),
    }
}

/// How much of a text that begins with a command is the command: its name, a noun, a verb, what the
/// verb is about, and options with their values.
fn length(text: &str) -> usize {
    let (mut end, mut takes_value, mut number) = (0, false, 0);
    let mut rest = text;
    while let Some((word, after)) = word(rest) {
        let bare = word.trim_end_matches([',', ';', ':', '.']);
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
        takes_value = is_option && !bare.contains('=') && !FLAGS.contains(&bare);
        // What is about something would be the next word.
        number += match (number, bare) {
            (1, noun) if WITHOUT_VERB.contains(&noun) => 3,
            (2, "list") => 2,
            _ => 1,
        };
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
            "a program that cannot: [gatelodge client set shop --pkce nonce], or [--pkce optional] if it sends none",
            "with version 4 take [--pkce required].",
            "once for each: [--redirect], or [--redirect] names it here; a -- b --",
            "[gatelodge catalogue show APP] shows its options; [--option NAME=VALUE] names one",
            "choose another name, or: [gatelodge user set NAME --name], [--email], [--group]",
            "[gatelodge client show CLIENT] shows its keys; [--jwks FILE] gives it others",
            "nobody is in one; [gatelodge user set NAME --group GROUP]",
            "for one of those: [gatelodge client set 'my telly' --auth none]",
            "[gatelodge user set ada --email ADDRESS --email-verified]",
            "send the client_id that [gatelodge client list] shows",
            "[gatelodge events] lists the events, and [gatelodge explain ID] one of them",
            "[gatelodge key rotate --root --forget] ends what was never used; [--now] waits",
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
