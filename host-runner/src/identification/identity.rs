//! What a document or an asset is known by, and the keys under which it is found again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::field::Field;
use super::normal::{normal, short_host_name};
use super::rule::{Rule, Rules};

/// The most combinations of values that a rule is applied with. What has more of them, such as a router with a hundred addresses, is not identified
/// by the rule.
pub const MOST_KEYS: usize = 64;

/// Between the values of a key. No normal form has a control character.
const SEPARATOR: char = '\u{1f}';

/// The normal forms of what one source says of an asset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity(BTreeMap<Field, BTreeSet<String>>);

/// A combination of values that a rule looks for, as a number: the beginning of a SHA-256 over the rule and the values. Whoever finds an asset by it
/// compares the values themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Key(pub i64);

impl Identity {
    /// Of names and values as a document gives them. Unknown names are left out, and what never identifies.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::of_those(pairs, |_| true)
    }

    /// No more of it than keys by these rules are made of: whoever finds many assets by few fields need not read the others.
    pub fn to_find<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>, rules: &Rules) -> Self {
        Self::of_those(pairs, |field| rules.ask_for(field))
    }

    fn of_those<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        asked: impl Fn(Field) -> bool,
    ) -> Self {
        let mut values: BTreeMap<Field, BTreeSet<String>> = BTreeMap::new();
        for (name, value) in pairs {
            if let Some(field) = Field::named(name).filter(|field| asked(*field))
                && let Some(value) = normal(field, value)
            {
                values.entry(field).or_default().insert(value);
            }
        }
        let hosts = values.remove(&Field::HostName);
        if let Some(hosts) = hosts {
            let domains = values.get(&Field::Domain).cloned().unwrap_or_default();
            let hosts: BTreeSet<String> = hosts
                .iter()
                .filter_map(|host| short_host_name(host, &domains))
                .collect();
            if !hosts.is_empty() {
                values.insert(Field::HostName, hosts);
            }
        }
        Self(values)
    }

    /// Its values of a field.
    pub fn values(&self, field: Field) -> impl Iterator<Item = &str> {
        self.0.get(&field).into_iter().flatten().map(String::as_str)
    }

    /// Whether there is nothing to know it by.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both have a value of the field in common.
    pub fn shares(&self, other: &Self, field: Field) -> bool {
        match (self.0.get(&field), other.0.get(&field)) {
            (Some(one), Some(two)) => !one.is_disjoint(two),
            _ => false,
        }
    }

    /// Whether the rule takes both for the same: they agree in all of its fields.
    pub fn agrees(&self, other: &Self, rule: &Rule) -> bool {
        rule.fields().all(|field| self.shares(other, field))
    }

    /// Its combinations of values for a rule: none where it lacks a field or has more of them than [`MOST_KEYS`].
    pub fn keys(&self, rule: &Rule) -> Vec<Key> {
        let mut combinations = vec![rule.to_string()];
        for field in rule.fields() {
            let Some(values) = self.0.get(&field) else {
                return Vec::new();
            };
            if combinations.len().saturating_mul(values.len()) > MOST_KEYS {
                return Vec::new();
            }
            combinations = combinations
                .iter()
                .flat_map(|beginning| {
                    values
                        .iter()
                        .map(move |value| format!("{beginning}{SEPARATOR}{value}"))
                })
                .collect();
        }
        combinations.iter().map(|text| Key::of(text)).collect()
    }

    /// The keys of the machine's name: host name and domain, or the host name alone where it is in no domain. Agents that were installed again
    /// are found by them.
    pub fn machine_keys(&self) -> Vec<Key> {
        if self.0.contains_key(&Field::Domain) {
            return self.keys(&Rule::machine());
        }
        self.values(Field::HostName)
            .take(MOST_KEYS)
            .map(|host| Key::of(&format!("machine{SEPARATOR}{host}")))
            .collect()
    }

    /// All keys under which it is to be found.
    pub fn all_keys(&self, rules: &Rules) -> BTreeSet<Key> {
        let mut keys: BTreeSet<Key> = rules.iter().flat_map(|rule| self.keys(rule)).collect();
        // In a domain the keys of the machine's name are those of a rule, which may be among them.
        if !self.0.contains_key(&Field::Domain) || !rules.iter().any(Rule::is_machine) {
            keys.extend(self.machine_keys());
        }
        keys
    }
}

impl Key {
    fn of(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let number = digest
            .iter()
            .take(8)
            .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        Self(number.cast_signed())
    }

    /// Stands for an asset's key in a connection: what waits for the asset itself to be linked.
    pub fn of_link(connection: i64, key: &str) -> Self {
        Self::of(&format!("link{SEPARATOR}{connection}{SEPARATOR}{key}"))
    }
}

/// A value that identifies an asset, with who says so. Serialized as a list of three.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributed(
    /// The field's name, as the document gave it.
    pub String,
    /// The value, as the document gave it.
    pub String,
    /// The source: a connection or an import.
    pub String,
);

/// What all sources say of an asset. One source has at most one key for an asset, so what it says replaces what it said before, name by name, and
/// touches nothing that others say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sources(Vec<Attributed>);

impl Sources {
    /// What a source says now. Names that it lacks stay as it said them before.
    pub fn say(&mut self, source: &str, pairs: &[(String, String)]) {
        let named = |name: &str| pairs.iter().any(|(new, _)| new == name);
        self.0.retain(|held| held.2 != source || !named(&held.0));
        self.0.extend(
            pairs
                .iter()
                .map(|(name, value)| Attributed(name.clone(), value.clone(), source.to_owned())),
        );
        // In one order, so that what says the same is the same.
        self.0
            .sort_by(|one, other| (&one.2, &one.0).cmp(&(&other.2, &other.0)));
        self.0.dedup();
    }

    /// What all others say.
    #[must_use]
    pub fn without(&self, source: &str) -> Self {
        let others = self.0.iter().filter(|said| said.2 != source);
        Self(others.cloned().collect())
    }

    /// What all say.
    pub fn iter(&self) -> impl Iterator<Item = &Attributed> {
        self.0.iter()
    }

    /// What each of them says, in normal form. Fields of different sources are never put together: the name that one gives and the domain
    /// that another gives are no machine's.
    pub fn identities(&self) -> Vec<Identity> {
        self.each(Identity::of)
    }

    fn each<'s>(&'s self, read: impl Fn(Vec<(&'s str, &'s str)>) -> Identity) -> Vec<Identity> {
        let mut by_source: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
        for Attributed(name, value, source) in &self.0 {
            by_source.entry(source).or_default().push((name, value));
        }
        by_source.into_values().map(read).collect()
    }

    /// All keys under which the asset is found.
    pub fn keys(&self, rules: &Rules) -> BTreeSet<Key> {
        self.each(|pairs| Identity::to_find(pairs, rules))
            .iter()
            .flat_map(|identity| identity.all_keys(rules))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        text.parse().unwrap()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn an_identity_is_what_identifies_in_normal_form() {
        let identity = Identity::of([
            ("host-name", "SRV-1.corp.example.com"),
            ("domain", "CORP.example.com"),
            ("ip", "127.0.0.1"),
            ("serial", "7"),
        ]);
        assert_eq!(
            identity.values(Field::HostName).collect::<Vec<_>>(),
            ["srv-1"]
        );
        assert_eq!(identity.values(Field::Ip).count(), 0);
        assert!(Identity::of([("serial", "7")]).is_empty());
    }

    #[test]
    fn a_rule_has_a_key_for_each_combination_and_none_where_a_field_is_missing() {
        let identity = Identity::of([
            ("host-name", "a"),
            ("mac", "00:1b:44:11:3a:b7"),
            ("mac", "00:1b:44:11:3a:b8"),
        ]);
        assert_eq!(identity.keys(&rule("host-name+mac")).len(), 2);
        assert!(identity.keys(&rule("host-name+domain")).is_empty());
    }

    #[test]
    fn what_is_read_to_find_an_asset_has_the_keys_of_all_that_it_says() {
        let pairs = [
            ("external-id", "e1"),
            ("host-name", "a"),
            ("domain", "corp.example.com"),
            ("mac", "00:1b:44:11:3a:b7"),
            ("ip", "192.0.2.1"),
        ];
        for text in [
            "external-id host-name+domain",
            "mac",
            "ip host-name+mac",
            "external-id",
        ] {
            let rules = text.split(' ').map(rule).collect();
            let rules = Rules::new(rules).unwrap();
            for without in 0..=pairs.len() {
                let said = pairs.iter().enumerate().filter(|(at, _)| *at != without);
                let said: Vec<_> = said.map(|(_, pair)| *pair).collect();
                let whole = Identity::of(said.iter().copied());
                let part = Identity::to_find(said, &rules);
                assert_eq!(part.all_keys(&rules), whole.all_keys(&rules), "{text}");
                let both = rules.iter().flat_map(|rule| whole.keys(rule));
                let both: BTreeSet<Key> = both.chain(whole.machine_keys()).collect();
                assert_eq!(whole.all_keys(&rules), both);
            }
        }
    }

    #[test]
    fn what_has_too_many_combinations_has_none() {
        let macs: Vec<String> = (0..=MOST_KEYS)
            .map(|n| format!("00:1b:44:11:3a:{n:02x}"))
            .collect();
        let identity = Identity::of(macs.iter().map(|mac| ("mac", mac.as_str())));
        assert!(identity.keys(&rule("mac")).is_empty());
        let identity = Identity::of(macs.iter().skip(1).map(|mac| ("mac", mac.as_str())));
        assert_eq!(identity.keys(&rule("mac")).len(), MOST_KEYS);
    }

    #[test]
    fn values_are_not_mistaken_for_one_another() {
        let one = Identity::of([("host-name", "a"), ("domain", "b.c")]);
        let other = Identity::of([("host-name", "a.b"), ("domain", "c")]);
        assert_ne!(one.keys(&Rule::machine()), other.keys(&Rule::machine()));
        let id = Identity::of([("external-id", "a")]);
        let host = Identity::of([("host-name", "a")]);
        assert_ne!(id.keys(&rule("external-id")), host.keys(&rule("host-name")));
        assert_ne!(host.machine_keys(), host.keys(&rule("host-name")));
    }

    #[test]
    fn a_source_replaces_what_it_said_and_nothing_that_another_says() {
        let mut sources = Sources::default();
        sources.say("c1", &pairs(&[("host-name", "a"), ("mac", "m")]));
        sources.say("i:cmdb", &pairs(&[("host-name", "A")]));
        sources.say("c1", &pairs(&[("host-name", "b"), ("host-name", "c")]));
        let said: Vec<(&str, &str, &str)> = sources
            .iter()
            .map(|said| (said.2.as_str(), said.0.as_str(), said.1.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                ("c1", "host-name", "b"),
                ("c1", "host-name", "c"),
                ("c1", "mac", "m"),
                ("i:cmdb", "host-name", "A")
            ]
        );
        let before = sources.clone();
        sources.say("c1", &pairs(&[("host-name", "b"), ("host-name", "c")]));
        assert_eq!(sources, before);
    }

    #[test]
    fn fields_of_two_sources_are_not_put_together() {
        let mut sources = Sources::default();
        sources.say("c1", &pairs(&[("host-name", "a")]));
        sources.say("i:cmdb", &pairs(&[("domain", "example.com")]));
        let machine = Identity::of([("host-name", "a"), ("domain", "example.com")]);
        let keys = sources.keys(&Rules::default());
        assert!(
            machine
                .keys(&Rule::machine())
                .iter()
                .all(|key| !keys.contains(key))
        );
    }
}
