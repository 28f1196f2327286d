//! Aligned columns without lines around them, so that they can be read, and cut with `awk`.

use comfy_table::{CellAlignment, ContentArrangement, presets};

use super::human;

/// A table that is filled row by row.
pub struct Table {
    inner: comfy_table::Table,
    rows: usize,
}

impl Table {
    /// A table with these column titles, in capitals by convention. Titles that begin with `>` are of columns with numbers, which are
    /// aligned to the right.
    pub fn new(titles: &[&str]) -> Self {
        let mut inner = comfy_table::Table::new();
        inner
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(titles.iter().map(|title| title.trim_start_matches('>')));
        for (at, title) in titles.iter().enumerate() {
            if let Some(column) = inner.column_mut(at) {
                column.set_padding((0, 2));
                if title.starts_with('>') {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        Self { inner, rows: 0 }
    }

    /// Adds a row. Text from outside is made safe for a terminal; an empty cell is shown as a dash.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.inner.add_row(cells.into_iter().map(|cell| {
            let text = human::plain(cell.as_ref());
            if text.trim().is_empty() {
                "-".to_owned()
            } else {
                text.into_owned()
            }
        }));
        self.rows += 1;
    }

    /// Wraps long cells so that no line is wider than this.
    pub fn wrapped(mut self, width: u16) -> Self {
        self.inner
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width);
        self
    }

    /// Whether no row was added.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The table as text, without a line feed at the end and without spaces at the ends of lines.
    pub fn render(&self) -> String {
        let lines: Vec<String> = self
            .inner
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        lines.join("\n")
    }
}

/// Labels and values below a title, the values aligned: a card.
pub struct Card {
    title: String,
    rows: Vec<(String, Vec<String>)>,
}

impl Card {
    /// A card without rows. An empty title gives none.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Values of several lines stay aligned; text from outside is made safe for a terminal.
    pub fn row(&mut self, label: &str, value: impl AsRef<str>) -> &mut Self {
        let lines = human::plain_lines(value.as_ref())
            .lines()
            .map(str::to_owned)
            .collect();
        self.rows.push((label.to_owned(), lines));
        self
    }

    /// Adds a row where there is a value.
    pub fn row_if(&mut self, label: &str, value: Option<impl AsRef<str>>) -> &mut Self {
        if let Some(value) = value {
            self.row(label, value);
        }
        self
    }

    /// Adds a row whose lines are these, or none where there are none.
    pub fn lines<T: AsRef<str>>(
        &mut self,
        label: &str,
        values: impl IntoIterator<Item = T>,
    ) -> &mut Self {
        let lines: Vec<String> = values
            .into_iter()
            .map(|value| human::plain(value.as_ref()).into_owned())
            .collect();
        if !lines.is_empty() {
            self.rows.push((label.to_owned(), lines));
        }
        self
    }

    /// The card as text, without a line feed at the end.
    pub fn render(&self, colour: bool) -> String {
        let width = self
            .rows
            .iter()
            .map(|(label, _)| label.chars().count())
            .max()
            .unwrap_or(0);
        let mut text = Vec::new();
        if !self.title.is_empty() {
            text.push(bold(&human::plain(&self.title), colour));
        }
        for (label, lines) in &self.rows {
            let mut label = label.as_str();
            for line in lines {
                text.push(format!("  {label:width$}  {line}").trim_end().to_owned());
                label = "";
            }
            if lines.is_empty() {
                text.push(format!("  {label:width$}  -"));
            }
        }
        text.join("\n")
    }
}

/// The text in bold, where colours may be used.
pub fn bold(text: &str, colour: bool) -> String {
    painted(text, "1", colour)
}

/// The text in green, where colours may be used.
pub fn green(text: &str, colour: bool) -> String {
    painted(text, "32", colour)
}

/// The text in yellow, where colours may be used.
pub fn yellow(text: &str, colour: bool) -> String {
    painted(text, "33", colour)
}

/// The text in red, where colours may be used.
pub fn red(text: &str, colour: bool) -> String {
    painted(text, "31", colour)
}

fn painted(text: &str, code: &str, colour: bool) -> String {
    if colour {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_numbers_stand_at_the_right() {
        let mut table = Table::new(&["NAME", ">READ", "STATE"]);
        assert!(table.is_empty());
        table.row(["xdr", "18,204", "processed"]);
        table.row(["long-name", "7", ""]);
        assert_eq!(
            table.render(),
            "NAME         READ  STATE\nxdr        18,204  processed\nlong-name       7  -"
        );
    }

    #[test]
    fn long_cells_are_wrapped_where_a_width_is_given() {
        let mut table = Table::new(&["CALL", "PERMISSION"]);
        table.row(["get", "Query Center: View (role Viewer)"]);
        let text = table.wrapped(28).render();
        assert!(text.lines().count() > 2, "{text}");
        assert!(text.lines().all(|line| line.len() <= 28), "{text}");
    }

    #[test]
    fn a_cell_from_outside_can_neither_break_a_row_nor_colour_it() {
        let mut table = Table::new(&["HOST"]);
        table.row(["a\nb\u{1b}[31m"]);
        assert_eq!(table.render(), "HOST\na\\nb\\u{1b}[31m");
    }

    #[test]
    fn a_card_aligns_values_of_several_lines() {
        let mut card = Card::new("xdr");
        card.row("state", "processed")
            .row("duration", "one\ntwo")
            .row_if("left out", None::<&str>)
            .lines("none", Vec::<String>::new())
            .row("empty", "");
        assert_eq!(
            card.render(false),
            "xdr\n  state     processed\n  duration  one\n            two\n  empty     -"
        );
    }

    #[test]
    fn colours_are_used_only_where_they_may_be() {
        assert_eq!(bold("x", false), "x");
        assert_eq!(red("x", true), "\u{1b}[31mx\u{1b}[0m");
    }
}
