//! The rules by which a tenant's assets are identified, in their order.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::field::{Field, UnknownField};

/// One rule: fields that must all agree. Written with plus signs, as in `host-name+domain`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule(BTreeSet<Field>);

/// A tenant's rules, the strongest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Rule>", into = "Vec<Rule>")]
pub struct Rules(Vec<Rule>);

/// What is wrong with a rule, or with rules together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// No such field.
    #[error(transparent)]
    Field(#[from] UnknownField),
    /// Nothing before, between or after plus signs.
    #[error(
        "the rule \"{0}\" lacks a field: a rule is one field, or several with + between, such as host-name+domain"
    )]
    Empty(String),
    /// A field stands twice in a rule.
    #[error("the rule \"{rule}\" names {field} twice: name it once")]
    Twice {
        /// The rule as it was typed.
        rule: String,
        /// The field.
        field: Field,
    },
    /// A domain alone is many machines.
    #[error(
        "the rule \"domain\" would take all machines of a domain for one: use it with another field, such as host-name+domain"
    )]
    DomainAlone,
    /// The same rule twice, whatever the order of its fields.
    #[error("the rule {0} is given twice: give it once, in its place")]
    Repeated(Rule),
}

impl Rule {
    /// The rule of these fields.
    ///
    /// # Errors
    /// Where there is none, or the domain alone.
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Result<Self, RuleError> {
        let fields: BTreeSet<Field> = fields.into_iter().collect();
        if fields.is_empty() {
            return Err(RuleError::Empty(String::new()));
        }
        if fields.iter().eq(&[Field::Domain]) {
            return Err(RuleError::DomainAlone);
        }
        Ok(Self(fields))
    }

    /// Host name and domain: the name of a machine. By it, whatever the rules say,
    /// agents are found that were installed again.
    pub fn machine() -> Self {
        Self(BTreeSet::from([Field::HostName, Field::Domain]))
    }

    /// Whether it is [`Rule::machine`].
    pub fn is_machine(&self) -> bool {
        self.fields().eq([Field::HostName, Field::Domain])
    }

    /// Its fields, in the order of [`Field::ALL`].
    pub fn fields(&self) -> impl Iterator<Item = Field> + '_ {
        self.0.iter().copied()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, field) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("+")?;
            }
            write!(f, "{field}")?;
        }
        Ok(())
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let mut fields = BTreeSet::new();
        for part in text.split('+') {
            if part.trim().is_empty() {
                return Err(RuleError::Empty(text.to_owned()));
            }
            let field: Field = part.trim().parse()?;
            if !fields.insert(field) {
                return Err(RuleError::Twice {
                    rule: text.to_owned(),
                    field,
                });
            }
        }
        Self::new(fields)
    }
}

impl TryFrom<String> for Rule {
    type Error = RuleError;

    fn try_from(text: String) -> Result<Self, RuleError> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}

impl Rules {
    /// These rules, in this order.
    ///
    /// # Errors
    /// Where one is there twice.
    pub fn new(rules: Vec<Rule>) -> Result<Self, RuleError> {
        let mut seen = BTreeSet::new();
        for rule in &rules {
            if !seen.insert(rule) {
                return Err(RuleError::Repeated(rule.clone()));
            }
        }
        Ok(Self(rules))
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter()
    }

    /// Whether a key of an asset may be made of the field: one of these rules has it, or the name of the machine.
    pub fn ask_for(&self, field: Field) -> bool {
        matches!(field, Field::HostName | Field::Domain)
            || self.0.iter().any(|rule| rule.0.contains(&field))
    }

    /// Those of the default that are off, and `mac` and `ip`, which are off by default: what could be switched on.
    pub fn off(&self) -> Vec<Rule> {
        let single = |field| Rule(BTreeSet::from([field]));
        Self::default()
            .0
            .into_iter()
            .chain([single(Field::Mac), single(Field::Ip)])
            .filter(|rule| !self.0.contains(rule))
            .collect()
    }
}

impl Default for Rules {
    /// The external id, then host name and domain. Addresses are off: a MAC address moves with a dock or an adapter, an IP address with its lease.
    fn default() -> Self {
        Self(vec![
            Rule(BTreeSet::from([Field::ExternalId])),
            Rule::machine(),
        ])
    }
}

impl TryFrom<Vec<Rule>> for Rules {
    type Error = RuleError;

    fn try_from(rules: Vec<Rule>) -> Result<Self, RuleError> {
        Self::new(rules)
    }
}

impl From<Rules> for Vec<Rule> {
    fn from(rules: Rules) -> Self {
        rules.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        text.parse().unwrap()
    }

    #[test]
    fn a_rule_is_its_fields_in_whatever_order_they_were_typed() {
        assert_eq!(rule("domain+hostName"), rule("host-name+domain"));
        assert_eq!(rule("domain + host-name").to_string(), "host-name+domain");
        assert_eq!(rule("host-name+domain"), Rule::machine());
    }

    #[test]
    fn a_rule_that_makes_no_sense_is_refused_and_says_why() {
        for (text, says) in [
            ("", "lacks a field"),
            ("mac+", "lacks a field"),
            ("mac+mac", "twice"),
            ("domain", "all machines of a domain"),
            ("serial", "there is external-id, host-name"),
        ] {
            let error = text.parse::<Rule>().unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
        let twice = Rules::new(vec![rule("host-name+domain"), rule("domain+host-name")]);
        assert!(matches!(twice, Err(RuleError::Repeated(_))));
    }

    #[test]
    fn what_can_be_switched_on_is_what_is_not_on() {
        let off =
            |rules: &Rules| -> Vec<String> { rules.off().iter().map(Rule::to_string).collect() };
        assert_eq!(off(&Rules::default()), ["mac", "ip"]);
        let rules = Rules::new(vec![rule("mac")]).unwrap();
        assert_eq!(off(&rules), ["external-id", "host-name+domain", "ip"]);
    }

    #[test]
    fn rules_are_kept_as_their_words() {
        let text = serde_json::to_string(&Rules::default()).unwrap();
        assert_eq!(text, r#"["external-id","host-name+domain"]"#);
        assert_eq!(
            serde_json::from_str::<Rules>(&text).unwrap(),
            Rules::default()
        );
        assert!(serde_json::from_str::<Rules>(r#"["mac","mac"]"#).is_err());
    }
}
