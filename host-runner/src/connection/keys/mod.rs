//! The master keys in use: held while secrets are sealed and opened, looked at, rotated.

mod held;
mod rotate;
mod standing;

pub use held::HeldKeyring;
pub use rotate::{Rotation, rotate};
pub use standing::{KeyCount, KeyStanding, LostSecret, standing};

#[cfg(test)]
mod tests;
