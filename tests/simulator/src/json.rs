//! Writes JSON straight into bytes, spaced as Python's `json.dumps` does (the API's replies are).
//!
//! A page of a hundred endpoints is 130 kB; going through a tree of values would cost most of the time of a reply.

/// A writer of JSON. It puts commas between what is written; the caller keeps brackets in pairs.
#[derive(Debug, Default)]
pub struct Json {
    out: Vec<u8>,
    /// Whether the next item needs a comma before it.
    comma: bool,
}

impl Json {
    pub fn with_capacity(bytes: usize) -> Self {
        Json {
            out: Vec::with_capacity(bytes),
            comma: false,
        }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn item(&mut self) {
        if self.comma {
            self.out.extend_from_slice(b", ");
        }
        self.comma = true;
    }

    pub fn begin_object(&mut self) {
        self.item();
        self.out.push(b'{');
        self.comma = false;
    }

    pub fn end_object(&mut self) {
        self.out.push(b'}');
        self.comma = true;
    }

    pub fn begin_list(&mut self) {
        self.item();
        self.out.push(b'[');
        self.comma = false;
    }

    pub fn end_list(&mut self) {
        self.out.push(b']');
        self.comma = true;
    }

    /// A key that needs no escaping; its value must follow.
    pub fn key(&mut self, key: &str) {
        self.item();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\": ");
        self.comma = false;
    }

    /// A key of any text; its value must follow.
    pub fn any_key(&mut self, key: &str) {
        self.item();
        self.comma = false;
        self.text(key);
        self.out.extend_from_slice(b": ");
        self.comma = false;
    }

    pub fn text(&mut self, text: &str) {
        self.item();
        self.out.push(b'"');
        let mut plain = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte >= 0x20 && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.out
                .extend_from_slice(text.as_bytes().get(plain..at).unwrap_or_default());
            plain = at + 1;
            match byte {
                b'"' => self.out.extend_from_slice(b"\\\""),
                b'\\' => self.out.extend_from_slice(b"\\\\"),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                b'\r' => self.out.extend_from_slice(b"\\r"),
                b'\t' => self.out.extend_from_slice(b"\\t"),
                other => self
                    .out
                    .extend_from_slice(format!("\\u{other:04x}").as_bytes()),
            }
        }
        self.out
            .extend_from_slice(text.as_bytes().get(plain..).unwrap_or_default());
        self.out.push(b'"');
    }

    /// Text put together by `format_args!`; it must need no escaping.
    pub fn plain(&mut self, text: std::fmt::Arguments<'_>) {
        self.item();
        self.out.push(b'"');
        // Writing to a vector cannot fail.
        let _ = std::io::Write::write_fmt(&mut self.out, text);
        self.out.push(b'"');
    }

    /// Numbers as one text of 32 lower-case hexadecimal digits each.
    pub fn hex(&mut self, numbers: &[u128]) {
        self.item();
        self.out.push(b'"');
        for number in numbers {
            for byte in number.to_be_bytes() {
                let digit = |half: u8| {
                    if half < 10 {
                        b'0' + half
                    } else {
                        b'a' + half - 10
                    }
                };
                self.out
                    .extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
            }
        }
        self.out.push(b'"');
    }

    /// Keys with their values that are JSON already, with `, ` between them.
    pub fn ready(&mut self, items: &str) {
        self.item();
        self.out.extend_from_slice(items.as_bytes());
    }

    pub fn int(&mut self, number: i64) {
        self.item();
        let mut digits = [0_u8; 20];
        let mut left = number.unsigned_abs();
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (left % 10) as u8;
            left /= 10;
            used += 1;
            if left == 0 {
                break;
            }
        }
        if number < 0 {
            self.out.push(b'-');
        }
        self.out
            .extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
    }

    pub fn float(&mut self, number: f64) {
        self.item();
        let text = if number.is_finite() {
            format!("{number:?}")
        } else {
            "null".to_owned()
        };
        self.out.extend_from_slice(text.as_bytes());
    }

    pub fn bool(&mut self, yes: bool) {
        self.item();
        self.out
            .extend_from_slice(if yes { b"true" } else { b"false" });
    }

    pub fn null(&mut self) {
        self.item();
        self.out.extend_from_slice(b"null");
    }

    pub fn key_text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.text(text);
    }

    pub fn key_opt(&mut self, key: &str, text: Option<&str>) {
        self.key(key);
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    pub fn key_int(&mut self, key: &str, number: i64) {
        self.key(key);
        self.int(number);
    }

    pub fn key_null(&mut self, key: &str) {
        self.key(key);
        self.null();
    }

    pub fn key_bool(&mut self, key: &str, yes: bool) {
        self.key(key);
        self.bool(yes);
    }

    pub fn key_list<T: AsRef<str>>(&mut self, key: &str, items: &[T]) {
        self.key(key);
        self.begin_list();
        for item in items {
            self.text(item.as_ref());
        }
        self.end_list();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn documents_are_spaced_as_python_does() {
        let mut json = Json::default();
        json.begin_object();
        json.key("reply");
        json.begin_object();
        json.key_int("err_code", 401);
        json.key_text("err_msg", "Public API request unauthorized");
        json.key_null("err_extra");
        json.end_object();
        json.end_object();
        let bytes = json.into_bytes();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            r#"{"reply": {"err_code": 401, "err_msg": "Public API request unauthorized", "err_extra": null}}"#
        );
    }

    #[test]
    fn hexadecimal_digits_are_as_format_writes_them() {
        let number = 0x0a1b_fa94_a47c_4dc6_8a97_38a4_7dc3_f18a_u128;
        let mut json = Json::default();
        json.hex(&[number, 7]);
        assert_eq!(
            String::from_utf8(json.into_bytes()).unwrap(),
            format!("\"{number:032x}{:032x}\"", 7)
        );
    }

    proptest! {
        #[test]
        fn any_text_number_and_key_reads_back(text in ".*", key in ".*", int: i64, float in -1e12_f64..1e12) {
            let mut json = Json::default();
            json.begin_object();
            json.any_key(&key);
            json.begin_list();
            json.text(&text);
            json.int(int);
            json.float(float);
            json.bool(true);
            json.null();
            json.end_list();
            json.end_object();
            let read: serde_json::Value = serde_json::from_slice(&json.into_bytes()).unwrap();
            prop_assert_eq!(read, serde_json::json!({ key: [text, int, float, true, null] }));
        }
    }
}
