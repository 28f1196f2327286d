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
        let now = Instant::now();
        // A wait beyond what the clock can count is a day: whoever set such a bound finds out soon enough.
        let until = now
            .checked_add(for_so_long)
            .unwrap_or_else(|| now + Duration::from_secs(86_400));
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::Method;

    use super::*;

    fn calls() -> Vec<DeclaredCall> {
        ["fast", "slow"]
            .map(|name| DeclaredCall {
                name: name.to_owned(),
                origin: "api".to_owned(),
                method: Method::POST,
                path: format!("/{name}"),
            })
            .into()
    }

    fn budget(requests: u32, seconds: u32, calls: &[&str]) -> Budget {
        Budget {
            requests,
            seconds,
            calls: calls.iter().map(|call| (*call).to_owned()).collect(),
        }
    }

    fn governor(budgets: &[Budget], rate: Rate) -> Governor {
        Governor::new(budgets, &calls(), rate).unwrap()
    }

    /// When each of so many requests left, in milliseconds, all asked for at once.
    async fn departures(
        governor: Governor,
        calls: &[&'static str],
    ) -> Vec<(usize, &'static str, u128)> {
        let governor = Arc::new(governor);
        let begun = Instant::now();
        let left = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for (place, call) in calls.iter().copied().enumerate() {
            let (governor, left) = (governor.clone(), left.clone());
            tasks.push(tokio::spawn(async move {
                governor.admit(call).await;
                left.lock()
                    .unwrap()
                    .push((place, call, begun.elapsed().as_millis()));
            }));
            // Lets the task ask before the next one is made, so that the order of asking is known.
            tokio::task::yield_now().await;
        }
        for task in tasks {
            task.await.unwrap();
        }
        Arc::into_inner(left).unwrap().into_inner().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn requests_leave_evenly_spaced_in_the_order_of_asking_without_a_burst() {
        let left = departures(
            governor(&[budget(10, 1, &[])], Rate::Share(1.0)),
            &["fast"; 20],
        )
        .await;
        assert_eq!(
            left.iter().map(|(place, ..)| *place).collect::<Vec<_>>(),
            (0..20).collect::<Vec<_>>()
        );
        for pair in left.windows(2) {
            let spacing = pair[1].2 - pair[0].2;
            assert!(
                (98..=102).contains(&spacing),
                "{spacing} ms between {:?} and {:?}",
                pair[0],
                pair[1]
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_default_leaves_a_fifth_of_the_budget_to_others() {
        let left = departures(
            governor(&[budget(10, 1, &[])], Rate::default()),
            &["fast"; 81],
        )
        .await;
        let last = left.last().unwrap().2;
        assert!(
            (9_990..=10_100).contains(&last),
            "80 spacings took {last} ms"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn lateness_of_timers_does_not_add_up() {
        let left = departures(
            governor(&[budget(19, 2, &[])], Rate::Share(1.0)),
            &["fast"; 96],
        )
        .await;
        let last = left.last().unwrap().2;
        assert!(
            (9_990..=10_030).contains(&last),
            "95 spacings of a 9.5th of a second took {last} ms"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_keeps_all_budgets_that_cover_its_call() {
        let budgets = [budget(10, 1, &[]), budget(1, 1, &["slow"])];
        let left = departures(
            governor(&budgets, Rate::Share(1.0)),
            &["slow", "slow", "slow"],
        )
        .await;
        assert!(left[2].2 >= 2_000, "{left:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_a_slow_budget_holds_up_only_those_who_need_it() {
        let budgets = [budget(10, 1, &[]), budget(1, 10, &["slow"])];
        let left = departures(
            governor(&budgets, Rate::Share(1.0)),
            &["slow", "slow", "fast", "fast"],
        )
        .await;
        let fast: Vec<_> = left.iter().filter(|(_, call, _)| *call == "fast").collect();
        assert!(fast.iter().all(|(_, _, at)| *at <= 300), "{left:?}");
        assert_eq!(left.last().unwrap().1, "slow");
        assert!(left.last().unwrap().2 >= 10_000, "{left:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_per_second_paces_all_calls_and_keeps_the_budgets() {
        let left = departures(
            governor(&[], Rate::PerSecond(4.0)),
            &["fast", "slow", "fast"],
        )
        .await;
        assert!((498..=504).contains(&left[2].2), "{left:?}");
        let left = departures(
            governor(&[budget(1, 1, &[])], Rate::PerSecond(100.0)),
            &["fast"; 3],
        )
        .await;
        assert!(left[2].2 >= 1_996, "{left:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn unlimited_does_not_wait() {
        let left = departures(
            governor(&[budget(1, 60, &[])], Rate::Unlimited),
            &["fast"; 50],
        )
        .await;
        assert_eq!(left.last().unwrap().2, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn quiet_holds_back_every_call_also_those_that_wait_already() {
        let governor = Arc::new(governor(&[budget(10, 1, &[])], Rate::Share(1.0)));
        governor.admit("fast").await;
        let begun = Instant::now();
        let waiting = tokio::spawn({
            let governor = governor.clone();
            async move { governor.admit("slow").await }
        });
        tokio::task::yield_now().await;
        governor.quiet(Duration::from_secs(5));
        governor.quiet(Duration::from_secs(1));
        waiting.await.unwrap();
        assert!(
            begun.elapsed() >= Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
        governor.admit("fast").await;
        let spacing = begun.elapsed().as_millis();
        assert!(
            (5_098..=5_104).contains(&spacing),
            "no burst after the quiet: {spacing}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_given_up_gives_its_place_back() {
        let governor = governor(&[budget(1, 10, &[])], Rate::Share(1.0));
        let begun = Instant::now();
        governor.admit("fast").await;
        for _ in 0..5 {
            assert!(
                tokio::time::timeout(Duration::from_secs(1), governor.admit("fast"))
                    .await
                    .is_err()
            );
        }
        governor.admit("fast").await;
        assert!(
            begun.elapsed() < Duration::from_secs(11),
            "{:?}",
            begun.elapsed()
        );
    }

    #[test]
    fn rates_and_budgets_that_mean_nothing_are_refused() {
        for rate in [
            Rate::Share(0.0),
            Rate::Share(1.1),
            Rate::Share(-1.0),
            Rate::Share(f64::NAN),
            Rate::PerSecond(0.0),
            Rate::PerSecond(-1.0),
            Rate::PerSecond(f64::INFINITY),
            Rate::PerSecond(f64::NAN),
        ] {
            assert!(
                matches!(
                    Governor::new(&[], &calls(), rate),
                    Err(EgressError::Rate(_))
                ),
                "{rate:?}"
            );
        }
        for wrong in [
            budget(0, 1, &[]),
            budget(1, 0, &[]),
            budget(1, 1, &["unknown"]),
        ] {
            let error =
                Governor::new(&[budget(1, 1, &[]), wrong], &calls(), Rate::default()).unwrap_err();
            assert!(
                matches!(error, EgressError::Budget { index: 1, .. }),
                "{error:?}"
            );
        }
    }

    #[test]
    fn the_greatest_and_the_smallest_budget_can_be_kept() {
        governor(
            &[budget(u32::MAX, 1, &[]), budget(1, u32::MAX, &[])],
            Rate::Share(f64::MIN_POSITIVE),
        );
    }
}
