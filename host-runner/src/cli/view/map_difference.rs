//! What is different between two maps, as it is shown.

use serde_json::{Value, json};

use crate::cli::human;
use crate::cli::table::bold;
use crate::maps::{Change, Difference, Section, line_of};

/// As JSON.
pub fn document(difference: &Difference) -> Value {
    let of = |section: Section| -> Vec<Value> {
        difference
            .changes
            .iter()
            .filter(|change| change.section == section)
            .map(|change| {
                json!({
                    "place": change.place,
                    "change": change.kind(),
                    "before": change.before,
                    "after": change.after,
                })
            })
            .collect()
    };
    json!({
        "different": !difference.is_empty(),
        "keys": of(Section::Keys),
        "heads": of(Section::Heads),
        "rules": of(Section::Rules),
        "rulesReordered": difference.reordered,
    })
}

/// As text: below each place what stands there in one map (-) and in the other (+).
pub fn text(difference: &Difference, colour: bool) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (section, title) in [
        (Section::Keys, "The map"),
        (Section::Heads, "Known by"),
        (Section::Rules, "Rules, by target"),
    ] {
        let changes: Vec<&Change> = difference
            .changes
            .iter()
            .filter(|change| change.section == section)
            .collect();
        let reordered = section == Section::Rules && difference.reordered;
        if changes.is_empty() && !reordered {
            continue;
        }
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(bold(title, colour));
        for change in changes {
            lines.push(format!(
                "  {} {}",
                change.kind(),
                human::plain(&change.place)
            ));
            for (mark, values) in [('-', &change.before), ('+', &change.after)] {
                for value in values {
                    let told = told(section, value);
                    lines.push(format!("    {mark} {}", human::plain(&told)));
                }
            }
        }
        if reordered {
            lines.push("  the rules that both have stand in another order".to_owned());
        }
    }
    lines.join("\n")
}

/// A rule or head in words; what words do not tell is told as JSON.
fn told(section: Section, value: &Value) -> String {
    if section == Section::Keys || !(value.is_object() || value.is_string()) {
        return value.to_string();
    }
    let line = line_of(value);
    let mut words = Vec::new();
    if !line.sources.is_empty() {
        words.push(format!("from {}", line.sources.join(" + ")));
    }
    if !line.convert.is_empty() {
        words.push(format!("converted: {}", line.convert));
    }
    if !line.when.is_empty() {
        words.push(format!("when {}", line.when));
    }
    if !line.value.is_empty() {
        words.push(line.value);
    }
    if let Some(note) = value.get("note").and_then(Value::as_str) {
        words.push(format!("note {note}"));
    }
    // A table of cases is only counted in words: what is in it may be the difference.
    if line.convert.contains(" case") {
        words.push(
            value
                .get("convert")
                .map(Value::to_string)
                .unwrap_or_default(),
        );
    }
    words.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maps::difference;

    #[test]
    fn a_difference_is_told_as_recorded() {
        let before = json!({"version": "1.0", "asset": {"key": "id"}, "rules": [
            {"target": "name", "source": "endpoint_name"},
            {"target": "type", "source": "t", "convert": {"table": {"cases": {"a": "A"}}}},
            {"target": "gone", "constant": "x"},
            {"target": "one"}, {"target": "two"}]});
        let after = json!({"version": "1.1", "asset": {"key": "id", "identity": {"mac": "mac[]"}}, "rules": [
            {"target": "two"}, {"target": "one"},
            {"target": "name", "source": "endpoint_name", "convert": "lower", "required": true},
            {"target": "type", "source": "t", "convert": {"table": {"cases": {"a": "B"}}}},
            {"target": "new", "source": ["a", "b"], "convert": "concat", "when": {"source": "a", "equals": "\u{1b}[31m"}}]});
        let difference = difference(&before, &after);
        insta::assert_snapshot!(text(&difference, false));
        insta::assert_snapshot!(serde_json::to_string_pretty(&document(&difference)).unwrap());
    }
}
