//! The plan: what happens to the request of a number, as it follows from the seed and nothing else.

use super::fault::Fault;
use super::mutation::Mutation;
use super::rate::MILLION;
use super::spec::Chaos;
use crate::call::Call;
use crate::tenant::mix::{Mix, Purpose};

/// A [`Chaos`] made ready to be asked for each request.
#[derive(Clone, Debug)]
pub struct Plan {
    seed: u64,
    from: u64,
    until: Option<u64>,
    /// Faults that may happen, with their rates in millionths.
    faults: Vec<(Fault, u32)>,
    mutations: Vec<(Mutation, u32)>,
}

impl Plan {
    /// The plan of a chaos.
    pub fn new(chaos: &Chaos) -> Self {
        let faults = Fault::ALL
            .iter()
            .map(|fault| (*fault, chaos.fault_rate(*fault).in_millionths()));
        let mutations = Mutation::ALL
            .iter()
            .map(|mutation| (*mutation, chaos.mutation_rate(*mutation).in_millionths()));
        Plan {
            seed: chaos.seed,
            from: chaos.from,
            until: chaos.until,
            faults: faults.filter(|(_, rate)| *rate > 0).collect(),
            mutations: mutations.filter(|(_, rate)| *rate > 0).collect(),
        }
    }

    fn covers(&self, request: u64) -> bool {
        request >= self.from && !self.over(request)
    }

    /// Whether the last request that something may happen to is past.
    pub fn over(&self, request: u64) -> bool {
        self.until.is_some_and(|until| request > until)
    }

    /// The fault for a request. Of all that can happen to the call at most one does, each as often as its rate says; rates that
    /// add up to more than one are taken as shares.
    pub fn fault(&self, request: u64, call: Option<Call>) -> Option<Fault> {
        if !self.covers(request) {
            return None;
        }
        let possible = || {
            let possible = self.faults.iter();
            possible.filter(|(fault, _)| fault.concerns(call))
        };
        let total: u64 = possible().map(|(_, rate)| u64::from(*rate)).sum();
        let mut mix = Mix::new(self.seed, Purpose::Fault, request);
        let mut left = mix.below(total.max(u64::from(MILLION)));
        for (fault, rate) in possible() {
            let rate = u64::from(*rate);
            if left < rate {
                return Some(*fault);
            }
            left -= rate;
        }
        None
    }

    /// The mutations before a request, each with its own chance.
    pub fn mutations(&self, request: u64) -> Vec<Mutation> {
        if !self.covers(request) {
            return Vec::new();
        }
        let mut mix = Mix::new(self.seed, Purpose::Mutations, request);
        let mut drawn = Vec::new();
        for (mutation, rate) in &self.mutations {
            if mix.below(u64::from(MILLION)) < u64::from(*rate) {
                drawn.push(*mutation);
            }
        }
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::profile::ChaosProfile;
    use crate::chaos::rate::Rate;
    use proptest::prelude::*;

    const CALL: Option<Call> = Some(Call::GetEndpoint);

    #[test]
    fn another_seed_is_another_plan() {
        let drawn = |seed| {
            let plan = Plan::new(&Chaos::new(seed).profile(ChaosProfile::Storm));
            (1..200)
                .map(|request| plan.fault(request, CALL))
                .collect::<Vec<_>>()
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn a_fault_comes_as_often_as_its_rate_says() {
        let plan = Plan::new(&"3:reset=0.2+short-page=0.1".parse().unwrap());
        let count = |wanted: Fault| {
            let drawn = (1..=10_000).filter(|n| plan.fault(*n, CALL) == Some(wanted));
            drawn.count()
        };
        assert!((1_850..2_150).contains(&count(Fault::Reset)));
        assert!((880..1_120).contains(&count(Fault::ShortPage)));
    }

    #[test]
    fn rates_beyond_one_are_shares() {
        let plan = Plan::new(&"3:reset=1+cut-body=1".parse().unwrap());
        let resets = (1..=1_000).filter(|n| plan.fault(*n, CALL) == Some(Fault::Reset));
        assert!((420..580).contains(&resets.count()));
        assert!((1..=1_000).all(|n| plan.fault(n, CALL).is_some()));
    }

    #[test]
    fn nothing_happens_before_the_first_and_after_the_last_request() {
        let chaos = "3:reset=1+alert-added=1,from=5,until=7";
        let plan = Plan::new(&chaos.parse().unwrap());
        let harmed: Vec<u64> = (1..20).filter(|n| plan.fault(*n, CALL).is_some()).collect();
        let changed: Vec<u64> = (1..20).filter(|n| !plan.mutations(*n).is_empty()).collect();
        assert_eq!((harmed, changed), (vec![5, 6, 7], vec![5, 6, 7]));
        assert!(plan.over(8) && !plan.over(7));
    }

    #[test]
    fn every_fault_that_concerns_the_call_comes_in_time_and_no_other() {
        let plan = Plan::new(&Chaos::new(1).profile(ChaosProfile::All));
        let drawn: std::collections::BTreeSet<Fault> = (1..20_000)
            .filter_map(|request| plan.fault(request, CALL))
            .collect();
        let possible = Fault::ALL.iter().filter(|fault| fault.concerns(CALL));
        assert_eq!(drawn, possible.copied().collect());
    }

    proptest! {
        #[test]
        fn a_plan_follows_from_its_text(seed in any::<u64>(), request in 1..10_000_u64, profile in 0..ChaosProfile::ALL.len()) {
            let chaos = Chaos::new(seed).profile(ChaosProfile::ALL[profile]).fault(Fault::Reset, Rate::USUAL);
            let again: Chaos = chaos.to_string().parse().unwrap();
            prop_assert_eq!(Plan::new(&chaos).fault(request, CALL), Plan::new(&again).fault(request, CALL));
            prop_assert_eq!(Plan::new(&chaos).mutations(request), Plan::new(&again).mutations(request));
        }
    }
}
