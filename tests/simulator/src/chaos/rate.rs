//! How often something happens.

use std::fmt;

/// A share of all requests, in millionths, so that it is written and read again without loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u32);

/// One, in the unit of a [`Rate`].
pub(crate) const MILLION: u32 = 1_000_000;

impl Rate {
    /// Never.
    pub const NEVER: Rate = Rate(0);
    /// What a fault that is named without a rate has: one request in twenty.
    pub const USUAL: Rate = Rate(50_000);
    /// Each time.
    pub const ALWAYS: Rate = Rate(MILLION);

    /// So many in a million, and a million at most.
    pub const fn millionths(count: u32) -> Self {
        Rate(if count > MILLION { MILLION } else { count })
    }

    /// A share from 0 to 1, rounded to millionths. `None` when it is outside, or so small that it would be rounded to none.
    pub fn new(share: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&share) {
            return None;
        }
        let count = (share * f64::from(MILLION)).round() as u32;
        (count > 0 || share == 0.0).then_some(Rate(count))
    }

    /// In millionths.
    pub fn in_millionths(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", f64::from(self.0) / f64::from(MILLION))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_shares_between_none_and_all_are_rates() {
        assert_eq!(Rate::new(0.05), Some(Rate::USUAL));
        assert_eq!(Rate::new(1.0), Some(Rate::ALWAYS));
        assert_eq!(Rate::new(0.0), Some(Rate::NEVER));
        for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY, 1e-9] {
            assert_eq!(Rate::new(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_rate_is_written_and_read_again_without_loss(count in 0..=MILLION) {
            let rate = Rate::millionths(count);
            prop_assert_eq!(Rate::new(rate.to_string().parse().unwrap()), Some(rate));
        }
    }
}
