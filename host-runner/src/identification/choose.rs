//! Which of the assets that share a key with a document it means.

use std::collections::{BTreeSet, HashSet};

use super::field::Field;
use super::identity::{Identity, Key};
use super::rule::Rule;

/// An asset that shares a key with the document.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The asset.
    pub asset: i64,
    /// Whether it is inactive: nothing has it any more. It steps back behind one that is not, so that what is gone never keeps from being found what
    /// took its place.
    pub inactive: bool,
    /// What each of its sources says.
    pub identities: Vec<Identity>,
}

/// What the rules found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// No rule fits any asset.
    None,
    /// A rule fits this one alone.
    One(i64),
    /// A rule fits several: no lower one is asked.
    Several {
        /// Which rule.
        rule: Rule,
        /// Whom it fits, by ascending id.
        assets: Vec<i64>,
    },
}

/// Tries the rules in their order. `common` are keys that too many assets have: they say nothing. The order of the candidates is of no matter.
pub fn choose(
    rules: impl IntoIterator<Item = Rule>,
    identity: &Identity,
    candidates: &[&Candidate],
    common: &HashSet<Key>,
) -> Found {
    for rule in rules {
        let mut keys = identity.keys(&rule);
        keys.retain(|key| !common.contains(key));
        if keys.is_empty() {
            continue;
        }
        // The values too, because a key is only a number.
        let agrees = |held: &Identity| {
            held.keys(&rule).iter().any(|key| keys.contains(key)) && held.agrees(identity, &rule)
        };
        let fitting: Vec<&Candidate> = candidates
            .iter()
            .copied()
            .filter(|candidate| candidate.identities.iter().any(agrees))
            .collect();
        let ids = |inactive: bool| -> BTreeSet<i64> {
            fitting
                .iter()
                .filter(|candidate| candidate.inactive == inactive)
                .map(|candidate| candidate.asset)
                .collect()
        };
        let living = ids(false);
        let assets = if living.is_empty() { ids(true) } else { living };
        match (assets.first(), assets.len()) {
            (None, _) => {}
            (Some(asset), 1) => return Found::One(*asset),
            _ => {
                return Found::Several {
                    rule,
                    assets: assets.into_iter().collect(),
                };
            }
        }
    }
    Found::None
}

/// Whether two look like one machine under two ids: the same host name and a MAC address in common, and not two different domains.
pub fn machines_alike(one: &Identity, other: &Identity) -> bool {
    let has_domain = |identity: &Identity| identity.values(Field::Domain).next().is_some();
    let domains_differ = has_domain(one) && has_domain(other) && !one.shares(other, Field::Domain);
    one.shares(other, Field::HostName) && one.shares(other, Field::Mac) && !domains_differ
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::identification::Rules;

    const MAC: &str = "00:1b:44:11:3a:b7";

    fn rules(text: &str) -> Vec<Rule> {
        text.split_whitespace()
            .map(|rule| rule.parse().unwrap())
            .collect()
    }

    fn choose(rules: Vec<Rule>, identity: &Identity, candidates: &[Candidate]) -> Found {
        let candidates: Vec<&Candidate> = candidates.iter().collect();
        super::choose(rules, identity, &candidates, &HashSet::new())
    }

    fn candidate(asset: i64, pairs: &[(&str, &str)]) -> Candidate {
        Candidate {
            asset,
            inactive: false,
            identities: vec![Identity::of(pairs.iter().copied())],
        }
    }

    #[test]
    fn the_first_rule_that_fits_one_asset_decides() {
        let document = Identity::of([
            ("external-id", "e1"),
            ("host-name", "a"),
            ("domain", "d.example"),
        ]);
        let candidates = [
            candidate(1, &[("host-name", "a"), ("domain", "d.example")]),
            candidate(2, &[("external-id", "e1")]),
        ];
        let found = |order: &str| choose(rules(order), &document, &candidates);
        assert_eq!(found("external-id host-name+domain"), Found::One(2));
        assert_eq!(found("host-name+domain external-id"), Found::One(1));
        assert_eq!(found("mac"), Found::None);
    }

    #[test]
    fn a_rule_that_fits_several_ends_the_search() {
        let document = Identity::of([("host-name", "a"), ("domain", "d.example"), ("mac", MAC)]);
        let candidates = [
            candidate(2, &[("host-name", "a"), ("domain", "d.example")]),
            candidate(1, &[("host-name", "A"), ("domain", "d.example")]),
            candidate(3, &[("mac", MAC)]),
        ];
        assert_eq!(
            choose(rules("host-name+domain mac"), &document, &candidates),
            Found::Several {
                rule: Rule::machine(),
                assets: vec![1, 2]
            }
        );
        assert_eq!(
            choose(rules("mac host-name+domain"), &document, &candidates),
            Found::One(3)
        );
    }

    #[test]
    fn a_rule_applies_only_where_all_its_fields_are_known_on_both_sides() {
        let document = Identity::of([("host-name", "a")]);
        let candidates = [candidate(1, &[("host-name", "a"), ("domain", "d.example")])];
        assert_eq!(
            choose(rules("host-name+domain"), &document, &candidates),
            Found::None
        );
        assert_eq!(
            choose(rules("host-name"), &document, &candidates),
            Found::One(1)
        );
    }

    #[test]
    fn an_asset_that_is_gone_steps_back_behind_one_that_is_not() {
        let document = Identity::of([("host-name", "a")]);
        let gone = |asset| Candidate {
            inactive: true,
            ..candidate(asset, &[("host-name", "a")])
        };
        let living = candidate(2, &[("host-name", "a")]);
        assert_eq!(
            choose(rules("host-name"), &document, &[gone(1), living]),
            Found::One(2)
        );
        assert_eq!(
            choose(rules("host-name"), &document, &[gone(1)]),
            Found::One(1)
        );
        assert!(matches!(
            choose(rules("host-name"), &document, &[gone(1), gone(3)]),
            Found::Several { .. }
        ));
    }

    #[test]
    fn a_value_that_too_many_have_says_nothing_and_the_next_rule_is_asked() {
        let document = Identity::of([("host-name", "a"), ("mac", MAC)]);
        let one = candidate(1, &[("host-name", "a")]);
        let other = candidate(2, &[("mac", MAC)]);
        let common = document
            .keys(&"host-name".parse().unwrap())
            .into_iter()
            .collect();
        let found = super::choose(rules("host-name mac"), &document, &[&one, &other], &common);
        assert_eq!(found, Found::One(2));
    }

    #[test]
    fn a_machine_that_was_installed_again_has_its_name_and_an_address_in_common() {
        let old = Identity::of([("external-id", "e1"), ("host-name", "a"), ("mac", MAC)]);
        assert!(machines_alike(
            &old,
            &Identity::of([
                ("external-id", "e2"),
                ("host-name", "A"),
                ("domain", "d.example"),
                ("mac", MAC)
            ])
        ));
        assert!(!machines_alike(&old, &Identity::of([("host-name", "a")])));
        assert!(!machines_alike(
            &old,
            &Identity::of([("host-name", "b"), ("mac", MAC)])
        ));
        let elsewhere = Identity::of([("host-name", "a"), ("domain", "x.example"), ("mac", MAC)]);
        let here = Identity::of([("host-name", "a"), ("domain", "d.example"), ("mac", MAC)]);
        assert!(!machines_alike(&elsewhere, &here));
    }

    fn identity() -> impl Strategy<Value = Identity> {
        let value = (0..4_usize, 0..3_u8).prop_map(|(field, n)| match field {
            0 => ("external-id", format!("e{n}")),
            1 => ("host-name", format!("h{n}")),
            2 => ("domain", format!("d{n}.example")),
            _ => ("mac", format!("00:1b:44:11:3a:0{n}")),
        });
        proptest::collection::vec(value, 0..5).prop_map(|pairs| {
            Identity::of(pairs.iter().map(|(name, value)| (*name, value.as_str())))
        })
    }

    proptest! {
        #[test]
        fn what_is_found_does_not_depend_on_the_order_in_which_assets_came(
            document in identity(),
            held in proptest::collection::vec((identity(), any::<bool>()), 0..6),
            turned in 0..6_usize,
        ) {
            let candidates: Vec<Candidate> = held
                .into_iter()
                .enumerate()
                .map(|(at, (identity, inactive))| Candidate { asset: at as i64, inactive, identities: vec![identity] })
                .collect();
            let mut other = candidates.clone();
            other.reverse();
            let len = other.len().max(1);
            other.rotate_left(turned % len);
            let with_mac = rules("external-id host-name+domain mac");
            let found = choose(with_mac.clone(), &document, &candidates);
            prop_assert_eq!(&choose(with_mac, &document, &other), &found);
            // Each asset that fits shares a key, so looking up keys finds it.
            let rules = Rules::new(rules("external-id host-name+domain mac")).unwrap();
            let keys = document.all_keys(&rules);
            let ids = match found {
                Found::None => vec![],
                Found::One(id) => vec![id],
                Found::Several { assets, .. } => assets,
            };
            for id in ids {
                let shares = candidates[id as usize].identities[0].all_keys(&rules).intersection(&keys).count();
                prop_assert!(shares > 0);
            }
        }
    }
}
