//! A path into a stored document.

use std::fmt;

/// The most names in a path.
const LONGEST: usize = 8;

/// Names from the top of a document to a value in it. Lists on the way are gone through element by element, so that a path does not say
/// where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl Path {
    /// From names with dots between them; `[]` behind a name, as transform maps write lists, is left out.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let names: Vec<String> = text
            .split('.')
            .map(|name| name.trim().trim_end_matches("[]").to_owned())
            .collect();
        if names.iter().any(String::is_empty) {
            return Err("a name is missing in the path".to_owned());
        }
        if names.len() > LONGEST {
            return Err(format!("a path has at most {LONGEST} names"));
        }
        Ok(Self(names))
    }

    /// Its names, from the top.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_as_maps_write_it() {
        let path = Path::parse("networkInterfaces[].ipAddress").unwrap();
        assert_eq!(
            path.names().collect::<Vec<_>>(),
            ["networkInterfaces", "ipAddress"]
        );
        assert_eq!(Path::parse(&path.to_string()), Ok(path));
        assert!(Path::parse("a..b").is_err());
        assert!(Path::parse("").is_err());
        assert!(Path::parse("a.b.c.d.e.f.g.h.i").is_err());
    }
}
