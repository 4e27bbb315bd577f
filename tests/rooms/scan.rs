//! Reads Rust just far enough to tell which paths a file names.

/// A piece of source that a path can be made of, or that ends one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Joint,
    Mark(char),
    Word(String),
}

/// Every path of two segments and more that `source` names, in `use` lines and elsewhere, as seen
/// from the module `module`. Those of this crate begin with `crate`.
pub(crate) fn paths(module: &[&str], source: &str) -> Vec<Vec<String>> {
    let tokens = tokens(source);
    let mut inside: Vec<String> = module.iter().map(|name| (*name).to_owned()).collect();
    let mut opened = Vec::new();
    let (mut depth, mut at, mut paths) = (0, 0, Vec::new());
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at + 1);
        match token {
            Token::Mark('{') => depth += 1,
            Token::Mark('}') => {
                depth -= 1;
                if opened.last() == Some(&depth) {
                    opened.pop();
                    inside.pop();
                }
            }
            Token::Word(word) if word == "mod" => {
                if let (Some(Token::Word(name)), Some(Token::Mark('{'))) =
                    (next, tokens.get(at + 2))
                {
                    inside.push(name.clone());
                    opened.push(depth);
                }
            }
            // `use<'a>` in a bound names no path.
            Token::Word(word) if word == "use" && next != Some(&Token::Mark('<')) => {
                at += 1;
                let mut named = Vec::new();
                tree(&tokens, &mut at, &[], &mut named);
                paths.extend(named.into_iter().map(|path| resolve(&inside, path)));
                continue;
            }
            Token::Word(_) if next == Some(&Token::Joint) && begins(&tokens, at) => {
                let mut path = Vec::new();
                while let Some(Token::Word(word)) = tokens.get(at) {
                    path.push(word.clone());
                    if tokens.get(at + 1) != Some(&Token::Joint) {
                        break;
                    }
                    at += 2;
                }
                if path.len() > 1 {
                    paths.push(resolve(&inside, path));
                }
            }
            Token::Joint | Token::Mark(_) | Token::Word(_) => {}
        }
        at += 1;
    }
    paths
}

/// Every identifier that `source` writes, outside comments and texts.
pub(crate) fn identifiers(source: &str) -> Vec<String> {
    let names = tokens(source).into_iter().filter_map(|token| match token {
        Token::Word(word) => Some(word),
        Token::Joint | Token::Mark(_) => None,
    });
    names.collect()
}

/// The parts of an identifier, in small letters: `MAX_BODY` and `MaxBody` are `max` and `body`.
pub(crate) fn parts(identifier: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut small = false;
    for letter in identifier.chars() {
        if letter == '_' || letter.is_uppercase() && small {
            parts.extend(Some(std::mem::take(&mut part)).filter(|part| !part.is_empty()));
        }
        small = letter.is_lowercase() || letter.is_ascii_digit();
        part.extend((letter != '_').then(|| letter.to_lowercase()).into_iter().flatten());
    }
    parts.extend(Some(part).filter(|part| !part.is_empty()));
    parts
}

/// Whether the word at `at` is a path's first.
fn begins(tokens: &[Token], at: usize) -> bool {
    let before = |by: usize| at.checked_sub(by).and_then(|at| tokens.get(at));
    match before(1) {
        Some(Token::Joint) => !matches!(before(2), Some(Token::Word(_) | Token::Mark('>'))),
        before => before != Some(&Token::Mark('.')),
    }
}

/// Reads one branch of a `use` tree, which begins with `stem`.
fn tree(tokens: &[Token], at: &mut usize, stem: &[String], into: &mut Vec<Vec<String>>) {
    let mut path = stem.to_vec();
    while let Some(token) = tokens.get(*at) {
        *at += 1;
        match token {
            Token::Joint => {}
            Token::Word(word) if word == "as" => *at += 1,
            Token::Word(word) => path.push(word.clone()),
            Token::Mark('*') => path.push("*".to_owned()),
            Token::Mark('{') => {
                while tokens.get(*at - 1) != Some(&Token::Mark('}')) && *at < tokens.len() {
                    tree(tokens, at, &path, into);
                }
                path.clear();
            }
            Token::Mark(_) => break,
        }
        if matches!(tokens.get(*at), Some(Token::Mark(',' | '}' | ';'))) {
            *at += 1;
            break;
        }
    }
    if !path.is_empty() && path != stem {
        into.push(path);
    }
}

/// `path` without `self` and `super`.
fn resolve(inside: &[String], path: Vec<String>) -> Vec<String> {
    let mut whole = vec!["crate".to_owned()];
    match path.first().map(String::as_str) {
        Some("self" | "super") => whole.extend_from_slice(inside),
        _ => return path,
    }
    for word in path {
        match word.as_str() {
            "self" => {}
            "super" => drop(whole.pop()),
            _ => whole.push(word),
        }
    }
    whole
}

fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut i, mut tokens) = (0, Vec::new());
    while i < chars.len() {
        match (at(i), at(i + 1)) {
            ('/', '/') => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
            }
            ('/', '*') => {
                while i < chars.len() && (at(i), at(i + 1)) != ('*', '/') {
                    i += 1;
                }
                i += 2;
            }
            ('"', _) => i = after_text(&chars, i + 1),
            // A character; a lifetime has no second quote.
            ('\'', '\\') => {
                i += 3;
                while i < chars.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
            }
            ('\'', _) => i += if at(i + 2) == '\'' { 3 } else { 1 },
            ('r', '"' | '#') if at(i + 1) == '"' || matches!(at(i + 2), '"' | '#') => {
                i = after_raw_text(&chars, i + 1);
            }
            (':', ':') => {
                tokens.push(Token::Joint);
                i += 2;
            }
            (c, _) if is_word(c) => {
                let start = i;
                while is_word(at(i)) {
                    i += 1;
                }
                let word: String = chars[start..i].iter().collect();
                let raw = word == "br" && (at(i) == '"' || at(i) == '#');
                if raw {
                    i = after_raw_text(&chars, i);
                } else {
                    tokens.push(Token::Word(word));
                }
            }
            (c, _) => {
                if !c.is_whitespace() {
                    tokens.push(Token::Mark(c));
                }
                i += 1;
            }
        }
    }
    tokens
}

fn after_text(chars: &[char], mut i: usize) -> usize {
    while let Some(c) = chars.get(i) {
        match c {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    i
}

fn after_raw_text(chars: &[char], start: usize) -> usize {
    let hashes = chars.iter().skip(start).take_while(|c| **c == '#').count();
    let mut i = start + hashes + 1;
    while i < chars.len() {
        let closing = chars.iter().skip(i + 1).take(hashes);
        if chars[i] == '"' && closing.filter(|c| **c == '#').count() == hashes {
            return i + 1 + hashes;
        }
        i += 1;
    }
    i
}

mod tests {
    use super::{identifiers, parts, paths};

    #[track_caller]
    fn names(source: &str, expected: &[&str]) {
        let found = paths(&["flow", "code"], source);
        let found: Vec<String> = found.iter().map(|path| path.join("::")).collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn a_use_line_is_read_with_all_its_branches() {
        names("use crate::store::Tx;", &["crate::store::Tx"]);
        names("pub(crate) use redb as r;", &["redb"]);
        names("use ::redb::Table as T;", &["redb::Table"]);
        names(
            "use crate::{error::{Error, Refusal}, http::*, oauth as o};",
            &["crate::error::Error", "crate::error::Refusal", "crate::http::*", "crate::oauth"],
        );
        names("use a::{self, b,};\nuse c::d;", &["a::self", "a::b", "c::d"]);
    }

    #[test]
    fn a_path_is_found_wherever_it_stands() {
        names("fn f(a: crate::http::A) -> Vec<redb::B> {}", &["crate::http::A", "redb::B"]);
        names("let x = ::redb::open::<u8>();", &["redb::open"]);
        names("#[derive(askama::Template)] struct A;", &["askama::Template"]);
        names("a.b::<c::D>(<E as f::G>::H)", &["c::D", "f::G"]);
        names("fn f() -> impl A + use<'a> { g::h() }", &["g::h"]);
        names("macro_rules! m { () => { $crate::http::x } }", &["crate::http::x"]);
    }

    #[test]
    fn self_and_super_are_resolved_in_files_and_in_modules_within_them() {
        names("use super::grant;", &["crate::flow::grant"]);
        names("use super::super::http;", &["crate::http"]);
        names(
            "mod tests { use super::*; }\nuse self::x;",
            &["crate::flow::code::*", "crate::flow::code::x"],
        );
        names("mod tests { fn f() { super::super::grant::end() } }", &["crate::flow::grant::end"]);
    }

    #[test]
    fn what_is_said_in_comments_and_text_names_nothing() {
        names("// crate::http::A\n/* redb::B */ /// [`crate::http`](crate::http::C)", &[]);
        names(r##"f("crate::http::A \" redb::B", r#"use "redb::C";"#, b"x::y", br"z::w")"##, &[]);
        names("f('\"', a::b, '\\'', '\\u{7f}', 'x')", &["a::b"]);
        names("fn f<'a>(x: &'a c::D) {}", &["c::D"]);
    }

    #[test]
    fn identifiers_are_read_outside_comments_and_texts_and_taken_apart() {
        assert_eq!(identifiers("let kept = \"told\"; // shown"), ["let", "kept"]);
        assert_eq!(parts("MAX_BODY"), ["max", "body"]);
        assert_eq!(parts("MaxBody"), ["max", "body"]);
        assert_eq!(parts("is_es256"), ["is", "es256"]);
    }
}
