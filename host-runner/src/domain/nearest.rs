//! Which of the names that there are was probably meant.

/// The name that is nearest by edits, where one is near: a third of it may be wrong; of a short name, two letters.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = typed.to_lowercase();
    let most = (lower.chars().count() / 3).max(2);
    known
        .into_iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&name.to_lowercase(), &lower),
                name,
            )
        })
        .filter(|(edits, name)| *edits <= most && *edits < name.chars().count())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_pen_is_understood_and_another_word_is_not() {
        let known = ["safe", "qualys-etm", "qualys-etm-scoped"];
        for (typed, meant) in [
            ("sfae", Some("safe")),
            ("Qualys-ETM", Some("qualys-etm")),
            ("qualys-etm-scopd", Some("qualys-etm-scoped")),
            ("splunk", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
        assert_eq!(nearest("ab", ["x"]), None);
    }
}
