//! Numbers derived from a seed: the same seed, kind and serial give the same numbers, whatever was asked before.

/// What a stream of numbers is for, so that an endpoint and an alert of the same serial have nothing in common.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub enum Purpose {
    EndpointId = 1,
    Endpoint,
    EndpointTimes,
    Scan,
    Alert,
    AlertTimes,
    Ghost,
    Cve,
    Key,
    Incident,
    Action,
    Fault,
    FaultDetail,
    Mutations,
    MutationDetail,
}

/// A small, fast generator (SplitMix64).
#[derive(Clone, Debug)]
pub struct Mix(u64);

impl Mix {
    pub fn new(seed: u64, purpose: Purpose, serial: u64) -> Self {
        let mut mix = Mix(seed ^ (purpose as u64).wrapping_mul(0xd6e8_feb8_6659_fd93));
        let start = mix.next();
        let mut mix = Mix(start ^ serial.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mix.next();
        mix
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..n` (0 when `n` is 0).
    pub fn below(&mut self, n: u64) -> u64 {
        // The high half times n: no division, no visible bias for small n.
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    /// True in `percent` of 100 cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `items`; the default when there is none.
    pub fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let at = self.below(items.len() as u64) as usize;
        items.get(at).copied().unwrap_or_default()
    }

    /// An index into `weights`, as often as its weight says.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (at, weight) in weights.iter().enumerate() {
            if left < *weight {
                return at;
            }
            left -= weight;
        }
        0
    }

    pub fn wide(&mut self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_place_gives_the_same_numbers_and_another_place_others() {
        let of = |seed, purpose, serial| Mix::new(seed, purpose, serial).next();
        assert_eq!(of(1, Purpose::Alert, 7), of(1, Purpose::Alert, 7));
        assert_ne!(of(1, Purpose::Alert, 7), of(2, Purpose::Alert, 7));
        assert_ne!(of(1, Purpose::Alert, 7), of(1, Purpose::Alert, 8));
        assert_ne!(of(1, Purpose::Alert, 7), of(1, Purpose::Endpoint, 7));
    }

    #[test]
    fn weights_decide_how_often_an_index_is_drawn() {
        let mut mix = Mix::new(3, Purpose::Alert, 0);
        let mut drawn = [0; 3];
        for _ in 0..10_000 {
            drawn[mix.weighted(&[1, 0, 3])] += 1;
        }
        assert_eq!(drawn[1], 0);
        assert!((2_000..3_000).contains(&drawn[0]), "{drawn:?}");
    }

    #[test]
    fn nothing_to_pick_from_is_the_default() {
        assert_eq!(Mix::new(3, Purpose::Alert, 0).pick::<&str>(&[]), "");
        assert_eq!(Mix::new(3, Purpose::Alert, 0).below(0), 0);
    }
}
