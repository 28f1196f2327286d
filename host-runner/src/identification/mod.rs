//! Which asset a document means, where no link says so: ordered rules over what identifies it, and what never does.
//!
//! All of it is pure. A document and an asset are known by an [`Identity`]: the normal forms of what their sources say. A [`Rule`] is one or several
//! [`Field`]s, and applies only where a document has all of them. The rules are tried in their order; one that fits several assets ends the search
//! without a match, so that a weaker rule never decides what a stronger one leaves open ([`choose`]).
//!
//! What many machines have alike never identifies: see [`normal`].

mod choose;
mod field;
mod identity;
pub mod normal;
mod rule;

pub use choose::{Candidate, Found, choose, machines_alike};
pub use field::{Field, UnknownField};
pub use identity::{Attributed, Identity, Key, MOST_KEYS, Sources};
pub use rule::{Rule, RuleError, Rules};
