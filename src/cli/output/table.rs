//! Tables: whole for programs, and as wide as the terminal for people.

use std::collections::BTreeSet;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::terminal::Terminal;

/// The columns between two cells.
const GAP: usize = 2;
/// The columns that a text keeps, if it has as many.
const MIN_TEXT: usize = 8;
/// The characters that an id keeps, if it has as many.
const MIN_ID: usize = 8;
/// The mark of a text that was cut.
const CUT: &str = "…";

const BOLD: &str = "\x1b[1m";
const CYAN: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

/// What the cells of a column are, which decides their form at a terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Ids: those that the server made are shortened to beginnings that differ.
    Id,
    /// Text, which is cut if it does not fit.
    Text,
    /// Times in the form of RFC 3339, which are told from now.
    Time,
}

/// A column of a table: its heading, and the function that makes the cell of a row.
pub(in crate::cli) struct Column<V> {
    cell: fn(&V) -> String,
    heading: &'static str,
    is_extra: bool,
    kind: Kind,
}

impl<V> Column<V> {
    /// A column of ids.
    pub(in crate::cli) const fn id(heading: &'static str, cell: fn(&V) -> String) -> Self {
        Self { cell, heading, is_extra: false, kind: Kind::Id }
    }

    /// A column of texts.
    pub(in crate::cli) const fn text(heading: &'static str, cell: fn(&V) -> String) -> Self {
        Self { cell, heading, is_extra: false, kind: Kind::Text }
    }

    /// A column of times in the form of RFC 3339.
    pub(in crate::cli) const fn time(heading: &'static str, cell: fn(&V) -> String) -> Self {
        Self { cell, heading, is_extra: false, kind: Kind::Time }
    }

    /// A column of texts that is left out where a terminal has no room for all; the last one first.
    pub(in crate::cli) const fn extra(heading: &'static str, cell: fn(&V) -> String) -> Self {
        Self { is_extra: true, ..Self::text(heading, cell) }
    }

    /// A column of times that is left out where a terminal has no room for all.
    pub(in crate::cli) const fn extra_time(heading: &'static str, cell: fn(&V) -> String) -> Self {
        Self { is_extra: true, ..Self::time(heading, cell) }
    }
}

/// The cells of a table, by column.
pub(in crate::cli) struct Table(Vec<Cells>);

struct Cells {
    heading: &'static str,
    is_extra: bool,
    kind: Kind,
    rows: Vec<String>,
}

impl Table {
    /// The table of `rows`.
    pub(in crate::cli) fn new<V>(columns: &[Column<V>], rows: &[V]) -> Self {
        let filled = |column: &Column<V>| Cells {
            heading: column.heading,
            is_extra: column.is_extra,
            kind: column.kind,
            rows: rows.iter().map(column.cell).collect(),
        };
        Self(columns.iter().map(filled).collect())
    }

    /// The whole table, with aligned columns.
    pub(in crate::cli) fn whole(&self) -> String {
        let columns: Vec<_> = self.0.iter().collect();
        let widths: Vec<_> = columns.iter().map(|column| column.width()).collect();
        lines(&columns, &widths, false)
    }

    /// The table for a terminal: no line is wider, times are told from now, ids are short, and
    /// columns without a value are left out, as are extra ones that find no room. Returns the
    /// headings of the latter, too.
    pub(in crate::cli) fn fitted(mut self, terminal: &Terminal) -> (String, Vec<&'static str>) {
        self.0.retain(|column| column.rows.iter().any(|cell| !cell.is_empty()));
        for column in &mut self.0 {
            match column.kind {
                Kind::Id => shorten(&mut column.rows),
                Kind::Text => {}
                Kind::Time => {
                    for cell in &mut column.rows {
                        *cell = terminal.relative(cell);
                    }
                }
            }
        }
        let mut omitted = Vec::new();
        while self.0.len() > 1
            && total(&self.0.iter().map(Cells::min_width).collect::<Vec<_>>()) > terminal.width
        {
            let extra = self.0.iter().rposition(|column| column.is_extra);
            omitted.push(self.0.remove(extra.unwrap_or(self.0.len() - 1)).heading);
        }
        omitted.reverse();
        let widths = self.widths(terminal.width);
        for (column, width) in self.0.iter_mut().zip(&widths) {
            for cell in &mut column.rows {
                *cell = cut(cell, *width);
            }
        }
        let columns: Vec<_> = self.0.iter().collect();
        (lines(&columns, &widths, terminal.colour), omitted)
    }

    /// The widths of the columns within `limit`: the widest give way first, down to their least.
    fn widths(&self, limit: usize) -> Vec<usize> {
        let capped = |cap: usize| -> Vec<usize> {
            let width = |column: &Cells| column.width().min(cap.max(column.min_width()));
            self.0.iter().map(width).collect()
        };
        let widest = self.0.iter().map(Cells::width).max().unwrap_or(0);
        let cap = (1..=widest).rev().find(|cap| total(&capped(*cap)) <= limit);
        match cap {
            Some(cap) => capped(cap),
            // One column is left, and it is wider than the terminal.
            None => vec![limit; self.0.len()],
        }
    }
}

impl Cells {
    /// The columns that the widest cell and the heading need.
    fn width(&self) -> usize {
        let widest = self.rows.iter().map(|cell| cell.width()).max().unwrap_or(0);
        widest.max(self.heading.width())
    }

    /// The least columns: a time is never cut.
    fn min_width(&self) -> usize {
        let least = match self.kind {
            Kind::Id | Kind::Text => MIN_TEXT.max(self.heading.width()),
            Kind::Time => usize::MAX,
        };
        self.width().min(least)
    }
}

fn total(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

/// The lines of a table whose cells fit their columns.
fn lines(columns: &[&Cells], widths: &[usize], colour: bool) -> String {
    let rows = columns.first().map_or(0, |column| column.rows.len());
    let mut text = String::new();
    let mut set = |cell: &dyn Fn(&Cells) -> (String, Option<&'static str>)| {
        let mut line = String::new();
        let mut owed = 0;
        for (column, width) in columns.iter().zip(widths) {
            let (cell, style) = cell(column);
            let own = cell.width();
            if own > 0 {
                line.push_str(&" ".repeat(owed));
                owed = 0;
                match style.filter(|_| colour) {
                    Some(style) => line.push_str(&format!("{style}{cell}{RESET}")),
                    None => line.push_str(&cell),
                }
            }
            owed += width.saturating_sub(own) + GAP;
        }
        text.push_str(&line);
        text.push('\n');
    };
    set(&|column| (column.heading.to_owned(), Some(BOLD)));
    for row in 0..rows {
        set(&|column| {
            let style = (column.kind == Kind::Id).then_some(CYAN);
            (column.rows.get(row).cloned().unwrap_or_default(), style)
        });
    }
    text
}

/// Shortens the ids that the server made to beginnings of one length by which all of them differ.
/// Ids that people chose stay whole.
fn shorten(ids: &mut [String]) {
    let made: BTreeSet<&str> = ids.iter().map(String::as_str).filter(|id| is_made(id)).collect();
    let beginning = |id: &str, length: usize| id.chars().take(length).collect::<String>();
    let max_length = made.iter().map(|id| id.chars().count()).max().unwrap_or(0);
    let differ = |length: &usize| {
        let beginnings: BTreeSet<_> = made.iter().map(|id| beginning(id, *length)).collect();
        beginnings.len() == made.len()
    };
    let length = (MIN_ID..max_length).find(differ).unwrap_or(max_length);
    for id in ids {
        if is_made(id) {
            *id = beginning(id, length).trim_end_matches('-').to_owned();
        }
    }
}

/// Whether an id is one that the server makes: a UUID, with or without a prefix, or a hash in hex.
fn is_made(id: &str) -> bool {
    const UUID: usize = 36;
    const HASH: usize = 64;
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let last = id.len().checked_sub(UUID).and_then(|start| id.get(start..));
    last.is_some_and(|uuid| hex(uuid) && uuid.split('-').map(str::len).eq([8, 4, 4, 4, 12]))
        || id.len() == HASH && hex(id)
}

/// `text` in at most `width` columns. Its end is replaced by a mark if it does not fit.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(CUT.width());
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let next = at + c.len_utf8();
        // What joins the sign before it has no width of its own.
        if text.get(..next).map_or(0, |part| part.width()) > room {
            break;
        }
        // A sign is not taken apart from what it is joined with.
        let joins = text.get(next..).and_then(|rest| rest.chars().next());
        if c != '\u{200d}' && joins.is_none_or(|c| c != '\u{200d}' && c.width() != Some(0)) {
            end = next;
        }
    }
    format!("{}{CUT}", text.get(..end).unwrap_or_default().trim_end())
}

/// `text` in lines of at most `width` columns, broken at spaces, with `indent` spaces before each but
/// the first, which has as many before it already.
pub(in crate::cli) fn folded(text: &str, width: usize, indent: usize) -> String {
    let mut folded = String::new();
    let mut used = indent;
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            if used + 1 + word.width() > width {
                folded.push('\n');
                folded.push_str(&" ".repeat(indent));
                used = indent;
            } else {
                folded.push(' ');
                used += 1;
            }
        }
        folded.push_str(word);
        used += word.width();
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row(&'static str, &'static str, &'static str);

    const COLUMNS: &[Column<Row>] = &[
        Column::id("ID", |row: &Row| row.0.to_owned()),
        Column::text("NAME", |row: &Row| row.1.to_owned()),
        Column::extra("NOTE", |row: &Row| row.2.to_owned()),
        Column::time("CREATED", |_| "1970-01-01T00:00:00Z".to_owned()),
    ];

    fn fitted(rows: &[Row], width: usize) -> (String, Vec<&'static str>) {
        Table::new(COLUMNS, rows).fitted(&Terminal::plain(width, 86_400))
    }

    #[test]
    fn a_whole_table_keeps_everything() {
        let rows = [Row("é", "x y", ""), Row("long", "", "n")];

        assert_eq!(
            Table::new(COLUMNS, &rows).whole(),
            "ID    NAME  NOTE  CREATED\n\
             é     x y         1970-01-01T00:00:00Z\n\
             long        n     1970-01-01T00:00:00Z\n"
        );
    }

    #[test]
    fn a_column_without_a_value_is_left_out_at_a_terminal() {
        let (text, omitted) = fitted(&[Row("a", "x", "")], 80);

        assert_eq!((text.as_str(), omitted.len()), ("ID  NAME  CREATED\na   x     1 day ago\n", 0));
    }

    #[test]
    fn a_long_name_is_cut_and_a_time_never() {
        let name = "n".repeat(200).leak();

        let (text, omitted) = fitted(&[Row("a", name, "note"), Row("b", "short", "")], 40);

        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "a   nnnnnnnnnnnnnnnnnn…  note  1 day ago");
        assert!(lines.iter().all(|line| line.width() <= 40), "{text}");
        assert_eq!(omitted, [""; 0]);
    }

    #[test]
    fn what_is_extra_goes_first_and_no_line_is_wider_than_the_terminal() {
        let row = || [Row("0190163d-8694-439b-aea5-966c26f8ad91", "somebody", "a remark")];

        assert_eq!(fitted(&row(), 29).1, ["NOTE"]);
        for width in [1, 5, 12, 20, 29, 30, 60] {
            let (text, _) = fitted(&row(), width);
            assert!(text.lines().skip(1).all(|line| line.width() <= width), "{width}: {text}");
        }
    }

    #[test]
    fn ids_of_the_server_are_short_and_differ_and_chosen_ones_are_whole() {
        let mut ids = [
            "0190163d-8694-439b-aea5-966c26f8ad91",
            "0190163d-8694-4aaa-aea5-966c26f8ad91",
            "a-client-that-somebody-named-themselves",
        ]
        .map(str::to_owned);

        shorten(&mut ids);

        assert_eq!(
            ids,
            ["0190163d-8694-43", "0190163d-8694-4a", "a-client-that-somebody-named-themselves"]
        );
        let mut one = ["0190163d-8694-439b-aea5-966c26f8ad91".to_owned(), "f".repeat(64)];
        shorten(&mut one);
        assert_eq!(one, ["0190163d", "ffffffff"]);
    }

    #[test]
    fn wide_and_combining_signs_keep_the_columns() {
        let rows = [
            Row("a", "日本語", "x"),
            Row("b", "e\u{301}te\u{301}", "x"),
            Row("c", "👩\u{200d}👩\u{200d}👧", "x"),
        ];

        let (text, _) = fitted(&rows, 80);

        for line in text.lines().skip(1) {
            let (before, _) = line.split_once('x').unwrap();
            assert_eq!(before.width(), "ID  NAME    ".width(), "{text}");
        }
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("e\u{301}te\u{301}s", 3), "e\u{301}t…");
        assert_eq!(cut("👩\u{200d}👩\u{200d}👧s", 2), "…");
    }

    #[test]
    fn colours_change_no_column() {
        let row = Row("0190163d-8694-439b-aea5-966c26f8ad91", "x", "");
        let terminal = Terminal { colour: true, ..Terminal::plain(80, 86_400) };

        let (text, _) = Table::new(COLUMNS, &[row]).fitted(&terminal);

        let plain = text.replace(BOLD, "").replace(CYAN, "").replace(RESET, "");
        assert!(text.starts_with("\x1b[1mID\x1b[0m"), "{text:?}");
        assert_eq!(plain, "ID        NAME  CREATED\n0190163d  x     1 day ago\n");
    }

    #[test]
    fn a_long_text_is_folded_at_spaces() {
        assert_eq!(folded("one two three", 9, 2), "one two\n  three");
        assert_eq!(folded("extraordinary", 9, 2), "extraordinary");
    }
}
