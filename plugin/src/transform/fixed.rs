//! Values that a map writes itself (constants, defaults, what a table gives, what a placeholder becomes), checked against the target model.
//!
//! Loops stand here where iterators would do: this runs once for a map, and each of those adds to the component's size.

use super::compile::Compiler;
use super::convert::{Conversion, Otherwise};
use super::format::{Rule, STATES};
use super::needs;
use super::path::push_pointer;
use super::schema::{Place, nearest};
use super::value::Value;
use crate::contract::{Lifecycle, Problem};
use std::borrow::Cow;

impl Compiler<'_> {
    /// Checks all that a rule writes without reading it.
    pub(super) fn check_fixed(&mut self, rule: &Rule, place: &Place<'_>) {
        let path = rule.target.to_string();
        let mut check = Check {
            path: &path,
            problems: self.problems,
        };
        if let Some(value) = &rule.spec.default {
            check.value(value, place, "", &format!("{}/default", rule.spec.pointer));
        }
        if let Some(value) = &rule.spec.constant {
            let pointer = format!("{}/constant", rule.spec.pointer);
            if rule.spec.conversions.is_empty() {
                check.value(value, place, "", &pointer);
            } else {
                check.kind(value, place, &pointer);
            }
        }
        check.table(rule, place);
        match &rule.placeholder {
            None => {}
            Some((Lifecycle::State, format)) => check.states(rule, format, place),
            Some((_, format)) => {
                let sample = match format.as_str() {
                    "epoch-ms" => Value::Unsigned(1_700_000_000_000),
                    _ => Value::Text(Cow::Borrowed("2023-11-14T22:13:20.000Z")),
                };
                let pointer = format!("{}/placeholder", rule.spec.pointer);
                if !check.kind(&sample, place, &pointer)
                    && let Some(told) = check.problems.last_mut()
                {
                    told.message.push_str(
                        "; the `format` of a time is rfc3339, a text, or epoch-ms, a number",
                    );
                }
            }
        }
    }
}

/// What is wrong with values for a target.
struct Check<'a> {
    path: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn tell(&mut self, pointer: &str, message: String) {
        self.problems.push(Problem {
            pointer: pointer.to_owned(),
            message,
        });
    }

    /// What a table gives, where nothing but lists is made of it afterwards.
    fn table(&mut self, rule: &Rule, place: &Place<'_>) {
        for step in rule.spec.conversions.iter().rev() {
            match step {
                Conversion::First | Conversion::Distinct | Conversion::List => {}
                Conversion::Table {
                    cases, otherwise, ..
                } => {
                    let pointer = format!("{}/convert", rule.spec.pointer);
                    for (case, value) in cases {
                        self.case(case, value, place, &pointer);
                    }
                    if let Otherwise::Value(value) = otherwise {
                        self.case("otherwise", value, place, &pointer);
                    }
                    return;
                }
                _ => return,
            }
        }
    }

    /// One value of a table: the whole, or one of a list; or its list is taken apart.
    fn case(&mut self, case: &str, value: &Value<'_>, place: &Place<'_>, pointer: &str) {
        let each = match value {
            Value::List(values) if !place.kinds().has_lists() => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in each {
            let before = self.problems.len();
            self.value(value, place, "", pointer);
            let wrong = self.problems.len();
            if wrong == before {
                continue;
            }
            if let Some(items) = place.items() {
                self.value(value, &items, "", pointer);
                if self.problems.len() == wrong {
                    self.problems.truncate(before);
                    continue;
                }
                self.problems.truncate(wrong);
            }
            for told in self.problems.iter_mut().skip(before) {
                told.message
                    .insert_str(0, &format!("`{case}` of the table: "));
            }
        }
    }

    /// What a state becomes. One without a value of its own has another's.
    fn states(&mut self, rule: &Rule, format: &str, place: &Place<'_>) {
        let Ok(serde_json::Value::Object(words)) = serde_json::from_slice(format.as_bytes()) else {
            return;
        };
        let mut seen = Vec::new();
        for state in STATES {
            let Some(word) = words.get(state) else {
                continue;
            };
            let word = Value::from_json(word);
            if !seen.contains(&word) {
                let pointer = format!("{}/format/{state}", rule.spec.pointer);
                self.value(&word, place, "", &pointer);
                seen.push(word);
            }
        }
    }

    /// Whether a value is of a type that the target model has there.
    fn kind(&mut self, value: &Value<'_>, place: &Place<'_>, pointer: &str) -> bool {
        let kinds = place.kinds();
        let takes = kinds.takes(value);
        if !takes {
            let (value, kinds) = (value.describe(), kinds.describe());
            self.tell(
                pointer,
                format!("{value} where the target model expects {kinds}"),
            );
        }
        takes
    }

    /// A value and all in it. `below`: where it stands below the rule's target.
    fn value(&mut self, value: &Value<'_>, place: &Place<'_>, below: &str, pointer: &str) {
        if value.is_absent() || !self.kind(value, place, pointer) {
            return;
        }
        match value {
            Value::Object(entries) => self.object(entries, place, below, pointer),
            Value::List(items) => {
                let Some(place) = place.items() else { return };
                let below = format!("{below}[]");
                for (at, item) in items.iter().enumerate() {
                    self.value(item, &place, &below, &format!("{pointer}/{at}"));
                }
            }
            value => {
                let known = place.values();
                if !known.is_empty() && !known.contains(value) {
                    let mut words = Vec::new();
                    for known in &known {
                        words.extend(known.text());
                    }
                    let (path, value) = (self.path, value.describe());
                    let words = words.join(", ");
                    self.tell(
                        pointer,
                        format!("{value} is none of what the target model has for `{path}{below}`: {words}"),
                    );
                }
            }
        }
    }

    fn object(
        &mut self,
        entries: &[(Cow<'_, str>, Value<'_>)],
        place: &Place<'_>,
        below: &str,
        pointer: &str,
    ) {
        let path = self.path;
        for group in place.needs() {
            let mut written = false;
            for (key, value) in entries {
                written |= !value.is_absent() && group.iter().any(|name| name == key);
            }
            if !written {
                let lack = needs::describe(&group, &format!("{path}{below}."));
                self.tell(
                    pointer,
                    format!("the target model requires {lack}, and it is not here"),
                );
            }
        }
        for (key, value) in entries {
            let mut pointer = pointer.to_owned();
            push_pointer(&mut pointer, key);
            if let Some(place) = place.property(key) {
                self.value(value, &place, &format!("{below}.{key}"), &pointer);
                continue;
            }
            let mut message = format!("the target model has no `{path}{below}.{key}`");
            let known = place.paths();
            if let Some(near) = nearest(key, known.iter().map(String::as_str)) {
                message.push_str(&format!("; did you mean `{path}{below}.{near}`?"));
            }
            self.tell(&pointer, message);
        }
    }
}
