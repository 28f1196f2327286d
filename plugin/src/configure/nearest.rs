//! What a person may have meant.

/// Below this two words are strangers. Between 0 and 1; found by trying the misspellings in the tests.
const CLOSE: f64 = 0.8;

/// The known word that is closest to what was written, if any is close. Case and punctuation count for nothing: they are
/// what people get wrong most.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = bare(written);
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&written, &bare(word)), word))
        .filter(|(score, _)| *score >= CLOSE)
        // The first of equals: where an alias is as close, the name itself.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, word)| word)
}

/// Letters and digits in lower case.
pub fn bare(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        // No word that is known is longer, and comparing takes time in the square of the length.
        .take(100)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_find_their_word_and_strangers_find_none() {
        let known = [
            "baseUrl",
            "apiKeyId",
            "tags",
            "dataStreams",
            "fullSyncEveryDays",
        ];
        for (written, meant) in [
            ("base_url", Some("baseUrl")),
            ("BaseURL", Some("baseUrl")),
            ("dataStream", Some("dataStreams")),
            ("tag", Some("tags")),
            ("fullSyncDays", Some("fullSyncEveryDays")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, known), meant, "{written}");
        }
    }
}
