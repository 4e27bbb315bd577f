//! What a reader sees of a page whose texts are bracketed, outside of the brackets.

/// The elements whose content is a value or no text.
const VALUES: [&str; 6] = ["bdi", "code", "pre", "script", "style", "svg"];

/// The attributes that are read out or displayed.
const READ: [&str; 4] = ["alt", "aria-label", "placeholder", "title"];

/// The text without what stands in brackets.
fn outside(text: &str) -> String {
    let mut depth = 0;
    let mut outside = String::new();
    for c in text.chars() {
        match c {
            '⟦' => depth += 1,
            '⟧' => depth -= 1,
            c if depth == 0 => outside.push(c),
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{text}");
    outside.replace("Gatelodge", "")
}

/// What a reader sees or hears of a page, in parts.
fn read(html: &str) -> Vec<String> {
    let (mut parts, mut text, mut inside) = (Vec::new(), String::new(), Vec::<&str>::new());
    let mut rest = html;
    while let Some((before, tag_on)) = rest.split_once('<') {
        let (tag, after) = tag_on.split_once('>').unwrap();
        if inside.is_empty() {
            text.push_str(before);
        }
        let element = tag.split([' ', '\n']).next().unwrap();
        if let Some(closed) = element.strip_prefix('/') {
            if inside.last() == Some(&closed) {
                inside.pop();
            }
        } else if VALUES.contains(&element) {
            inside.push(element);
        }
        for attribute in READ {
            let named = format!(" {attribute}=\"");
            parts.extend(
                tag.split(&named)
                    .skip(1)
                    .map(|value| value.split('"').next().unwrap_or_default().to_owned()),
            );
        }
        rest = after;
    }
    assert!(inside.is_empty(), "{inside:?}: {html}");
    parts.push(text);
    parts
}

fn unmarked(html: &str) -> Vec<String> {
    let outside = read(html).into_iter().map(|part| outside(&part));
    let lines = outside.flat_map(|part| {
        let trimmed = part.lines().map(str::trim).map(str::to_owned);
        trimmed.collect::<Vec<_>>()
    });
    lines.filter(|line| line.replace("&#", "").contains(char::is_alphabetic)).collect()
}

/// Checks that a page has no text that is not marked.
pub(super) fn check(template: &str, html: &str) {
    assert!(unmarked(html).is_empty(), "{template}: {:#?}", unmarked(html));
    // A link of a text leads to where the template says.
    assert!(!html.contains("href=\"\""), "{template}: {html}");
    // A tag in an attribute or in the title would be displayed as it is.
    for text in read(html) {
        assert!(!text.contains("&#60;"), "{template}: {text}");
    }
}

#[test]
fn a_text_that_is_not_marked_is_found() {
    for (html, found) in [
        ("<p>⟦Hello <bdi>Ada</bdi>⟧ · <bdi>Ada</bdi></p>", 0),
        ("<p>Hello</p>", 1),
        ("<p>⟦Hello⟧ you</p>", 1),
        ("<button aria-label=\"Close\">⟦x⟧</button>", 1),
        ("<img alt=\"A\"><input placeholder=\"B\">", 2),
        ("<code>ls</code><svg><path d=\"M0\"/></svg>", 0),
    ] {
        assert_eq!(unmarked(html).len(), found, "{html}");
    }
}
