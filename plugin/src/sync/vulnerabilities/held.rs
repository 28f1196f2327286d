//! What the platform holds, walked along with the query's rows: both come sorted by endpoint, so a page of it in memory is enough.

use crate::contract::Fault;
use crate::contract::inventory::{Held, Order};
use crate::platform::Platform;

/// How many held records are asked for at once.
const PAGE: u32 = 1_000;

/// The open records of a data stream by key, from one key on.
pub(super) struct Walk {
    stream: &'static str,
    page: std::iter::Peekable<std::vec::IntoIter<Held>>,
    /// The last key of the page, or where the walk begins.
    after: Option<String>,
    ended: bool,
}

impl Walk {
    /// A walk through a data stream's records after a key.
    pub fn new(stream: &'static str, after: Option<String>) -> Walk {
        Walk {
            stream,
            page: Vec::new().into_iter().peekable(),
            after,
            ended: false,
        }
    }

    /// The record with this key, where it is held. Keys must be asked for in ascending order, of their bytes; one that is not is simply
    /// not found, and then read as if it were new.
    pub async fn find<P: Platform>(
        &mut self,
        platform: &P,
        key: &str,
    ) -> Result<Option<Held>, Fault> {
        loop {
            while self.page.next_if(|held| held.key.as_str() < key).is_some() {}
            if self.page.peek().is_some() || self.ended {
                return Ok(self.page.next_if(|held| held.key == key));
            }
            self.turn(platform).await?;
        }
    }

    /// The next held key before this one, or the next of all; passes over the one that is this key.
    pub async fn below<P: Platform>(
        &mut self,
        platform: &P,
        key: Option<&str>,
    ) -> Result<Option<String>, Fault> {
        loop {
            let below = |held: &Held| key.is_none_or(|key| held.key.as_str() < key);
            if let Some(held) = self.page.next_if(below) {
                return Ok(Some(held.key));
            }
            if self.page.peek().is_some() || self.ended {
                self.page.next_if(|held| Some(held.key.as_str()) == key);
                return Ok(None);
            }
            self.turn(platform).await?;
        }
    }

    /// Asks for the next page.
    async fn turn<P: Platform>(&mut self, platform: &P) -> Result<(), Fault> {
        let page = platform
            .open(self.stream, Order::Key, self.after.clone(), PAGE)
            .await
            .map_err(fault)?;
        let last = page.last().map(|held| held.key.clone());
        // The end; or a page that does not lead on, and would be asked for again and again.
        self.ended = last <= self.after;
        self.after = last;
        self.page = page.into_iter().peekable();
        Ok(())
    }
}

/// What is held can't be read.
pub(super) fn fault(why: String) -> Fault {
    super::super::fault(
        "inventory",
        format!("What the platform holds can't be read: {why}."),
        "Start the sync again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Failure;
    use crate::testing::{FakePlatform, block_on};
    use std::collections::BTreeSet;

    proptest::proptest! {
        #[test]
        fn every_held_key_is_found_and_no_other(
            held in proptest::collection::btree_set("[a-cA-C0-9é]{1,3}", 0..60),
            asked in proptest::collection::btree_set("[a-cA-C0-9é]{1,3}", 0..60),
            after in proptest::option::of("[a-c]{1,2}"),
        ) {
            let platform = FakePlatform::new(|_| Err(Failure::Timeout));
            for key in &held {
                platform.hold_as("vulnerabilities", key, 0, key);
            }
            // The fake finds where to go on by a key that is held, as a walk that goes on always does.
            let after = after.filter(|after| held.contains(after));
            let mut walk = Walk::new("vulnerabilities", after.clone());
            let found: BTreeSet<String> = asked
                .iter()
                .filter_map(|key| block_on(walk.find(&platform, key)).unwrap().map(|held| held.fingerprint))
                .collect();
            let expected: BTreeSet<String> = asked
                .intersection(&held)
                .filter(|key| after.as_ref().is_none_or(|after| *key > after))
                .cloned()
                .collect();
            proptest::prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_is_held_between_keys_is_told_once() {
        let platform = FakePlatform::new(|_| Err(Failure::Timeout));
        for key in ["a", "b", "c", "e", "f"] {
            platform.hold("vulnerabilities", key, 0);
        }
        let mut walk = Walk::new("vulnerabilities", None);
        let mut below = |key| {
            let mut found = Vec::new();
            while let Some(held) = block_on(walk.below(&platform, key)).unwrap() {
                found.push(held);
            }
            found
        };
        assert_eq!(below(Some("b")), ["a"]);
        assert_eq!(below(Some("d")), ["c"]);
        assert_eq!(below(None), ["e", "f"]);
        assert!(below(None).is_empty());
    }

    #[test]
    fn a_walk_goes_on_through_all_pages() {
        let platform = FakePlatform::new(|_| Err(Failure::Timeout));
        for number in 0..2_500 {
            platform.hold("vulnerabilities", &format!("{number:05}"), 0);
        }
        let mut walk = Walk::new("vulnerabilities", None);
        for number in (0..2_500).step_by(499) {
            let key = format!("{number:05}");
            assert!(block_on(walk.find(&platform, &key)).unwrap().is_some());
        }
        assert!(block_on(walk.find(&platform, "1")).unwrap().is_none());
    }
}
