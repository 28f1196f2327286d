//! Words that many records share (statuses, sources, severities), kept once.

/// The number of a word.
pub type Word = u16;

/// A list of distinct words. New ones can be added, so that a test may invent a status.
#[derive(Clone, Debug, Default)]
pub struct Words(Vec<String>);

impl Words {
    pub fn new(words: &[&str]) -> Self {
        Words(words.iter().map(|word| (*word).to_owned()).collect())
    }

    pub fn find(&self, word: &str) -> Option<Word> {
        self.0
            .iter()
            .position(|known| known == word)
            .and_then(|at| Word::try_from(at).ok())
    }

    /// The number of `word`, which is added when it is new. (More than 65,535 words all become the first.)
    pub fn intern(&mut self, word: &str) -> Word {
        if let Some(known) = self.find(word) {
            return known;
        }
        let Ok(at) = Word::try_from(self.0.len()) else {
            return 0;
        };
        self.0.push(word.to_owned());
        at
    }

    pub fn get(&self, word: Word) -> &str {
        self.0.get(usize::from(word)).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_kept_once() {
        let mut words = Words::new(&["LOST"]);
        assert_eq!(words.intern("LOST"), 0);
        let new = words.intern("SLEEPING");
        assert_eq!(words.intern("SLEEPING"), new);
        assert_eq!(words.get(new), "SLEEPING");
        assert_eq!(words.find("GONE"), None);
    }
}
