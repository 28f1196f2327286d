//! Named sets of faults and mutations with their rates.

use std::fmt;

use super::fault::{Family, Fault};
use super::mutation::Mutation;
use super::rate::Rate;

/// A named set of faults and mutations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ChaosProfile {
    /// What a good client hardly notices.
    #[default]
    Mild,
    /// Everything that passes, often.
    Storm,
    /// Wrong answers that look right.
    Lies,
    /// Limits, gateways, connections, compression.
    Network,
    /// Only a tenant that changes while it is read.
    Living,
    /// Keys, permissions and clocks.
    Access,
    /// Queries in XQL.
    Xql,
    /// Every fault and every mutation.
    All,
}

const MILD_FAULT: u32 = 2_500;
const STORM_FAULT: u32 = 10_000;
const ALL_FAULT: u32 = 6_000;
const NETWORK_FAULT: u32 = 12_000;
/// Of each page, so that one in five has one of the dozen.
const LIE: u32 = 15_000;
const XQL_FAULT: u32 = 30_000;

impl ChaosProfile {
    /// All profiles.
    pub const ALL: &[ChaosProfile] = &[
        ChaosProfile::Mild,
        ChaosProfile::Storm,
        ChaosProfile::Lies,
        ChaosProfile::Network,
        ChaosProfile::Living,
        ChaosProfile::Access,
        ChaosProfile::Xql,
        ChaosProfile::All,
    ];

    /// The stable name, as the command line takes it.
    pub fn name(self) -> &'static str {
        match self {
            ChaosProfile::Mild => "mild",
            ChaosProfile::Storm => "storm",
            ChaosProfile::Lies => "lies",
            ChaosProfile::Network => "network",
            ChaosProfile::Living => "living",
            ChaosProfile::Access => "access",
            ChaosProfile::Xql => "xql",
            ChaosProfile::All => "all",
        }
    }

    /// What it brings, in a sentence.
    pub fn about(self) -> &'static str {
        match self {
            ChaosProfile::Mild => "a network fault now and then, and a tenant that changes slowly",
            ChaosProfile::Storm => {
                "everything that passes by itself, often, while the tenant changes fast"
            }
            ChaosProfile::Lies => {
                "short, repeated, shifted pages; lying and null totals; empty lists; odd answers"
            }
            ChaosProfile::Network => {
                "429, 500 in all its kinds, 502 to 504, resets, cut and slow bodies, gzip that is not"
            }
            ChaosProfile::Living => {
                "no fault at all: records added, changed, resolved, deleted, and heartbeats"
            }
            ChaosProfile::Access => {
                "keys that are refused or revoked, permissions removed, clocks that jump"
            }
            ChaosProfile::Xql => "queries refused, pending, partial, failed, forgotten, cut",
            ChaosProfile::All => "every fault and every change, each seldom",
        }
    }

    /// The profile of a name.
    pub fn find(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|profile| profile.name() == name)
    }

    /// How often it brings a fault to a request that the fault can happen to.
    pub fn fault_rate(self, fault: Fault) -> Rate {
        let family = fault.family();
        Rate::millionths(match self {
            ChaosProfile::Mild if family == Family::Network => MILD_FAULT,
            // A revoked key ends everything, and is no storm but a calm.
            ChaosProfile::Storm if fault.lasts() => 0,
            ChaosProfile::Storm if family == Family::Xql => XQL_FAULT,
            ChaosProfile::Storm => STORM_FAULT,
            ChaosProfile::Lies if matches!(family, Family::Pages | Family::Answer) => LIE,
            ChaosProfile::Network if family == Family::Network => NETWORK_FAULT,
            ChaosProfile::Access => match fault {
                Fault::Unauthorized | Fault::Forbidden => 20_000,
                Fault::ClockDrift | Fault::ClockSkew => 10_000,
                Fault::KeyRevoked | Fault::PermissionRemoved => 3_000,
                _ => 0,
            },
            ChaosProfile::Xql if family == Family::Xql => XQL_FAULT,
            ChaosProfile::All => ALL_FAULT,
            _ => 0,
        })
    }

    /// How often it brings a mutation before a request.
    pub fn mutation_rate(self, mutation: Mutation) -> Rate {
        let slow = match mutation {
            Mutation::EndpointHeartbeat => 100_000,
            Mutation::AlertAdded | Mutation::AlertResolved => 60_000,
            Mutation::AlertReopened | Mutation::EndpointDeleted | Mutation::AlertDeleted => 10_000,
            _ => 20_000,
        };
        Rate::millionths(match self {
            ChaosProfile::Mild | ChaosProfile::All => slow,
            ChaosProfile::Living | ChaosProfile::Storm => slow * 4,
            ChaosProfile::Lies
            | ChaosProfile::Network
            | ChaosProfile::Access
            | ChaosProfile::Xql => 0,
        })
    }
}

impl fmt::Display for ChaosProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Call;
    use crate::chaos::rate::MILLION;

    /// The share of requests to a call that a profile harms, in millionths.
    fn harmed(profile: ChaosProfile, call: Call) -> u32 {
        let possible = Fault::ALL.iter().filter(|fault| fault.concerns(Some(call)));
        let rates = possible.map(|fault| profile.fault_rate(*fault).in_millionths());
        rates.sum()
    }

    #[test]
    fn names_are_distinct_also_from_those_of_faults_and_mutations() {
        for profile in ChaosProfile::ALL {
            let name = profile.name();
            assert_eq!(ChaosProfile::find(name), Some(*profile));
            assert!(
                Fault::find(name).is_none() && Mutation::find(name).is_none(),
                "{name}"
            );
        }
    }

    #[test]
    fn every_profile_leaves_more_requests_whole_than_it_harms() {
        for profile in ChaosProfile::ALL {
            for call in [
                Call::GetEndpoint,
                Call::StartXqlQuery,
                Call::GetQueryResults,
            ] {
                assert!(harmed(*profile, call) <= MILLION / 2, "{profile} {call:?}");
            }
        }
        let page = Call::GetEndpoint;
        assert_eq!(harmed(ChaosProfile::Living, page), 0);
        assert!(harmed(ChaosProfile::Mild, page) < harmed(ChaosProfile::Network, page));
        assert!(harmed(ChaosProfile::Network, page) < harmed(ChaosProfile::Storm, page));
    }

    #[test]
    fn every_fault_and_mutation_is_in_the_profile_of_all() {
        for fault in Fault::ALL {
            assert_ne!(ChaosProfile::All.fault_rate(*fault), Rate::NEVER, "{fault}");
        }
        for mutation in Mutation::ALL {
            assert_ne!(
                ChaosProfile::All.mutation_rate(*mutation),
                Rate::NEVER,
                "{mutation}"
            );
        }
    }

    #[test]
    fn a_storm_passes_by_itself() {
        let lasting = Fault::ALL.iter().filter(|fault| fault.lasts());
        for fault in lasting {
            assert_eq!(ChaosProfile::Storm.fault_rate(*fault), Rate::NEVER);
        }
    }
}
