//! People's names, and where they stand in other texts.
//!
//! A text is taken as words (letters and digits of any script) and the single characters between them; a name is a row of both. So `anna` is found in
//! `C:\Users\Anna\x.exe` and in `anna@example.com`, and not in `susanna`. Upper and lower case are the same. One look at a text takes time that grows with
//! its length alone, however many names there are.

use std::collections::HashMap;
use std::ops::Range;

/// What stands where a name stood.
pub const REPLACED: &str = "(user)";

/// Characters of the shortest name that is looked for: shorter ones stand in any text.
const SHORTEST: usize = 3;
/// Words and characters between them of the longest. Of a longer name, so many are looked for.
const LONGEST: usize = 16;

/// Accounts that are no person. They say nothing of anybody, and are words that stand in other texts with a meaning of their own.
const NOBODY: [&str; 20] = [
    "admin",
    "administrator",
    "anonymous",
    "daemon",
    "default",
    "everyone",
    "guest",
    "local",
    "local service",
    "localsystem",
    "network service",
    "nobody",
    "none",
    "null",
    "public",
    "root",
    "service",
    "system",
    "unknown",
    "user",
];

/// Names that are looked for.
#[derive(Debug, Clone)]
pub struct Names {
    /// A tree by words and characters between them; the first is its root.
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Default)]
struct Step {
    next: HashMap<Box<str>, usize>,
    /// Whether a name ends here.
    ends: bool,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            steps: vec![Step::default()],
        }
    }
}

impl Names {
    /// Adds an account as a record tells it: `anna`, `CORP\anna`, `anna@corp.example`. The domain is nobody's name. An account of less than three
    /// characters is looked for together with its domain.
    pub fn add(&mut self, account: &str) {
        let account = account.trim();
        let own = account.rsplit('\\').next().unwrap_or(account);
        let own = own.split('@').next().unwrap_or(own).trim();
        if NOBODY.contains(&own.to_lowercase().as_str()) {
            return;
        }
        if own.chars().count() >= SHORTEST {
            self.insert(own);
        } else if own != account && account.chars().count() >= SHORTEST {
            self.insert(account);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.steps.len() == 1
    }

    fn insert(&mut self, name: &str) {
        let mut at = 0;
        let mut word = String::new();
        for span in spans(name).take(LONGEST) {
            lower(name, &span, &mut word);
            let new = self.steps.len();
            let Some(step) = self.steps.get_mut(at) else {
                return;
            };
            at = *step.next.entry(word.as_str().into()).or_insert(new);
            if at == new {
                self.steps.push(Step::default());
            }
        }
        if let Some(step) = self.steps.get_mut(at)
            && at > 0
        {
            step.ends = true;
        }
    }

    /// The text without the names; none where it has none of them.
    pub fn hide(&self, text: &str) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let spans: Vec<Range<usize>> = spans(text).collect();
        let mut hidden: Option<String> = None;
        let mut at = 0;
        let mut word = String::new();
        while let Some(span) = spans.get(at) {
            match self.ends_at(text, spans.get(at..).unwrap_or_default(), &mut word) {
                Some(long) => {
                    let hidden = hidden.get_or_insert_with(|| {
                        text.get(..span.start).unwrap_or_default().to_owned()
                    });
                    hidden.push_str(REPLACED);
                    at += long;
                }
                None => {
                    if let Some(hidden) = &mut hidden {
                        hidden.push_str(text.get(span.clone()).unwrap_or_default());
                    }
                    at += 1;
                }
            }
        }
        hidden
    }

    /// How many words and characters between them the longest name has that begins here.
    fn ends_at(&self, text: &str, spans: &[Range<usize>], word: &mut String) -> Option<usize> {
        let mut step = self.steps.first()?;
        let mut found = None;
        for (count, span) in spans.iter().enumerate() {
            lower(text, span, word);
            let Some(next) = step
                .next
                .get(word.as_str())
                .and_then(|next| self.steps.get(*next))
            else {
                break;
            };
            step = next;
            if step.ends {
                found = Some(count + 1);
            }
        }
        found
    }
}

/// Words, and the single characters between them.
fn spans(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, first) = chars.next()?;
        let mut end = start + first.len_utf8();
        if first.is_alphanumeric() {
            while let Some((at, next)) = chars.next_if(|(_, next)| next.is_alphanumeric()) {
                end = at + next.len_utf8();
            }
        }
        Some(start..end)
    })
}

fn lower(text: &str, span: &Range<usize>, word: &mut String) {
    word.clear();
    let part = text.get(span.clone()).unwrap_or_default();
    word.extend(part.chars().flat_map(char::to_lowercase));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(accounts: &[&str]) -> Names {
        let mut names = Names::default();
        for account in accounts {
            names.add(account);
        }
        names
    }

    fn hidden(accounts: &[&str], text: &str) -> String {
        names(accounts)
            .hide(text)
            .unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn a_name_is_found_as_a_word_of_paths_addresses_and_sentences_in_any_case() {
        for (text, without) in [
            (r"C:\Users\Anna\x.exe", r"C:\Users\(user)\x.exe"),
            ("/home/anna/.ssh", "/home/(user)/.ssh"),
            ("ANNA logged on", "(user) logged on"),
            ("anna@example.com", "(user)@example.com"),
            (r"CORP\anna", r"CORP\(user)"),
            ("anna_backup and anna", "(user)_backup and (user)"),
            ("susanna, annabel, anna2", "susanna, annabel, anna2"),
            ("", ""),
        ] {
            assert_eq!(hidden(&["anna"], text), without);
        }
    }

    #[test]
    fn an_account_is_looked_for_without_its_domain() {
        for account in [
            r"CORP\anna",
            "anna@corp.example",
            r" CORP\anna@corp.example ",
        ] {
            assert_eq!(hidden(&[account], "anna of corp"), "(user) of corp");
        }
    }

    #[test]
    fn names_of_several_words_are_found_whole_and_the_longest_first() {
        let accounts = ["Anna Berg", "anna", "jos\u{e9} mu\u{f1}oz"];
        assert_eq!(hidden(&accounts, "Anna Berg"), "(user)");
        assert_eq!(hidden(&accounts, "anna bergman"), "(user) bergman");
        assert_eq!(
            hidden(&accounts, "C:\\Users\\JOS\u{c9} MU\u{d1}OZ\\a"),
            "C:\\Users\\(user)\\a"
        );
        assert_eq!(hidden(&["svc-backup$"], "by svc-backup$."), "by (user).");
    }

    #[test]
    fn short_names_are_looked_for_with_their_domain_alone_and_nobodys_not_at_all() {
        assert_eq!(hidden(&["al"], "al and CORP\\al"), "al and CORP\\al");
        assert_eq!(hidden(&[r"CORP\al"], r"al and corp\AL"), "al and (user)");
        let nobody = ["root", r"NT AUTHORITY\SYSTEM", "Administrator", ""];
        assert!(names(&nobody).is_empty());
        assert_eq!(hidden(&nobody, "root of the system"), "root of the system");
    }

    #[test]
    fn a_name_without_end_is_looked_for_by_its_beginning() {
        let long = vec!["ab"; 5_000].join(" ");
        assert_eq!(names(&[&long]).steps.len(), LONGEST + 1);
        assert!(!hidden(&[&long], &long).contains("ab ab ab ab ab ab ab ab ab"));
    }

    proptest! {
        #[test]
        fn no_word_of_a_name_stays_and_all_else_does(
            name in "[a-c]{3,5}",
            text in "([a-cA-C]{1,6}|[ .\\\\@_\u{e9}-]){0,40}",
        ) {
            let names = names(&[&name]);
            let without = names.hide(&text).unwrap_or_else(|| text.clone());
            let words = |text: &str| -> Vec<String> {
                spans(text).map(|span| text[span].to_owned()).collect()
            };
            let expected: String = words(&text)
                .into_iter()
                .map(|word| if word.to_lowercase() == name { REPLACED.to_owned() } else { word })
                .collect();
            prop_assert_eq!(&without, &expected);
            prop_assert!(names.hide(&without).is_none());
        }

        #[test]
        fn any_name_in_any_text_is_no_panic(accounts in prop::collection::vec("\\PC{0,20}", 0..8), text in "\\PC{0,80}") {
            let _ = hidden(&accounts.iter().map(String::as_str).collect::<Vec<_>>(), &text);
        }
    }
}
