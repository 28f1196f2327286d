//! Splits the text of a query into tokens.

/// A token and where it stands (line from 1, column from 0, as the API's parser counts).
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub kind: Kind,
    pub line: usize,
    pub column: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A name, which may hold dots: `c.name`, `ENUM.HIGH`.
    Name(String),
    Text(String),
    Int(i64),
    Float(f64),
    /// `|`, `(`, `)`, `,`, `=`, `!=`, `<`, `>`, `<=`, `>=`, `-`, `*`.
    Symbol(&'static str),
}

const SYMBOLS: [&str; 12] = [
    "!=", "<=", ">=", "|", "(", ")", ",", "=", "<", ">", "-", "*",
];

/// Tokens of a query, without comments (`// …` and `/* … */`).
pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut lexer = Lexer {
        rest: text,
        line: 1,
        column: 0,
    };
    let mut tokens = Vec::new();
    while lexer.skip_blanks()? {
        let (line, column) = (lexer.line, lexer.column);
        let kind = lexer.token()?;
        tokens.push(Token { kind, line, column });
    }
    Ok(tokens)
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

impl Lexer<'_> {
    fn advance(&mut self, bytes: usize) {
        let taken = self.rest.get(..bytes).unwrap_or(self.rest);
        for character in taken.chars() {
            if character == '\n' {
                self.line += 1;
                self.column = 0;
            } else {
                self.column += 1;
            }
        }
        self.rest = self.rest.get(bytes..).unwrap_or("");
    }

    fn error(&self, what: &str) -> String {
        format!("line {}:{} {what}", self.line, self.column)
    }

    /// Skips white space and comments; false at the end.
    fn skip_blanks(&mut self) -> Result<bool, String> {
        loop {
            let blank = self.rest.len() - self.rest.trim_start().len();
            self.advance(blank);
            if self.rest.starts_with("//") {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.advance(end);
            } else if self.rest.starts_with("/*") {
                let end = self
                    .rest
                    .find("*/")
                    .ok_or_else(|| self.error("a comment does not end"))?;
                self.advance(end + 2);
            } else {
                return Ok(!self.rest.is_empty());
            }
        }
    }

    fn token(&mut self) -> Result<Kind, String> {
        if self.rest.starts_with('"') {
            return self.text();
        }
        if let Some(symbol) = SYMBOLS
            .iter()
            .find(|symbol| self.rest.starts_with(**symbol))
        {
            self.advance(symbol.len());
            return Ok(Kind::Symbol(symbol));
        }
        let word =
            |character: char| character.is_alphanumeric() || character == '_' || character == '.';
        let end = self
            .rest
            .find(|character| !word(character))
            .unwrap_or(self.rest.len());
        let found = self.rest.get(..end).unwrap_or("").to_owned();
        if found.is_empty() {
            let first = self.rest.chars().next().unwrap_or(' ');
            return Err(self.error(&format!("token recognition error at: '{first}'")));
        }
        if found.starts_with(|first: char| first.is_ascii_digit()) {
            let number = match (found.parse(), found.parse()) {
                (Ok(int), _) => Kind::Int(int),
                (_, Ok(float)) => Kind::Float(float),
                _ => return Err(self.error(&format!("{found} is no number"))),
            };
            self.advance(end);
            return Ok(number);
        }
        self.advance(end);
        Ok(Kind::Name(found))
    }

    fn text(&mut self) -> Result<Kind, String> {
        let mut text = String::new();
        let mut escaped = false;
        for (at, character) in self.rest.char_indices().skip(1) {
            match (escaped, character) {
                (false, '"') => {
                    self.advance(at + 1);
                    return Ok(Kind::Text(text));
                }
                (false, '\\') => escaped = true,
                (true, 'n') => {
                    text.push('\n');
                    escaped = false;
                }
                (_, other) => {
                    text.push(other);
                    escaped = false;
                }
            }
        }
        Err(self.error("a text does not end"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<Kind> {
        tokens(text)
            .unwrap()
            .into_iter()
            .map(|token| token.kind)
            .collect()
    }

    #[test]
    fn names_texts_numbers_symbols_and_comments_are_told_apart() {
        let found = kinds(
            "dataset=va_cves // one\n| filter c.score >= 7.5 /* two\n */ and n != \"a\\\"b\" | limit 10",
        );
        let name = |text: &str| Kind::Name(text.into());
        assert_eq!(
            found,
            [
                name("dataset"),
                Kind::Symbol("="),
                name("va_cves"),
                Kind::Symbol("|"),
                name("filter"),
                name("c.score"),
                Kind::Symbol(">="),
                Kind::Float(7.5),
                name("and"),
                name("n"),
                Kind::Symbol("!="),
                Kind::Text("a\"b".into()),
                Kind::Symbol("|"),
                name("limit"),
                Kind::Int(10),
            ]
        );
    }

    #[test]
    fn what_does_not_end_or_is_unknown_is_an_error_with_its_place() {
        assert_eq!(
            tokens("a\n  ?").unwrap_err(),
            "line 2:2 token recognition error at: '?'"
        );
        assert!(tokens("\"abc").is_err() && tokens("/* abc").is_err() && tokens("1x").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_lexed_or_refused_without_a_panic(text in "\\PC{0,60}") {
            let _ = tokens(&text);
        }

        #[test]
        fn a_quoted_text_reads_back(text in "[^\\n]{0,20}") {
            let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(kinds(&quoted), vec![Kind::Text(text)]);
        }
    }
}
