//! Paths as maps write them: names with dots between them, `[]` after a name that is a list.

use std::fmt;

/// One name of a path, and whether the path goes on inside each element of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment {
    /// The key.
    pub(super) name: String,
    /// Whether `[]` stands behind it.
    pub(super) list: bool,
}

/// How many names a path may have: maps are walked recursively, and no document is that deep.
const MOST_NAMES: usize = 32;

/// A path: `cves[].severity`, `tags.server_tags`, `mac_address[]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path {
    /// At least one.
    pub(super) segments: Vec<Segment>,
}

impl Path {
    /// Reads a path; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Path, String> {
        if text.is_empty() {
            return Err("a path needs at least one name".into());
        }
        let mut segments = Vec::new();
        for piece in text.split('.') {
            let (name, list) = match piece.strip_suffix("[]") {
                Some(name) => (name, true),
                None => (piece, false),
            };
            if name.is_empty() {
                return Err(format!(
                    "`{text}` has an empty name; names stand between single dots"
                ));
            }
            if name.contains(['[', ']']) {
                return Err(format!(
                    "`{text}` has a bracket that is not `[]` at the end of a name; elements of a list are written `name[]`"
                ));
            }
            if segments.len() == MOST_NAMES {
                return Err(format!("a path has at most {MOST_NAMES} names"));
            }
            segments.push(Segment {
                name: name.into(),
                list,
            });
        }
        Ok(Path { segments })
    }

    /// The path up to and including each list, in order: `a.b[]` and `a.b[].c[]` of `a.b[].c[].d`.
    pub(super) fn lists(&self) -> Vec<Path> {
        let mut lists = Vec::new();
        let mut so_far = Vec::new();
        for segment in &self.segments {
            so_far.push(segment.clone());
            if segment.list {
                lists.push(Path {
                    segments: so_far.clone(),
                });
            }
        }
        lists
    }

    /// This path with its last name taken for a list, if it is none: the list that a rule spreads.
    pub(super) fn spread(&self) -> Path {
        let mut path = self.clone();
        if let Some(last) = path.segments.last_mut() {
            last.list = true;
        }
        path
    }

    /// What is left of this path below `list`; none where it does not lie below it.
    pub(super) fn below(&self, list: &Path) -> Option<&[Segment]> {
        let rest = self.segments.strip_prefix(list.segments.as_slice())?;
        (!rest.is_empty()).then_some(rest)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.segments.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            f.write_str(&segment.name)?;
            if segment.list {
                f.write_str("[]")?;
            }
        }
        Ok(())
    }
}

/// Appends a key to a JSON Pointer.
pub(super) fn push_pointer(pointer: &mut String, key: &str) {
    pointer.push('/');
    for c in key.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_prints_as_it_was_written() {
        for text in [
            "endpoint_id",
            "cves[].severity",
            "tags.server_tags",
            "mac_address[]",
            "a[].b[].c",
        ] {
            assert_eq!(Path::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn malformed_paths_are_refused() {
        for text in ["", ".", "a..b", "a.", "a[0]", "[]", "a[]b", "a[][]"] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_is_not_endless() {
        assert!(Path::parse(&["a"; MOST_NAMES].join(".")).is_ok());
        assert!(Path::parse(&["a"; 100_000].join(".")).is_err());
    }

    #[test]
    fn a_path_knows_the_lists_it_goes_through() {
        let lists: Vec<_> = Path::parse("a.b[].c[].d")
            .unwrap()
            .lists()
            .iter()
            .map(Path::to_string)
            .collect();
        assert_eq!(lists, ["a.b[]", "a.b[].c[]"]);
    }

    #[test]
    fn pointers_escape_what_json_pointer_reserves() {
        let mut pointer = String::new();
        push_pointer(&mut pointer, "a/b~c");
        assert_eq!(pointer, "/a~1b~0c");
    }
}
