//! Keeps the API's budgets: requests leave evenly spaced, first come first served.
//!
//! Each budget is a lane with a spacing (GCRA with a burst of one: an API that counts by the second sees no bursts at all). A
//! request passes all lanes that cover its call, the slowest first, and holds its place in each while it waits in the next, so a
//! request that waits for a slow budget holds up only those that need the same one.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Budget, DeclaredCall, EgressError, Rate};

/// The pace of one connection's requests.
#[derive(Debug)]
pub struct Governor {
    /// The widest spacing first.
    lanes: Vec<Lane>,
    /// The API asked for quiet until then.
    quiet_until: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Lane {
    spacing: Duration,
    /// None: all calls.
    calls: Option<BTreeSet<String>>,
    /// When the next request may pass. Tokio's lock is fair, which makes the order first come first served.
    next: tokio::sync::Mutex<Option<Instant>>,
}

impl Governor {
    /// A governor for these budgets. Refuses budgets of nought or of calls that don't exist, and rates that are no rates.
    pub fn new(
        budgets: &[Budget],
        calls: &[DeclaredCall],
        rate: Rate,
    ) -> Result<Self, EgressError> {
        let (share, cap) = match rate {
            Rate::Share(share) if share > 0.0 && share <= 1.0 => (share, None),
            Rate::Share(share) => {
                return Err(EgressError::Rate(format!(
                    "{share} is no share; it must be above 0 and at most 1"
                )));
            }
            Rate::PerSecond(rate) if rate.is_finite() && rate > 0.0 => (1.0, Some(rate)),
            Rate::PerSecond(rate) => {
                return Err(EgressError::Rate(format!(
                    "{rate} requests per second is no rate; it must be above 0"
                )));
            }
            Rate::Unlimited => (1.0, None),
        };
        let mut lanes = Vec::new();
        for (index, budget) in budgets.iter().enumerate() {
            let wrong = |reason: String| EgressError::Budget { index, reason };
            if budget.requests == 0 || budget.seconds == 0 {
                return Err(wrong("it allows no request at all".to_owned()));
            }
            if let Some(unknown) = budget
                .calls
                .iter()
                .find(|name| !calls.iter().any(|call| call.name == **name))
            {
                return Err(wrong(format!(
                    "it names the call `{unknown}`, which the manifest does not declare"
                )));
            }
            let calls = (!budget.calls.is_empty()).then(|| budget.calls.iter().cloned().collect());
            lanes.push(Lane::new(
                f64::from(budget.requests) / f64::from(budget.seconds) * share,
                calls,
            ));
        }
        if rate == Rate::Unlimited {
            lanes.clear();
        }
        lanes.extend(cap.map(|rate| Lane::new(rate, None)));
        lanes.sort_by_key(|lane| std::cmp::Reverse(lane.spacing));
        Ok(Governor {
            lanes,
            quiet_until: Mutex::new(None),
        })
    }

    /// Waits until a request for this call may leave. Dropping the future gives the place back.
    pub async fn admit(&self, call: &str) {
        let mut passed = Vec::new();
        for lane in self.lanes.iter().filter(|lane| lane.covers(call)) {
            let next = lane.next.lock().await;
            if let Some(at) = *next {
                sleep_until(at).await;
            }
            passed.push((lane, next));
        }
        while let Some(until) = self.quiet_until() {
            sleep_until(until).await;
        }
        let now = Instant::now();
        for (lane, mut next) in passed {
            *next = Some(lane.after(*next, now));
        }
    }

    /// The API asked for fewer requests: nothing leaves for so long, whatever the call.
    pub fn quiet(&self, for_so_long: Duration) {
        let until = Instant::now() + for_so_long;
        let mut quiet = self
            .quiet_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *quiet = Some(quiet.map_or(until, |earlier| earlier.max(until)));
    }

    /// The moment until which nothing may leave, where it lies ahead.
    fn quiet_until(&self) -> Option<Instant> {
        let quiet = self
            .quiet_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        quiet.filter(|until| *until > Instant::now())
    }
}

impl Lane {
    fn new(per_second: f64, calls: Option<BTreeSet<String>>) -> Self {
        // A budget of one request in 136 years and one of a billion in a second both fit.
        let spacing = Duration::try_from_secs_f64(1.0 / per_second)
            .unwrap_or(Duration::from_secs(u64::from(u32::MAX)));
        Lane {
            spacing,
            calls,
            next: tokio::sync::Mutex::new(None),
        }
    }

    fn covers(&self, call: &str) -> bool {
        self.calls.as_ref().is_none_or(|calls| calls.contains(call))
    }

    /// When the next request may pass after one passed now that might have passed at `due`.
    fn after(&self, due: Option<Instant>, now: Instant) -> Instant {
        // Timers wake up to a millisecond or two late. Without making that good a rate of 9.5 would come out as 9.4; more than
        // that is not made good, else a pause would be followed by a burst.
        let slack = (self.spacing / 10)
            .clamp(Duration::from_millis(2), Duration::from_millis(10))
            .min(self.spacing);
        let from = due
            .filter(|due| now.saturating_duration_since(*due) <= slack)
            .unwrap_or(now);
        from + self.spacing
    }
}
