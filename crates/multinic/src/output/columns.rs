//! Tables that are written page by page: plain text, aligned by the width that characters have on a terminal.

use multinic_api_client::printable;
use unicode_width::UnicodeWidthStr;

/// Between two columns.
const GAP: usize = 3;

/// A table of which only the widths are remembered. A later page may widen a column, never narrow it.
#[derive(Debug)]
pub struct Columns<const N: usize> {
    header: Option<[&'static str; N]>,
    widths: [usize; N],
}

impl<const N: usize> Columns<N> {
    /// A table with this header.
    pub fn new(header: [&'static str; N]) -> Self {
        Self {
            header: Some(header),
            widths: header.map(UnicodeWidthStr::width),
        }
    }

    /// Lines for the next rows; the header stands above the first ones. An empty cell reads `-`, and what could rewrite
    /// a terminal is left out.
    pub fn rows(&mut self, rows: Vec<[String; N]>) -> String {
        let rows: Vec<[String; N]> = rows.into_iter().map(|row| row.map(cell)).collect();
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        let header = self
            .header
            .take()
            .map(|header| self.line(&header.map(ToOwned::to_owned)));
        let lines = rows.iter().map(|row| self.line(row));
        header.into_iter().chain(lines).collect()
    }

    fn line(&self, row: &[String; N]) -> String {
        let mut line = String::new();
        for (width, cell) in self.widths.iter().zip(row) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width - cell.width() + GAP));
        }
        format!("{}\n", line.trim_end())
    }
}

/// A blank keeps a cell empty, for rows that go on with the one above.
fn cell(text: String) -> String {
    if text == " " {
        return text;
    }
    match printable(&text) {
        text if text.is_empty() => "-".to_owned(),
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 3]) -> [String; 3] {
        cells.map(ToOwned::to_owned)
    }

    #[test]
    fn columns_align_whatever_the_script_and_only_grow() {
        let mut columns = Columns::new(["NAME", "STATE", "X"]);
        let first = columns.rows(vec![row(["운영 클러스터", "", "1"]), row(["a", "b\u{1b}[31m\nc", " "])]);
        assert_eq!(
            first,
            "NAME            STATE      X\n운영 클러스터   -          1\na               b [31m c\n"
        );
        assert_eq!(
            columns.rows(vec![row(["a", "b", "c"])]),
            "a               b          c\n"
        );
        assert_eq!(columns.rows(Vec::new()), "");
    }
}
