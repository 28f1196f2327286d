//! The connector's card: what it is, what it can reach, what it reads.

mod call;

pub use call::Call;
