//! What an incremental read need not look up: endpoints whose CVEs are those that the platform holds.
//!
//! Rows do not tell whether an endpoint is in scope: its tags and status are in its own record alone. Endpoints that are left out would be
//! new in every run, and be looked up in every run. The data stream `endpoints`, which is narrowed in the same way and read before
//! this one, tells: what it holds open is in scope. What it does not hold is looked up too, but only so many in a run, so that
//! what it missed is found all the same, if later.

use super::held::Walk;
use super::rows::Group;
use crate::contract::Fault;
use crate::platform::Platform;
use crate::record;
use serde::{Deserialize, Serialize};

/// How many endpoints that may have nothing new to say are looked up in a run: ten requests.
const MOST: u32 = 1_000;

/// What to do with an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is as it is held.
    Confirm,
    LookUp,
    /// It is not held, and nothing speaks for its being in scope.
    Leave,
}

/// Whose turn it is among the endpoints in doubt: from run to run it goes on where the last one stopped.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Turn {
    /// Those up to this one had their turn in earlier runs.
    from: Option<String>,
    /// How many had it in this run.
    asked: u32,
    /// The last of them.
    last: Option<String>,
}

impl Turn {
    /// The turn of the next run.
    pub fn next(&self) -> Turn {
        Turn {
            from: self.last.clone().filter(|_| self.asked >= MOST),
            ..Turn::default()
        }
    }

    fn takes(&mut self, id: &str) -> bool {
        let due = self.asked < MOST && self.from.as_deref().is_none_or(|from| from < id);
        if due {
            self.asked += 1;
            self.last = Some(id.to_owned());
        }
        due
    }
}

/// What is held, walked along with the rows.
pub(super) struct Known<P> {
    platform: P,
    vulnerabilities: Walk,
    /// None where the data stream is not read or holds nothing yet.
    endpoints: Option<Walk>,
    pub turn: Turn,
}

impl<P: Platform> Known<P> {
    /// What is held after the endpoint `after`; `with_endpoints`: whether the data stream `endpoints` tells what is in scope.
    pub fn new(platform: P, with_endpoints: bool, after: Option<String>, turn: Turn) -> Known<P> {
        Known {
            platform,
            endpoints: with_endpoints.then(|| Walk::new("endpoints", after.clone())),
            vulnerabilities: Walk::new("vulnerabilities", after),
            turn,
        }
    }

    /// What to do with the next endpoint; tells the group what is held of it.
    pub async fn judge(&mut self, group: &mut Group) -> Result<Verdict, Fault> {
        let id = group.endpoint_id.as_str();
        let held = self.vulnerabilities.find(&self.platform, id).await?;
        let stranger = match &mut self.endpoints {
            Some(endpoints) => endpoints.find(&self.platform, id).await?.is_none(),
            None => false,
        };
        group.held = held.map(|held| held.fingerprint);
        let as_held = group.is_as_held();
        let doubtful = match &group.held {
            None => stranger,
            // It may have left the scope, or become known to get_endpoint.
            Some(held) => as_held && (stranger || record::own_half(held).is_none()),
        };
        Ok(if doubtful && self.turn.takes(id) {
            Verdict::LookUp
        } else if as_held {
            Verdict::Confirm
        } else if doubtful {
            Verdict::Leave
        } else {
            Verdict::LookUp
        })
    }
}

impl Group {
    /// Whether its CVEs are those that are held.
    pub fn is_as_held(&self) -> bool {
        self.held
            .as_deref()
            .is_some_and(|held| self.cves.held_as(held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_has_a_turn_within_so_many_runs_and_few_have_it_in_each() {
        let ids: Vec<String> = (0..2_500).map(|number| format!("{number:05}")).collect();
        let mut turn = Turn::default();
        let runs: Vec<Vec<&String>> = (0..4)
            .map(|_| {
                let taken = ids.iter().filter(|id| turn.takes(id)).collect();
                turn = turn.next();
                taken
            })
            .collect();
        assert_eq!(
            runs.iter().map(Vec::len).collect::<Vec<_>>(),
            [1_000, 1_000, 500, 1_000]
        );
        assert_eq!(runs[3], runs[0]);
        let mut few = Turn::default();
        assert!(few.takes("a") && few.takes("b"));
        assert!(few.next().takes("a"));
    }
}
