//! Queries, as users of the platforms type them: ``asset.inventory:(source:`Example XDR`)``, `finding.severity >= high and not asset.name: "test"`.
//!
//! A text is read in two steps. [`parser`] turns it into a [`syntax`] tree, which knows places in the text and nothing of fields; [`resolve`]
//! looks each name up in the table of [`fields`] and reads each value as the field needs it. What comes out ([`AssetQuery`],
//! [`FindingQuery`]) can hold no unknown field and no test that its field does not take, prints as a query that reads back as itself,
//! and is run by the store. Nothing here knows SQL, and nothing here does I/O.
//!
//! # How texts compare
//! ASCII case is ignored everywhere. A value in backticks, or after `=` or `equals`, is the whole value. One in quotes is contained in
//! the value as it stands; of several words without quotes each is contained. A `*` outside of backticks stands for any text, and the whole
//! value must then match. Where a field has several values one of them must match, and for `not` none may.

mod error;
mod fields;
mod help;
mod lexer;
mod moment;
mod parser;
mod path;
mod place;
mod print;
mod resolve;
mod standing;
mod syntax;
mod test;
mod tree;
mod value;

#[cfg(test)]
pub(crate) mod tests;

pub use error::QueryError;
pub use help::{assets_help, findings_help};
pub use moment::Moment;
pub use path::Path;
pub use place::{AssetText, AssetTime, FindingText, FindingTime, NumberPlace};
pub use standing::{AssetStanding, FindingStanding};
pub use test::{
    AssetTest, At, Bound, Comparison, FieldTest, FindingTest, Level, Number, Ordered, Pattern,
    Phrase, Several, Wildcard,
};
pub use tree::{Many, Tree};

use crate::domain::Timestamp;

/// The longest query that is read, in characters.
pub const LONGEST: usize = 8_192;

/// How deep parentheses and `not` may stand in each other.
pub const DEEPEST: usize = 32;

/// How many values a query may name in all.
pub const MOST_VALUES: usize = 200;

/// What an asset is tested for.
#[derive(Debug, Clone, PartialEq)]
pub enum AssetLeaf {
    /// Something of the asset.
    Asset(AssetTest),
    /// A finding on it; one finding for the whole tree. Open ones only, unless the tree itself asks how they stand.
    AnyFinding(Box<Tree<FindingLeaf>>),
}

/// What a finding is tested for.
#[derive(Debug, Clone, PartialEq)]
pub enum FindingLeaf {
    /// Something of the finding.
    Finding(FindingTest),
    /// Something of the asset that it is on. A finding that waits for its asset has none, and no test of it holds.
    Asset(AssetTest),
}

/// Which assets are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct AssetQuery(pub Tree<AssetLeaf>);

/// Which findings are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct FindingQuery(pub Tree<FindingLeaf>);

impl AssetQuery {
    /// Reads a query on assets; `now` is what `now-7d` counts from.
    ///
    /// # Errors
    /// Where the text is no query, with the place and what would be right there.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, QueryError> {
        let syntax = parser::parse(text)?;
        resolve::assets(&syntax, now)
            .map(Self)
            .map_err(|wrong| wrong.of(text))
    }

    /// Whether it says how the assets stand, so that nobody else should.
    pub fn asks_for_state(&self) -> bool {
        self.0
            .any(&|leaf| matches!(leaf, AssetLeaf::Asset(AssetTest::State(_))))
    }
}

impl FindingQuery {
    /// Reads a query on findings; `now` is what `now-7d` counts from.
    ///
    /// # Errors
    /// Where the text is no query, with the place and what would be right there.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, QueryError> {
        let syntax = parser::parse(text)?;
        resolve::findings(&syntax, now)
            .map(Self)
            .map_err(|wrong| wrong.of(text))
    }

    /// Whether it says how the findings stand, so that nobody else should.
    pub fn asks_for_state(&self) -> bool {
        asks_for_state(&self.0)
    }
}

/// Whether a tree says how findings stand.
pub fn asks_for_state(tree: &Tree<FindingLeaf>) -> bool {
    tree.any(&|leaf| matches!(leaf, FindingLeaf::Finding(FindingTest::State(_))))
}
