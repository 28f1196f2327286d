//! The rows of a file: one JSON document per line, or the elements of a JSON list. What follows a list is read as it would be alone: files that were
//! put together lose none of their rows. Memory does not grow with the file, only with its largest row.

use std::io::{self, BufRead};

use super::row::RowError;

/// The largest row that is read, in bytes.
pub const LARGEST_ROW: usize = 4 << 20;

/// A row, and where it begins.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The number of its first line, from 1.
    pub line: u64,
    /// Its text, or why there is none.
    pub text: Result<Vec<u8>, RowError>,
}

/// Rows, one at a time.
pub struct Rows<R> {
    input: R,
    line: u64,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing was read yet, or all of a list.
    Unknown,
    Lines,
    List,
    Ended,
}

impl<R: BufRead> Rows<R> {
    /// The rows of a file or another source.
    pub fn new(input: R) -> Self {
        Self {
            input,
            line: 1,
            form: Form::Unknown,
        }
    }

    /// The next row; none at the end.
    ///
    /// # Errors
    /// Where the source can't be read.
    pub fn next_row(&mut self) -> io::Result<Option<Row>> {
        loop {
            match self.form {
                Form::Unknown => self.form = self.begin()?,
                Form::Lines => match self.line()? {
                    Some(row) if is_blank(&row) => {}
                    row => return Ok(row),
                },
                Form::List => {
                    if let Some(row) = self.element()? {
                        return Ok(Some(row));
                    }
                }
                Form::Ended => return Ok(None),
            }
        }
    }

    /// A list begins with a bracket. A mark of UTF-8 before it, as some programs write it, is no row.
    fn begin(&mut self) -> io::Result<Form> {
        for byte in [0xef, 0xbb, 0xbf] {
            if self.peek()? == Some(byte) {
                self.input.consume(1);
            }
        }
        self.skip(|byte| byte.is_ascii_whitespace())?;
        if self.peek()? == Some(b'[') {
            self.input.consume(1);
            return Ok(Form::List);
        }
        Ok(Form::Lines)
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.input.fill_buf() {
                Ok(buffer) => return Ok(buffer.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if let Some(byte) = byte {
            self.input.consume(1);
            self.line += u64::from(byte == b'\n');
        }
        Ok(byte)
    }

    fn skip(&mut self, passes: impl Fn(u8) -> bool) -> io::Result<()> {
        while self.peek()?.is_some_and(&passes) {
            self.take()?;
        }
        Ok(())
    }

    fn line(&mut self) -> io::Result<Option<Row>> {
        if self.peek()?.is_none() {
            self.form = Form::Ended;
            return Ok(None);
        }
        let line = self.line;
        let mut text = Text::default();
        while let Some(byte) = self.take()? {
            if byte == b'\n' {
                break;
            }
            text.push(byte);
        }
        Ok(Some(text.row(line)))
    }

    /// An element of the list, or none at its end: up to where its brackets are closed, whatever is wrong within them, so that the next one is found.
    fn element(&mut self) -> io::Result<Option<Row>> {
        self.skip(|byte| byte.is_ascii_whitespace() || byte == b',')?;
        let line = self.line;
        match self.peek()? {
            None => {
                self.form = Form::Ended;
                return Ok(Some(Row {
                    line,
                    text: Err(RowError::ListNotClosed),
                }));
            }
            Some(b']') => {
                self.input.consume(1);
                self.form = Form::Unknown;
                return Ok(None);
            }
            Some(_) => {}
        }
        let mut text = Text::default();
        let (mut depth, mut quoted, mut escaped) = (0_u64, false, false);
        while let Some(byte) = self.peek()? {
            let between = depth == 0 && !quoted;
            if between && matches!(byte, b',' | b']') {
                break;
            }
            self.take()?;
            text.push(byte);
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        Ok(Some(text.row(line)))
    }
}

/// A row's text, no more of it than is taken.
#[derive(Default)]
struct Text {
    bytes: Vec<u8>,
    too_large: bool,
}

impl Text {
    fn push(&mut self, byte: u8) {
        if self.bytes.len() < LARGEST_ROW {
            self.bytes.push(byte);
        } else {
            self.too_large = true;
        }
    }

    fn row(self, line: u64) -> Row {
        Row {
            line,
            text: if self.too_large {
                Err(RowError::TooLarge)
            } else {
                Ok(self.bytes)
            },
        }
    }
}

fn is_blank(row: &Row) -> bool {
    matches!(&row.text, Ok(text) if text.iter().all(u8::is_ascii_whitespace))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn rows(text: &str) -> Vec<(u64, Result<String, RowError>)> {
        // A buffer of a few bytes, so that each row crosses its edges.
        let mut rows = Rows::new(io::BufReader::with_capacity(3, text.as_bytes()));
        let mut all = Vec::new();
        while let Some(row) = rows.next_row().unwrap() {
            let text = row
                .text
                .map(|text| String::from_utf8_lossy(&text).trim().to_owned());
            all.push((row.line, text));
        }
        all
    }

    fn texts(rows: &[(u64, Result<String, RowError>)]) -> Vec<(u64, &str)> {
        rows.iter()
            .map(|(line, text)| (*line, text.as_deref().unwrap()))
            .collect()
    }

    #[test]
    fn a_line_is_a_row_and_an_empty_one_is_none() {
        let read = rows("\u{feff}{\"a\":1}\n\n  \r\n{\"b\": [1\n{\"c\":3}");
        assert_eq!(
            texts(&read),
            [(1, "{\"a\":1}"), (4, "{\"b\": [1"), (5, "{\"c\":3}")]
        );
        assert!(rows("").is_empty());
        assert!(rows(" \n").is_empty());
    }

    #[test]
    fn an_element_of_a_list_is_a_row_with_the_line_that_it_begins_in() {
        let read = rows("\n[\n {\"a\": \"]},[\\\"\"},\n {\n  \"b\": [1, {}]\n },\n 7, \"x,]\" ]\n");
        assert_eq!(
            texts(&read),
            [
                (3, "{\"a\": \"]},[\\\"\"}"),
                (4, "{\n  \"b\": [1, {}]\n }"),
                (7, "7"),
                (7, "\"x,]\"")
            ]
        );
        assert!(rows("[]").is_empty());
    }

    #[test]
    fn a_broken_element_does_not_take_the_next_ones_with_it() {
        let read = rows("[{\"a\": nope}, {\"b\": 2}]");
        assert_eq!(texts(&read), [(1, "{\"a\": nope}"), (1, "{\"b\": 2}")]);
        assert_eq!(rows("[{}").last().unwrap().1, Err(RowError::ListNotClosed));
    }

    #[test]
    fn what_follows_a_list_is_read_as_it_would_be_alone() {
        let read = rows("[{\"a\":1}]\n[{\"b\":2},\n{\"c\":3}]\n\n{\"d\":4}\n{\"e\":5}");
        assert_eq!(
            texts(&read),
            [
                (1, "{\"a\":1}"),
                (2, "{\"b\":2}"),
                (3, "{\"c\":3}"),
                (5, "{\"d\":4}"),
                (6, "{\"e\":5}")
            ]
        );
        assert_eq!(
            texts(&rows("[{\"a\":1}]garbage\n")),
            [(1, "{\"a\":1}"), (1, "garbage")]
        );
        assert_eq!(texts(&rows("[] \n[7]")), [(2, "7")]);
        assert_eq!(texts(&rows("[7] , 8\n")), [(1, "7"), (1, ", 8")]);
    }

    #[test]
    fn a_row_that_is_too_large_is_told_and_left_out() {
        let large = format!("\"{}\"", "x".repeat(LARGEST_ROW));
        for text in [format!("{large}\n{{}}\n"), format!("[{large},{{}}]")] {
            let read = rows(&text);
            assert_eq!(read.len(), 2);
            assert_eq!(read[0].1, Err(RowError::TooLarge));
            assert_eq!(read[1].1.as_deref(), Ok("{}"));
        }
    }

    proptest! {
        #[test]
        fn any_list_is_read_as_its_elements(items in proptest::collection::vec((any::<String>(), any::<i32>()), 0..8), pretty in any::<bool>()) {
            let items: Vec<Value> = items.into_iter().map(|(text, number)| json!({"t": text, "n": [number, {"t": text}]})).collect();
            let text = if pretty { serde_json::to_string_pretty(&items) } else { serde_json::to_string(&items) }.unwrap();
            let read: Vec<Value> = rows(&text).into_iter().map(|(_, text)| serde_json::from_str(&text.unwrap()).unwrap()).collect();
            prop_assert_eq!(&read, &items);
            let lines: Vec<String> = items.iter().map(Value::to_string).collect();
            let read: Vec<Value> = rows(&lines.join("\n")).into_iter().map(|(_, text)| serde_json::from_str(&text.unwrap()).unwrap()).collect();
            prop_assert_eq!(read, items);
        }

        #[test]
        fn no_text_panics_or_never_ends(text in any::<String>()) {
            rows(&text);
            rows(&format!("[{text}"));
        }
    }
}
