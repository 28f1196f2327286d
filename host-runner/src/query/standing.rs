//! How assets and findings stand, by the words of the platforms.

/// How an asset stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssetStanding {
    /// Something feeds it, or it was there before any connection.
    Active,
    /// Each source that fed it says that it is gone.
    Inactive,
    /// Its source has it, and the configuration leaves it out.
    OutOfScope,
}

/// How a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingStanding {
    /// It is there, and on an asset.
    Open,
    /// As open, and it was closed in between.
    Reopened,
    /// It is there, and waits for its asset.
    Parked,
    /// It is proven gone or dealt with.
    Closed,
    /// Its record lives, and the configuration leaves it out.
    OutOfScope,
}

/// Something that is named by one of a few words.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// Each word and what it means. The first word for a meaning is its own, others are what some platform calls it.
    const WORDS: &'static [(&'static str, Self)];

    /// What a word means, in any case, with or without hyphens.
    fn read(text: &str) -> Option<Self> {
        let plain = |text: &str| -> String {
            text.chars()
                .filter(|c| c.is_alphanumeric())
                .map(|c| c.to_ascii_lowercase())
                .collect()
        };
        let text = plain(text);
        Self::WORDS
            .iter()
            .find(|(word, _)| plain(word) == text)
            .map(|(_, meaning)| *meaning)
    }

    /// Its own word.
    fn word(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(_, meaning)| *meaning == self)
            .map_or("", |(word, _)| word)
    }

    /// The words that mean different things: "active, inactive or out-of-scope".
    fn choice() -> String {
        let mut own: Vec<&str> = Vec::new();
        for (_, meaning) in Self::WORDS {
            if !own.contains(&meaning.word()) {
                own.push(meaning.word());
            }
        }
        match own.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => own.concat(),
        }
    }
}

impl Word for AssetStanding {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("active", Self::Active),
        ("inactive", Self::Inactive),
        ("out-of-scope", Self::OutOfScope),
    ];
}

impl Word for FindingStanding {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("open", Self::Open),
        ("reopened", Self::Reopened),
        ("parked", Self::Parked),
        ("closed", Self::Closed),
        ("out-of-scope", Self::OutOfScope),
        ("active", Self::Open),
        ("fixed", Self::Closed),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_those_of_the_platforms_too() {
        assert_eq!(
            FindingStanding::read("CLOSED"),
            Some(FindingStanding::Closed)
        );
        assert_eq!(
            FindingStanding::read("Fixed"),
            Some(FindingStanding::Closed)
        );
        assert_eq!(
            AssetStanding::read("Out of scope"),
            Some(AssetStanding::OutOfScope)
        );
        assert_eq!(AssetStanding::read("gone"), None);
        assert_eq!(AssetStanding::choice(), "active, inactive or out-of-scope");
        assert_eq!(
            FindingStanding::read("active").map(Word::word),
            Some("open")
        );
    }
}
