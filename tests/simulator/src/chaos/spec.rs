//! What chaos is asked for, and the one text form of it: `7:storm,until=200`.

use std::fmt;
use std::str::FromStr;

use super::fault::Fault;
use super::mutation::Mutation;
use super::plan::Plan;
use super::profile::ChaosProfile;
use super::rate::Rate;
use crate::call::Call;

/// Faults and changes of the tenant, drawn from a seed for each request by its number. The first request has number 1.
///
/// Requests are numbered in the order in which they arrive: a client that sends several at once gets the same plan but may meet
/// its faults in another order.
///
/// The text form is `SEED[:NAME[=RATE][+NAME[=RATE]]…][,KEY=VALUE]…`: `7`, `7:storm`, `7:storm,until=200`,
/// `7:empty-list=0.1+reset=0.05`. A name is that of a [`ChaosProfile`], a [`Fault`] or a [`Mutation`]; later ones count more
/// than earlier ones, so that `7:storm+reset=0` is a storm without resets. Keys are `from`, `until`, `mutations`, `retry-after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chaos {
    /// What everything is drawn from.
    pub seed: u64,
    /// What may happen. Empty: the profile `mild`.
    pub terms: Vec<ChaosTerm>,
    /// The first request that something may happen to.
    pub from: u64,
    /// The last request that something may happen to; after it, what lasted is restored. `None`: no end.
    pub until: Option<u64>,
    /// The most changes that are made to the tenant. `None`: no bound.
    pub max_mutations: Option<u64>,
    /// Seconds that faults put into `Retry-After`.
    pub retry_after: u32,
}

/// One thing that may happen, or a set of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChaosTerm {
    /// All that a profile brings.
    Profile(ChaosProfile),
    /// A fault at a rate.
    Fault(Fault, Rate),
    /// A mutation at a rate.
    Mutation(Mutation, Rate),
}

const RETRY_AFTER: u32 = 1;

/// The keys of the text form and what each says.
const KEYS: [(&str, &str); 4] = [
    (
        "from",
        "number of the first request that something may happen to; 1 if not given",
    ),
    (
        "until",
        "number of the last one; after it, what lasted is restored",
    ),
    ("mutations", "at most so many changes to the tenant"),
    (
        "retry-after",
        "seconds that faults put into Retry-After; 1 if not given",
    ),
];

impl Chaos {
    /// The profile `mild` with a seed.
    pub fn new(seed: u64) -> Self {
        Chaos {
            seed,
            terms: Vec::new(),
            from: 1,
            until: None,
            max_mutations: None,
            retry_after: RETRY_AFTER,
        }
    }

    /// With a profile as well.
    #[must_use]
    pub fn profile(mut self, profile: ChaosProfile) -> Self {
        self.terms.push(ChaosTerm::Profile(profile));
        self
    }

    /// With a fault as well.
    #[must_use]
    pub fn fault(mut self, fault: Fault, rate: Rate) -> Self {
        self.terms.push(ChaosTerm::Fault(fault, rate));
        self
    }

    /// With a mutation as well.
    #[must_use]
    pub fn mutation(mut self, mutation: Mutation, rate: Rate) -> Self {
        self.terms.push(ChaosTerm::Mutation(mutation, rate));
        self
    }

    /// With an end: nothing happens after so many requests.
    #[must_use]
    pub fn until(mut self, request: u64) -> Self {
        self.until = Some(request);
        self
    }

    /// How often a fault comes to a request that it can happen to.
    pub fn fault_rate(&self, fault: Fault) -> Rate {
        let of = |term: &ChaosTerm| match term {
            ChaosTerm::Profile(profile) => {
                Some(profile.fault_rate(fault)).filter(|rate| *rate != Rate::NEVER)
            }
            ChaosTerm::Fault(named, rate) if *named == fault => Some(*rate),
            _ => None,
        };
        self.rate(of)
    }

    /// How often a mutation comes before a request.
    pub fn mutation_rate(&self, mutation: Mutation) -> Rate {
        let of = |term: &ChaosTerm| match term {
            ChaosTerm::Profile(profile) => {
                Some(profile.mutation_rate(mutation)).filter(|rate| *rate != Rate::NEVER)
            }
            ChaosTerm::Mutation(named, rate) if *named == mutation => Some(*rate),
            _ => None,
        };
        self.rate(of)
    }

    /// What the last term that speaks of a thing says.
    fn rate(&self, of: impl Fn(&ChaosTerm) -> Option<Rate>) -> Rate {
        self.terms()
            .iter()
            .rev()
            .find_map(of)
            .unwrap_or(Rate::NEVER)
    }

    /// The fault that is planned for the request of a number, if it is to a call (`endpoints/get_endpoint`).
    pub fn planned(&self, request: u64, call: &str) -> Option<Fault> {
        Plan::new(self).fault(request, Call::named(call))
    }

    /// The mutations that are planned before the request of a number, [`Chaos::max_mutations`] aside.
    pub fn planned_mutations(&self, request: u64) -> Vec<Mutation> {
        Plan::new(self).mutations(request)
    }

    /// Keys, profiles, faults and mutations with what each does: a part of a help text. Lines fit into 110 columns.
    pub fn help() -> String {
        let mut text =
            String::from("Chaos is SEED[:NAME[=RATE][+NAME[=RATE]]...][,KEY=VALUE]...\n");
        let mut lines = |title: &str, entries: &mut dyn Iterator<Item = (&str, &str)>| {
            text.push_str(&format!("\n{title}:\n"));
            for (name, about) in entries {
                text.push_str(&format!("  {name:<22}{about}\n"));
            }
        };
        lines("Keys", &mut KEYS.into_iter());
        let profiles = ChaosProfile::ALL.iter();
        lines(
            "Profiles (mild if nothing is named)",
            &mut profiles.map(|profile| (profile.name(), profile.about())),
        );
        let faults = Fault::ALL.iter();
        lines(
            "Faults (RATE is the share of requests from 0 to 1; 0.05 if not given)",
            &mut faults.map(|fault| (fault.name(), fault.about())),
        );
        let mutations = Mutation::ALL.iter();
        lines(
            "Changes to the tenant before a request",
            &mut mutations.map(|mutation| (mutation.name(), mutation.about())),
        );
        text.truncate(text.trim_end().len());
        text
    }

    fn terms(&self) -> &[ChaosTerm] {
        if self.terms.is_empty() {
            &[ChaosTerm::Profile(ChaosProfile::Mild)]
        } else {
            &self.terms
        }
    }
}

impl fmt::Display for ChaosTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChaosTerm::Profile(profile) => write!(f, "{profile}"),
            ChaosTerm::Fault(fault, rate) => write!(f, "{fault}={rate}"),
            ChaosTerm::Mutation(mutation, rate) => write!(f, "{mutation}={rate}"),
        }
    }
}

impl fmt::Display for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seed)?;
        for (at, term) in self.terms.iter().enumerate() {
            write!(f, "{}{term}", if at == 0 { ':' } else { '+' })?;
        }
        if self.from != 1 {
            write!(f, ",from={}", self.from)?;
        }
        if let Some(until) = self.until {
            write!(f, ",until={until}")?;
        }
        if let Some(most) = self.max_mutations {
            write!(f, ",mutations={most}")?;
        }
        if self.retry_after != RETRY_AFTER {
            write!(f, ",retry-after={}", self.retry_after)?;
        }
        Ok(())
    }
}

/// What is wrong with a text that should be a [`Chaos`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChaosTextError {
    /// It does not begin with a seed.
    #[error(
        "chaos begins with a seed, a whole number, not with {text:?}; write for example 7 or 7:storm,until=200"
    )]
    Seed {
        /// What is in its place.
        text: String,
    },
    /// A name is that of nothing.
    #[error(
        "{name:?} is no chaos; profiles: {}; faults: {}; changes: {}",
        joined(ChaosProfile::ALL.iter().map(|profile| profile.name())),
        joined(Fault::ALL.iter().map(|fault| fault.name())),
        joined(Mutation::ALL.iter().map(|mutation| mutation.name()))
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A rate is not a share.
    #[error(
        "the rate of {name} is a number from 0 to 1 (a millionth at least, or 0), not {text:?}"
    )]
    Rate {
        /// Whose rate.
        name: String,
        /// What is in its place.
        text: String,
    },
    /// A profile was given a rate.
    #[error(
        "the profile {name} has rates of its own and takes none; name single faults with a rate beside it, as in 7:{name}+reset=0.1"
    )]
    ProfileRate {
        /// The profile.
        name: String,
    },
    /// A key is not known.
    #[error(
        "{key:?} is no key of chaos; keys: from, until, mutations, retry-after, each with a value, as in 7:storm,until=200"
    )]
    Key {
        /// What is in its place.
        key: String,
    },
    /// A value is not a number.
    #[error("the value of {key} is a whole number, not {text:?}")]
    Value {
        /// Whose value.
        key: String,
        /// What is in its place.
        text: String,
    },
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

impl FromStr for ChaosTerm {
    type Err = ChaosTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, rate) = match text.split_once('=') {
            Some((name, rate)) => (name, Some(rate)),
            None => (text, None),
        };
        if let Some(profile) = ChaosProfile::find(name) {
            return match rate {
                None => Ok(ChaosTerm::Profile(profile)),
                Some(_) => Err(ChaosTextError::ProfileRate {
                    name: name.to_owned(),
                }),
            };
        }
        let (fault, mutation) = (Fault::find(name), Mutation::find(name));
        if fault.is_none() && mutation.is_none() {
            return Err(ChaosTextError::Name {
                name: name.to_owned(),
            });
        }
        let rate = match rate {
            None => Rate::USUAL,
            Some(text) => {
                text.parse()
                    .ok()
                    .and_then(Rate::new)
                    .ok_or_else(|| ChaosTextError::Rate {
                        name: name.to_owned(),
                        text: text.to_owned(),
                    })?
            }
        };
        fault
            .map(|fault| ChaosTerm::Fault(fault, rate))
            .or(mutation.map(|mutation| ChaosTerm::Mutation(mutation, rate)))
            .ok_or_else(|| ChaosTextError::Name {
                name: name.to_owned(),
            })
    }
}

impl FromStr for Chaos {
    type Err = ChaosTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(',');
        let what = parts.next().unwrap_or_default();
        let (seed, terms) = match what.split_once(':') {
            Some((seed, terms)) => (seed, Some(terms)),
            None => (what, None),
        };
        let seed = seed.parse().map_err(|_| ChaosTextError::Seed {
            text: seed.to_owned(),
        })?;
        let mut chaos = Chaos::new(seed);
        if let Some(terms) = terms {
            chaos.terms = terms.split('+').map(str::parse).collect::<Result<_, _>>()?;
        }
        for part in parts {
            let (key, value) = part.split_once('=').ok_or_else(|| ChaosTextError::Key {
                key: part.to_owned(),
            })?;
            let wrong = || ChaosTextError::Value {
                key: key.to_owned(),
                text: value.to_owned(),
            };
            match key {
                "from" => chaos.from = value.parse().map_err(|_| wrong())?,
                "until" => chaos.until = Some(value.parse().map_err(|_| wrong())?),
                "mutations" => chaos.max_mutations = Some(value.parse().map_err(|_| wrong())?),
                "retry-after" => chaos.retry_after = value.parse().map_err(|_| wrong())?,
                _ => {
                    return Err(ChaosTextError::Key {
                        key: key.to_owned(),
                    });
                }
            }
        }
        Ok(chaos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_forms_in_the_documentation_are_read() {
        let read = |text: &str| text.parse::<Chaos>().unwrap();
        assert_eq!(read("7"), Chaos::new(7));
        assert_eq!(read("7:storm"), Chaos::new(7).profile(ChaosProfile::Storm));
        assert_eq!(
            read("7:storm,until=200"),
            Chaos::new(7).profile(ChaosProfile::Storm).until(200)
        );
        assert_eq!(
            read("7:empty-list=0.1+reset"),
            Chaos::new(7)
                .fault(Fault::EmptyList, Rate::millionths(100_000))
                .fault(Fault::Reset, Rate::USUAL)
        );
        let all = read("9:alert-resolved=1,from=3,mutations=4,retry-after=0");
        assert_eq!(
            (all.from, all.max_mutations, all.retry_after),
            (3, Some(4), 0)
        );
    }

    #[test]
    fn what_is_wrong_is_named_together_with_what_would_be_right() {
        let error = |text: &str| text.parse::<Chaos>().unwrap_err().to_string();
        assert!(error("").contains("seed") && error("storm").contains("\"storm\""));
        let unknown = error("7:strom");
        assert!(unknown.contains("\"strom\""), "{unknown}");
        for name in [
            "storm",
            "living",
            "empty-list",
            "xql-quota",
            "alert-resolved",
        ] {
            assert!(unknown.contains(name), "{unknown}");
        }
        assert!(error("7:reset=2").contains("from 0 to 1"));
        assert!(error("7:storm=0.5").contains("takes none"));
        assert!(error("7:storm,til=5").contains("\"til\""));
        assert!(error("7,until=soon").contains("\"soon\""));
        assert!(error("7:").contains("\"\""));
    }

    #[test]
    fn a_later_term_counts_more_than_an_earlier_one() {
        let chaos: Chaos = "7:storm+reset=0+alert-added=1".parse().unwrap();
        assert_eq!(chaos.fault_rate(Fault::Reset), Rate::NEVER);
        assert_ne!(chaos.fault_rate(Fault::ResetBody), Rate::NEVER);
        assert_eq!(chaos.mutation_rate(Mutation::AlertAdded), Rate::ALWAYS);
        let both: Chaos = "7:reset=1+living".parse().unwrap();
        assert_eq!(
            both.fault_rate(Fault::Reset),
            Rate::ALWAYS,
            "a profile only adds"
        );
    }

    #[test]
    fn the_help_names_everything_that_can_be_asked_for() {
        let help = Chaos::help();
        for name in Fault::ALL.iter().map(|fault| fault.name()) {
            assert!(help.contains(name), "{name}");
        }
        for name in Mutation::ALL.iter().map(|mutation| mutation.name()) {
            assert!(help.contains(name), "{name}");
        }
        for (key, _) in KEYS {
            let value = format!("7,{key}=5").parse::<Chaos>();
            assert!(help.contains(key) && value.is_ok(), "{key}");
        }
        let longest = help.lines().map(str::len).max();
        assert!(longest <= Some(110), "{longest:?}");
    }

    fn term() -> impl Strategy<Value = ChaosTerm> {
        let rate = (0..=1_000_000_u32).prop_map(Rate::millionths);
        prop_oneof![
            proptest::sample::select(ChaosProfile::ALL).prop_map(ChaosTerm::Profile),
            (proptest::sample::select(Fault::ALL), rate.clone())
                .prop_map(|(fault, rate)| ChaosTerm::Fault(fault, rate)),
            (proptest::sample::select(Mutation::ALL), rate)
                .prop_map(|(mutation, rate)| ChaosTerm::Mutation(mutation, rate)),
        ]
    }

    proptest! {
        #[test]
        fn every_chaos_is_written_and_read_again_without_loss(
            seed in any::<u64>(),
            terms in proptest::collection::vec(term(), 0..6),
            from in any::<u64>(),
            until in any::<Option<u64>>(),
            max_mutations in any::<Option<u64>>(),
            retry_after in any::<u32>(),
        ) {
            let chaos = Chaos { seed, terms, from, until, max_mutations, retry_after };
            prop_assert_eq!(chaos.to_string().parse::<Chaos>(), Ok(chaos));
        }

        #[test]
        fn no_text_makes_reading_panic(text in "[0-9:+=,.a-z-]{0,40}") {
            let _ = text.parse::<Chaos>();
        }
    }
}
