//! Lines of records that are none: why, and how that is told.

use serde_json::{Value, json};

use super::human;
use super::output::Output;

/// How deep a record may be nested, which is as deep as JSON is read here.
pub const DEEPEST: usize = 127;

/// Why a line is skipped that is longer than lines are read.
pub const TOO_LONG: &str = "the line is longer than 16 MiB";

/// Why a line is no record; none where it is one.
pub fn reason(line: &[u8]) -> Option<String> {
    match serde_json::from_slice::<Value>(line) {
        Ok(Value::Object(_)) => None,
        Ok(_) => Some("it is JSON, but no object".to_owned()),
        // The one thing that is no fault of the JSON. It has no kind of its own, only words.
        Err(error) if error.to_string().starts_with("recursion limit") => Some(format!(
            "it is nested deeper than {DEEPEST} levels, from column {} on: nothing as deep is read",
            error.column()
        )),
        Err(error) => Some(format!("it isn't JSON, from column {} on", error.column())),
    }
}

/// Tells a problem of a line, or of a place in its record, on standard error: as JSON where that is asked for.
pub fn tell(output: &Output, line: u64, pointer: &str, message: &str) {
    if output.json() {
        let problem = json!({"line": line, "pointer": pointer, "message": message});
        output.error_line(json!({ "problem": problem }).to_string());
        return;
    }
    let place = if pointer.is_empty() {
        String::new()
    } else {
        format!("{}: ", human::plain(pointer))
    };
    output.error_line(format!("line {line}: {place}{}", human::plain(message)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::Style;
    use crate::cli::output::testing::{PIPE, captured};

    fn nested(levels: usize) -> Vec<u8> {
        let lists = levels - 1;
        format!("{{\"a\":{}{}}}", "[".repeat(lists), "]".repeat(lists)).into_bytes()
    }

    #[test]
    fn a_line_that_is_no_record_is_told_as_what_it_is() {
        assert_eq!(reason(b"{\"a\": 1}"), None);
        assert_eq!(reason(b"[1]").unwrap(), "it is JSON, but no object");
        assert_eq!(
            reason(b"{\"a\" 1}").unwrap(),
            "it isn't JSON, from column 6 on"
        );
    }

    #[test]
    fn a_record_that_is_nested_too_deep_is_not_taken_for_broken_json() {
        assert_eq!(reason(&nested(DEEPEST)), None);
        let deep = reason(&nested(DEEPEST + 1)).unwrap();
        assert!(
            deep.starts_with("it is nested deeper than 127 levels"),
            "{deep}"
        );
    }

    #[test]
    fn a_problem_is_a_line_for_people_and_an_object_for_programs() {
        let (output, _, err) = captured(PIPE);
        tell(&output, 3, "/a", "odd \u{1b}[2J");
        tell(&output, 4, "", "odd");
        assert!(err.text().starts_with("line 3: /a: odd ") && !err.text().contains('\u{1b}'));
        assert!(err.text().ends_with("line 4: odd\n"), "{}", err.text());
        let (output, _, err) = captured(Style { json: true, ..PIPE });
        tell(&output, 3, "/a", "odd");
        let told: Value = serde_json::from_str(&err.text()).unwrap();
        assert_eq!(
            told,
            json!({"problem": {"line": 3, "pointer": "/a", "message": "odd"}})
        );
    }
}
