//! Severities by one set of words.

/// The words, from the worst down, and what else means the same, in lower case.
const WORDS: [(&str, &[&str]); 5] = [
    ("critical", &["critical", "crit", "fatal", "emergency"]),
    ("high", &["high", "important", "severe", "major", "error"]),
    ("medium", &["medium", "med", "moderate", "warning", "warn"]),
    ("low", &["low", "minor"]),
    (
        "informational",
        &["informational", "information", "info", "none", "notice"],
    ),
];

/// A source's severity as critical, high, medium, low, informational or unknown. Never guesses upwards: a word that nobody
/// knows is unknown. Words may stand inside an enum's name, such as `SEV_070_CRITICAL`.
pub(super) fn normalise(text: &str) -> &'static str {
    let lower = text.to_lowercase();
    let mut found = None;
    for piece in lower
        .split(|c: char| !c.is_alphabetic())
        .filter(|piece| !piece.is_empty())
    {
        if let Some((word, _)) = WORDS.iter().find(|(_, same)| same.contains(&piece)) {
            match found {
                None => found = Some(*word),
                Some(before) if before == *word => {}
                Some(_) => return "unknown",
            }
        }
    }
    found.unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_known_by_their_words() {
        for (text, word) in [
            ("CRITICAL", "critical"),
            ("high", "high"),
            ("Medium", "medium"),
            ("SEV_070_CRITICAL", "critical"),
            ("ENUM.LOW", "low"),
            ("SEV_020_LOW", "low"),
            ("info", "informational"),
            ("INFORMATIONAL", "informational"),
            ("unknown", "unknown"),
            ("", "unknown"),
            ("9.8", "unknown"),
            ("highest", "unknown"),
            ("low or high", "unknown"),
        ] {
            assert_eq!(normalise(text), word, "{text}");
        }
    }
}
