//! Assets that the platform knows from elsewhere, as a file brings them in: its rows, one at a time, and what each says.
//!
//! Pure but for reading. What is done with a row is the store's ([`crate::store::Store::import_assets`]).

mod alike;
mod read;
mod row;

pub use alike::Alike;
pub use read::{LARGEST_ROW, Row, Rows};
pub use row::{Parsed, RowError, parse};
