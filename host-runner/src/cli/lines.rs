//! Reads lines of records, one by one, in bounded memory.

use std::io::{self, BufRead, Read};

/// What some editors and shells write before a text in UTF-8. It is no part of the first record.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// The longest line that is read: the largest record that may cross to a component, and then some.
pub const LONGEST_LINE: u64 = 16 << 20;

/// What a line is.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// It is in the buffer.
    Whole,
    /// It was too long to keep, and is skipped.
    TooLong,
    /// There is none.
    End,
}

/// The line as a record is read from it: the first one without a byte order mark.
pub fn unmarked(number: u64, line: &[u8]) -> &[u8] {
    match line.strip_prefix(MARK) {
        Some(rest) if number == 1 => rest,
        _ => line,
    }
}

/// Reads the next line into the buffer.
///
/// # Errors
/// Where the input can't be read.
pub fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let read = input.by_ref().take(LONGEST_LINE).read_until(b'\n', line)?;
    if read == 0 {
        return Ok(Line::End);
    }
    if line.last() == Some(&b'\n') || (read as u64) < LONGEST_LINE {
        return Ok(Line::Whole);
    }
    line.clear();
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(Line::TooLong);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = buffer.len();
        input.consume(end.map_or(length, |at| at + 1));
        if end.is_some() {
            return Ok(Line::TooLong);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line_and_stays_in_any_other() {
        let marked = "\u{feff}{}".as_bytes();
        assert_eq!(unmarked(1, marked), b"{}");
        assert_eq!(unmarked(1, b"{}"), b"{}");
        assert_eq!(unmarked(2, marked), marked);
    }

    #[test]
    fn lines_are_read_one_by_one_and_one_that_is_too_long_is_skipped_whole() {
        let mut text = b"{\"a\":1}\n\n".to_vec();
        text.extend(vec![b'x'; usize::try_from(LONGEST_LINE).unwrap() + 5]);
        text.extend(b"\n{\"b\":2}");
        let mut input = BufReader::with_capacity(1024, text.as_slice());
        let mut line = Vec::new();
        let mut next = || {
            let what = next_line(&mut input, &mut line).unwrap();
            (what, String::from_utf8_lossy(&line).trim().to_owned())
        };
        assert_eq!(next(), (Line::Whole, "{\"a\":1}".to_owned()));
        assert_eq!(next(), (Line::Whole, String::new()));
        assert_eq!(next(), (Line::TooLong, String::new()));
        assert_eq!(next(), (Line::Whole, "{\"b\":2}".to_owned()));
        assert_eq!(next().0, Line::End);
    }
}
