//! Foreign texts, no longer than a person reads.

/// Cuts a text after so many characters, and shows that it was cut.
pub fn cut(text: &mut String, longest: usize) {
    // Most texts are short: counting their characters would be all the work.
    if text.len() <= longest {
        return;
    }
    if let Some((at, _)) = text.char_indices().nth(longest) {
        text.truncate(at);
        text.push('…');
    }
}

/// The same for a text that is one line: control characters, with which it could forge another line or drive a terminal, become spaces.
pub fn cut_line(text: &mut String, longest: usize) {
    cut(text, longest);
    if text.contains(char::is_control) {
        *text = text.replace(char::is_control, " ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_between_two_characters() {
        let mut text = "äöü".to_owned();
        cut(&mut text, 3);
        assert_eq!(text, "äöü");
        cut(&mut text, 2);
        assert_eq!(text, "äö…");
    }

    #[test]
    fn a_line_is_one_line() {
        let mut text = "failed\nerror: forged \u{1b}[2J".to_owned();
        cut_line(&mut text, 100);
        assert_eq!(text, "failed error: forged  [2J");
    }
}
